"""POST /v1/video/generations: arguments to a checked request for a Seedance video.

Source: seed 004 (guide), wire reference 6.1 and 6.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from anyfast_nb import catalog
from anyfast_nb.catalog.video import SeedanceFamily, seedance_families, seedance_family
from anyfast_nb.errors import InputError
from anyfast_nb.wire import addresses, checks, prompts
from anyfast_nb.wire.findings import Findings, passed_through, shown, truth, whole
from anyfast_nb.wire.generation import Generation

PATH: Final = "/v1/video/generations"
POLL_PATHS: Final = ("/v1/video/generations/{id}",)
_OWN: Final = {  # field of the body -> the argument that sets it
    "model": "model",
    "content": "prompt, images, videos, audios",
    "generate_audio": "audio",
    "resolution": "resolution",
    "ratio": "ratio",
    "duration": "duration",
    "tools": "web_search",
    "watermark": "watermark",
    "return_last_frame": "return_last_frame",
    "seed": "seed",
}
_MOST_SEED: Final = 2**32 - 1  # the vendor's own range; AnyFast's pages print none
_ANY_MODEL: Final = "Seedance 2.0"  # whose limits serve as advice where a model is unknown


@dataclass(frozen=True, slots=True)
class _Item:
    argument: str
    kind: str
    role: str
    url: str = field(repr=False)

    def part(self) -> dict[str, Any]:
        return {"type": f"{self.kind}_url", f"{self.kind}_url": {"url": self.url}, "role": self.role}


def build_seedance(
    prompt: str = "",
    *,
    model: str = "seedance",
    first_frame: str | None = None,
    last_frame: str | None = None,
    images: Sequence[str] = (),
    videos: Sequence[str] = (),
    audios: Sequence[str] = (),
    duration: int | None = None,
    ratio: str | None = None,
    resolution: str | None = None,
    audio: bool | None = None,
    watermark: bool | None = None,
    return_last_frame: bool = False,
    web_search: bool = False,
    seed: int | None = None,
    strict: bool = True,
    extra: Mapping[str, Any] | None = None,
) -> Generation:
    """A create request, its mode inferred, checked against the documented limits.

    Media are addresses: ``https://…``, a data URI, or ``asset://<id>``. What is not given is
    not sent, so the server's defaults hold.

    Args:
        prompt: what happens; names references as ``@image1``, ``@video1``, ``@audio1``. It may
            be empty only where media are given.
        model: an id or an alias; one that the catalogue does not know is sent, with notes.
        first_frame: image that the video begins with.
        last_frame: image that it ends with; needs `first_frame`.
        images: references, up to 9. References and frames exclude each other.
        videos: references, up to 3.
        audios: references, up to 3, beside an image or a video.
        duration: whole seconds, 4 to 15; 2.5 takes 30, and -1 for the model's choice.
        ratio: 16:9, 4:3, 1:1, 3:4, 9:16, 21:9 or adaptive.
        resolution: 480p, 720p or 1080p; 2.0 Ultra needs one, and takes 2k.
        audio: make sound as well; the server does unless told otherwise.
        watermark: put a mark into the picture.
        return_last_frame: give the last frame as a picture too.
        web_search: look things up; from text alone.
        seed: for results that resemble each other.
        strict: False turns documented limits into notes; what contradicts itself stays refused.
        extra: fields that this builder does not know, passed through as they are.

    Raises:
        InputError: names the argument to change. Nothing was sent.

    Example:
        >>> build_seedance("A cat plays the piano", duration=8, ratio="16:9").mode
        'text'
    """
    known_as, family, findings = _model(model, strict)
    text = prompts.clean(prompt)
    items = _items(first_frame, last_frame, images, videos, audios)
    mode = _mode(text, items)
    _check_media(items, family, findings, with_text=bool(text))
    _note_kind(known_as, items, findings)
    _check_prompt(text, items, mode, family, findings)
    body: dict[str, Any] = {"model": known_as, "content": _content(text, items)}
    body |= _settings(
        audio=audio, resolution=resolution, ratio=ratio, duration=duration, family=family, findings=findings
    )
    if truth("web_search", web_search):
        body["tools"] = _web_search(mode, items, findings)
    if watermark is not None:
        body["watermark"] = truth("watermark", watermark)
    if truth("return_last_frame", return_last_frame):
        body["return_last_frame"] = True
    if seed is not None:
        body["seed"] = _seed(seed, findings)
    _note_tasks(mode, body, family, findings)
    return Generation(
        kind="seedance",
        path=PATH,
        body=body | passed_through(extra, own=_OWN),
        mode=mode,
        poll_paths=POLL_PATHS,
        notes=findings.notes,
        arguments=_arguments(text, items),
    )


def _model(model: Any, strict: Any) -> tuple[str, SeedanceFamily, Findings]:
    """The model's id and its limits; those of 2.0, as advice, where nothing is known."""
    known_as = catalog.resolve(checks.text("model", model).strip())
    family = seedance_family(known_as)
    findings = Findings(strict=truth("strict", strict) and family is not None)
    if family is None:
        family = next(one for one in seedance_families() if one.name == _ANY_MODEL)
        findings.note(f"model {known_as!r} is not in the catalogue: limits of {_ANY_MODEL} are advice only")
    return known_as, family, findings


# --- media --------------------------------------------------------------------------------


def _items(first: Any, last: Any, images: Any, videos: Any, audios: Any) -> list[_Item]:
    """All media in the documented order: images, then videos, then sounds."""
    frames = [("first_frame", first), ("last_frame", last)]
    items = [
        _Item(name, "image", name, addresses.media_url(name, url, kind="image"))
        for name, url in frames
        if url is not None
    ]
    for name, several in (("images", images), ("videos", videos), ("audios", audios)):
        kind = name.removesuffix("s")
        for i, url in enumerate(addresses.listed(name, several)):
            argument = f"{name}[{i}]"
            address = addresses.media_url(argument, url, kind=kind)
            items.append(_Item(argument, kind, f"reference_{kind}", address))
    return items


def _mode(text: str, items: list[_Item]) -> str:
    """What the arguments amount to."""
    if not text and not items:
        raise InputError(
            "prompt is empty, and no media are given", field="prompt", hint="Say what the video shows."
        )
    roles = Counter(item.role for item in items)
    framed = [item.argument for item in items if item.role in {"first_frame", "last_frame"}]
    references = [item.argument for item in items if item.argument not in framed]
    if framed and references:
        argument = references[0].partition("[")[0]
        raise InputError(
            f"{framed[0]} and {argument} exclude each other: a request has frames or references",
            field=argument,
            hint=f"Leave out {argument}, or give the frame as one of images and say so in prompt.",
        )
    if framed:
        if "first_frame" not in framed:
            raise InputError(
                "last_frame is given without first_frame",
                field="first_frame",
                hint="Give first_frame as well.",
            )
        return "first_last_frame" if len(framed) == 2 else "first_frame"
    if not references:
        return "text"
    if text and roles["reference_video"] and not roles["reference_audio"]:
        return "edit" if roles["reference_image"] else "extend"
    return "reference"


def _check_media(items: list[_Item], family: SeedanceFamily, findings: Findings, *, with_text: bool) -> None:
    counts = Counter(item.role for item in items)
    for name, most in (("image", family.images), ("video", family.videos), ("audio", family.audios)):
        findings.at_most(f"{name}s", counts[f"reference_{name}"], most, what=f"reference {name}s")
    sounds = counts["reference_audio"]
    if sounds and sounds == len(items) and not family.audio_alone:
        findings.limit(
            "audios",
            "audios are the only references; there must be an image or a video beside them",
            hint="Give images or videos as well.",
        )
    total = len(items) + with_text
    if family.items is not None and total > family.items:
        largest = max(("images", "videos", "audios"), key=lambda name: counts[f"reference_{name[:-1]}"])
        findings.limit(largest, f"the request holds {total} items with its text; allowed are {family.items}")
    for item in items:
        if item.kind == "video" and item.url[:5].lower() == "data:":
            findings.note(f"{item.argument} is a data URI; the vendor documents a URL or an asset for videos")
    _check_size(items, findings)


def _check_size(items: list[_Item], findings: Findings) -> None:
    inline = [item for item in items if item.url[:5].lower() == "data:"]
    size, most = sum(len(item.url) for item in inline), catalog.limit("body_bytes").value or 0
    if size >= most:
        largest = max(inline, key=lambda item: len(item.url))
        findings.limit(
            largest.argument,
            f"the media make a request of {size / 1e6:.0f} MB; it must be smaller than {most / 1e6:.0f} MB",
            hint=f"Give {largest.argument} (the largest) as a URL or an asset.",
        )


def _content(text: str, items: list[_Item]) -> list[dict[str, Any]]:
    return [*([{"type": "text", "text": text}] if text else []), *(item.part() for item in items)]


def _arguments(text: str, items: list[_Item]) -> dict[str, str]:
    made_by = [*(["prompt"] if text else []), *(item.argument for item in items)]
    return {f"content[{i}]": argument for i, argument in enumerate(made_by)}


# --- prompt and settings ------------------------------------------------------------------


def _check_prompt(
    text: str, items: list[_Item], mode: str, family: SeedanceFamily, findings: Findings
) -> None:
    prompts.check_length(text, findings)
    if family.images is not None:  # the first generations read options in the text, and no placeholders
        prompts.note_old_options(text, findings)
    counts = Counter(item.kind for item in items)
    prompts.check_named(text, counts, findings)
    if mode in {"reference", "edit", "extend"}:
        prompts.note_unnamed(text, counts, findings)


def _settings(
    *, audio: Any, resolution: Any, ratio: Any, duration: Any, family: SeedanceFamily, findings: Findings
) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if audio is not None:
        out["generate_audio"] = truth("audio", audio)
    if resolution is not None:
        out["resolution"] = _resolution(resolution, family, findings)
    elif family.resolution_required:
        findings.limit(
            "resolution",
            f"{family.name} has no default resolution",
            hint=f"Give resolution: {', '.join(family.resolutions)}.",
        )
    if ratio is not None:
        words = ratio.strip().lower() if isinstance(ratio, str) else ratio
        out["ratio"] = findings.one_of("ratio", words, allowed=family.ratios)
    if duration is not None:
        out["duration"] = _duration(duration, family, findings)
    return out


def _web_search(mode: str, items: list[_Item], findings: Findings) -> list[dict[str, str]]:
    if mode != "text":
        other = items[0].argument
        findings.limit(
            "web_search",
            f"web_search is for text alone; here is {other} as well",
            hint=f"Leave web_search or {other} out.",
        )
    return [{"type": "web_search"}]


def _resolution(resolution: Any, family: SeedanceFamily, findings: Findings) -> str:
    word = checks.text("resolution", resolution).strip().lower()  # "2K" is refused by the server
    if word in family.disputed:
        findings.note(f"resolution {word} with {family.name}: {family.disputed[word]}; the server decides")
    elif word not in family.resolutions:
        findings.limit(
            "resolution",
            f"resolution is {shown(word)}; {family.name} takes {', '.join(family.resolutions)}",
        )
    return word


def _duration(duration: Any, family: SeedanceFamily, findings: Findings) -> int:
    seconds = whole("duration", duration)
    if not (
        family.duration_min <= seconds <= family.duration_max or (family.auto_duration and seconds == -1)
    ):
        choice = ", or -1 for the model's choice" if family.auto_duration else ""
        findings.limit(
            "duration",
            f"duration is {seconds}; {family.name} takes {family.duration_min} to {family.duration_max} "
            f"seconds{choice}",
        )
    return seconds


def _seed(seed: Any, findings: Findings) -> int:
    found = whole("seed", seed)
    if not -1 <= found <= _MOST_SEED:
        findings.limit("seed", f"seed is {found}; it is -1 (by chance) or 0 to {_MOST_SEED}")
    return found


def _note_kind(model: str, items: list[_Item], findings: Findings) -> None:
    """Some of the first generation say in their name what they take."""
    if items and "-t2v" in model:
        findings.note(
            f"{model} is for text alone, as its name says; the server may refuse {items[0].argument}"
        )
    elif "-i2v" in model and not any(item.kind == "image" for item in items):
        findings.note(
            f"{model} is for images, as its name says; the server may refuse to go without first_frame"
        )


def _note_tasks(mode: str, body: Mapping[str, Any], family: SeedanceFamily, findings: Findings) -> None:
    """2.5 keeps the shape of what it is given, and the length of what it edits."""
    if not family.adaptive_tasks or mode in {"text", "reference"}:
        return
    if body.get("ratio", "adaptive") != "adaptive":
        findings.note(f"ratio is {body['ratio']}; {family.name} documents adaptive for {mode}")
    if mode == "edit" and body.get("duration", -1) != -1:
        findings.note(f"duration is {body['duration']}; {family.name} documents -1 for edit")
