"""A Markdown document that grows: each finished block is rendered once."""

from __future__ import annotations

from collections.abc import Iterator

from anyfast_nb.render.blocks import Block, LineSplitter, Splitter, has_references
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
        return "".join(self._whole_blocks())

    def _block_html(self, index: int) -> str:
        if index not in self._html:
            self._html[index] = self._render(self.blocks[index].source)
        return self._html[index]

    def _whole_blocks(self) -> Iterator[str]:
        """Blocks as HTML, the pieces of a long code block put together again."""
        pieces: list[str] = []
        for index, block in enumerate(self.blocks):
            pieces.append(block.text)
            if block.closes:
                continue
            yield self._block_html(index) if len(pieces) == 1 else self._render("".join(pieces))
            pieces = []
        yield self._render("".join([*pieces, self.tail.text]))


def text_html(text: str, *, plain: bool = False) -> str:
    """A whole text as safe HTML: rendered Markdown, or as it is."""
    document = Document(plain=plain)
    document.feed(text)
    return document.html()
