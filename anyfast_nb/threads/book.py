"""Threads of a kernel: each a tree of turns with one active branch.

A thread belongs to its notebook. A turn remembers the cell that made it:
running that cell again puts a new turn in its place, and the old one, with
all that followed it, stays as a branch of its own. Several turns of one run of a
cell (a loop, two lines) follow each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anyfast_nb.wire.messages import answer_messages

if TYPE_CHECKING:
    from anyfast_nb.wire.values import Answer


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer.

    Attributes:
        parent: index of the turn before it, None for the first.
        cell: id of the cell that made it, None if unknown.
        run: which execution of the cell made it.
        message: the user's message, in the form of chat completions, whichever API it went to.
        answer: what came back.
    """

    parent: int | None
    cell: str | None
    run: object
    message: Mapping[str, Any]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next turn goes.

    Attributes:
        parent: the turn it follows, None for a beginning.
        cell: the cell that makes it.
        run: which execution of the cell.
        history: the messages before it.
        note: what this does to the thread, in words, "" if it just goes on.
    """

    parent: int | None
    cell: str | None
    run: object
    history: tuple[Mapping[str, Any], ...]
    note: str = ""


class Thread:
    """One conversation."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._turns: list[Turn] = []
        self._head: int | None = None

    def active(self) -> list[Turn]:
        """The turns of the active branch, oldest first."""
        return [self._turns[index] for index in self._path()]

    def place(
        self, *, cell: str | None, run: object = None, append: bool = False, new: bool = False
    ) -> Place:
        """Find where the next turn goes; changes nothing.

        Args:
            cell: id of the running cell, None if unknown.
            run: which execution of the cell this is: the turns it has made so far are not replaced.
            append: add a turn even if this cell made one already.
            new: start the thread over.
        """
        path = self._path()
        if new:
            return Place(None, cell, run, (), f"thread {self.name}: started over" if path else "")
        mine = None if append or cell is None else self._earlier_of(cell, run, path)
        if mine is None:
            return Place(self._head, cell, run, self._messages(path))
        kept = path[: path.index(mine)]
        later = len(path) - len(kept) - 1
        note = f"thread {self.name}: this cell's turn is replaced"
        if later:
            note += f"; {later} later turn{'s' if later > 1 else ''} set aside"
        return Place(self._turns[mine].parent, cell, run, self._messages(kept), note)

    def add(self, place: Place, *, message: Mapping[str, Any], answer: Answer) -> None:
        """Put a turn at its place and make it the end of the active branch."""
        self._turns.append(Turn(place.parent, place.cell, place.run, message, answer))
        self._head = len(self._turns) - 1

    def _path(self) -> list[int]:
        path: list[int] = []
        index = self._head
        while index is not None:
            path.append(index)
            index = self._turns[index].parent
        return path[::-1]

    def _earlier_of(self, cell: str, run: object, path: list[int]) -> int | None:
        """The first turn that the last run of this cell made, unless that run is this one."""
        mine = [index for index in path if self._turns[index].cell == cell]
        if not mine:
            return None
        last = self._turns[mine[-1]].run
        if last is None:  # runs are unknown: each turn counts as one
            return mine[-1]
        return None if last == run else next(index for index in mine if self._turns[index].run == last)

    def _messages(self, path: list[int]) -> tuple[Mapping[str, Any], ...]:
        turns = [self._turns[index] for index in path]
        return tuple(message for turn in turns for message in (turn.message, *answer_messages(turn.answer)))


class ThreadBook:
    """All threads of a kernel, by notebook and name."""

    def __init__(self) -> None:
        self._threads: dict[tuple[str | None, str], Thread] = {}

    def thread(self, name: str, *, notebook: str | None) -> Thread:
        """The thread of that name in that notebook; a new one has no turns."""
        return self._threads.setdefault((notebook, name), Thread(name))

    def names(self, *, notebook: str | None) -> list[str]:
        """Names of the notebook's threads, sorted."""
        return sorted(name for book, name in self._threads if book == notebook)
