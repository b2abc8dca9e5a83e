"""Every rule of ``POST /v1/video/generations``: a JSON body in, a typed request or a 400 out."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from anyfast_nb.simulator import fields
from anyfast_nb.simulator.problems import bad_field
from anyfast_nb.simulator.studio import adaptive_ratio
from anyfast_nb.simulator.tasks import limits as rules
from anyfast_nb.simulator.tasks.media import ASSET_SCHEME
from anyfast_nb.simulator.tasks.seedance_content import read_content, settle_mode
from anyfast_nb.simulator.tasks.seedance_models import ADAPTIVE, BY_ITSELF, LIMITS, RATIOS
from anyfast_nb.simulator.tasks.seedance_request import Item, ItemKind, Mode, SeedanceRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anyfast_nb.simulator.fields import Body
    from anyfast_nb.simulator.tasks.media import Found, Library
    from anyfast_nb.simulator.tasks.seedance_models import Limits

USUAL_S = 5
HIGHEST_SEED = 2**32 - 1
MOST_IDENTIFIER = 64
KNOWN_FIELDS = frozenset(
    {
        *("model", "content", "generate_audio", "resolution", "ratio", "duration", "tools", "watermark"),
        *("seed", "camera_fixed", "return_last_frame", "callback_url", "service_tier", "draft", "frames"),
        *("execution_expires_after", "priority", "safety_identifier", "output_format"),
        "omni_reference_task_type",
    }
)
_IN_PROMPT = re.compile(r"(?<!\S)--([a-z]+)\s+(\S+)")
_SHORT_NAMES = {
    "rs": "resolution",
    "rt": "ratio",
    "dur": "duration",
    "cf": "camera_fixed",
    "camerafixed": "camera_fixed",
    "wm": "watermark",
}
_PROMPT_FIELDS = frozenset({"resolution", "ratio", "duration", "seed", "camera_fixed", "watermark"})


class AssetLookup(Protocol):
    """Resolves ``asset://<ID>``."""

    def __call__(self, id: str, *, kind: str, path: str, label: str) -> Found:
        """The bytes of an asset of that kind, or a 400."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a request is read with.

    Attributes:
        library: resolves data URIs and addresses.
        asset: resolves ``asset://<ID>``.
        host: the Host header by which the request came.
        strict: refuse what only the documentation forbids.
        in_prompt: parameters in the prompt count for every model.
    """

    library: Library
    asset: AssetLookup
    host: str = ""
    strict: bool = False
    in_prompt: bool = False


def read_seedance(body: Body, model: str, around: Surroundings) -> SeedanceRequest:
    """Check a request whose model is known, and resolve what it refers to.

    Raises:
        Refusal: 400 with the field's path and the rule.
    """
    limits = LIMITS[model]
    if around.strict:
        fields.only(body, KNOWN_FIELDS)
    prompt, items = read_content(body, strict=around.strict)
    if around.in_prompt or limits.in_prompt:
        prompt, given = _from_prompt(prompt)
        body = given | dict(body)
    mode, items = settle_mode(items, prompt, limits, model=model)
    _check_extras(body)
    web_search = _web_search(body, mode)
    duration_s = _duration(body, limits)
    resolution = _resolution(body, limits)
    ratio = fields.choice(body, "ratio", (*RATIOS, ADAPTIVE)) or limits.ratio
    seed = _seed(body)
    items = _resolved(items, around, limits)
    if around.strict and model == "seedance-2.5":
        _check_adaptive(mode, ratio)
    digest = hashlib.sha256(
        json.dumps(body, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
    ).digest()
    return SeedanceRequest(
        model=model,
        limits=limits,
        prompt=prompt,
        items=items,
        mode=mode,
        resolution=resolution,
        ratio=_settled_ratio(items) if ratio == ADAPTIVE else ratio,
        duration_s=_settled_duration(items) if duration_s == BY_ITSELF else duration_s,
        audio=fields.boolean(body, "generate_audio", default=limits.audio),
        watermark=fields.boolean(body, "watermark"),
        return_last_frame=fields.boolean(body, "return_last_frame"),
        web_search=web_search,
        seed=int.from_bytes(digest[:2], "big") if seed == -1 else seed,
        service_tier=fields.choice(body, "service_tier", ("default", "flex")) or "default",
        draft=fields.boolean(body, "draft"),
        digest=digest,
    )


def _from_prompt(prompt: str) -> tuple[str, dict[str, Any]]:
    """The prompt without ``--rs 720p --dur 5``, and what those say."""
    found: dict[str, Any] = {}

    def taken(match: re.Match[str]) -> str:
        name = _SHORT_NAMES.get(match[1], match[1])
        if name not in _PROMPT_FIELDS | {"fps"}:
            return match[0]
        if name != "fps":
            found[name] = _value(match[2])
        return ""

    return _IN_PROMPT.sub(taken, prompt).strip(), found


def _value(text: str) -> Any:
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if re.fullmatch(r"-?\d{1,10}", text) else text


def _check_extras(body: Body) -> None:
    fields.boolean(body, "camera_fixed")
    fields.string(body, "callback_url")
    fields.choice(body, "output_format", ("mp4", "mov"))
    fields.choice(body, "omni_reference_task_type", ("auto", "reference", "edit", "extend"))
    fields.number(body, "execution_expires_after", low=60, high=259_200)
    identifier = fields.string(body, "safety_identifier")
    if len(identifier) > MOST_IDENTIFIER:
        raise bad_field(
            "safety_identifier", f"must be at most {MOST_IDENTIFIER} characters", got=len(identifier)
        )


def _web_search(body: Body, mode: Mode) -> bool:
    tools = fields.items(body, "tools") or []
    for index, tool in enumerate(tools):
        path = f"tools[{index}]"
        fields.needed_string(tool, "type", path=path)
        fields.choice(tool, "type", ("web_search",), path=path)
    if tools and mode is not Mode.TEXT:
        raise bad_field("tools", "web_search is for text-to-video only")
    return bool(tools)


def _duration(body: Body, limits: Limits) -> int:
    value = fields.integer(body, "duration")
    if value is None:
        return max(USUAL_S, limits.shortest)
    if value == BY_ITSELF and limits.by_itself:
        return value
    if not limits.shortest <= value <= limits.longest:
        also = f", or {BY_ITSELF}" if limits.by_itself else ""
        raise bad_field(
            "duration", f"must be from {limits.shortest} to {limits.longest} seconds{also}", got=value
        )
    return value


def _resolution(body: Body, limits: Limits) -> str:
    if limits.needs_resolution:
        fields.needed_string(body, "resolution")
    return fields.choice(body, "resolution", limits.resolutions) or "720p"


def _seed(body: Body) -> int:
    value = fields.integer(body, "seed", low=-1)
    if value is not None and value > HIGHEST_SEED:
        raise bad_field("seed", f"must be from -1 to {HIGHEST_SEED}", got=value)
    return -1 if value is None else value


def _check_adaptive(mode: Mode, ratio: str) -> None:
    if mode in {Mode.FIRST_FRAME, Mode.FIRST_LAST, Mode.EDIT, Mode.EXTEND} and ratio != ADAPTIVE:
        raise bad_field("ratio", f"must be adaptive for {mode.value} with seedance-2.5", got=ratio)


# --- what it refers to -------------------------------------------------------------------------------


def _resolved(items: Sequence[Item], around: Surroundings, limits: Limits) -> tuple[Item, ...]:
    numbers: dict[ItemKind, int] = {}
    found: list[Item] = []
    for item in items:
        numbers[item.kind] = numbers.get(item.kind, 0) + 1
        label = f"{item.kind.value}{numbers[item.kind]}"
        resolved = _find(item, label, around)
        # Megabytes of base64 are not kept: the bytes lie in the store.
        found.append(replace(item, found=resolved, url=item.url if item.url[:5].lower() != "data:" else ""))
        _check_media(found[-1], limits)
    _check_total(found, limits)
    return tuple(found)


def _find(item: Item, label: str, around: Surroundings) -> Found:
    if item.url.startswith(ASSET_SCHEME):
        asset_id = item.url.removeprefix(ASSET_SCHEME)
        return around.asset(asset_id, kind=item.kind.value, path=item.path, label=label)
    if item.url[:5].lower() == "data:":
        return around.library.data(item.url, path=item.path, label=label)
    return around.library.address(item.url, label=label, host=around.host)


def _check_media(item: Item, limits: Limits) -> None:
    found = item.found
    assert found is not None
    if not found.has_bytes:
        return
    if item.kind is ItemKind.IMAGE:
        rules.check_image(found, path=item.path)
    elif item.kind is ItemKind.VIDEO:
        rules.check_clip(found, path=item.path, longest_s=limits.clip_s, most_bytes=limits.clip_bytes)
    else:
        rules.check_sound(found, path=item.path, longest_s=limits.clip_s)


def _check_total(items: Sequence[Item], limits: Limits) -> None:
    for kind in (ItemKind.VIDEO, ItemKind.AUDIO):
        lengths = [length for length in map(_length, items_of(items, kind)) if length]
        if sum(lengths) > limits.clip_s + rules.SLACK_S:
            raise bad_field(
                "content",
                f"holds {sum(lengths):.1f} s of {kind.value}; all together may be {limits.clip_s:g} s",
            )


def items_of(items: Sequence[Item], kind: ItemKind) -> list[Item]:
    """The items of a kind."""
    return [item for item in items if item.kind is kind]


def _length(item: Item) -> float:
    measured = item.found.measured if item.found else None
    return measured.duration_s if measured else 0.0


def _settled_ratio(items: Sequence[Item]) -> str:
    """What adaptive means: the ratio of the first input that has one."""
    for item in items:
        measured = item.found.measured if item.found else None
        if measured is not None and measured.width and measured.height:
            return adaptive_ratio(measured.width, measured.height)
    return "16:9"


def _settled_duration(items: Sequence[Item]) -> int:
    lengths = [_length(item) for item in items_of(items, ItemKind.VIDEO)]
    return max(4, min(30, round(lengths[0]))) if lengths and lengths[0] else USUAL_S


def facts_of(request: SeedanceRequest) -> Mapping[str, Any]:
    """What a finished task repeats of its request."""
    return {
        "draft": request.draft,
        "duration": request.duration_s,
        "framespersecond": 24,
        "generate_audio": request.audio,
        "ratio": request.ratio,
        "resolution": request.resolution,
        "seed": request.seed,
        "service_tier": request.service_tier,
    }
