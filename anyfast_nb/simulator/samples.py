"""Answers made to order: of a given length, of a given number of tokens, or hostile."""

from __future__ import annotations

from anyfast_nb.simulator import tokens

_BLOCKS = (
    (
        "## Part {n}: a heading\n\nThis is simulated text, paragraph {n}. It goes on for a while, with "
        "*emphasis*, **weight** and `code` in it, so that most of it is prose, as most answers are.\n\n"
    ),
    (
        "- item {n}.1 of a list\n- item {n}.2 with a [link](https://example.org/{n})\n"
        "    - nested item {n}.2.1\n    - nested item {n}.2.2\n- item {n}.3\n\n"
    ),
    "```python\ndef square_{n}(x: float) -> float:\n    return x**2\n\n\nprint(square_{n}({n}))\n```\n\n",
    "| row | square | cube |\n|---:|---:|---:|\n| {n} | {n2} | {n3} |\n| {m} | {m2} | {m3} |\n\n",
    "Maths $e^{{i\\pi}}+1=0$ and a display:\n\n$$\\sum_{{k=1}}^{{{n}}} k = \\frac{{{n}({n}+1)}}{{2}}$$\n\n",
    "1. first step of part {n}\n2. second step\n3. third step\n\n",
    "> A quotation in part {n}, with other scripts in it: 你好，世界 · é ü ß · 🎬.\n\n",
)
_THOUGHT = "Step {n}: look at what was asked, check it against what was sent, then go on to the next point.\n"

HOSTILE = r"""# A hostile answer (simulated)

Nothing below may run, load or restyle anything.

<script>document.title="pwned"; window.pwned = 1</script>
<img src=x onerror="document.title='pwned'; window.pwned = 2">
<svg onload="window.pwned = 3"><script>window.pwned = 4</script></svg>
<iframe src="https://tracker.invalid/frame.html"></iframe>
<style>body { display: none !important }</style>
<form action="https://tracker.invalid/form"><button>press</button></form>
<details open ontoggle="window.pwned = 5"><summary>open</summary></details>
<a href="javascript:window.pwned=6" onclick="window.pwned = 7">raw link</a>
<base href="https://tracker.invalid/"><meta http-equiv="refresh" content="0;url=https://tracker.invalid/">

[a javascript link](javascript:window.pwned=8)
[mixed case](JaVaScRiPt:window.pwned=9)
[with an entity](java&#115;cript:window.pwned=10)
[with a tab](java	script:window.pwned=11)
[a data link](data:text/html,<script>window.pwned=12</script>)
[vbscript](vbscript:window.pwned)
[broken "quotes](https://example.org/" onmouseover="window.pwned=13)
<javascript:window.pwned=14>

![a tracking pixel](https://tracker.invalid/pixel.png)
![a reference][pixel]
![an image with a handler](x" onerror="window.pwned=15)

[pixel]: https://tracker.invalid/reference.png "title" onload="window.pwned=16"

```html
<script>window.pwned = 17</script>
```

```"><script>window.pwned=18</script>
fenced with a hostile language
```

Maths: $\href{javascript:window.pwned=19}{x}$ and $\unicode{x3c}script\unicode{x3e}$ and
$$\style{background:url(https://tracker.invalid/maths.png)}{y} \require{html} \class{pwned}{z} </script>$$

| cell | <b onmouseover="window.pwned=20">cell</b> |
|---|---|
| <img src="https://tracker.invalid/cell.png"> | `</code><script>window.pwned=21</script>` |

The last line of the hostile answer, in plain text: END-OF-HOSTILE.
"""


def varied(characters: int) -> str:
    """About that many characters of varied Markdown, ending between blocks."""
    parts: list[str] = []
    length, n = 0, 1
    while length < characters:
        m = n + 1
        block = _BLOCKS[(n - 1) % len(_BLOCKS)].format(n=n, n2=n**2, n3=n**3, m=m, m2=m**2, m3=m**3)
        parts.append(block)
        length += len(block)
        n += 1
    return "".join(parts).rstrip("\n") + "\n"


def exactly(count: int) -> str:
    """Varied Markdown of exactly that many tokens."""
    text, characters = "", count * 4
    while tokens.count(text) < count:
        text = varied(characters)
        characters *= 2
    return "".join(tokens.split(text)[:count])


def thoughts(count: int) -> str:
    """Reasoning of exactly that many tokens."""
    text = "".join(_THOUGHT.format(n=n) for n in range(1, count // 15 + 3))
    return "".join(tokens.split(text)[:count])
