"""A ledger that a class shares on PostgreSQL: roles, members, the hub."""
