"""From a checked request to its pictures: which are made, which fail, and how each is made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyfast_nb.simulator.problems import Refusal, bad_field
from anyfast_nb.simulator.studio import Art, Kind, Still, picture
from anyfast_nb.simulator.triggers import Triggers, without_triggers

if TYPE_CHECKING:
    from anyfast_nb.simulator.images.reading import ImageRequest
    from anyfast_nb.simulator.store import Store
    from anyfast_nb.simulator.tasks.media import Found, Library

NOT_SHOWN = {
    "code": "OutputImageSensitiveContentDetected",
    "message": "The request failed because the output image may contain sensitive information. "
    "Simulated on request.",
}
TOKEN_PIXELS = 256


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of the reply: a file of the store, or why there is none."""

    index: int
    name: str = ""
    error: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All pictures of one request."""

    asked: ImageRequest
    items: tuple[Item, ...]
    created: int

    @property
    def made(self) -> int:
        """How many there are."""
        return sum(item.error is None for item in self.items)

    def usage(self) -> dict[str, Any]:
        """The usage object of the current pages: a token for each 256 pixels."""
        spent = self.made * (self.asked.width * self.asked.height // TOKEN_PIXELS)
        found: dict[str, Any] = {"generated_images": self.made, "output_tokens": spent, "total_tokens": spent}
        if self.asked.references:
            found["input_images"] = len(self.asked.references)
        if self.asked.web_search:
            found["tool_usage"] = {"web_search": 1}
        return found


def plan_of(
    asked: ImageRequest, triggers: Triggers, *, store: Store, library: Library, host: str, created: int
) -> Plan:
    """Register each picture with the store; it is made when it is first needed. Blocks: run it off the loop.

    Raises:
        Refusal: 400, a reference is no picture, is refused on request, or no picture is left.
    """
    found = [_reference(url, path, library, host) for url, path in asked.references]
    if triggers.real_person is not None and found:
        at = min(max(triggers.real_person, 1), len(found))
        raise _real_person(asked.references[at - 1][1])
    failing = set(range(1, asked.count + 1)) if triggers.moderation else {triggers.fail_item}
    items = []
    for index in range(asked.count):
        if index + 1 in failing:
            items.append(Item(index, error=NOT_SHOWN))
            continue
        key = f"seedream\0{asked.digest().hex()}\0{index}\0{'|'.join(f.name or f.label for f in found)}"
        make = _maker(asked, index, tuple(found), store)
        items.append(Item(index, store.put(make, key=key, suffix=f".{asked.format}")))
    plan = Plan(asked, tuple(items), created)
    if not plan.made and not asked.stream:
        raise Refusal(400, NOT_SHOWN["message"], code=NOT_SHOWN["code"])
    return plan


def _reference(url: str, path: str, library: Library, host: str) -> Found:
    label = path.replace("image_urls", "image")
    if url[:5].lower() != "data:":
        return library.address(url, label=label, host=host)
    found = library.data(url, path=path, label=label)
    if found.measured is None or found.measured.kind is not Kind.IMAGE:
        raise bad_field(path, "must hold a picture: the data is none")
    return found


def _real_person(path: str) -> Refusal:
    return Refusal(
        400,
        f"The request failed because the input image ({path}) may contain a real person. "
        "Simulated on request.",
        code="InputImageSensitiveContentDetected.PrivacyInformation",
        param=path,
    )


def _maker(asked: ImageRequest, index: int, found: tuple[Found, ...], store: Store) -> Callable[[Path], None]:
    """What makes one picture; the references lie in the store, not in memory, until then."""
    seed = asked.seed
    if seed is None:
        seed = int.from_bytes(hashlib.sha256(asked.digest()).digest()[:4], "big")

    def make(path: Path) -> None:
        art = Art(
            prompt=without_triggers(asked.prompt),
            width=asked.width,
            height=asked.height,
            references=tuple(Still(store.read(f.name) if f.has_bytes else None, f.label) for f in found),
            watermark=asked.watermark,
            seed=seed,
            index=index,
            count=asked.count,
            format=asked.format,
        )
        path.write_bytes(picture(art))

    return make
