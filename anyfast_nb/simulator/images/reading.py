"""Every rule of ``POST /v1/images/generations``: a body in, a typed request or a 400 out."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from anyfast_nb.simulator import fields
from anyfast_nb.simulator.content import media_url
from anyfast_nb.simulator.images.families import MOST_TOGETHER, Family, family_of, preset_pixels
from anyfast_nb.simulator.models import check_image_model
from anyfast_nb.simulator.problems import bad_field
from anyfast_nb.simulator.request import PartKind

if TYPE_CHECKING:
    from anyfast_nb.simulator.fields import Body

DEFAULT_SIZE = "2048x2048"
MOST_SEED = 2_147_483_647
MOST_PROMPT = 20_000  # characters; no page names a limit, and the prompt is kept with its picture
NARROWEST, WIDEST = 1 / 16, 16
KNOWN = frozenset(
    {
        "model",
        "prompt",
        "image",
        "image_urls",
        "size",
        "sequential_image_generation",
        "sequential_image_generation_options",
        "stream",
        "response_format",
        "watermark",
        "seed",
        "logo_info",
        "tools",
        "output_format",
        "guidance_scale",
        "optimize_prompt_options",
        "n",
        "user",
    }
)
_PIXELS = re.compile(r"(\d{2,5})[x×*](\d{2,5})", re.IGNORECASE)
_NUMBERS = {w: n for n, w in enumerate("two three four five six seven eight nine ten".split(), start=2)}  # noqa: SIM905
_SEVERAL = re.compile(
    r"\b(\d{1,2}|" + "|".join(_NUMBERS) + r")\s+(?:[\w-]+\s+){0,2}?"
    r"(?:images?|pictures?|photos?|illustrations?|variations?|variants?|versions?|frames?|panels?|scenes?|views?|"
    r"posters?|shots?)\b|(\d{1,2})\s*[张幅]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """Everything ``POST /v1/images/generations`` was asked, checked.

    Attributes:
        width, height: pixels of each picture.
        references: addresses and data URIs, each with the path of its field.
        count: how many pictures are made.
        b64: whether the bytes come in the reply.
        seed: as asked, None for none.
    """

    model: str
    prompt: str
    width: int
    height: int
    references: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    count: int = 1
    stream: bool = False
    b64: bool = False
    watermark: bool = False
    seed: int | None = None
    format: Literal["jpeg", "png"] = "jpeg"
    web_search: bool = False

    @property
    def size(self) -> str:
        """As the reply tells it."""
        return f"{self.width}x{self.height}"

    def digest(self) -> bytes:
        """The same for the same pictures, however they are sent."""
        known = [self.model, self.prompt, self.size, self.count, self.watermark, self.seed, self.format]
        text = json.dumps([*known, [url for url, _ in self.references]], ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def read_image_request(body: Body, *, strict: bool, watermark: bool) -> ImageRequest:
    """Check a request for pictures.

    Args:
        body: as it came.
        strict: whether what only the documentation forbids is refused too.
        watermark: what holds where the request does not say.

    Raises:
        Refusal: 400 with the field's path and what is allowed, 404 for an unknown model.
    """
    model = fields.needed_string(body, "model")
    check_image_model(model)
    family = family_of(model)
    prompt = fields.needed_string(body, "prompt")
    if len(prompt) > MOST_PROMPT:
        raise bad_field("prompt", f"must be at most {MOST_PROMPT} characters", got=len(prompt))
    if strict:
        fields.only(body, KNOWN)
    references = _references(body, family)
    width, height = _size(body, family, prompt, strict=strict)
    count = _count(body, family, prompt, references=len(references))
    _check_rest(body, family)
    shape = fields.choice(body, "output_format", ("png", "jpeg"))
    seed = fields.integer(body, "seed")
    if seed is not None and not -1 <= seed <= MOST_SEED:
        raise bad_field("seed", f"must be between -1 and {MOST_SEED}", got=seed)
    logo = fields.mapping(body, "logo_info") or {}
    return ImageRequest(
        model=model,
        prompt=prompt,
        width=width,
        height=height,
        references=references,
        count=count,
        stream=_stream(body, family),
        b64=fields.choice(body, "response_format", ("url", "b64_json")) == "b64_json",
        watermark=fields.boolean(body, "watermark", default=watermark)
        or fields.boolean(logo, "add_logo", path="logo_info"),
        seed=None if seed == -1 else seed,
        format="png" if shape == "png" else "jpeg",
        web_search=bool(body.get("tools")),
    )


def _references(body: Body, family: Family) -> tuple[tuple[str, str], ...]:
    """``image``, a string or an array; ``image_urls`` is its older spelling."""
    name = "image_urls" if body.get("image") is None else "image"
    if name == "image" and body.get("image_urls") is not None:
        raise bad_field("image_urls", "must not come together with image: it is its older spelling")
    value = body.get(name)
    if value is None:
        return ()
    if not family.references:
        raise bad_field(name, f"must be left out: Seedream {family.name} makes pictures from words only")
    if isinstance(value, str) and name == "image":
        return ((media_url(fields.needed_string(body, name), PartKind.IMAGE, name), name),)
    if not isinstance(value, list):
        raise bad_field(name, "must be a string or an array of strings", got=value)
    if not value:
        raise bad_field(name, "must hold at least 1 picture")
    if len(value) > family.references:
        raise bad_field(name, f"must hold at most {family.references} pictures", got=len(value))
    found = []
    for index, item in enumerate(value):
        where = f"{name}[{index}]"
        if not isinstance(item, str) or not item.strip():
            raise bad_field(where, "must be a string", got=item)
        found.append((media_url(item, PartKind.IMAGE, where), where))
    return tuple(found)


def _size(body: Body, family: Family, prompt: str, *, strict: bool) -> tuple[int, int]:
    size = fields.string(body, "size") or DEFAULT_SIZE
    if size.upper() in family.presets:
        return preset_pixels(size.upper(), prompt)
    found = _PIXELS.fullmatch(size)
    allowed = " or ".join([", ".join(family.presets), "WIDTHxHEIGHT"] if family.presets else ["WIDTHxHEIGHT"])
    if not found:
        raise bad_field("size", f"must be {allowed} for Seedream {family.name}", got=size)
    width, height = int(found[1]), int(found[2])
    if not family.least <= width * height <= family.most:
        rule = f"must have between {family.least} and {family.most} pixels for Seedream {family.name}"
        raise bad_field("size", rule, got=size)
    if not NARROWEST <= width / height <= WIDEST:
        raise bad_field("size", "must have a width of 1/16 to 16 times its height", got=size)
    if strict and family.listed and f"{width}x{height}" not in family.listed:
        raise bad_field("size", f"must be one of {', '.join((*family.presets, *family.listed))}", got=size)
    return width, height


def _count(body: Body, family: Family, prompt: str, *, references: int) -> int:
    """How many pictures: in a group as many as the prompt names, or else as many as are allowed."""
    name = "sequential_image_generation"
    mode = fields.choice(body, name, ("auto", "disabled"))
    options = fields.mapping(body, f"{name}_options")
    if not family.groups and (mode or options is not None):
        where = name if mode else f"{name}_options"
        raise bad_field(where, f"must be left out: Seedream {family.name} makes 1 picture at a time")
    most = fields.integer(options or {}, "max_images", low=1, path=f"{name}_options")
    if most is not None and most > MOST_TOGETHER:
        raise bad_field(f"{name}_options.max_images", f"must be at most {MOST_TOGETHER}", got=most)
    if mode != "auto":
        return 1
    if most is not None and most + references > MOST_TOGETHER:
        rule = f"and the {references} references must be at most {MOST_TOGETHER} together"
        raise bad_field(f"{name}_options.max_images", rule, got=most)
    named = _named(prompt)
    if most is None:
        return min(named or 1, MOST_TOGETHER - references)
    return min(named or most, most)


def _named(prompt: str) -> int:
    found = _SEVERAL.search(prompt)
    if not found:
        return 0
    word = (found[1] or found[2]).lower()
    return int(word) if word.isdigit() else _NUMBERS[word]


def _stream(body: Body, family: Family) -> bool:
    stream = fields.boolean(body, "stream")
    if stream and not family.streams:
        raise bad_field("stream", f"must be false: Seedream {family.name} does not stream")
    return stream


def _check_rest(body: Body, family: Family) -> None:
    fields.integer(body, "n", low=1)
    fields.string(body, "user")
    if body.get("output_format") is not None and not family.formats:
        raise bad_field("output_format", f"must be left out: Seedream {family.name} gives JPEG")
    if body.get("guidance_scale") is not None and not family.guided:
        raise bad_field("guidance_scale", f"must be left out: Seedream {family.name} takes none")
    fields.number(body, "guidance_scale", low=1, high=10)
    tools = fields.items(body, "tools") or []
    for index, tool in enumerate(tools):
        fields.needed_string(tool, "type", path=f"tools[{index}]")
        fields.choice(tool, "type", ("web_search",), path=f"tools[{index}]")
    if tools and not family.searches:
        raise bad_field("tools", f"must be left out: Seedream {family.name} uses none")
    optimize = fields.mapping(body, "optimize_prompt_options") or {}
    fields.choice(optimize, "mode", ("standard", "fast"), path="optimize_prompt_options")
    logo = fields.mapping(body, "logo_info") or {}
    for name in ("position", "language"):
        fields.integer(logo, name, path="logo_info")
    fields.number(logo, "opacity", low=0, high=1, path="logo_info")
