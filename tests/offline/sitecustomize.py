"""Keeps tests off the network: this process and every Python it starts may reach loopback only.

An audit hook sees what the interpreter itself does, so threads, asyncio and C
extensions that use the socket module are covered, and `socket` is not imported
early. The folder is put on PYTHONPATH by conftest.py; Python imports a module of
this name by itself at start-up.
"""

from __future__ import annotations

import sys
from typing import Any

blocked: list[str] = []  # what was tried; a test fails on it even if the program swallowed the error


class NetworkBlocked(RuntimeError):
    """A test reached for a host that is not this machine."""


def is_local(host: Any) -> bool:
    """Whether a host, as the socket module takes it, means this machine."""
    if host is None or isinstance(host, int):  # no host at all; an address of another family
        return True
    name = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else str(host)
    name = name.removeprefix("::ffff:")
    return name in {"", "localhost", "::", "::1", "0.0.0.0"} or name.startswith("127.")


def _refuse(event: str, host: Any) -> None:
    if is_local(host):
        return
    import socket

    name = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else str(host)
    if event != "socket.connect" and name.rstrip(".").endswith(".invalid"):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")  # what any machine answers
    blocked.append(f"{event} {name}")
    raise NetworkBlocked(f"tests stay on loopback, and this one reached for {name} ({event})")


def audit(event: str, args: tuple[Any, ...]) -> None:
    """The hook: names before they are looked up, addresses before they are used."""
    if not event.startswith("socket."):
        return
    if event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
        _refuse(event, args[0])
    elif event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = args[1]
        if isinstance(address, tuple) and address:  # a path is a Unix socket
            _refuse(event, address[0])


sys.addaudithook(audit)
