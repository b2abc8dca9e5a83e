"""Code in colours: few classes, themed by the page, and plain when in doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from anyfast_nb.render.escape import escape
from anyfast_nb.wire.text import without_controls

MAX_COLOURED_CHARS = 60_000
_LANGUAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+#.-]{0,29}")

# The short names nbconvert's style sheet knows too; our own sheet covers JupyterLab.
_CLASSES = (
    ("Keyword", "k"),
    ("Operator.Word", "k"),
    ("Comment", "c"),
    ("Literal.String", "s"),
    ("Literal.Number", "m"),
    ("Name.Function", "nf"),
    ("Name.Class", "nf"),
    ("Name.Decorator", "nf"),
    ("Name.Builtin", "nb"),
    ("Name.Exception", "nb"),
    ("Name.Tag", "k"),
    ("Name.Attribute", "nf"),
    ("Generic.Deleted", "gd"),
    ("Generic.Inserted", "gi"),
    ("Generic.Heading", "nf"),
    ("Generic.Prompt", "c"),
)


def code_html(code: str, language: str = "") -> str:
    """A block of code as HTML.

    Args:
        code: the code, any length.
        language: the first word after the fence; an unknown one, "" and very
            long code give plain text.

    Returns:
        `<div class="highlight"><pre>…</pre></div>`; no text of the model in any attribute.
    """
    code = without_controls(code.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")) + "\n"
    lexer = _lexer(language) if len(code) <= MAX_COLOURED_CHARS else None
    inner = "".join(_coloured(lexer, code)) if lexer else escape(code)
    return f'<div class="highlight"><pre>{inner}</pre></div>\n'


def _lexer(language: str) -> Any | None:
    if not _LANGUAGE.fullmatch(language):
        return None
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None


def _coloured(lexer: Any, code: str) -> Iterator[str]:
    """Runs of one colour: neighbours of the same class share an element."""
    run, run_class = "", ""
    for kind, text in lexer.get_tokens(code):
        css_class = _css_class(str(kind).removeprefix("Token."))
        # White space has no colour: it need not end a run.
        if css_class == run_class or (run_class and not text.strip()):
            run += text
            continue
        yield _span(run, run_class)
        run, run_class = text, css_class
    yield _span(run, run_class)


def _css_class(kind: str) -> str:
    return next((name for prefix, name in _CLASSES if kind.startswith(prefix)), "")


def _span(text: str, css_class: str) -> str:
    return f'<span class="{css_class}">{escape(text)}</span>' if css_class else escape(text)
