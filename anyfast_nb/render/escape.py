"""Text to HTML that no front end can read as anything but text.

JupyterLab typesets maths in every HTML output, so text needs two escapes: one
for HTML, and one that keeps a dollar sign or a backslash from starting maths.
A typesetter reads one run of text at a time; an element around the sign ends
the run, and looks like nothing.
"""

from __future__ import annotations

import html
import re

from anyfast_nb.wire.text import without_controls

_TEX_SIGNS = re.compile(r"[$\\]")


def escape(text: str) -> str:
    """Text as HTML, for places where no maths is looked for: `<code>` and `<pre>`."""
    return html.escape(without_controls(text), quote=False)


def escape_attribute(text: str) -> str:
    """Text as the value of an attribute in double quotes."""
    return html.escape(without_controls(text), quote=True)


def escape_prose(text: str) -> str:
    """Text as HTML, with every sign that could start maths in an element of its own."""
    return _TEX_SIGNS.sub(r"<span>\g<0></span>", escape(text))


def preformatted(text: str) -> str:
    """Text as it is, in a block that wraps."""
    return f'<pre class="plain">{escape(text)}</pre>\n'
