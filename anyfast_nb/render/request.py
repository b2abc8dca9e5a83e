"""A request before it is sent: what `--dry-run` shows. No key, no media."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from anyfast_nb.render.answer import notes_html
from anyfast_nb.render.code import code_html
from anyfast_nb.render.style import page

_DATA = re.compile(r"data:([\w.+/-]*);base64,[A-Za-z0-9+/=_-]*")


def request_bundle(
    path: str, body: Mapping[str, Any], *, where: str, size: str, notes: Iterable[str] = ()
) -> dict[str, Any]:
    """A request as a mimebundle; media are told by type and size.

    Args:
        path: of the endpoint.
        body: what would be sent.
        where: its destination, in words.
        size: about how much it is, in words.
        notes: lines above it.
    """
    shown = json.dumps(_without_media(body), indent=2, ensure_ascii=False)
    lines = [*notes, f"not sent: {size}", f"POST {path} to {where}", "Authorization: Bearer [hidden]"]
    return {
        "text/plain": "\n".join([*lines, shown]),
        "text/html": page(notes_html(lines) + code_html(shown, "json"), style=True),
    }


def _without_media(value: Any) -> Any:
    if isinstance(value, str):
        return _DATA.sub(lambda match: f"[{match[1]}, {len(match[0]) * 3 // 4:,} bytes]", value)
    if isinstance(value, Mapping):
        return {key: _without_media(item) for key, item in value.items()}
    return [_without_media(item) for item in value] if isinstance(value, list | tuple) else value
