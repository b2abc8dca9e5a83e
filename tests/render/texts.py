"""Answers to stream, and what a reader sees of their HTML."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from anyfast_nb.wire.values import Event, TextDelta

PASSAGE = """QX1 **Streaming** markdown with `code`, a list and a table.

## Heading

- first item with *emphasis*
- second item with [a link](https://example.org)

```python
def f(x):
    return x ** 2
```

| a | b |
|---|---|
| 1 | 2 |

A paragraph of ordinary prose that goes on for a while so that most of the text is prose. \
Inline maths $e^{i\\pi}+1=0$ appears too, and some Unicode: 你好, é, 🎬.

"""
SHAPES = {
    "mixed": PASSAGE,
    "prose": "word " * 200 + "\n\n",
    "one paragraph": "word ",
    "one list": "- an item of a list\n",
    "one code block": "x = 1  # set x\n",
}


def answer_text(chars: int, shape: str = "mixed") -> str:
    opening = "```python\n" if shape == "one code block" else ""
    return (opening + SHAPES[shape] * (chars // len(SHAPES[shape]) + 1))[:chars]


def events(text: str, kind: Callable[[str], Event] = TextDelta, size: int = 4) -> list[Event]:
    return [kind(text[at : at + size]) for at in range(0, len(text), size)]


def words(html: str) -> str:
    """What a reader sees of some HTML, without white space."""
    return "".join(unescape(re.sub(r"<style>.*?</style>|<[^>]*>", "", html, flags=re.DOTALL)).split())
