"""Text to HTML that no front end can read as anything but text.

JupyterLab typesets maths in every HTML output, so text needs two escapes: one
for HTML, and one that keeps a dollar sign or a backslash from starting maths.
A typesetter reads one run of text at a time; an element around the sign ends
the run, and looks like nothing.
"""

from __future__ import annotations

import html
import re

_TEX_SIGNS = re.compile(r"[$\\]")
_HALVES = re.compile(r"[\ud800-\udfff]")
# Not whitespace a person would type: they break markup, or a terminal.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def escape(text: str) -> str:
    """Text as HTML, for places where no maths is looked for: `<code>` and `<pre>`."""
    return html.escape(without_controls(text), quote=False)


def escape_attribute(text: str) -> str:
    """Text as the value of an attribute in double quotes."""
    return html.escape(without_controls(text), quote=True)


def escape_prose(text: str) -> str:
    """Text as HTML, with every sign that could start maths in an element of its own."""
    return _TEX_SIGNS.sub(r"<span>\g<0></span>", escape(text))


def without_controls(text: str) -> str:
    """Text without control characters, tab and line ends kept."""
    return _CONTROLS.sub("\ufffd", mended(text))


def mended(text: str) -> str:
    """Text that can be sent: characters that came in two halves are whole again, lone halves replaced."""
    if text.isascii() or not _HALVES.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def preformatted(text: str) -> str:
    """Text as it is, in a block that wraps."""
    return f'<pre class="plain">{escape(text)}</pre>\n'
