"""mistune's renderer with every way out closed. Imported on first use: it imports mistune.

The methods are mistune's token names; its plug-ins register renderers of their
own, and a method of the class wins over them.
"""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlsplit

import mistune
from mistune.plugins.formatting import strikethrough
from mistune.plugins.table import table, table_in_list, table_in_quote
from mistune.plugins.task_lists import task_lists
from mistune.plugins.url import url as bare_urls

from anyfast_nb.render.code import code_html
from anyfast_nb.render.escape import escape, escape_attribute, escape_prose, preformatted
from anyfast_nb.render.maths import maths, tex_html

_SAFE_URL = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x20\x7f]+", re.IGNORECASE)
_WEB_URL = re.compile(r"https?://[^\s\x00-\x20\x7f]+", re.IGNORECASE)
_ANCHOR = re.compile(r"</?a\b[^>]*>")


def parser() -> mistune.Markdown:
    """A Markdown parser for model text; it keeps nothing from one text to the next."""
    plugins = [strikethrough, table, table_in_list, table_in_quote, task_lists, bare_urls, maths]
    return mistune.Markdown(renderer=SafeRenderer(), block=_Blocks(), plugins=plugins)


class _Blocks(mistune.BlockParser):
    """A quote that a list ends comes before all that the list's end brought, not only its last block."""

    def parse_block_quote(self, m: re.Match[str], state: mistune.BlockState) -> int:
        first = len(state.tokens)
        end = super().parse_block_quote(m, state)
        if len(state.tokens) - first > 2:
            state.tokens.insert(first, state.tokens.pop(-2))
        return end


class SafeRenderer(mistune.HTMLRenderer):
    """Tokens to allow-listed HTML."""

    def __init__(self) -> None:
        super().__init__(escape=True)

    def text(self, text: str) -> str:
        return escape_prose(html.unescape(text))

    def inline_html(self, html: str) -> str:
        return escape_prose(html)

    def block_html(self, html: str) -> str:
        return f"<p>{escape_prose(html.strip())}</p>\n"

    def codespan(self, text: str) -> str:
        return f"<code>{escape(text)}</code>"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return _link(_ANCHOR.sub("", text), url)  # an anchor inside an anchor would end the outer one

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return _image(_ANCHOR.sub("", text), url)

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return f"<h{level}>{text}</h{level}>\n"

    def block_code(self, code: str, info: str | None = None) -> str:
        return code_html(code, (info or "").strip().split(" ", 1)[0])

    def block_error(self, text: str) -> str:
        return preformatted(text)

    def task_list_item(self, text: str, checked: bool = False) -> str:
        box = "☑ " if checked else "☐ "
        text = text.replace("<p>", f"<p>{box}", 1) if text.startswith("<p>") else box + text
        return f"<li>{text}</li>\n"

    def inline_math(self, text: str, display: bool = False) -> str:
        return tex_html(text, display=display)

    def block_math(self, text: str) -> str:
        return f"<p>{tex_html(text, display=True)}</p>\n"


def _link(text: str, url: str) -> str:
    """A link out; an address of another kind is shown as text."""
    if not _SAFE_URL.fullmatch(url):
        return f"{text} ({escape_prose(url)})" if url else text
    href = escape_attribute(url)
    return f'<a href="{href}" target="_blank" rel="noopener noreferrer">{text or escape_prose(url)}</a>'


def _image(alt: str, url: str) -> str:
    """An image as a link: in a picture's place its address would be fetched, and tell who reads."""
    if not _WEB_URL.fullmatch(url):
        return f"image: {alt}" if alt else "image"
    words = (
        ["image:", alt, f"({escape_prose(_host(url))})"]
        if alt
        else ["image", f"({escape_prose(_host(url))})"]
    )
    return _link(" ".join(words), url)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"
