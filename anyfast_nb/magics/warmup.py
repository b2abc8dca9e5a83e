"""What the first request needs, imported while the user types it.

Loading the extension stays light; right after the cell that loaded it, a
background thread imports the HTTP client, Markdown and the display. The first
token of the first chat then comes as soon as that of any later one. Nothing
is sent, written or opened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

_NEEDED: Final = (
    "httpx",
    "httpcore",  # httpx imports it with its first transport,
    "anyio.streams.tls",  # and these with its first connection
    "anyio._backends._asyncio",
    "anyfast_nb.magics.chat",
    "anyfast_nb.ledger.store",
    "anyfast_nb.render.stream",
    "anyfast_nb.render.publish",
)
_SAMPLE: Final = "# a\n\n- *b* `c` $d$\n\n| e |\n|---|\n| f |\n\n```python\ndef g(): return 'h'\n```\n"


def after_this_cell(shell: Any) -> None:
    """Warm up once, when the running cell has ended."""

    def begin(_: Any = None) -> None:
        shell.events.unregister("post_run_cell", begin)
        threading.Thread(target=warm_up, name="anyfast-warmup", daemon=True).start()

    shell.events.register("post_run_cell", begin)


def warm_up(load: Callable[[str], Any] = import_module) -> None:
    """Import what the first request needs; trouble is left for that request to tell."""
    try:
        for name in _NEEDED:
            load(name)
        # The first text compiles some hundred regular expressions, of Markdown and of the lexer.
        load("anyfast_nb.render.markdown").render_markdown(_SAMPLE)
    except Exception:  # noqa: BLE001 - a broken library is told by the request that needs it
        return
