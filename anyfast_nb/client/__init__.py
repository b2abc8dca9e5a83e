"""The same from Python: `Client` and `AsyncClient`, over one private event loop."""
