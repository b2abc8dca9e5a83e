"""A board under the hands of a person, while it is drawn anew all the time."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.lab import Browser, into_view
from tests.browser.panels import PATIENT, SETUP, begin, quiet

pytestmark = pytest.mark.browser

BOARD = """import threading
from anyfast_nb.panels.board import Board
presses, going, drawn = [], threading.Event(), 0
def press(act):
    presses.append(act)
    board.put("heard", f"heard {len(presses)}")
def button():
    return f'<button type="button" data-act="stop">Stop</button> <span>drawn {drawn}.</span>'
def again():
    global drawn
    while not going.wait(0.02):
        drawn += 1
        board.put("going", button())
board = Board(label="going on", on_act=press)
board.put("going", button())
threading.Thread(target=again, daemon=True).start()
board"""

WHERE = """() => {
  const { x, y } = document.querySelector('.anyfast-board button').getBoundingClientRect();
  return [x + 9, y + 9];
}"""


def test_a_press_outlives_what_is_drawn_meanwhile(browser: Browser, opened: Opens) -> None:
    """By mouse and by the space bar; what came meanwhile is drawn when the button is let go."""
    opened(SETUP, BOARD, "going.set()")
    begin(browser, 0, 1)
    page = browser.page
    board = page.locator(".anyfast-board")
    stop = board.get_by_role("button", name="Stop")
    expect(stop).to_be_visible(timeout=PATIENT)
    into_view(stop)
    x, y = page.evaluate(WHERE)
    page.mouse.move(x, y)  # no click(): that waits for a button that stays
    page.mouse.down()
    before = board.inner_text()
    page.wait_for_timeout(300)
    assert board.inner_text() == before
    page.mouse.up()
    expect(board).to_contain_text("heard 1")
    page.evaluate("() => document.querySelector('.anyfast-board button').focus()")
    page.keyboard.down(" ")
    page.wait_for_timeout(300)
    page.keyboard.up(" ")
    expect(board).to_contain_text("heard 2")
    begin(browser, 2)
    expect(board).not_to_contain_text(before)
    quiet(browser)
