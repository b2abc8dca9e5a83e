"""POST /v1/images/generations (Seedream): arguments to a body, checked against the model's family.

Source: seed 003 (endpoints), wire reference 5.1 and 5.2; the limits are data of the catalogue.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from anyfast_nb import catalog
from anyfast_nb.catalog.seedream import Family, default_model, family_of
from anyfast_nb.errors import InputError
from anyfast_nb.wire import checks
from anyfast_nb.wire.generation import Generation
from anyfast_nb.wire.pictures import ImageUsage, Picture, PicturesReader, PicturesReply, pixels, read_pictures
from anyfast_nb.wire.text import mended

__all__ = [
    "FORMATS", "OUTPUT_FORMATS", "PATH", "ImageUsage", "Picture", "PicturesReader", "PicturesReply",
    "build_seedream", "image_tokens", "pixels", "read_pictures",
]  # fmt: skip

PATH: Final = "/v1/images/generations"
FORMATS: Final = ("url", "b64_json")
OUTPUT_FORMATS: Final = ("png", "jpeg")
_OWN: Final = {
    "model": "model", "prompt": "prompt", "image": "images", "size": "size", "stream": "stream",
    "sequential_image_generation": "count", "sequential_image_generation_options": "count",
    "response_format": "response_format", "watermark": "watermark", "seed": "seed",
    "tools": "web_search", "output_format": "output_format", "guidance_scale": "guidance_scale",
}  # fmt: skip
_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af]")


def build_seedream(
    prompt: str,
    *,
    model: str | None = None,
    images: Sequence[str] = (),
    size: str | None = None,
    count: int | None = None,
    response_format: str = "url",
    watermark: bool = False,
    seed: int | None = None,
    stream: bool = False,
    output_format: str | None = None,
    guidance_scale: float | None = None,
    web_search: bool = False,
    strict: bool = True,
    extra: Mapping[str, Any] | None = None,
) -> Generation:
    """A checked request for pictures.

    Args:
        prompt: what to show; about 300 Chinese characters or 600 words are advised.
        model: an id or alias; by default the one with pages for words and for references.
            An id that the catalogue does not know is passed on unchecked.
        images: http(s) URLs or data URIs of reference images, 0 to 14 (10 on 5.0 pro, none on 3.0).
        size: ``1K``, ``2K``, ``3K``, ``4K`` as the model allows, or ``2048x2048``.
        count: pictures as a group, 1 to 15; together with the references at most 15.
        response_format: ``url`` (a link of 24 hours) or ``b64_json``.
        watermark: always sent, because the vendor's pages disagree about its default.
        seed: -1 to 2147483647.
        stream: pictures come one by one as they are done.
        output_format: png or jpeg, 5.0 only.
        guidance_scale: 1 to 10, 3.0 only.
        web_search: the model may search the web first, 5.0 only.
        strict: a documented limit is an error; else it becomes a note, and the server decides.
        extra: fields that this builder does not know, passed through as they are.

    Raises:
        InputError: names the argument and what is allowed.

    Example:
        >>> build_seedream("a red kite", size="2K", count=3).body["sequential_image_generation_options"]
        {'max_images': 3}
    """
    asked = default_model() if model is None else catalog.resolve(checks.text("model", model).strip())
    rules = _Rules(asked, family_of(asked), strict=strict)
    urls = _urls(images)
    body: dict[str, Any] = {"model": asked, "prompt": mended(rules.prompt(prompt))}
    if urls:
        body["image"] = urls[0] if len(urls) == 1 else urls
        rules.references(urls)
    if size is not None:
        body["size"] = rules.size(size)
    body |= rules.group(count, references=len(urls))
    body["response_format"] = checks.one_of("response_format", response_format, allowed=FORMATS)
    body["watermark"] = _flag("watermark", watermark)
    if seed is not None:
        body["seed"] = rules.seed(seed)
    if output_format is not None:
        body["output_format"] = rules.output_format(output_format)
    if guidance_scale is not None:
        body["guidance_scale"] = rules.guidance(guidance_scale)
    if _flag("web_search", web_search):
        body["tools"] = rules.web_search()
    if _flag("stream", stream):
        body["stream"] = rules.stream()
    return Generation(
        kind="seedream",
        path=PATH,
        body=body | _extra(extra),
        mode=("text", "image", "images")[min(len(urls), 2)],
        notes=tuple(rules.notes),
        arguments=_arguments(urls),
    )


def image_tokens(width: int, height: int) -> int:
    """Output tokens of one picture: its area by 256, as all published samples have it."""
    return width * height // 256


class _Rules:
    """The limits of one model: a breach is an error if strict, else a note."""

    def __init__(self, model: str, family: Family | None, *, strict: bool) -> None:
        self.model = model
        self.notes: list[str] = []
        self._family = family
        self._strict = strict
        if family is None:
            self.notes.append(f"{model} is not in the catalogue: its limits were not checked")

    def _breach(self, field: str, what: str, *, hint: str) -> None:
        if self._strict:
            raise InputError(what, field=field, hint=f"{hint} strict=False sends it all the same.")
        self.notes.append(f"{what}; the server may refuse it")

    def _unless(self, able: str, field: str, what: str) -> None:
        """A breach if this family lacks an ability."""
        if self._family is not None and not getattr(self._family, able):
            others = sorted({f.name for f in _all_families() if getattr(f, able)})
            where = ", ".join(others)
            self._breach(field, f"{self.model} {what}", hint=f"Leave {field} out, or use Seedream {where}.")

    def _number(self, field: str, value: Any, *, name: str | None = None, whole: bool = False) -> Any:
        """A number within its documented range; outside of it a note unless strict."""
        try:
            return checks.in_range(field, value, name=name, whole=whole)
        except InputError as error:
            plain = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
            if self._strict or not plain or not math.isfinite(value):
                raise
            self.notes.append(f"{error.message}; the server may refuse it")
            return value

    def prompt(self, prompt: Any) -> str:
        text = checks.text("prompt", prompt)
        if len(_CJK.findall(text)) > 300 or len(text.split()) > 600:
            self.notes.append(
                "the prompt is longer than 300 Chinese characters or 600 words: details may be lost"
            )
        return text

    def references(self, urls: Sequence[str]) -> None:
        family = self._family
        if family is not None and len(urls) > family.references:
            takes = f"at most {family.references}" if family.references else "none"
            self._breach(
                "images",
                f"{len(urls)} reference images; {self.model} takes {takes}",
                hint="Give fewer." if family.references else f"Use {default_model()}.",
            )

    def size(self, size: Any) -> str:
        text = checks.text("size", size).strip()
        found = pixels(text)
        family = self._family
        if found is not None:
            self._check_pixels(*found)
            text = f"{found[0]}x{found[1]}"
            if family is not None and family.sizes and text not in family.sizes:
                self.notes.append(f"size {text} is not among those that the page of {self.model} lists")
            return text
        if family is not None and text.upper() not in family.presets:
            allowed = ", ".join((*family.presets, "WIDTHxHEIGHT"))
            self._breach(
                "size", f"size is {text[:40]!r}; {self.model} takes {allowed}", hint="Choose one of these."
            )
        return text.upper() if len(text) == 2 else text  # 2k is 2K; other models have words of their own

    def _check_pixels(self, width: int, height: int) -> None:
        family = self._family
        if not width or not height:
            raise InputError(f"size {width}x{height} has no pixels", field="size", hint="Nothing was sent.")
        if family is None:
            return
        low, high = family.area
        if low is None and high is None:
            self.notes.append(f"nothing is documented about the pixels of a size for {self.model}")
        if not (low or 0) <= width * height <= (high or width * height):
            self._breach(
                "size",
                f"size {width}x{height} has {width * height:,} pixels; "
                f"{self.model} makes {low or 0:,} to {high or 0:,}",
                hint=f"Try size={family.presets[0]!r}." if family.presets else "Try size='1024x1024'.",
            )
        narrow, wide = family.ratio
        if not (narrow or 0) <= width / height <= (wide or width / height):
            self._breach(
                "size",
                f"size {width}x{height} is too narrow; width by height is 1/16 to 16",
                hint="Choose a fuller shape.",
            )

    def group(self, count: Any, *, references: int) -> dict[str, Any]:
        if count is None:
            return {}
        count = self._number("count", count, name="seedream_count", whole=True)
        family = self._family
        if family is not None and count > family.group:
            self._breach(
                "count",
                f"count is {count}; {self.model} makes {family.group} picture at a time",
                hint="Send one request for each picture, or use another model.",
            )
        elif family is not None and family.references and count + references > family.together:
            self._breach(
                "count",
                f"{references} references and {count} pictures; together they are at most {family.together}",
                hint=f"Ask for at most {max(1, family.together - references)} pictures.",
            )
        if count == 1:
            return {}
        return {
            "sequential_image_generation": "auto",
            "sequential_image_generation_options": {"max_images": count},
        }

    def seed(self, seed: Any) -> int:
        if self._family is not None and self._family.name != "3.0":
            self.notes.append("seed: only Seedream 3.0 is known to honour it")
        return int(self._number("seed", seed, name="seedream_seed", whole=True))

    def output_format(self, word: Any) -> str:
        word = "jpeg" if word == "jpg" else word
        self._unless("output_format", "output_format", "does not take output_format")
        return checks.one_of("output_format", word, allowed=OUTPUT_FORMATS)

    def guidance(self, scale: Any) -> float:
        self._unless("guidance", "guidance_scale", "does not take guidance_scale")
        return float(self._number("guidance_scale", scale))

    def web_search(self) -> list[dict[str, str]]:
        self._unless("web_search", "web_search", "does not search the web")
        return [{"type": "web_search"}]

    def stream(self) -> bool:
        self._unless("streams", "stream", "does not stream")
        return True


def _all_families() -> set[Family]:
    from anyfast_nb.catalog.seedream import families

    return set(families().values())


def _urls(images: Any) -> list[str]:
    if isinstance(images, str | bytes) or not isinstance(images, Sequence):
        raise InputError("images must be a list", field="images", hint="Write images=[…], even for one.")
    for index, url in enumerate(images):
        field = f"images[{index}]"
        scheme = url[:8].lower() if isinstance(url, str) else ""
        if not scheme.startswith(("http://", "https://", "data:")):
            raise InputError(
                f"{field} is neither an http(s) URL nor a data URI",
                field=field,
                hint="Seedream takes no asset://… reference: give the picture itself.",
            )
    return list(images)


def _flag(field: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{field} must be True or False", field=field, hint="Nothing was sent.")
    return value


def _arguments(urls: Sequence[str]) -> dict[str, str]:
    if len(urls) == 1:
        return {"image": "images[0]", "image[0]": "images[0]"}
    return {f"image[{index}]": f"images[{index}]" for index in range(len(urls))}


def _extra(extra: Mapping[str, Any] | None) -> dict[str, Any]:
    fields = {} if extra is None else checks.mapping("extra", extra)
    for name in fields:
        if name in _OWN:
            raise InputError(
                f"extra holds {name!r}, which has an argument of its own",
                field=f"extra.{name}",
                hint=f"Use {_OWN[name]}=… instead.",
            )
    return checks.writable("extra", fields)
