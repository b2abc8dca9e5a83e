"""The media of a request, each with its picture, its role, and what is wrong with it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from anyfast_nb.jobs.folder import open_folder
from anyfast_nb.jobs.inputs import Travel
from anyfast_nb.jobs.preflight import CHECKED, UNCHECKED
from anyfast_nb.media.sniff import Kind
from anyfast_nb.panels.board import Board
from anyfast_nb.panels.media_words import media_of, medium_of_file, variables
from anyfast_nb.panels.panel import lines_of
from anyfast_nb.panels.roles import SINGLE, Medium, assigned, chosen, moved, places, reference_name
from anyfast_nb.panels.words import say
from anyfast_nb.render.acts import Act
from anyfast_nb.render.inputs import InputCard, input_html, wrong_html

if TYPE_CHECKING:
    from anyfast_nb.jobs.preflight import InputFact
    from anyfast_nb.panels.errands import Errands
    from anyfast_nb.session import Session

_SMALL: Final = 200
_KNOWN: Final = {
    **{kind.value: f"role.kind.{kind.value}" for kind in (Kind.IMAGE, Kind.VIDEO, Kind.AUDIO)},
    **{way.value: f"role.travel.{way.name.lower()}" for way in Travel},
    CHECKED: "role.checked",
    UNCHECKED: "role.unchecked",
}
Picture = tuple[str, bytes]


class MediaShelf:
    """What a person added, in order. Its widgets are `row` and `board`.

    Args:
        session: knows earlier jobs.
        errands: reads files and variables elsewhere.
        kind: whom the media are for at this moment: seedance, kling or seedream.
        changed: called when something was added, removed, or has another role.

    Attributes:
        media: in their order.
    """

    def __init__(
        self, *, session: Session, errands: Errands, kind: Callable[[], str], changed: Callable[[], None]
    ) -> None:
        self._session = session
        self._errands = errands
        self._kind = kind
        self._changed = changed
        self.media: list[Medium] = []
        self._pictures: dict[str, Picture | None] = {}
        self._facts: Mapping[str, InputFact] = {}
        self._trouble: Mapping[str, Sequence[str]] = {}
        self._wrong = ""  # why something was not added
        self.board = Board(label=say("role.media"), on_act=self._acted)
        self._name = ipywidgets.Combobox(
            description=say("role.by_name"),
            placeholder=say("role.by_name.placeholder"),
            options=variables(),
            layout=ipywidgets.Layout(width="auto", flex="1 1 14em", max_width="min(36em, 100%)"),
        )
        add = ipywidgets.Button(description=say("role.add"), layout=ipywidgets.Layout(width="auto"))
        add.on_click(lambda _: self.add_word(self._name.value))
        self.row = ipywidgets.HBox([self._name, add])
        self.row.add_class("anyfast-bar")
        self.row.add_class("anyfast-by-name")

    # --- what is on it ----------------------------------------------------------------------

    def add(self, media: Iterable[Medium]) -> None:
        """Add media at the end."""
        self.media += media
        self._altered()

    def add_files(self, paths: Iterable[Path]) -> None:
        """Add files of this disk; what is none of the right kind is told."""
        for path in paths:
            self._errands.read(lambda path=path: [medium_of_file(path)], self.add, failed=self._refused)  # type: ignore[misc]

    def add_word(self, word: str) -> None:
        """Add what a word names: a variable, a path, an address, an earlier job."""

        def came(media: list[Medium]) -> None:
            self._name.value = ""
            self.add(media)

        self._name.options = variables()
        self._errands.read(lambda: media_of(word, self._session), came, failed=self._refused)

    def put(self, medium: Medium, role: str) -> None:
        """Give one medium a place; what had it before goes, and so does what excludes it."""
        kind = self._kind()
        if role in SINGLE:
            kept = [
                one for one, had in zip(self.media, assigned(kind, self.media), strict=True) if had != role
            ]
            self.media = [
                one for one in kept if one.can(kind) and one.role not in {"images", "videos", "audios"}
            ]
        self.media.append(medium)
        chosen(kind, self.media, medium.id, role)
        self._altered()

    def replace(self, media: Iterable[Medium]) -> None:
        """These and no others."""
        self.media = list(media)
        self._altered()

    def clear(self) -> None:
        """Take everything off."""
        self.replace(())

    def places(self) -> list[str]:
        """The arguments that are taken: ``first_frame``, ``images[0]``."""
        return [place for place in places(self._kind(), self.media).values() if place]

    def shape(self) -> dict[str, int]:
        """How many media each argument has."""
        counts: dict[str, int] = {}
        for role in assigned(self._kind(), self.media):
            if role:
                counts[role] = counts.get(role, 0) + 1
        if self._kind() == "kling" and counts == {"images": 1}:
            return {"image": 1}
        return counts

    # --- drawing ----------------------------------------------------------------------------

    def tell(self, facts: Mapping[str, InputFact], trouble: Mapping[str, Sequence[str]]) -> None:
        """What is known of the media, and what is wrong with them, by argument."""
        self._facts, self._trouble = facts, trouble
        self.draw()

    def draw(self) -> None:
        """Show them as they are now."""
        by_id = places(self._kind(), self.media)
        pieces = {"wrong": self._wrong} if self._wrong else {}
        pieces |= {f"in:{one.id}": input_html(self._card(one, by_id[one.id])) for one in self.media}
        there = self.board.pieces
        if list(there) != list(pieces):
            self.board.show(pieces)
            return
        for name, html in pieces.items():
            self.board.put(name, html)

    def _card(self, one: Medium, place: str) -> InputCard:
        kind = self._kind()
        fact = self._facts.get(place)
        role = place.partition("[")[0]
        roles = [
            Act(say(f"role.{name}"), f"role:{one.id}:{name}", pressed=name == role) for name in one.can(kind)
        ]
        at = self.media.index(one)
        acts = [
            Act("↑", f"up:{one.id}", title=say("role.earlier", name=one.name), off=at == 0),
            Act("↓", f"down:{one.id}", title=say("role.later", name=one.name), off=at == len(self.media) - 1),
            Act("×", f"off:{one.id}", title=say("role.remove", name=one.name)),
        ]
        return InputCard(
            name=one.name,
            kind=_kind_of(role) or one.kinds[0],
            role=say(f"role.{role}") if role else say("role.unused", kind=kind.capitalize()),
            called=reference_name(place) if kind == "seedance" and role not in SINGLE else "",
            image=self._pictures.get(one.id),
            facts=() if fact is None else [_said(word) for word in (*fact.facts, fact.travels)],
            remarks=() if fact is None else [_said(remark) for remark in fact.remarks],
            trouble=self._trouble.get(place, ()) if place else (),
            roles=roles,
            acts=acts if len(self.media) > 1 else acts[2:],
        )

    def _refused(self, error: BaseException) -> None:
        """Something cannot be added: said where it would stand."""
        lines = lines_of(error)
        self._wrong = wrong_html(lines)
        self.draw()
        self.board.announce(lines[0])

    def _altered(self) -> None:
        self._facts, self._trouble, self._wrong = {}, {}, ""
        for one in self.media:
            if one.id not in self._pictures:
                self._pictures[one.id] = None
                self._errands.read(lambda one=one: (one.id, picture_of(one)), self._pictured)  # type: ignore[misc]
        self.draw()
        self._changed()

    def _pictured(self, found: tuple[str, Picture | None]) -> None:
        self._pictures[found[0]] = found[1]
        self.draw()

    def _acted(self, act: str) -> None:
        verb, _, rest = act.partition(":")
        name, _, role = rest.partition(":")
        match verb:
            case "off":
                self.media = [one for one in self.media if one.id != name]
            case "up" | "down":
                self.media = moved(self.media, name, -1 if verb == "up" else 1)
            case "role":
                chosen(self._kind(), self.media, name, role)
        self._altered()


def picture_of(medium: Medium) -> Picture | None:
    """A small picture of a medium, None if there is none: of a sound, of an address. Reads files."""
    from anyfast_nb.media.encode import encoded
    from anyfast_nb.media.frames import poster, thumbnail

    value = medium.value
    try:
        if isinstance(value, os.PathLike):
            path = Path(value)
            small = thumbnail(path, longest=_SMALL) or poster(path, longest=_SMALL)
        elif isinstance(value, str) or (found := encoded(value)) is None:
            small = None
        else:
            small = thumbnail(io.BytesIO(found[0]), longest=_SMALL)
    except Exception:  # noqa: BLE001 - it is refused with its reason when it is looked at
        return None
    return None if small is None else (small.media_type, small.data)


def _said(word: str) -> str:
    """A word of the checks in the panel's language, if it is one of those that are always said."""
    return say(_KNOWN[word]) if word in _KNOWN else word


def _kind_of(role: str) -> str:
    return {"videos": "video", "audios": "audio"}.get(role, "image" if role else "")


def inputs_folder(session: Session) -> Path:
    """Where files go that come from a page: beside the films and pictures."""
    settings = session.settings
    return open_folder(settings.media_dir, home=settings.home, beside=Path.cwd()).path / "inputs"


def attached_paths(items: Iterable[Any]) -> list[Path]:
    """The files among what came to a composer."""
    return [item.value for item in items if isinstance(item.value, Path)]
