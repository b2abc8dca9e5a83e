from tests.client.conftest import client

__all__ = ["client"]
