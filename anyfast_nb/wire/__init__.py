"""The AnyFast wire, pure: arguments to request bodies, bodies and events to typed values."""
