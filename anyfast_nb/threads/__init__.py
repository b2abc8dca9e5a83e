"""Named conversations: turns, and what re-running a cell does to them."""
