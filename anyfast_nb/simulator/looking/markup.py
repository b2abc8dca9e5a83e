"""Reading HTML: what a reader would see of it."""

from __future__ import annotations

from html.parser import HTMLParser

from anyfast_nb.simulator.looking.papers import Document, sections_of

_HIDDEN = frozenset({"script", "style", "noscript", "template", "svg", "head"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | {
    "p",
    "div",
    "li",
    "tr",
    "br",
    "section",
    "article",
    "table",
    "ul",
    "ol",
    "blockquote",
    "pre",
}


def read_html(text: str) -> Document:
    """Title, headings and visible text of a page."""
    parser = _Reader()
    parser.feed(text)
    parser.close()
    parser.end_line()
    return Document(kind="HTML", title=" ".join(parser.title.split()), sections=sections_of(parser.lines))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.title = ""
        self._line = ""
        self._heading = False
        self._hidden = 0
        self._in_title = False

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        self._in_title = self._in_title or tag == "title"
        if tag in _BLOCKS:
            self.end_line()
            self._heading = tag in _HEADINGS

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _HIDDEN and self._hidden > 0
        if tag == "title":
            self._in_title = False
        if tag in _BLOCKS:
            self.end_line()
            self._heading = False
        if tag in {"td", "th"}:
            self._line += " "

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._hidden:
            self._line += data

    def end_line(self) -> None:
        line = " ".join(self._line.split())
        if line:
            self.lines.append(f"# {line}" if self._heading else line)
        self._line = ""
