"""Where films and pictures are kept: a folder beside the notebook, names of ours, a JSON file beside each.

A file appears under its name when it is whole: it is written beside, synced and renamed.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import platform
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from anyfast_nb._version import __version__
from anyfast_nb.errors import ConfigError

FOLDER: Final = "anyfast_media"
_SHORT: Final = 8


@dataclass(frozen=True, slots=True)
class MediaFolder:
    """A folder that can be written.

    Attributes:
        path: absolute.
        note: why it is not the one that was wanted, "" if it is.
    """

    path: Path
    note: str = ""

    def file(self, stem: str, suffix: str) -> Path:
        """The path of a file in it."""
        return self.path / f"{stem}{suffix}"


def open_folder(chosen: str | None, *, home: Path, beside: Path) -> MediaFolder:
    """The folder for media, made if need be.

    Args:
        chosen: the setting ``media_dir``; a relative one is taken from `beside`.
        home: where it goes instead if the folder cannot be written.
        beside: the folder of the notebook.

    Raises:
        ConfigError: neither can be written.
    """
    wanted = beside.absolute() / Path(chosen or FOLDER).expanduser()
    try:
        return MediaFolder(_made(wanted))
    except OSError as error:
        instead = home.absolute() / "media"
        why = error.strerror or type(error).__name__
        note = f"{wanted} cannot be written ({why.lower()}): files go to {instead}"
    try:
        return MediaFolder(_made(instead), note)
    except OSError:
        raise ConfigError(
            f"neither {wanted} nor {instead} can be written; there is no place for the result",
            hint="Set media_dir (ANYFAST_MEDIA_DIR) to a folder that can be written.",
        ) from None


def stem_of(kind: str, created_at: datetime, id: str, *, number: int | None = None) -> str:
    """The name of a file without its ending: kind, local time, the end of the id, and a number in a group."""
    stem = f"{kind}-{created_at.astimezone():%Y%m%d-%H%M%S}-{id[-_SHORT:]}"
    return stem if number is None else f"{stem}-{number}"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole, or not at all.

    What a killed writer of the same file left beside it goes.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if not (isinstance(error, FileNotFoundError) and path.is_file()):  # else: another was first
            raise
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with contextlib.suppress(OSError):
            left.unlink()


def write_sidecar(media: Path, facts: Mapping[str, Any]) -> Path:
    """Write what is known of a file into a JSON file beside it, versions included.

    Args:
        media: the film or picture.
        facts: JSON values, without secrets.
    """
    path = media.with_suffix(".json")
    versions = {"anyfast_nb": __version__, "python": platform.python_version()}
    text = json.dumps({**facts, "versions": versions}, indent=2, ensure_ascii=False, default=str)
    write_whole(path, text.encode("utf-8", "replace") + b"\n")
    return path


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        write_whole(ignore, b"*\n")
    elif not os.access(folder, os.W_OK):
        raise PermissionError(13, "Permission denied")
    return folder
