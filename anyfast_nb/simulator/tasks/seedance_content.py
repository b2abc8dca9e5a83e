"""The rules of ``content``: types, roles, which of them go together, counts, order, placeholders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from anyfast_nb.simulator import fields
from anyfast_nb.simulator.problems import bad_field
from anyfast_nb.simulator.tasks.media import ASSET_SCHEME
from anyfast_nb.simulator.tasks.seedance_request import Item, ItemKind, Mode

if TYPE_CHECKING:
    from anyfast_nb.simulator.fields import Body
    from anyfast_nb.simulator.tasks.seedance_models import Limits

MOST_CHINESE, MOST_WORDS = 500, 1000
MOST_CHARACTERS = 20_000  # 1000 words, and none that has no end
FIRST, LAST = "first_frame", "last_frame"
REFERENCES = {kind: f"reference_{kind.value}" for kind in (ItemKind.IMAGE, ItemKind.VIDEO, ItemKind.AUDIO)}
_TYPES = {f"{kind.value}_url": kind for kind in REFERENCES}
_ROLES = {
    ItemKind.IMAGE: (FIRST, LAST, "reference_image"),
    ItemKind.VIDEO: ("reference_video",),
    ItemKind.AUDIO: ("reference_audio",),
}
_ORDER = (ItemKind.IMAGE, ItemKind.VIDEO, ItemKind.AUDIO)
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
_LATIN_WORD = re.compile(r"[^\W_\u3400-\u9fff\uf900-\ufaff]+(?:['’-][^\W_]+)*")
_PLACEHOLDER = re.compile(r"@(image|video|audio)(\d+)")
_ADDRESS = re.compile(r"(?:https?://[^\s/]|asset://\S|data:)", re.IGNORECASE)


def read_content(body: Body, *, strict: bool) -> tuple[str, tuple[Item, ...]]:
    """The prompt and the media items.

    Raises:
        Refusal: 400 with the path of the first thing that breaks a rule.
    """
    listed = fields.items(body, "content")
    if listed is None:
        raise bad_field("content", "is required", code="missing_parameter")
    if not listed:
        raise bad_field("content", "must hold at least 1 item")
    texts: list[tuple[int, str]] = []
    items: list[Item] = []
    for index, entry in enumerate(listed):
        path = f"content[{index}]"
        kind = fields.needed_string(entry, "type", path=path)
        if kind == "text":
            texts.append((index, fields.needed_string(entry, "text", path=path)))
        elif kind in _TYPES:
            items.append(_item(entry, _TYPES[kind], index, strict=strict))
        else:
            allowed = ", ".join(["text", *_TYPES])
            raise bad_field(f"{path}.type", f"must be one of {allowed}", got=kind)
    if len(texts) > 1:
        raise bad_field(f"content[{texts[1][0]}]", "is a second text; there may be one")
    prompt = texts[0][1] if texts else ""
    path = f"content[{texts[0][0]}].text" if texts else ""
    _check_length(prompt, path)
    if strict:
        _check_order(texts, items)
        _check_placeholders(prompt, path, items)
    return prompt, tuple(items)


def _item(entry: Body, kind: ItemKind, index: int, *, strict: bool) -> Item:
    path = f"content[{index}]"
    name = f"{kind.value}_url"
    inner = fields.mapping(entry, name, path=path)
    if inner is None:
        raise bad_field(f"{path}.{name}", "is required", code="missing_parameter")
    where = f"{path}.{name}.url"
    url = fields.needed_string(inner, "url", path=f"{path}.{name}").strip()
    if not _ADDRESS.match(url):
        raise bad_field(where, "has an invalid url scheme; it must be http(s), a data URI or asset://<ID>")
    if url[: len(ASSET_SCHEME)].lower() == ASSET_SCHEME:
        url = ASSET_SCHEME + url[len(ASSET_SCHEME) :]
    if strict and kind is ItemKind.VIDEO and url[:5].lower() == "data:":
        raise bad_field(where, "must be an http(s) address or asset://<ID>; a clip cannot be a data URI")
    role = fields.choice(entry, "role", _ROLES[kind], path=path)
    if not role and kind is not ItemKind.IMAGE:
        if strict:
            raise bad_field(f"{path}.role", f"must be {REFERENCES[kind]}", code="missing_parameter")
        role = REFERENCES[kind]
    return Item(index, kind, role, where, url)


def _check_length(prompt: str, path: str) -> None:
    if len(prompt) > MOST_CHARACTERS:
        raise bad_field(path, f"must be at most {MOST_CHARACTERS} characters", got=len(prompt))
    chinese, words = len(_CHINESE.findall(prompt)), len(_LATIN_WORD.findall(prompt))
    if chinese > MOST_CHINESE or words > MOST_WORDS:
        raise bad_field(
            path,
            f"must be at most {MOST_CHINESE} Chinese characters or {MOST_WORDS} English words",
            got=chinese if chinese > MOST_CHINESE else words,
        )


def _check_order(texts: Sequence[tuple[int, str]], items: Sequence[Item]) -> None:
    if texts and texts[0][0] != 0:
        raise bad_field(f"content[{texts[0][0]}]", "is a text; the text must come first")
    highest = 0
    for item in items:
        place = _ORDER.index(item.kind)
        if place < highest:
            raise bad_field(
                f"content[{item.index}]", "is out of order; media must come as image, video, audio"
            )
        highest = place


def _check_placeholders(prompt: str, path: str, items: Sequence[Item]) -> None:
    for word, number in _PLACEHOLDER.findall(prompt):
        there = sum(item.kind == word for item in items)
        if not 1 <= int(number) <= there:
            raise bad_field(path, f"names @{word}{number}, but there are {there} {word}_url items")


def settle_mode(
    items: Sequence[Item], prompt: str, limits: Limits, *, model: str
) -> tuple[Mode, tuple[Item, ...]]:
    """What is asked for, and the items with the roles they were meant to have.

    Raises:
        Refusal: 400, roles that exclude each other, too many or too few of a kind.
    """
    if len(items) + bool(prompt) > limits.most_items:
        raise bad_field("content", f"must hold at most {limits.most_items} items", got=len(items))
    if not items:
        if limits.image_only:
            raise bad_field("content", f"must hold an image for {model}", code="missing_parameter")
        return Mode.TEXT, ()
    if limits.text_only:
        raise bad_field(f"content[{items[0].index}]", f"is no text; {model} takes text only")
    items = tuple(_with_role(item, items) for item in items)
    frames = [item for item in items if item.role in {FIRST, LAST}]
    references = [item for item in items if item not in frames]
    if frames and references:
        raise bad_field(
            f"content[{references[0].index}].role",
            "cannot be mixed: first frame, first and last frame, and references exclude each other",
            got=references[0].role,
        )
    if frames:
        return _frames_mode(frames), items
    return _reference_mode(references, prompt, limits, model=model), items


def _with_role(item: Item, items: Sequence[Item]) -> Item:
    if item.role:
        return item
    if len(items) > 1:
        raise bad_field(
            f"content[{item.index}].role",
            "is required when there is more than one media item",
            code="missing_parameter",
        )
    return Item(item.index, item.kind, FIRST, item.path, item.url)


def _frames_mode(frames: Sequence[Item]) -> Mode:
    for role in (FIRST, LAST):
        again = [item for item in frames if item.role == role][1:]
        if again:
            raise bad_field(f"content[{again[0].index}].role", "is there twice", got=role)
    roles = {item.role for item in frames}
    if roles == {LAST}:
        raise bad_field(f"content[{frames[0].index}].role", "needs a first_frame as well", got=LAST)
    return Mode.FIRST_LAST if LAST in roles else Mode.FIRST_FRAME


def _reference_mode(references: Sequence[Item], prompt: str, limits: Limits, *, model: str) -> Mode:
    most = {
        ItemKind.IMAGE: limits.images,
        ItemKind.VIDEO: limits.videos,
        ItemKind.AUDIO: limits.audios,
    }
    counts = {kind: [item for item in references if item.kind is kind] for kind in most}
    for kind, found in counts.items():
        if len(found) > most[kind]:
            where = f"content[{found[most[kind]].index}]"
            raise bad_field(where, f"is one too many: {model} takes at most {most[kind]} {REFERENCES[kind]}")
    images, videos = counts[ItemKind.IMAGE], counts[ItemKind.VIDEO]
    if not images and not videos and not limits.audio_alone:
        raise bad_field(
            f"content[{references[0].index}]", "cannot be the only reference; add an image or a video"
        )
    if not videos or not prompt:
        return Mode.REFERENCE
    if counts[ItemKind.AUDIO]:
        return Mode.REFERENCE
    return Mode.EDIT if images else Mode.EXTEND
