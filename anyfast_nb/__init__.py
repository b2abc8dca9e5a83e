"""AnyFast in Jupyter."""
