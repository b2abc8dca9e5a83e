"""What each medium of a film or picture is for: first frame, last frame, reference.

Nobody has to say: one picture begins the film, a second one ends it, more of them, or a clip, are
references. What a person says counts, and the rest follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

    from anyfast_nb.panels.as_magic import Name


SINGLE: Final = ("first_frame", "last_frame", "image", "image_tail")
# Where a medium of each kind can stand, the frames in their order before the references.
ROLES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "seedance": {
        "image": ("first_frame", "last_frame", "images"),
        "video": ("videos",),
        "audio": ("audios",),
    },
    "kling": {"image": ("image", "image_tail", "images")},
    "seedream": {"image": ("images",)},
}


@dataclass(slots=True)
class Medium:
    """One medium that a person added.

    Attributes:
        id: of this entry.
        name: as it is shown.
        value: what the desk takes: a path, an address, an object of the notebook.
        word: how a magic or Python names it.
        kinds: what it may be: image, video, audio; an address may be any of them.
        role: what a person chose, "" if nobody did.
    """

    id: str
    name: str
    value: Any = field(repr=False)
    word: str | Path | Name
    kinds: tuple[str, ...] = ("image",)
    role: str = ""

    def can(self, kind: str) -> tuple[str, ...]:
        """The roles it can have with seedance, kling or seedream."""
        of_kind = ROLES[kind]
        return tuple(role for one in self.kinds for role in of_kind.get(one, ()))


def assigned(kind: str, media: Sequence[Medium]) -> list[str]:
    """The role of each medium, "" where this family takes no such medium.

    Args:
        kind: seedance, kling or seedream.
        media: in their order.

    Example:
        >>> one, two = Medium("1", "a.png", "a.png", "a.png"), Medium("2", "b.png", "b.png", "b.png")
        >>> assigned("seedance", [one, two]), assigned("kling", [one])
        (['first_frame', 'last_frame'], ['image'])
    """
    roles = [one.role if one.role in one.can(kind) else "" for one in media]
    able = [one.can(kind) for one in media]
    framing = [role for role in ROLES[kind]["image"] if role in SINGLE]
    pictures = sum("image" in one.kinds[:1] and bool(can) for one, can in zip(media, able, strict=True))
    references = any(role and role not in SINGLE for role in roles)
    references |= pictures > len(framing) or any(can and can[0] not in framing for can in able)
    free = [] if references else [role for role in framing if role not in roles]
    for at, can in enumerate(able):
        if roles[at] or not can:
            continue
        frame = next((role for role in free if role in can), "")
        roles[at] = frame or next((role for role in can if role not in SINGLE), "")
        if frame:
            free.remove(frame)
    return roles


def chosen(kind: str, media: Sequence[Medium], id: str, role: str) -> None:
    """A person gives one medium a role; who had a place that only one can have takes what is left."""
    before = assigned(kind, media)
    for one, had in zip(media, before, strict=True):
        if one.id == id:
            one.role = role
        elif role not in SINGLE and had in SINGLE:
            one.role = ""  # frames and references exclude each other
        elif role in SINGLE and (had == role or had not in SINGLE):
            one.role = ""


def moved(media: Sequence[Medium], id: str, by: int) -> list[Medium]:
    """The same media with one of them earlier or later."""
    order = list(media)
    at = next((index for index, one in enumerate(order) if one.id == id), None)
    if at is not None and 0 <= at + by < len(order):
        order.insert(at + by, order.pop(at))
    return order


def places(kind: str, media: Sequence[Medium]) -> dict[str, str]:
    """The argument of each medium by its id: ``first_frame``, ``images[0]``; "" is unused."""
    counts: dict[str, int] = {}
    found = {}
    for one, role in zip(media, assigned(kind, media), strict=True):
        if not role or role in SINGLE:
            found[one.id] = role
            continue
        found[one.id] = f"{role}[{counts.get(role, 0)}]"
        counts[role] = counts.get(role, 0) + 1
    return found


def reference_name(place: str) -> str:
    """How a prompt of Seedance names a reference: ``images[0]`` is ``@image1``; "" for a frame."""
    name, bracket, number = place.partition("[")
    return f"@{name.removesuffix('s')}{int(number.rstrip(']')) + 1}" if bracket else ""


def arguments(kind: str, media: Iterable[Medium], *, words: bool = False) -> dict[str, Any]:
    """The media as arguments of a call.

    Args:
        kind: seedance, kling or seedream.
        media: in their order.
        words: as a magic or Python names them, instead of the media themselves.
    """
    media = list(media)
    found: dict[str, Any] = {}
    for one, role in zip(media, assigned(kind, media), strict=True):
        value = one.word if words else one.value
        if role in SINGLE:
            found[role] = value
        elif role:
            found.setdefault(role, []).append(value)
    if kind == "kling" and len(found.get("images", ())) == 1 and len(found) == 1:  # one begins the film
        return {"image": found["images"][0]}
    return found
