"""The live outputs of one answer: finished text frozen above, and a tail that is redrawn.

JupyterLab shows 50 outputs of a cell and lays out again what is redrawn, so the
tail stays short, and the frozen parts grow with the answer to stay few. Text
moves from the tail to a frozen output in two messages; the first of them hides
the old copy by a style rule, so that no frame shows the text twice or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from anyfast_nb.render.style import page
from anyfast_nb.wire.text import without_controls

if TYPE_CHECKING:
    from anyfast_nb.render.document import Document
    from anyfast_nb.render.publish import Bundle, Publisher

MOST_OUTPUTS = 30
# Headers and signature of a message, beside its content.
MESSAGE_BYTES = 800
# The tail is frozen when this much of it is finished, later when an eighth of all text is.
LEAST_FROZEN_CHARS = 1_500


class Slots:
    """Outputs by number, and the bytes they have cost.

    A line that is shown while nothing has come yet lends its output to what comes.
    """

    def __init__(self, publisher: Publisher, *, stem: str) -> None:
        self._publisher = publisher
        self._stem = stem
        self._waiting: int | None = None
        self._drawn: dict[int, str] = {}
        self.count = 0
        self._spent_bytes = 0

    @property
    def free(self) -> int:
        """The output that comes next: the waiting line's, or a new one."""
        return self.count if self._waiting is None else self._waiting

    def wait(self, html: str) -> None:
        """Show a line until something comes."""
        if self._waiting is None:
            self._waiting = self.add(html, "…")
        else:
            self.redraw(self._waiting, html, "…")

    def add(self, html: str, plain: str) -> int:
        """A further output at the bottom; gives its number."""
        number = self.free
        if self._waiting is not None:
            self._waiting = None
            self.redraw(number, html, plain)
            return number
        self.count += 1
        self._drawn[number] = html
        self._publisher.display(self._bundle(html, plain), {}, self.display_id(number))
        return number

    def redraw(self, number: int, html: str, plain: str) -> None:
        """Draw an output anew."""
        self._drawn[number] = html
        self._publisher.update(self._bundle(html, plain), {}, self.display_id(number))

    def keep(self, number: int, html: str) -> None:
        """Draw an output as it shall stay; nothing is sent if it is drawn so already."""
        if self._drawn.get(number) != html:
            self.redraw(number, html, "")

    def take_spent(self) -> int:
        """Bytes drawn since this was last asked, for now: what stays is sent but once."""
        spent, self._spent_bytes = self._spent_bytes, 0
        return spent

    def settle(self, number: int, bundle: Bundle, metadata: Bundle) -> None:
        """Put what stays in an output's place, or below the others if it is a new one."""
        publish = self._publisher.update if number < self.count else self._publisher.display
        self._drawn[number] = str(bundle.get("text/html", ""))
        publish(bundle, metadata, self.display_id(number))

    def display_id(self, number: int) -> str:
        """The id of an output, as the front end knows it."""
        return f"{self._stem}-{number}"

    def _bundle(self, html: str, plain: str) -> dict[str, Any]:
        self._spent_bytes += len(html.encode()) + len(plain.encode()) + MESSAGE_BYTES
        return {"text/plain": plain, "text/html": html}


class Body:
    """The answer's text while it streams, in at most ``most`` outputs.

    Args:
        slots: where to draw.
        document: the text.
        most: the number of outputs to use; beyond it frozen text is redrawn as it grows.
        header: safe HTML above the text, drawn again as it changes.
        stem: a name no other answer on the page has.
        few: let the frozen parts grow with the answer, so that they stay few.
    """

    def __init__(
        self,
        slots: Slots,
        document: Document,
        *,
        most: int,
        header: Callable[[], str],
        stem: str,
        few: bool = True,
    ) -> None:
        self._slots = slots
        self._document = document
        self._most = most
        self._header = header
        self._stem = stem
        self._few = few
        self._starts = [0]  # the first block of each output; the last one is the tail's
        self._numbers: list[int] = []
        self._moves = 0

    @property
    def numbers(self) -> tuple[int, ...]:
        """The outputs in use, top to bottom."""
        return tuple(self._numbers)

    def draw(self, below: str) -> None:
        """Draw the tail, and freeze what is finished if that is much.

        Args:
            below: safe HTML under the text: calls so far, the status line.
        """
        html = self._tail_html(below)
        if self._numbers:
            self._slots.redraw(self._numbers[-1], html, "…")
        else:
            self._numbers.append(self._slots.add(html, "…"))
        finished = self._document.blocks[self._starts[-1] :]
        chars = sum(len(block.text) for block in finished)
        total = chars + sum(len(block.text) for block in self._document.blocks[: self._starts[-1]])
        # The first output carries the style sheet at each redraw: of many it is frozen early.
        early = len(self._numbers) == 1 and self._most > 2
        enough = 1 if early else max(LEAST_FROZEN_CHARS, total // 8 if self._few else 0)
        if chars >= enough and self._most > 1:
            self._freeze(below)

    def keep(self, header: str, below: str) -> None:
        """Draw for good what is not drawn so already.

        Args:
            header: safe HTML above the text.
            below: safe HTML under it.
        """
        parts = self._document.parts_html(self._starts)
        last = len(parts) - 1
        for position, (number, part) in enumerate(zip(self._numbers, parts, strict=True)):
            inner = (header if position == 0 else "") + part + (below if position == last else "")
            self._slots.keep(number, page(inner, style=position == 0))

    def _freeze(self, below: str) -> None:
        if len(self._numbers) < self._most:
            self._split(below)
        else:
            self._merge(below)

    def _split(self, below: str) -> None:
        """The tail's finished text stays where it is, the rest goes to a new output below."""
        start, stop = self._starts[-1], len(self._document.blocks)
        hide = self._hide("open")
        self._starts.append(stop)
        frozen = self._numbers[-1]
        self._numbers.append(self._slots.add(hide + self._tail_html(below), "…"))
        html = self._frozen_html(len(self._numbers) - 2, start, stop)
        self._slots.settle(frozen, {"text/plain": self._plain(start, stop), "text/html": html}, {})

    def _merge(self, below: str) -> None:
        """The tail's finished text goes to the frozen output above."""
        start, stop = self._starts[-2], len(self._document.blocks)
        hide = self._hide("done")
        self._starts[-1] = stop
        frozen = self._frozen_html(len(self._numbers) - 2, start, stop)
        self._slots.redraw(self._numbers[-2], hide + frozen, self._plain(start, stop))
        self._slots.redraw(self._numbers[-1], self._tail_html(below), "…")

    def _hide(self, part: str) -> str:
        rule = f"<style>.{self._stem}-{part}-{self._moves}{{display:none}}</style>"
        self._moves += 1
        return rule

    def _tail_html(self, below: str) -> str:
        done = self._document.blocks_html(self._starts[-1], len(self._document.blocks))
        name = f"{self._stem}-%s-{self._moves}"
        inner = (
            f'<div class="{name % "done"}">{done}</div>'
            f'<div class="{name % "open"}">{self._document.tail_html()}{below}</div>'
        )
        return self._page(len(self._starts) - 1, inner, name="anyfast-tail")

    def _frozen_html(self, position: int, start: int, stop: int) -> str:
        return self._page(position, self._document.blocks_html(start, stop))

    def _page(self, position: int, inner: str, *, name: str = "") -> str:
        first = position == 0
        return page((self._header() if first else "") + inner, name=name, style=first)

    def _plain(self, start: int, stop: int) -> str:
        return without_controls("".join(block.text for block in self._document.blocks[start:stop]))
