"""Model Markdown to HTML that is safe in a trusted output.

A magic's outputs are trusted: JupyterLab runs whatever HTML they hold. So raw
HTML in an answer is shown as text, nothing is fetched (an image becomes a
link), links leave by http, https or mailto only, and no attribute carries
words of the model but a checked address.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from anyfast_nb.render.escape import preformatted
from anyfast_nb.wire.text import mended

if TYPE_CHECKING:
    from mistune import Markdown

MAX_CHARS = 300_000
# Nesting nobody reads: markers of quotes or lists in a row, or an item pushed far to the right.
_TOO_DEEP = re.compile(
    r"^[ \t]*(?:>[ \t]*){25}|^[ \t]*(?:[-*+][ \t]+){25}|^[ \t]{100,}(?:[-*+]|\d{1,9}[.)])[ \t]", re.MULTILINE
)

# Chinese and Japanese set no space beside bold text: "**注意：**后面". CommonMark then takes the stars
# between a mark and a letter for text. A joint beside them, taken out again, stands in for the space.
_MARK = r"[\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\u2018-\u201d\u2014\u2026]"
_LETTER = r"[\u2e80-\u2fff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff\uff10-\uff19\w]"
_TIGHT = re.compile(
    rf"(?<={_MARK})(?P<close>\*{{1,3}})(?={_LETTER})|(?<={_LETTER})(?P<open>\*{{1,3}})(?={_MARK})"
)
_JOINT = "\ue002"  # private use: nobody sees it, and it counts as a mark


def render_markdown(text: str) -> str:
    """One piece of Markdown as safe HTML.

    Args:
        text: model text, any content.

    Returns:
        HTML of allow-listed elements. Text too deep or too long to lay out is
        given as it is, in a `<pre>`.
    """
    text = mended(text)
    if len(text) > MAX_CHARS or _TOO_DEEP.search(text):
        return preformatted(text)
    try:
        return str(_parser()(_TIGHT.sub(_loosened, text))).replace(_JOINT, "")
    except RecursionError:
        return preformatted(text)


def _loosened(match: re.Match[str]) -> str:
    return f"{match['close']}{_JOINT}" if match["close"] else f"{_JOINT}{match['open']}"


@cache  # it keeps no state, and building it costs more than rendering most answers
def _parser() -> Markdown:
    from anyfast_nb.render.renderer import parser

    return parser()
