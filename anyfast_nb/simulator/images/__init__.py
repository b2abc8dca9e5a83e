"""``POST /v1/images/generations``: the Seedream families, their rules, and genuine pictures."""
