"""The ledger as pandas: rows, totals, and their way out."""
