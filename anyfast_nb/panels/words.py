"""Every word the panels say, in English and 中文, in one catalogue: a file for each part of the house."""

from __future__ import annotations

import json
import locale
import os
from functools import cache
from pathlib import Path
from typing import Final

from anyfast_nb.session import session

_FOLDER: Final = Path(__file__).with_name("catalogue")


def say(key: str, **values: object) -> str:
    """The words of a key in the language of the settings, with values put in their places.

    Args:
        key: such as ``chat.send``; its first part names the file.
        values: for the names in braces.

    Raises:
        KeyError: the catalogue has no such key: a fault of ours that a test finds.
    """
    return catalogue()[key][language()].format_map(values)


def language() -> str:
    """``en`` or ``zh``: the setting ``language``, else the locale's."""
    chosen = session().settings.language
    return chosen if chosen != "auto" else _of_locale()


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """The words by key and language."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted(_FOLDER.glob("*.json")):
        found |= json.loads(file.read_text("utf-8"))
    return found


def _of_locale() -> str:
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANGUAGE", "LANG"))
    chosen = next((name for name in names if name), locale.getlocale()[0] or "")
    return "zh" if chosen.lower().startswith("zh") else "en"
