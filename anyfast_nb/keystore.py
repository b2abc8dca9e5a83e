"""Where `%anyfast login` keeps keys: one per base URL, in the keyring or a 0600 file.

A stored key belongs to the base URL it was given for and is looked up for that
one alone, so that changing the base URL never sends it somewhere else.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from anyfast_nb.errors import ConfigError

_SERVICE: Final = "anyfast-nb"
_IN_KEYRING: Final = "keyring"


def path(folder: Path) -> Path:
    """The key file below the state folder."""
    return folder / "keys.json"


def find(folder: Path, *, base_url: str) -> tuple[str, str] | None:
    """The key kept for `base_url` and the place it is kept in, or None."""
    entry = _read(folder).get(base_url)
    if not isinstance(entry, str):
        return None
    if entry != _IN_KEYRING:
        return entry, "key file"
    ring = keyring()
    if ring is None:
        return None
    try:
        value = ring.get_password(_SERVICE, base_url)
    except ring.errors.KeyringError:  # locked, or nobody there to unlock it: the key is not known
        return None
    return (value, "keyring") if value else None


def keep(folder: Path, *, base_url: str, key: str, in_file: bool) -> str | None:
    """Keep a key; gives the place in words, or None if there is none that may hold it.

    Args:
        folder: the state folder.
        base_url: the address the key is for.
        key: the key.
        in_file: keep it in the file (mode 0600) if there is no keyring.
    """
    if _into_keyring(base_url, key):
        _write(folder, {**_read(folder), base_url: _IN_KEYRING})
        return "the system's keyring"
    if not in_file:
        return None
    _write(folder, {**_read(folder), base_url: key})
    return f"{path(folder)} (readable by you alone)"


def forget(folder: Path, *, base_url: str) -> bool:
    """Remove the key kept for `base_url`; was there one?"""
    entries = _read(folder)
    entry = entries.pop(base_url, None)
    if entry is None:
        return False
    ring = keyring()
    if entry == _IN_KEYRING and ring is not None:
        with contextlib.suppress(ring.errors.KeyringError):  # it is gone already
            ring.delete_password(_SERVICE, base_url)
    _write(folder, entries)
    return True


def _into_keyring(base_url: str, key: str) -> bool:
    ring = keyring()
    if ring is None:
        return False
    try:
        ring.set_password(_SERVICE, base_url, key)
    except ring.errors.KeyringError:
        return False
    return True


def keyring() -> Any | None:
    """The keyring library, if it is installed and has a real place to keep things."""
    try:
        import keyring as library
        from keyring.backends.fail import Keyring as NoKeyring
    except ImportError:
        return None
    backend = library.get_keyring()
    return None if isinstance(backend, NoKeyring) else library


def _read(folder: Path) -> dict[str, Any]:
    try:
        entries = json.loads(path(folder).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _write(folder: Path, entries: dict[str, Any]) -> None:
    write_private(path(folder), json.dumps(entries, indent=2))


def write_private(target: Path, text: str) -> None:
    """Write a whole file, mode 0600, in one step: a reader sees the old text or the new.

    Raises:
        ConfigError: the folder or the file cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.")  # mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(draft).replace(target)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(
            f"{target} cannot be written: {error.strerror}",
            hint="Set ANYFAST_HOME to a folder that is yours.",
        ) from None
