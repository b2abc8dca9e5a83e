"""A request before it is sent: what `--dry-run` shows. No key, no media."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from anyfast_nb.render.answer import notes_html
from anyfast_nb.render.code import code_html
from anyfast_nb.render.style import page

_DATA = re.compile(r"data:([\w.+/-]*);base64,([A-Za-z0-9+/_-]*)=*")


def request_bundle(
    path: str,
    body: Mapping[str, Any],
    *,
    where: str,
    size: str,
    notes: Iterable[str] = (),
    clean: Callable[[str], str] = str,
) -> dict[str, Any]:
    """A request as a mimebundle; media are told by type and size.

    Args:
        path: of the endpoint.
        body: what would be sent.
        where: its destination, in words.
        size: about how much it is, in words.
        notes: lines above it.
        clean: takes keys and signed addresses out of a text: what is shown is saved with the notebook.
    """
    shown = json.dumps(_shown(body, clean), indent=2, ensure_ascii=False)
    lines = [*notes, f"not sent: {size}", f"POST {path} to {where}", "Authorization: Bearer [hidden]"]
    return {
        "text/plain": "\n".join([*lines, shown]),
        "text/html": page(notes_html(lines) + code_html(shown, "json"), style=True),
    }


def _shown(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(_DATA.sub(lambda match: f"[{match[1]}, {len(match[2]) * 3 // 4:,} bytes]", value))
    if isinstance(value, Mapping):
        return {key: _shown(item, clean) for key, item in value.items()}
    return [_shown(item, clean) for item in value] if isinstance(value, list | tuple) else value
