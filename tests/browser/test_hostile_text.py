"""What model text can do in JupyterLab in a real browser: be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.lab import (
    Browser,
    Lab,
    open_notebook,
    run_cell,
    save_notebook,
    write_notebook,
)

pytestmark = pytest.mark.browser

HOSTILE = r"""Read me <script>window.pwned = 1</script> <img src=x onerror="window.pwned = 2">

<svg onload="window.pwned = 3"></svg> <iframe src="https://evil.example"></iframe>

<video src="//evil.example" autoplay>

<style>body { background: url(https://evil.example/bg) }</style>

<link rel=stylesheet href=https://evil.example/c.css>

<div style="position: fixed; inset: 0" id="main" class="jp-Dialog" onclick="window.pwned = 4">over all</div>

[link](javascript:window.pwned=5) <a href="javascript:window.pwned=6">raw</a>

[data](data:text/html;base64,AAAA)

![pixel](https://evil.example/pixel.png) ![](//evil.example/p.png)

[![in](https://evil.example/in.png)](https://ok.example)

$\href{javascript:window.pwned=7}{x}$ $\style{background:url(https://evil.example/t)}{x}$
$\class{jp-Dialog}{x}$ $\require{html}$ $\def\x{y}$
$\text{<img src=x onerror=window.pwned=8>}$ \href{javascript:window.pwned=9}{z}

\begin{align}
\href{javascript:window.pwned=10}{y}
\end{align}

`$\href{javascript:window.pwned=11}{x}$` costs $5 and $6

```html
<script>window.pwned = 12</script>
```

| <script>window.pwned = 13</script> | ![t](https://evil.example/t.png) |
|---|---|
| <img src=x onerror="window.pwned = 14"> | [j](javascript:window.pwned=15) |

and $e^{i\pi}+1=0$ is typeset.
"""

CELL = """
from anyfast_nb.render.publish import KernelPublisher
from anyfast_nb.render.stream import StreamView
from anyfast_nb.wire.values import Answer, ReasoningDelta, TextDelta

def show(owns_cell, plain=False):
    model = "m<img src=x onerror='window.pwned = 20'>"
    view = StreamView(KernelPublisher(), model=model, owns_cell=owns_cell, plain=plain)
    view.note(TEXT)
    for kind in (ReasoningDelta, TextDelta):
        for at in range(0, len(TEXT), 50):
            view.feed(kind(TEXT[at : at + 50]))
            view._draw_pane() if kind is ReasoningDelta else view._draw_body()
    view.finish(Answer(TEXT, reasoning=TEXT, model="m"))
"""

LOOK = """() => {
  const ALIVE = ["script", "img", "iframe", "video", "link", "a:not([href^=http])", "#main", ".jp-Dialog"];
  const all = selector => [...document.querySelectorAll('.jp-OutputArea-output ' + selector)];
  const found = selector => all(selector).length;
  all('details').forEach(pane => { pane.open = true });
  return {
    pwned: window.pwned ?? null,
    alive: ALIVE.filter(found),
    handlers: all('*').flatMap(node => node.getAttributeNames()).filter(name => name.startsWith('on')),
    typeset: found('mjx-container'),
    answers: [...document.querySelectorAll('.jp-OutputArea-output')].map(node => node.textContent),
  };
}"""


def test_hostile_text_runs_and_fetches_nothing_live_and_reopened(
    lab: Lab, folder: Path, browser: Browser
) -> None:
    cells = [f"TEXT = {HOSTILE!r}\n{CELL}", "show(True)", "show(False)", "show(True, plain=True)"]
    write_notebook(folder / "hostile.ipynb", cells)
    browser.page.set_viewport_size({"width": 1280, "height": 4_000})
    open_notebook(browser, lab, "hostile.ipynb")
    for index in range(4):
        run_cell(browser, index)
    check(browser)
    save_notebook(browser)
    open_notebook(browser, lab, "hostile.ipynb")
    check(browser)


def check(browser: Browser) -> None:
    browser.page.wait_for_selector(".jp-OutputArea-output mjx-container", state="attached")
    browser.page.wait_for_timeout(1_000)  # time for what must not happen
    seen = browser.page.evaluate(LOOK)
    assert seen["pwned"] is None
    assert seen["alive"] == []
    assert seen["handlers"] == []
    assert browser.outside == []
    assert browser.dialogs == []
    assert browser.errors == []
    # It is there to read, and what is maths is typeset: the check looked at the answer itself.
    assert seen["typeset"] >= 4
    assert sum("<script>window.pwned = 1</script>" in text for text in seen["answers"]) >= 3
    assert sum("costs $5 and $6" in text for text in seen["answers"]) >= 3
