"""The chat panel as a person uses it: typed, clicked, dropped, stopped, in JupyterLab and Notebook 7."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.axe import violations
from tests.browser.conftest import Opens
from tests.browser.lab import (
    Browser,
    Lab,
    another_page,
    into_view,
    open_notebook,
    run_cell,
    save_notebook,
    write_notebook,
)
from tests.browser.panels import reopened
from tests.browser.test_chat import END, chunk, setup_cell
from tests.browser.test_jobs import in_the_dark
from tests.wire_server import Gate, Reply, Request, WireServer

pytestmark = pytest.mark.browser

Shoots = Callable[[str], None]
MAKE = "from anyfast_nb.panels.chat import ChatPanel\npanel = ChatPanel(model='mini')\npanel"
PATIENT = 30_000

# Sizes of all that goes over websockets, both ways.
SOCKETS = """
window.sizes = {sent: 0, came: 0, most: 0};
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...args) {
    super(...args);
    this.addEventListener('message', e => {
      const size = e.data.byteLength ?? e.data.length;
      window.sizes.came += size; window.sizes.most = Math.max(window.sizes.most, size);
    });
  }
  send(data) {
    const size = data.byteLength ?? data.length;
    window.sizes.sent += size; window.sizes.most = Math.max(window.sizes.most, size);
    super.send(data);
  }
};
"""
DROP = """async ([selector, kind, name, type, base64, text]) => {
  const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, {type}));
  if (text) data.setData('text/plain', text);
  const node = document.querySelector(selector);
  const options = {bubbles: true, cancelable: true};
  if (kind === 'paste') {
    node.dispatchEvent(new ClipboardEvent('paste', {...options, clipboardData: data}));
  } else {
    for (const step of ['dragenter', 'dragover', 'drop'])
      node.dispatchEvent(new DragEvent(step, {...options, dataTransfer: data}));
  }
}"""


def said(*texts: str) -> Reply:
    return Reply.sse(*(chunk(content=text) for text in texts), END, done=True)


def script(server: WireServer, *replies: Reply) -> None:
    """Answers in order, after the list of models that a panel asks for when it is shown."""
    server.script(Reply.json({"data": [{"id": "served-by-the-gateway"}]}), *replies)


def posts(server: WireServer) -> list[Request]:
    return [request for request in server.requests if request.method == "POST"]


class Chat:
    """The panel on the page."""

    def __init__(self, browser: Browser, at: int = 0) -> None:
        self.page = browser.page
        self.panel = self.page.locator(".anyfast-panel").nth(at)

    @property
    def log(self) -> Locator:
        return self.panel.get_by_role("log")

    @property
    def field(self) -> Locator:
        return self.panel.get_by_role("textbox", name="Message").or_(
            self.panel.get_by_role("textbox", name="消息")
        )

    @property
    def send(self) -> Locator:
        return self.panel.locator(".anyfast-send")

    def ask(self, text: str) -> None:
        """Type, and press Ctrl+Enter."""
        self.field.click()
        self.page.keyboard.type(text)
        self.page.keyboard.press("Control+Enter")

    def hears(self, text: str) -> None:
        """Wait until the log says so."""
        expect(self.log).to_contain_text(text, timeout=PATIENT)

    def rests(self) -> None:
        """Wait until nothing is on its way."""
        expect(self.send).not_to_have_class("anyfast-send anyfast-stop", timeout=PATIENT)

    def act(self, name: str, at: int = -1) -> None:
        """Press a button of a turn."""
        buttons = self.log.get_by_role("button", name=name, exact=True)
        (buttons.last if at < 0 else buttons.nth(at)).click()


def open_panel(browser: Browser, opened: Opens, server: WireServer, *more: str, make: str = MAKE) -> Chat:
    opened(setup_cell(server), make, *more)
    run_cell(browser, 0)
    run_cell(browser, 1)
    chat = Chat(browser)
    chat.field.wait_for()
    return chat


def asked(server: WireServer, number: int) -> list[dict[str, object]]:
    """The messages of a request."""
    server.wait_for_requests(number + 2)
    body = posts(server)[number].json()
    found: list[dict[str, object]] = body.get("messages") or body["input"]
    return found


def test_a_talk_by_hand(browser: Browser, opened: Opens, wire_server: WireServer, shoot: Shoots) -> None:
    """Type, send by key and by button, stop, retry, edit; light and dark; nothing in anybody's way."""
    thinking, writing = Gate(), Gate()
    script(wire_server,
        Reply.sse(
            chunk(reasoning_content="Let me think."),
            thinking,
            chunk(content="# Sky\n\nIt is **blue**"),
            writing,
            chunk(content=" by day. $x^2$ is maths.\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
            END,
            done=True,
        ),
        Reply.sse(chunk(content="The part that came."), Gate()),
        said("Another answer."),
        said("An answer to the edited."),
    )  # fmt: skip
    chat = open_panel(browser, opened, wire_server)
    shoot("empty")
    chat.ask("Why is the sky blue?")
    chat.hears("Let me think.")
    assert chat.log.locator("details[open]").count() == 1
    options = chat.panel.locator("datalist option").evaluate_all("all => all.map(option => option.value)")
    assert {"mini", "served-by-the-gateway"} <= set(options)
    expect(chat.send).to_have_text("Stop")
    assert chat.field.input_value() == ""
    shoot("thinking")
    thinking.opened.set()
    chat.hears("It is blue")
    shoot("writing")
    writing.opened.set()
    chat.hears("12 → 34")
    chat.rests()
    assert chat.log.locator("h1").inner_text().strip() == "Sky"
    assert chat.log.locator("td").all_inner_texts() == ["1", "2"]
    expect(chat.log.locator("mjx-container")).to_have_count(1, timeout=PATIENT)

    chat.field.fill("And at night?")
    chat.send.click()
    chat.hears("The part that came.")
    chat.send.click()  # it is Stop now
    chat.hears("interrupted")
    chat.rests()
    assert posts(wire_server)[1].gone.wait(5)
    assert [message["role"] for message in asked(wire_server, 1)] == ["user", "assistant", "user"]

    chat.act("Retry")
    chat.hears("Another answer.")
    chat.rests()
    expect(chat.log).not_to_contain_text("The part that came.")
    assert asked(wire_server, 2) == asked(wire_server, 1)

    chat.act("Edit", at=0)
    expect(chat.field).to_have_value("Why is the sky blue?")
    expect(chat.field).to_be_focused()
    expect(chat.panel).to_contain_text("Sending replaces an earlier message")
    shoot("editing")
    chat.page.keyboard.press("End")
    chat.page.keyboard.type(" In one word.")
    chat.page.keyboard.press("Control+Enter")
    chat.hears("An answer to the edited.")
    chat.rests()
    assert chat.log.locator(".anyfast-said").count() == 1
    (only,) = asked(wire_server, 3)
    assert only["content"] == "Why is the sky blue? In one word."

    chat.panel.get_by_role("button", name="Settings", exact=True).click()
    expect(chat.panel.get_by_role("textbox", name="System prompt")).to_be_visible()
    assert violations(chat.page, ".anyfast-panel") == []
    shoot("light")
    in_the_dark(browser, shoot, "dark")
    assert not browser.errors
    assert not browser.outside


def test_the_dark_is_for_everybody(
    browser: Browser, opened: Opens, wire_server: WireServer, shoot: Shoots
) -> None:
    script(
        wire_server,
        said("A *short* answer with `code`."),
        Reply.json({"error": {"message": "no"}}, status=401),
    )
    chat = open_panel(browser, opened, wire_server)
    chat.page.evaluate(
        "() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
    )
    chat.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    chat.ask("One")
    chat.hears("A short answer")
    chat.rests()
    chat.ask("Two")
    chat.hears("%anyfast login")  # the next step
    chat.rests()
    expect(chat.field).to_have_value("Two")  # to be sent again
    assert chat.log.locator(".anyfast-error > div:not(.anyfast-acts)").count() <= 3
    assert "Traceback" not in chat.panel.inner_text()
    chat.page.wait_for_timeout(300)
    shoot("dark")
    assert violations(chat.page, ".anyfast-panel") == []
    chat.page.evaluate(
        "() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})"
    )


def test_files_come_by_picker_drop_and_paste(
    browser: Browser, opened: Opens, wire_server: WireServer, folder: Path, shoot: Shoots
) -> None:
    import base64
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (320, 200), "teal").save(file, format="PNG")
    png, coded = file.getvalue(), base64.b64encode(file.getvalue()).decode()
    script(wire_server, said("I see them."), said("I read it."))
    frame = "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})"
    chat = open_panel(browser, opened, wire_server, frame)
    run_cell(browser, 2)
    picker = chat.panel.locator("input[type=file]")
    picker.set_input_files(
        [
            {"name": "same.png", "mimeType": "image/png", "buffer": png},
            {"name": "same.png", "mimeType": "image/png", "buffer": png},
        ]
    )
    area = ".anyfast-composer textarea"
    chat.page.evaluate(DROP, [area, "drop", '<img src=x onerror="window.hit=1">.png', "image/png", coded, ""])
    chat.page.evaluate(DROP, [area, "paste", "image.png", "image/png", coded, ""])
    chat.page.evaluate(DROP, [area, "paste", "cells.png", "image/png", coded, "a\tb"])  # a text was meant
    chips = chat.panel.locator(".anyfast-chip")
    expect(chips).to_have_count(4)
    expect(chips.nth(1)).to_contain_text("same-2.png")
    expect(chips.nth(3)).to_contain_text("B")
    chat.panel.get_by_role("button", name="Remove image.png").click()
    expect(chips).to_have_count(3)
    chat.panel.get_by_role("combobox", name="Variable").fill("df")
    chat.panel.get_by_role("button", name="Add", exact=True).click()
    expect(chips).to_have_count(4)
    shoot("attached")
    chat.ask("What are these?")
    chat.hears("I see them.")
    chat.rests()
    content = asked(wire_server, 0)[0]["content"]
    assert isinstance(content, list)
    assert [part["type"] for part in content] == ["image_url", "image_url", "image_url", "text"]
    assert "| 1 |" in content[-1]["text"]
    expect(chips).to_have_count(0)
    expect(chat.log.locator(".anyfast-mini img")).to_have_count(3)
    assert chat.page.evaluate("() => window.hit") is None
    shoot("seen")

    picker.set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Some notes."})
    expect(chips).to_have_count(1)
    chat.ask("And this?")
    assert asked(wire_server, 1)
    assert posts(wire_server)[1].path == "/v1/responses"  # chat takes no documents
    names = sorted(path.name for path in (folder / "anyfast_media" / "uploads").iterdir())
    assert {"same.png", "same-2.png", "notes.txt"} <= set(names)
    assert not [name for name in names if name.endswith(".part")]


def test_a_large_film_costs_the_kernel_nothing(
    lab: Lab, folder: Path, browser: Browser, tmp_path: Path
) -> None:
    """50 MB to the disk in small messages; taken off in the middle nothing is left of it."""
    film = tmp_path / "film.mp4"
    with film.open("wb") as file:
        file.write(b"\x00\x00\x00\x18ftypmp42" + bytes(50_000_000))
    peak = "import resource\nresource.getrusage(resource.RUSAGE_SELF).ru_maxrss"
    write_notebook(folder / "film.ipynb", ["%load_ext anyfast_nb", MAKE, peak, peak])
    with another_page(browser, init_script=SOCKETS) as page:
        open_notebook(page, lab, "film.ipynb")
        for cell in range(3):
            run_cell(page, cell)
        chat = Chat(page)
        picker = chat.panel.locator("input[type=file]")
        picker.set_input_files(film)
        expect(chat.panel.locator(".anyfast-chip small")).to_have_text("50.0 MB", timeout=120_000)
        picker.set_input_files(film)
        chip = chat.panel.locator(".anyfast-chip").nth(1)
        chip.wait_for()
        chip.get_by_role("button").click()
        expect(chat.panel.locator(".anyfast-chip")).to_have_count(1)
        run_cell(page, 3)
        cells = page.page.locator(".jp-Notebook .jp-Cell")
        before, after = (int(cells.nth(n).locator(".jp-OutputArea-output").inner_text()) for n in (2, 3))
        sizes = page.page.evaluate("() => window.sizes")
    assert sizes["sent"] > 50_000_000
    assert sizes["most"] < 1_000_000
    assert after - before < 25_000  # kB: not by the file
    uploads = folder / "anyfast_media" / "uploads"
    assert (uploads / "film.mp4").stat().st_size == film.stat().st_size
    assert not list(uploads.glob(".*.part"))


def test_copying(browser: Browser, opened: Opens, wire_server: WireServer, shoot: Shoots) -> None:
    script(wire_server, said("The **answer**."))
    chat = open_panel(browser, opened, wire_server)
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.ask("Why?")
    chat.hears("The answer.")
    chat.rests()
    read = "async text => await navigator.clipboard.readText() === text"
    for button, text in (
        ("Copy", "The **answer**."),
        ("Copy as magic", "%%anyfast chat --model mini --thread chat\nWhy?"),
        ("Copy as Python", 'import anyfast_nb as af\n\naf.chat("Why?", model="mini")'),
    ):
        chat.act(button)
        expect(chat.panel.locator(".anyfast-toast")).to_have_text("Copied")
        chat.page.wait_for_function(read, arg=text)
    chat.page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused'));"
        " document.execCommand = () => false }"
    )
    chat.act("Copy as magic")
    area = chat.panel.locator(".anyfast-toast textarea")
    expect(area).to_have_value("%%anyfast chat --model mini --thread chat\nWhy?")
    expect(area).to_be_focused()
    assert chat.page.evaluate("() => getSelection().toString() || document.activeElement.selectionEnd > 10")
    assert violations(chat.page, ".anyfast-panel") == []
    shoot("by-hand")
    chat.page.keyboard.press("Escape")
    expect(chat.panel.locator(".anyfast-toast")).to_have_count(0)


def test_threads_are_the_kernels_and_outlive_the_page(
    browser: Browser, opened: Opens, lab: Lab, wire_server: WireServer, shoot: Shoots, folder: Path
) -> None:
    """Magic and panel share a thread; a reloaded page shows the same; without its kernel it can be read."""
    script(
        wire_server,
        said("Hello, Ada."),
        said("You are Ada."),
        said("From the panel."),
        said("Second thread."),
    )
    magic = "%%anyfast chat --thread chat -m mini\n{}"
    chat = open_panel(
        browser,
        opened,
        wire_server,
        magic.format("I am Ada."),
        "panel",
        magic.format("Who am I?"),
        "panel.to_cell()",
    )
    chat.ask("Say hello to Ada.")
    chat.hears("Hello, Ada.")
    chat.rests()
    run_cell(browser, 2)
    chat.hears("You are Ada.")  # the cell went on with the thread, and the panel shows it
    assert [one["role"] for one in asked(wire_server, 1)] == ["user", "assistant", "user"]
    run_cell(browser, 3)  # the same panel again
    second = Chat(browser, 1)
    expect(second.log).to_contain_text("You are Ada.")
    second.ask("From here?")
    second.hears("From the panel.")
    chat.hears("From the panel.")
    chat.rests()

    chat.panel.get_by_role("button", name="New thread").click()
    expect(chat.log).to_contain_text("Nothing has been said")
    chat.ask("Something else")
    chat.hears("Second thread.")
    chat.rests()
    chat.panel.get_by_role("combobox", name="Thread").select_option("chat")
    chat.hears("From the panel.")
    expect(chat.log).not_to_contain_text("Second thread.")
    essence = chat.page.locator(".anyfast-essence").first
    expect(essence).to_contain_text("From the panel.", timeout=PATIENT)  # put there soon after it changes

    save_notebook(browser)
    name = "test_threads_are_the_kernels_and_outlive_the_page.ipynb"
    open_notebook(browser, lab, name)
    chat = Chat(browser)
    chat.hears("From the panel.")
    assert chat.log.locator(".anyfast-said").count() == 3
    run_cell(browser, 5)
    cells = "() => window.jupyterapp.shell.currentWidget.content.widgets.map(w => w.model.sharedModel.source)"
    chat.page.wait_for_function(f"() => ({cells})().some(s => s.startsWith('%%anyfast chat --model mini'))")

    reopened(browser, lab, name, with_its_kernel=False)
    expect(essence).to_be_visible(timeout=PATIENT)
    expect(essence).to_contain_text("From the panel.")
    into_view(essence)
    chat.page.wait_for_timeout(500)
    shoot("without-its-kernel")


def test_stop_works_while_a_cell_runs(
    browser: Browser, opened: Opens, wire_server: WireServer, shoot: Shoots
) -> None:
    """A cell sleeps in a loop; the panel asks, streams and stops meanwhile; two panels do not mix."""
    script(
        wire_server,
        Reply.sse(chunk(content="The part that came."), Gate()),
        said("Of the second panel."),
        said("Later."),
    )
    busy = "import time\nwhile True:\n    time.sleep(0.05)"
    other = "other = ChatPanel('other', model='mini')\nother"
    chat = open_panel(browser, opened, wire_server, other, busy)
    run_cell(browser, 2)
    run_cell(browser, 3, wait=False)
    browser.page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'"
    )
    chat.ask("Tell me")
    chat.hears("The part that came.")
    second = Chat(browser, 1)
    second.ask("And you?")
    second.hears("Of the second panel.")
    expect(chat.log).not_to_contain_text("Of the second panel.")
    chat.send.click()
    chat.hears("interrupted")
    chat.rests()
    assert posts(wire_server)[0].gone.wait(5)
    running = browser.page.locator(".jp-Notebook .jp-Cell").nth(3).locator(".jp-InputPrompt").first
    expect(running).to_have_text("[*]:")  # the cell runs on
    chat.ask("Once more")
    chat.hears("Later.")
    shoot("busy")
    browser.page.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    expect(running).not_to_have_text("[*]:")


def test_a_narrow_chat_in_chinese(
    browser: Browser, opened: Opens, wire_server: WireServer, shoot: Shoots
) -> None:
    script(wire_server, said("天空是**蓝色**的，因为短波长的光散射得更多。\n\n```python\nprint('你好')\n```"))
    make = f"%env ANYFAST_LANGUAGE=zh\n{MAKE}\npanel.layout.width = '360px'\npanel"
    chat = open_panel(browser, opened, wire_server, make=make)
    chat.ask("天空为什么是蓝色的？")
    chat.hears("天空是蓝色的")
    chat.rests()
    chat.panel.get_by_role("button", name="设置").click()
    expect(chat.panel.get_by_role("textbox", name="系统提示词")).to_be_visible()
    wide = chat.panel.evaluate("node => [node.scrollWidth, node.clientWidth]")
    assert wide[0] <= wide[1] + 1
    cut = chat.panel.evaluate(
        "panel => [...panel.querySelectorAll('button, input, select, textarea')].filter(node => {"
        " const box = node.getBoundingClientRect(), out = panel.getBoundingClientRect();"
        " return box.width && (box.right > out.right + 1 || box.left < out.left - 1) }).map(n => n.outerHTML)"
    )
    assert cut == []
    assert violations(chat.page, ".anyfast-panel") == []
    into_view(chat.panel)
    shoot("light")
    in_the_dark(browser, shoot, "dark")


def test_in_notebook_7(
    browser: Browser, lab: Lab, folder: Path, wire_server: WireServer, shoot: Shoots
) -> None:
    script(wire_server, said("From Notebook 7."), Reply.sse(chunk(content="A part."), Gate()))
    write_notebook(folder / "seven.ipynb", [setup_cell(wire_server), MAKE])
    page = browser.page
    open_notebook(browser, lab, "seven.ipynb", in_notebook_7=True)
    for cell in range(2):
        run_cell(browser, cell)
    chat = Chat(browser)
    chat.ask("Where am I?")
    chat.hears("From Notebook 7.")
    chat.rests()
    chat.ask("Again")
    chat.hears("A part.")
    chat.send.click()
    chat.hears("interrupted")
    chat.rests()
    expect(page.locator(".anyfast-essence").first).to_be_hidden()
    assert violations(page, ".anyfast-panel") == []
    into_view(chat.panel)
    shoot("notebook-7")


def test_a_long_talk_stays_quick(browser: Browser, opened: Opens, wire_server: WireServer) -> None:
    """200 turns: the last are drawn, the others on demand, and a further answer adds only its own."""
    script(wire_server, said("The newest."))
    talk = (
        "from anyfast_nb.wire.values import Answer\nthread = panel.thread\n"
        "for n in range(200):\n    place = thread.place(cell=None)\n"
        "    thread.add(place, message={'role': 'user', 'content': f'Question {n}.'},"
        " answer=Answer(f'Answer {n}. ' + 'word ' * 300))"
    )
    chat = open_panel(browser, opened, wire_server, talk)
    run_cell(browser, 2)
    chat.hears("Answer 199.")
    assert chat.log.locator(".anyfast-said").count() == 20
    chat.log.get_by_role("button", name="Show earlier turns (180)").click()
    expect(chat.log.locator(".anyfast-said")).to_have_count(40)
    expect(chat.log.locator(".anyfast-said").first).to_contain_text("Question 160.")
    chat.ask("One more")
    chat.hears("The newest.")
    chat.rests()
    expect(chat.log.locator(".anyfast-said")).to_have_count(41)
    assert len(asked(wire_server, 0)) == 401
    at_end = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 48"
    chat.page.wait_for_function(at_end, arg=chat.log.element_handle())
    assert not browser.errors
