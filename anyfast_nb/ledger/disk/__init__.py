"""Rows to disk and back: the journal, the file or the server, and what both understand."""
