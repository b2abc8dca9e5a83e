"""The turns of a thread on a board: what is said, the answers, and what can be done with each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.panels.chat_attach import chips_of
from anyfast_nb.panels.chat_written import as_written, cell, python
from anyfast_nb.panels.words import say
from anyfast_nb.render.acts import Act, acts_html
from anyfast_nb.render.said import Chip, answer_html, error_html, line_html, said_html
from anyfast_nb.wire.conversation import text_of
from anyfast_nb.wire.values import Answer, Money, Source

if TYPE_CHECKING:
    from anyfast_nb.panels.board import Board
    from anyfast_nb.render.answer import Footer
    from anyfast_nb.threads.book import Turn

AT_ONCE: Final = 20  # turns that are drawn when a thread is opened, and each time more are asked for
_EARLIER: Final = "earlier"
_EMPTY: Final = "empty"
_REMEDY: Final = re.compile(r"`(%{1,2}\w[^`\n]*)`")


@dataclass(slots=True)
class Told:
    """What is known of a turn beside the turn itself: what this panel did to make it.

    Attributes:
        text: as it was written, without tables that went into it.
        options: of the chat, for the magic that does the same.
        chips: what went with the message.
    """

    text: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    chips: Sequence[Chip] = ()


class ChatLog:
    """Draws turns, and knows which piece belongs to which.

    Args:
        board: what it draws on.
        footer: how much the line under an answer tells.
    """

    def __init__(self, board: Board, *, footer: Callable[[], Footer]) -> None:
        self.board = board
        self._footer = footer
        self._turns: list[Turn] = []  # all of the branch, oldest first
        self._drawn: dict[int, list[str]] = {}  # pieces of the turns that are drawn
        self._told: dict[int, tuple[Turn, Told]] = {}
        self._texts: dict[str, str] = {}
        self._count = 0
        self._loose: list[str] = []  # pieces of no turn: a request that failed

    # --- which turns ----------------------------------------------------------------------

    def show(self, turns: Sequence[Turn]) -> None:
        """These turns and no others, the last of them drawn."""
        self._turns = list(turns)
        self._drawn = {}
        self._loose = []
        pieces: dict[str, str] = {}
        for turn in self._turns[-AT_ONCE:]:
            pieces |= self._pieces(turn)
        self.board.show({**self._head(), **pieces})

    def sync(self, turns: Sequence[Turn]) -> None:
        """The thread may have changed elsewhere: draw what differs, and leave the rest."""
        if [*map(id, turns)] == [*map(id, self._turns)]:
            return
        drawn = [turn for turn in self._turns if id(turn) in self._drawn]
        begin = len(self._turns) - len(drawn)
        same = 0
        for old, new in zip(self._turns, turns, strict=False):
            if old is not new:
                break
            same += 1
        if same < begin or same == 0 or len(turns) - same > AT_ONCE:
            self.show(turns)
            return
        self.board.remove(*(name for turn in self._turns[same:] for name in self._drawn.pop(id(turn), ())))
        self._turns = list(turns)
        for turn in turns[same:]:
            for name, html in self._pieces(turn).items():
                self.board.put(name, html)

    def earlier(self) -> None:
        """Draw more of the turns that came before."""
        hidden = [turn for turn in self._turns if id(turn) not in self._drawn]
        after = _EARLIER
        for turn in hidden[-AT_ONCE:]:
            for name, html in self._pieces(turn).items():
                self.board.put(name, html, after=after)
                after = name
        if len(hidden) <= AT_ONCE:
            self.board.remove(_EARLIER)
        else:
            self.board.put(_EARLIER, self._head()[_EARLIER])

    def turn(self, key: str) -> Turn | None:
        """The turn that a button stands for; None if it is on this branch no more."""
        return next((turn for turn in self._turns if str(id(turn)) == key), None)

    # --- a request under way --------------------------------------------------------------

    def begin(self, text: str, chips: Sequence[Chip], *, instead_of: Sequence[Turn] = ()) -> str:
        """Draw a message that is being sent; gives the name of its piece.

        Args:
            text: the message.
            chips: what goes with it.
            instead_of: turns that are set aside for it.
        """
        gone = [name for turn in instead_of for name in self._drawn.pop(id(turn), ())]
        self._turns = [turn for turn in self._turns if turn not in instead_of]
        self._count += 1
        name = f"said-{self._count}"
        self.board.put(name, said_html(text, chips), instead_of=[*gone, *self._loose, _EMPTY])
        self.board.to_end()
        self._loose = []
        return name

    def end(self, said: str, turn: Turn, told: Told) -> None:
        """The answer is there, drawn by its view: it is a turn now, with its buttons."""
        self._told[id(turn)] = (turn, told)
        self.board.put(said, said_html(told.text, told.chips))  # with its pictures
        self._turns.append(turn)
        self._put_acts(turn, [*self._since(said)])

    def give_up(self, said: str) -> None:
        """Nothing came of it: take off what was drawn."""
        self.board.remove(*self._since(said))

    def fail(self, said: str, lines: Sequence[str]) -> None:
        """Show why it failed; the message stays until the next one."""
        remedy = next((found[1] for line in lines if (found := _REMEDY.search(line))), "")
        key = f"remedy-{self._count}"
        self._texts = {key: remedy}
        buttons = [Act(say("chat.copy_remedy"), copy=key)] if remedy else []
        self.tell(error_html(lines, buttons), after=said)

    def tell(self, html: str, *, after: str = "") -> None:
        """A line of no turn, at the end, until the next message."""
        self._count += 1
        name = f"told-{self._count}"
        self._loose += [*(self._since(after) if after else ()), name]
        self.board.put(name, html)

    # --- what is known --------------------------------------------------------------------

    def told(self, turn: Turn) -> Told:
        """What is known of a turn beside the turn itself."""
        known = self._told.get(id(turn))
        return Told(words_of(turn), {}, chips_of(turn.message)) if known is None else known[1]

    def text_of(self, key: str) -> str:
        """What a button copies."""
        kind, _, name = key.partition(":")
        turn = self.turn(name)
        if turn is None:
            return self._texts.get(key, "")
        if kind == "answer":
            return turn.answer.text
        told = self.told(turn)
        options = {"model": turn.answer.model, **told.options}
        return as_written(cell if kind == "magic" else python, told.text, options)

    # --- pieces ---------------------------------------------------------------------------

    def _since(self, said: str) -> Iterable[str]:
        names = list(self.board.pieces)
        return names[names.index(said) :] if said in names else []

    def _head(self) -> dict[str, str]:
        hidden = sum(id(turn) not in self._drawn for turn in self._turns)
        if hidden:
            more = Act(say("chat.earlier", count=hidden), act="earlier")
            return {_EARLIER: acts_html([more])}
        return {} if self._turns else {_EMPTY: line_html(say("chat.empty"))}

    def _pieces(self, turn: Turn) -> dict[str, str]:
        key = id(turn)
        pieces = {
            f"said-{key}": said_html(self.told(turn).text, self.told(turn).chips),
            f"answer-{key}": answer_html(turn.answer, footer=self._footer()),
            f"acts-{key}": self._acts(turn),
        }
        self._drawn[key] = list(pieces)
        return pieces

    def _put_acts(self, turn: Turn, names: list[str]) -> None:
        name = f"acts-{id(turn)}"
        self.board.put(name, self._acts(turn))
        self._drawn[id(turn)] = [*names, name]

    def _acts(self, turn: Turn) -> str:
        key = id(turn)
        row = [
            Act(say("chat.copy"), copy=f"answer:{key}", quiet=True, title=say("chat.copy_about")),
            Act(say("chat.retry"), act=f"retry:{key}", quiet=True, title=say("chat.retry_about")),
            Act(say("chat.edit"), act=f"edit:{key}", quiet=True, title=say("chat.edit_about")),
            Act(say("chat.magic"), copy=f"magic:{key}", quiet=True, title=say("chat.magic_about")),
            Act(say("chat.python"), copy=f"python:{key}", quiet=True, title=say("chat.python_about")),
        ]
        return acts_html(row, label=say("chat.acts"))


def words_of(turn: Turn) -> str:
    """What a person said, without what went with it."""
    return text_of(turn.message).strip()


def totals_line(answers: Sequence[Answer]) -> str:
    """Tokens and cost of a thread, each source and currency by itself; "" for no turns."""
    if not answers:
        return ""
    parts = [say("chat.turns", count=len(answers))]
    for source in dict.fromkeys(answer.source for answer in answers):
        mine = [answer for answer in answers if answer.source is source]
        given = _sum([answer.usage.input_tokens for answer in mine])
        made = _sum([answer.usage.output_tokens for answer in mine])
        told = " · ".join([say("chat.tokens", given=given, made=made), *_costs(mine)])
        word = say("chat.simulated") if source is Source.SIMULATED else str(source)
        parts.append(told if source is Source.LIVE else f"{word}: {told}")
    return " · ".join(parts)


def _costs(answers: Sequence[Answer]) -> list[str]:
    known = [cost for answer in answers if (cost := answer.total_cost) is not None]
    sums = {cost.currency: 0 for cost in known}
    for cost in known:
        sums[cost.currency] += cost.nano
    return [Money(nano, currency).brief() for currency, nano in sums.items()]


def _sum(counts: Sequence[int | None]) -> str:
    """A sum; with a sign where some are unknown."""
    known = [count for count in counts if count is not None]
    if not known:
        return "?"
    return f"{sum(known):,}{'' if len(known) == len(counts) else '+'}"
