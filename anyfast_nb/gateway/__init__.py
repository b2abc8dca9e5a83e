"""The way to the gateway: one private event loop, the connection, and one exchange on it."""
