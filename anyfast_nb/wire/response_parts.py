"""What a stream of response events grows: strands of text in parts, and function calls.

Source: seed 002 (output), wire reference 4.2 and 4.3.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from anyfast_nb.wire.text import Halves, mended
from anyfast_nb.wire.values import ToolCall

Place = tuple[int, int, int]  # of a part: its item in the output, its layer in the item, its number there


def place_of(event: Mapping[str, Any], *, layer: int = 0) -> Place | None:
    """Where an event's part stands; None if the server does not say."""
    item = event.get("output_index")
    number = event.get("summary_index", event.get("content_index"))
    if not isinstance(item, int):
        return None
    return item, layer, number if isinstance(number, int) else 0


class Strand:
    """Text that comes in parts, and in pieces of parts; collects what is new to its reader.

    Args:
        between: stands between two parts.
    """

    def __init__(self, *, between: str = "") -> None:
        self._between = between
        self._parts: dict[Place, _Part] = {}
        self._latest: Place = (0, 0, 0)
        self._vague = False  # some piece came without its place
        self._new: list[str] = []

    @property
    def text(self) -> str:
        """All parts in their order."""
        return self._between.join(part.text for _, part in sorted(self._parts.items()) if part.begun)

    def take_new(self) -> str:
        """What came since the last call, as someone reads on who has read all before."""
        new, self._new = "".join(self._new), []
        return new

    def add(self, place: Place | None, piece: str) -> None:
        """Take the next piece of a part; without a place it goes on with the latest."""
        self._vague = self._vague or place is None
        self._latest = place = place or self._latest
        self._grow(self._parts.setdefault(place, _Part()), piece, whole=False)

    def fill(self, place: Place | None, text: str) -> None:
        """Take a whole part; what its pieces did not bring is new.

        Where nobody knows which part it is, it may be one that was given already: `complete` will tell.
        """
        known = place in self._parts or not (place is None or self._vague)
        if known or not self._begun:
            self._latest = place = place or self._latest
            self._grow(self._parts.setdefault(place, _Part()), text, whole=True)

    def complete(self, parts: Iterable[tuple[Place, str]]) -> None:
        """Take all parts at the end; what is missing is given once, and nothing twice.

        Servers number their parts as they like, so the words decide before the places do.
        """
        listed = [(place, mended(text)) for place, text in parts if text]
        whole, given = self._between.join(text for _, text in listed), self.text
        if whole.startswith(given):
            self._parts = {place: _Part(text) for place, text in listed}
            self._new.append(whole[len(given) :])
            return
        wanted = dict(listed)
        agrees = all(wanted.get(place, "").startswith(part.text) for place, part in self._parts.items())
        sure, self._vague = agrees and not self._vague, False
        for place, text in listed:
            if sure or place in self._parts or text not in given:
                self.fill(place, text)

    @property
    def _begun(self) -> bool:
        return any(part.begun for part in self._parts.values())

    def _grow(self, part: _Part, text: str, *, whole: bool) -> None:
        joint = self._between if self._between and not part.begun and self._begun else ""
        if new := part.fill(text) if whole else part.add(text):
            self._new += [joint, new]


class _Part:
    """One part as far as it has come."""

    __slots__ = ("_halves", "_pieces", "begun")

    def __init__(self, text: str = "") -> None:
        self._pieces = [text]
        self._halves = Halves()
        self.begun = bool(text)

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def add(self, piece: str) -> str:
        new = self._halves.take(piece)
        self._pieces.append(new)
        self.begun = self.begun or bool(new)
        return new

    def fill(self, whole: str) -> str:
        whole, known = mended(whole), self.text
        if not whole.startswith(known):  # the words that were shown stand
            return ""
        self._pieces, self._halves, self.begun = [whole], Halves(), bool(whole)
        return whole[len(known) :]


class Calls:
    """Function calls; each is known by a number, from 0 in the order of their beginning."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._order: list[int] = []

    def __len__(self) -> int:
        return len(self._calls)

    def call(self, index: int) -> ToolCall:
        """One call as far as it has come; where a server gives it no call id, its item's id serves."""
        found = self._calls[index]
        return ToolCall(found.call_id or found.item_id, found.name, mended("".join(found.arguments)))

    def take(self, item: Mapping[str, Any], *, output_index: int | None) -> int:
        """Take a whole item, at its beginning or its end; give the call's number.

        Args:
            item: of type ``function_call``.
            output_index: its place in the output, None if it is not known.
        """
        found = self._known(_word(item, "call_id"), _word(item, "id"), output_index)
        return self._take(item, self._new(output_index) if found is None else found)

    def complete(self, items: Iterable[tuple[int, Mapping[str, Any]]]) -> list[int]:
        """Take all items at the end, each with its place; give the calls' numbers.

        A call that came without a call id, and whose place is another one now, is known by its turn.
        """
        listed = [
            (place, item, self._known(_word(item, "call_id"), _word(item, "id"), place))
            for place, item in items
        ]
        taken = {found for _, _, found in listed}
        waiting = [n for n, call in enumerate(self._calls) if n not in taken and not call.call_id]
        numbers = []
        for place, item, known in listed:
            turn = waiting.pop(0) if waiting and known is None else known
            numbers.append(self._take(item, self._new(place) if turn is None else turn))
        self._order = list(dict.fromkeys(numbers))
        return numbers

    def all(self) -> tuple[ToolCall, ...]:
        """All calls: as the output has them, as far as it came; then as they began."""
        others = [number for number in range(len(self._calls)) if number not in self._order]
        return tuple(self.call(number) for number in (*self._order, *others))

    def _take(self, item: Mapping[str, Any], number: int) -> int:
        call = self._calls[number]
        call.call_id = call.call_id or _word(item, "call_id")
        call.item_id = call.item_id or _word(item, "id")
        call.name = call.name or _word(item, "name")
        call.set(item.get("arguments"))
        return number

    def _new(self, output_index: int | None) -> int:
        self._calls.append(_Call(output_index))
        return len(self._calls) - 1

    def add(self, event: Mapping[str, Any]) -> int:
        """Take a piece of a call's arguments."""
        found = self._of(event)
        self._calls[found].arguments.append(_word(event, "delta"))
        return found

    def settle(self, event: Mapping[str, Any]) -> int:
        """Take a call's whole arguments."""
        found = self._of(event)
        call = self._calls[found]
        call.name = call.name or _word(event, "name")
        call.set(event.get("arguments"))
        return found

    def _of(self, event: Mapping[str, Any]) -> int:
        """The call that an event belongs to; one that says nothing goes on with the latest."""
        index, item_id, call_id = event.get("output_index"), _word(event, "item_id"), _word(event, "call_id")
        index = index if isinstance(index, int) else None
        found = self._known(call_id, item_id, index)
        if found is None and self._calls and index is None and not item_id and not call_id:
            found = len(self._calls) - 1
        found = self._new(index) if found is None else found
        call = self._calls[found]
        call.call_id, call.item_id = call.call_id or call_id, call.item_id or item_id
        return found

    def _known(self, call_id: str, item_id: str, output_index: int | None) -> int | None:
        """By call id, then by place, then by the item's id, which some relays make anew for each event."""
        same: tuple[tuple[str, object], ...] = (
            ("call_id", call_id or None), ("output_index", output_index), ("item_id", item_id or None),
        )  # fmt: skip
        for name, value in same:
            for index, call in enumerate(self._calls):
                other = bool(call_id and call.call_id and call.call_id != call_id)
                if value is not None and getattr(call, name) == value and not other:
                    return index
        return None


class _Call:
    """A function call that grows."""

    __slots__ = ("arguments", "call_id", "item_id", "name", "output_index")

    def __init__(self, output_index: int | None) -> None:
        self.call_id, self.item_id, self.name = "", "", ""
        self.output_index = output_index
        self.arguments: list[str] = []

    def set(self, whole: Any) -> None:
        """The whole arguments; an item that has just begun has none yet."""
        text = json.dumps(whole) if isinstance(whole, Mapping) else whole
        if isinstance(text, str) and text:
            self.arguments = [text]


def _word(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""
