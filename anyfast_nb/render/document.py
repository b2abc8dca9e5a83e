"""A Markdown document that grows: each finished block is rendered once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from anyfast_nb.render.blocks import Block, LineSplitter, Splitter, definitions, has_references
from anyfast_nb.render.escape import preformatted
from anyfast_nb.render.markdown import render_markdown


class Document:
    """Model text as safe HTML, block by block.

    The whole is by construction the same however the text arrived.

    Args:
        plain: show the text as it is, without reading it as Markdown.

    Attributes:
        blocks: the finished blocks.
    """

    def __init__(self, *, plain: bool = False) -> None:
        self._splitter = LineSplitter() if plain else Splitter()
        self._render = preformatted if plain else render_markdown
        self._plain = plain
        self._parts: list[str] = []
        self._html: dict[int, str] = {}
        self.blocks: list[Block] = []

    @property
    def text(self) -> str:
        """Everything fed so far."""
        return "".join(self._parts)

    @property
    def tail(self) -> Block:
        """What is not finished yet."""
        return self._splitter.tail

    def feed(self, text: str) -> None:
        """Add text; cheap, nothing is rendered yet."""
        self._parts.append(text)
        self.blocks += self._splitter.feed(text)

    def show_plain(self) -> None:
        """From now on show the text as it is: what follows an error in rendering."""
        self._plain, self._render = True, preformatted

    def blocks_html(self, start: int, stop: int) -> str:
        """Finished blocks as HTML."""
        if self._plain:
            text = "".join(block.text for block in self.blocks[start:stop])
            return preformatted(text) if text else ""
        return "".join(self._block_html(index) for index in range(start, stop))

    def tail_html(self) -> str:
        """The unfinished rest as HTML, as if the text ended here."""
        source = self.tail.source
        return self._render(source) if source.strip() else ""

    def html(self) -> str:
        """The whole as HTML."""
        text = self.text
        if self._plain or has_references(text):
            return self._render(text)
        return "".join(html for _, html in self._whole_blocks())

    def parts_html(self, starts: Sequence[int]) -> list[str]:
        """The whole as HTML in parts that, joined, are `html`; each can stand by itself.

        Args:
            starts: the first block of each part, the first of them 0. Where a block cannot be cut, it
                is in the part in which it begins.
        """
        parts = [""] * len(starts)
        if self._plain:
            parts[0] = self.html()
            return parts
        known = has_references(self.text)
        at = 0
        for first, html in self._whole_blocks(self._definitions() if known else ""):
            while at + 1 < len(starts) and starts[at + 1] <= first:
                at += 1
            parts[at] += html
        if known and "".join(parts) != self.html():  # definitions of a form that stands in no line of its own
            stops = [*starts[1:], len(self.blocks)]
            shown = [self.blocks_html(start, stop) for start, stop in zip(starts, stops, strict=True)]
            return _aligned(self.html(), shown)
        return parts

    def _definitions(self) -> str:
        """What gives a block by itself the links that are defined elsewhere."""
        lines = definitions(self.text)
        return "\n\n" + "\n".join(lines) + "\n" if lines else ""

    def _block_html(self, index: int) -> str:
        if index not in self._html:
            self._html[index] = self._render(self.blocks[index].source)
        return self._html[index]

    def _whole_blocks(self, after: str = "") -> Iterator[tuple[int, str]]:
        """Blocks as HTML with the number of the first, the pieces of a long code block put together again.

        Args:
            after: added to the source of each.
        """
        pieces: list[str] = []
        first = 0
        for index, block in enumerate(self.blocks):
            if not pieces:
                first = index
            pieces.append(block.text)
            if block.closes:
                continue
            alone = len(pieces) == 1 and not after
            yield first, self._block_html(index) if alone else self._render("".join(pieces) + after)
            pieces = []
        first = first if pieces else len(self.blocks)
        yield first, self._render("".join([*pieces, self.tail.text]) + after)


def _aligned(whole: str, shown: Sequence[str]) -> list[str]:
    """The whole in as many parts as are shown, those at both ends that are the same kept as they are."""
    parts = list(shown)
    first, last, begin, end = 0, len(parts) - 1, 0, len(whole)
    while first < last and whole.startswith(parts[first], begin):
        begin += len(parts[first])
        first += 1
    while last > first and parts[last] and whole.endswith(parts[last], begin, end):
        end -= len(parts[last])
        last -= 1
    parts[first : last + 1] = [whole[begin:end], *[""] * (last - first)]
    return parts


def text_html(text: str, *, plain: bool = False) -> str:
    """A whole text as safe HTML: rendered Markdown, or as it is."""
    document = Document(plain=plain)
    document.feed(text)
    return document.html()
