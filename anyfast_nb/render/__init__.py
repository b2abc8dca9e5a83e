"""What a person sees: pure functions from values to mimebundles, and the one streaming display."""
