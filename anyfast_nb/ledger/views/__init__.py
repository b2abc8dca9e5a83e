"""What a person sees of the ledger: the usage table, and charts."""
