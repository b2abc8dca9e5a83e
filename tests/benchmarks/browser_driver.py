"""What the measured cells import: a stream of timed pieces, drawn by the display or once per token."""

from __future__ import annotations

import json
import time
from pathlib import Path
from threading import Thread

from anyfast_nb.render.publish import KernelPublisher
from anyfast_nb.render.stream import StreamView
from anyfast_nb.wire.values import Answer, Opened, ReasoningDelta, TextDelta, Usage

END = "THE-LAST-WORD"
MODEL = "a-model-for-tests"
_PASSAGE = """**Streaming** text with `code`, a list and a table.

## A heading

- first item with *emphasis*
- second item with [a link](https://example.org)

```python
def square(x):
    return x ** 2
```

| a | b |
|---|---|
| 1 | 2 |

A paragraph of ordinary prose that goes on for a while, so that most of the text is prose. \
Maths such as $e^{i\\pi}+1=0$ appears too, and some Unicode: 你好, é, 🎬.

"""
TICK_S = 0.03


def pieces(chars: int, size: int = 4) -> list[str]:
    """An answer of about so many characters, in pieces of a token's size, its last word known."""
    text = (_PASSAGE * (chars // len(_PASSAGE) + 1))[:chars] + f"\n\n{END}"
    return [text[at : at + size] for at in range(0, len(text), size)]


def stream(chars: int, per_s: float, *, owns_cell: bool = True, thoughts: int = 0) -> None:
    """Show an answer by the streaming display, driven from a thread as a request is."""
    publisher = KernelPublisher()
    thread = Thread(target=_drive, args=(publisher, chars, per_s, owns_cell, thoughts))
    thread.start()
    thread.join()


def _drive(publisher: KernelPublisher, chars: int, per_s: float, owns_cell: bool, thoughts: int) -> None:
    view = StreamView(publisher, model=MODEL, owns_cell=owns_cell)
    view.feed(Opened(MODEL))
    thought = pieces(thoughts * 4)[:thoughts]
    text = pieces(chars)
    events = [*map(ReasoningDelta, thought), *map(TextDelta, text)]
    start, next_tick = time.monotonic(), 0.0
    for number, event in enumerate(events):
        _wait_until(start + number / per_s)
        view.feed(event)
        if time.monotonic() >= next_tick:
            view.tick()
            next_tick = time.monotonic() + TICK_S
    note_end()
    usage = Usage(120, len(events), reasoning_tokens=len(thought) or None)
    view.finish(Answer("".join(text), reasoning="".join(thought), model=MODEL, usage=usage))


def redraw_per_token(chars: int, per_s: float) -> None:
    """The loop of most tutorials: the whole Markdown again at each token."""
    from IPython.display import Markdown, display

    handle = display(Markdown(""), display_id=True)
    start, text = time.monotonic(), ""
    for number, piece in enumerate(pieces(chars)):
        _wait_until(start + number / per_s)
        text += piece
        handle.update(Markdown(text))
    note_end()


def note_end() -> None:
    """Leave word of when the last byte came."""
    Path("ended.json").write_text(json.dumps({"at_ms": time.time() * 1000}))


def _wait_until(moment: float) -> None:
    # Many short sleeps would be late; a piece or two at once is what a socket gives too.
    pause = moment - time.monotonic()
    if pause > 0.002:
        time.sleep(pause)
