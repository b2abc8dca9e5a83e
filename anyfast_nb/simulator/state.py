"""The state file by which notebooks find the server that was started for them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class State:
    """Where a running server is.

    Attributes:
        pid: its process.
        port: on loopback.
        key: the key it lets in.
        version: of the package it runs.
    """

    pid: int
    port: int
    key: str
    version: str


def read_state(path: Path) -> State | None:
    """The state in a file, None if there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        state = State(
            pid=int(found["pid"]),
            port=int(found["port"]),
            key=str(found["key"]),
            version=str(found["version"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state if state.pid > 0 and 0 < state.port < 65_536 and state.key else None


def write_state(path: Path, state: State) -> None:
    """Write a state so that a reader sees the old one or the new one, and only its owner any."""
    write_private(path, json.dumps(asdict(state)))


def write_private(path: Path, text: str) -> None:
    """Replace a file by one with mode 0600."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
    part.replace(path)


def remove_state(path: Path, *, pid: int) -> None:
    """Remove the state file if it is still that process's own."""
    state = read_state(path)
    if state is not None and state.pid == pid:
        path.unlink(missing_ok=True)
