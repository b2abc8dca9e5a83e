"""The only network I/O: transport, retries, server-sent events, redaction."""
