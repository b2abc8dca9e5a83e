"""The same from Python: `Client` and `AsyncClient`."""
