"""axe-core in a page: what keeps people from using our nodes."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

_SCRIPT = files("axe_playwright_python").joinpath("axe.min.js")
_GRAVE = ("serious", "critical")
_RUN = """async selector => {
  const nodes = [...document.querySelectorAll(selector)];
  if (!nodes.length) throw new Error(`axe: nothing on the page is ${selector}`);
  const found = await window.axe.run({include: nodes}, {resultTypes: ['violations']});
  return found.violations.map(one => ({id: one.id, impact: one.impact, help: one.help,
    nodes: one.nodes.map(node => `${node.html.slice(0, 200)} | ${node.failureSummary}`)}));
}"""


def violations(page: Page, selector: str) -> list[dict[str, Any]]:
    """Serious and critical violations within what a selector finds.

    Args:
        page: open, and at rest.
        selector: of our own nodes; it must find something.

    Returns:
        A rule each: its id, impact, help, and the nodes that break it. The best practices, such as a
        page's one main landmark, are the whole page's and not counted.
    """
    if not page.evaluate("() => !!window.axe"):
        page.evaluate(_SCRIPT.read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate(_RUN, selector)
    return [one for one in found if one["impact"] in _GRAVE]
