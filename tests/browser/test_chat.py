"""`%%anyfast chat` as a person sees it: JupyterLab in a real Chromium."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.lab import Browser, Lab, open_in_place, open_notebook, run_cell, save_notebook
from tests.environment import ROOT
from tests.wire_server import Gate, Reply, WireServer

pytestmark = pytest.mark.browser

OUTPUT = ".jp-Notebook .jp-Cell:nth-child({}) .jp-OutputArea"


def chunk(**delta: str) -> str:
    return json.dumps({"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta}]})


END = json.dumps(
    {
        "id": "c",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 34,
            "completion_tokens_details": {"reasoning_tokens": 7},
        },
    }
)


def setup_cell(server: WireServer) -> str:
    environ = f"%env ANYFAST_BASE_URL={server.url}\n%env ANYFAST_API_KEY=sk-test-browser"
    return f"{environ}\n%load_ext anyfast_nb\n'ready'"


def outputs(browser: Browser, cell: int) -> str:
    """The visible text of one cell's outputs; cells count from 1."""
    return str(
        browser.page.evaluate(
            "n => document.querySelectorAll('.jp-Notebook .jp-Cell')[n - 1]"
            ".querySelector('.jp-OutputArea')?.innerText ?? ''",
            cell,
        )
    )


def wait_for_output(browser: Browser, cell: int, text: str) -> None:
    browser.page.wait_for_function(
        "([n, text]) => document.querySelectorAll('.jp-Notebook .jp-Cell')[n - 1]"
        "?.querySelector('.jp-OutputArea')?.innerText.includes(text)",
        arg=[cell, text],
    )


def wait_until_idle(browser: Browser) -> None:
    browser.page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
    )


def test_an_answer_streams_in(
    browser: Browser, opened: Callable[..., None], wire_server: WireServer, shoot: Callable[[str], None]
) -> None:
    """Reasoning is open while it comes, closes when the answer begins; text grows; the end is one output."""
    thinking, writing = Gate(), Gate()
    wire_server.script(
        Reply.sse(
            chunk(reasoning_content="Let me think about it."),
            thinking,
            chunk(content="# A title\n\nSome **bold** words"),
            writing,
            chunk(
                content=" and the end.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nCosts $5 and $6; $x^2$ is maths."
            ),
            END,
            done=True,
        )
    )
    opened(setup_cell(wire_server), "%%anyfast\nTell me")
    run_cell(browser, 0)
    run_cell(browser, 1, wait=False)

    wait_for_output(browser, 2, "Let me think")
    assert browser.page.locator(".jp-OutputArea details[open]").count() == 1
    shoot("thinking")
    thinking.opened.set()
    wait_for_output(browser, 2, "bold words")
    browser.page.wait_for_function("() => !document.querySelector('.jp-OutputArea details[open]')")
    assert browser.page.locator(".jp-OutputArea details > summary").inner_text().startswith("Thought for")
    assert "and the end" not in outputs(browser, 2)
    shoot("writing")
    writing.opened.set()
    wait_for_output(browser, 2, "12 → 34")
    wait_until_idle(browser)

    cell = browser.page.locator(".jp-Notebook .jp-Cell").nth(1)
    assert cell.locator("h1").inner_text().strip() == "A title"
    assert cell.locator("strong").first.inner_text() == "bold"
    assert cell.locator("td").all_inner_texts() == ["1", "2"]
    assert "Costs $5 and $6" in outputs(browser, 2)
    assert cell.locator("mjx-container").count() == 1  # $x^2$ alone became maths
    assert cell.locator(".jp-OutputArea-child").count() == 1
    shoot("done")


def test_a_hostile_answer_runs_and_fetches_nothing(
    browser: Browser,
    opened: Callable[..., None],
    lab: Lab,
    wire_server: WireServer,
    shoot: Callable[[str], None],
) -> None:
    hostile = (
        'Before <script>window.hit = 1; alert(1)</script><img src=x onerror="window.hit = 1">\n\n'
        "<div onclick='window.hit = 1'>block</div>\n\n<svg onload=\"window.hit = 1\"></svg>\n\n"
        "[click](javascript:window.hit=1) [data](data:text/html,<script>window.hit=1</script>)\n\n"
        '![pixel](https://tracker.example/p.png) ![x](x" onerror="window.hit=1)\n\n'
        '<iframe src="https://evil.example"></iframe><style>body{display:none}</style>\n\n'
        "$\\href{javascript:window.hit=1}{maths}$ $$\\unicode{x}$$\n\n"
        "```html\n<script>window.hit = 1</script>\n```\n\n"
        "<details open ontoggle=window.hit=1>x</details>\n\nAfter\n"
    )
    halves = [hostile[: len(hostile) // 2], hostile[len(hostile) // 2 :]]
    body = [
        chunk(reasoning_content="<img src=x onerror='window.hit=1'>"),
        *(chunk(content=half) for half in halves),
    ]
    wire_server.script(Reply.sse(*body, END, done=True), Reply.sse(*body, END, done=True))
    opened(
        setup_cell(wire_server), "%%anyfast\nhi", "import anyfast_nb as af\nanswer = af.chat('hi')\nanswer"
    )
    for index in range(3):
        run_cell(browser, index)
    wait_for_output(browser, 3, "After")
    check_nothing_ran(browser)
    shoot("live")

    save_notebook(browser)
    open_notebook(browser, lab, "test_a_hostile_answer_runs_and_fetches_nothing.ipynb")
    wait_for_output(browser, 2, "After")
    check_nothing_ran(browser)
    shoot("reopened")


def check_nothing_ran(browser: Browser) -> None:
    """Click what can be clicked, then look: nothing ran, nothing was asked of the world."""
    page = browser.page
    page.evaluate("() => document.querySelectorAll('.jp-OutputArea a, .jp-OutputArea div').forEach("
                  "e => { if (!(e.href || '').startsWith('http')) e.click() })")  # fmt: skip
    assert page.evaluate("() => window.hit") is None
    assert not browser.dialogs
    assert not [url for url in browser.outside if "example" in url]
    live = ".jp-OutputArea :is(script, iframe, img, svg, style:not(.anyfast *), object, embed, form)"
    within = page.evaluate(
        "s => [...document.querySelectorAll(s)]"
        ".filter(e => !e.closest('mjx-container')).map(e => e.outerHTML)",
        live,
    )
    assert not [html for html in within if "window.hit" in html or "example" in html or "body{" in html]
    links = page.evaluate("() => [...document.querySelectorAll('.jp-OutputArea a')].map(a => a.href)")
    assert all(link.startswith(("http://", "https://", "mailto:")) for link in links)


def test_the_toolbars_square_stops_an_answer(
    browser: Browser, opened: Callable[..., None], wire_server: WireServer, shoot: Callable[[str], None]
) -> None:
    wire_server.script(Reply.sse(chunk(content="The part that came. "), Gate()))
    opened(setup_cell(wire_server), "%%anyfast\nTell me")
    run_cell(browser, 0)
    run_cell(browser, 1, wait=False)
    wait_for_output(browser, 2, "The part that came.")
    browser.page.locator(
        "[data-command='notebook:interrupt-kernel'], .jp-ToolbarButtonComponent[data-command*=interrupt]"
    ).first.click()
    wait_for_output(browser, 2, "interrupted")
    wait_until_idle(browser)
    assert "The part that came." in outputs(browser, 2)
    assert "Traceback" not in outputs(browser, 2)
    assert wire_server.requests[0].gone.wait(2)
    shoot("stopped")


def test_typing_goes_on_while_an_answer_streams(
    browser: Browser, opened: Callable[..., None], wire_server: WireServer
) -> None:
    gate = Gate()
    wire_server.script(Reply.sse(chunk(content="Streaming. "), gate, chunk(content="Done."), END, done=True))
    opened(setup_cell(wire_server), "%%anyfast\nTell me", "x = 1")
    run_cell(browser, 0)
    run_cell(browser, 1, wait=False)
    wait_for_output(browser, 2, "Streaming.")
    editor = browser.page.locator(".jp-Notebook .jp-Cell").nth(2).locator(".cm-content")
    editor.click()
    browser.page.keyboard.press("End")
    browser.page.keyboard.type(" + 41  # typed")
    assert editor.inner_text().strip() == "x = 1 + 41  # typed"
    gate.opened.set()
    wait_for_output(browser, 2, "Done.")


def test_tab_completes_verbs_and_options(
    browser: Browser, opened: Callable[..., None], wire_server: WireServer, shoot: Callable[[str], None]
) -> None:
    opened(setup_cell(wire_server), "%%anyfast chat --te", "")
    run_cell(browser, 0)
    editor = browser.page.locator(".jp-Notebook .jp-Cell").nth(2).locator(".cm-content")
    editor.click()
    browser.page.keyboard.type("%anyfast lo")
    browser.page.keyboard.press("Tab")
    browser.page.wait_for_selector(".jp-Completer-item")
    shown = browser.page.locator(".jp-Completer-item").all_inner_texts()
    assert any("login" in item for item in shown)
    assert any("logout" in item for item in shown)
    shoot("completer")


def test_the_quickstart_runs_as_a_person_runs_it(
    browser: Browser, lab: Lab, folder: Path, shoot: Callable[[str], None]
) -> None:
    """Run All on the built-in AnyFast: no key, no error, every cell with something to see."""
    shutil.copy(ROOT / "notebooks" / "01_quickstart.ipynb", folder / "quickstart.ipynb")
    open_in_place(browser, lab, "quickstart.ipynb")
    page = browser.page
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs') }")
    page.wait_for_function("() => !document.querySelector('.jp-OutputArea-output')")
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    page.wait_for_function(
        "() => [...window.jupyterapp.shell.currentWidget.content.model.cells]"
        ".filter(c => c.type === 'code').every(c => c.executionCount !== null)",
        timeout=120_000,
    )
    wait_until_idle(browser)
    cells = page.evaluate(
        "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].filter(c => c.type === 'code')"
        ".map(c => c.outputs.toJSON())"
    )
    assert all(cells)
    assert not [output for cell in cells for output in cell if output["output_type"] == "error"]
    texts = json.dumps(cells, ensure_ascii=False)
    assert "**395**" in texts
    assert "Your name is **Ada**" in texts
    assert "No key is set" in texts  # nobody chose the built-in AnyFast: it says so
    assert not browser.errors
    for number in (3, 9, 13, 20):
        page.evaluate(
            "n => window.jupyterapp.shell.currentWidget.content.widgets[n]"
            ".node.scrollIntoView({block: 'start'})",
            number,
        )
        page.wait_for_timeout(500)
        shoot(f"cell-{number}")
