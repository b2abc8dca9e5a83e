"""Whether a medium fits what it is for: each measure against the table of limits.

Source: of each number, `anyfast_nb.media.limits`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from anyfast_nb.errors import InputError
from anyfast_nb.media.limits import MB, Limits, Span, Verdict
from anyfast_nb.media.sniff import Format, Kind

if TYPE_CHECKING:
    from anyfast_nb.media.probe import Probe

MEGAPIXEL: Final = 1_000_000
DOWNSCALE: Final = "Pass downscale=True (or --downscale)"
_WORDS: Final = {
    Kind.IMAGE: "an image",
    Kind.VIDEO: "a video",
    Kind.AUDIO: "a sound",
    Kind.DOCUMENT: "a document",
}
_GIVE: Final = {
    Kind.IMAGE: "Give a PNG, JPEG, WebP, GIF, BMP, TIFF or HEIC file.",
    Kind.VIDEO: "Give an MP4, MOV, WebM or AVI file.",
    Kind.AUDIO: "Give a WAV or MP3 file.",
    Kind.DOCUMENT: "Give a PDF, Word, Excel, PowerPoint, text, Markdown, CSV, HTML or JSON file.",
}
_SMALLER: Final = {
    Kind.IMAGE: f"{DOWNSCALE}, or make it smaller yourself: image.thumbnail((2048, 2048)).",
    Kind.VIDEO: "Shorten it, or save it with a lower resolution or bit rate.",
    Kind.AUDIO: "Shorten it, or save it as MP3.",
    Kind.DOCUMENT: "Split it, or save it with smaller pictures.",
}
_NAMES: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WebP",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/heic": "HEIC",
    "video/mp4": "MP4",
    "video/quicktime": "MOV",
    "audio/wav": "WAV",
    "audio/mpeg": "MP3",
    "application/pdf": "PDF",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One measure that does not fit.

    Attributes:
        refused: False if it is sent and noted.
        text: what is wrong, with the numbers.
        hint: what to do about it.
        curable: downscaling (or saving in another format) helps.
    """

    refused: bool
    text: str
    hint: str = ""
    curable: bool = False


def check_kind(found: Format, limits: Limits, label: str) -> None:
    """Refuse a file of another kind: a page in the place of a clip, a clip in that of an image.

    Raises:
        InputError: with what it is, and how it could be given.
    """
    wanted = limits.kind
    if found.kind is wanted:
        return
    give = f"Give {format_names(limits.media_types)}." if limits.media_types else _GIVE[wanted]
    hint = give
    if found.media_type == "text/html":
        hint = f"A download that failed often leaves a page. {give}"
    elif found.kind in limits.beside:
        hint = f"Give it as {_WORDS[found.kind]}."
    raise InputError(f"{label} is {found.name}, not {_WORDS[wanted]}.", hint=hint)


def findings(limits: Limits, found: Format, facts: Probe, size_bytes: int, label: str) -> list[Finding]:
    """Everything that does not fit, the gravest first."""
    every = [
        *_format(limits, found, label),
        *_size(limits, facts, size_bytes, label),
        *_picture(limits, facts, label),
        *_time(limits, facts, label),
    ]
    return sorted(every, key=lambda one: not one.refused)


def size_text(size_bytes: int) -> str:
    """A size for a message: ``14.2 MB (14,889,779 bytes)``."""
    return f"{size_bytes / MB:.1f} MB ({size_bytes:,} bytes)"


def limit_text(size_bytes: float) -> str:
    """A limit for a message: ``10 MB (10,485,760 bytes)``."""
    return f"{size_bytes / MB:g} MB ({size_bytes:,.0f} bytes)"


def pixels_text(width: int, height: int) -> str:
    """A picture's size for a message: ``6,400 x 4,800 pixels``."""
    return f"{width:,} x {height:,} pixels"


def format_names(media_types: tuple[str, ...]) -> str:
    """Media types for a message: ``JPEG, PNG or GIF``."""
    *rest, last = [_NAMES.get(media_type, media_type) for media_type in media_types]
    return f"{', '.join(rest)} or {last}" if rest else last


def kind_word(kind: Kind) -> str:
    """``an image``, ``a video``, ``a sound``, ``a document``."""
    return _WORDS[kind]


def _format(limits: Limits, found: Format, label: str) -> Iterator[Finding]:
    is_image = limits.kind is Kind.IMAGE
    if limits.media_types and found.media_type not in limits.media_types:
        names = format_names(limits.media_types)
        hint = f"{DOWNSCALE}: it is then sent as JPEG or PNG." if is_image else f"Save it as {names}."
        yield Finding(
            True, f"{label} is {found.name}; {limits.word} must be {names}.", hint, curable=is_image
        )
    elif limits.sure_types and found.media_type not in limits.sure_types:
        names = format_names(limits.sure_types)
        yield Finding(False, f"{label} is {found.name}: documented is {names}, it may be refused")


def _size(limits: Limits, facts: Probe, size_bytes: int, label: str) -> Iterator[Finding]:
    span = limits.size_bytes
    verdict = span.verdict(size_bytes)
    if verdict is Verdict.FITS:
        return
    many = ""
    # Few pixels and many bytes: the pixels are not why.
    if limits.kind is Kind.IMAGE and facts.width and facts.height and facts.width * facts.height >= MEGAPIXEL:
        many = f"{pixels_text(facts.width, facts.height)} and "
    must = f"{'below' if span.below else 'at most'} {limit_text(span.high)}"
    if verdict is Verdict.DOUBTFUL:
        yield Finding(False, f"{label} has {size_text(size_bytes)}: {must} is documented, it may be refused")
        return
    if span.perhaps:
        must = f"at most {limit_text(span.perhaps)}"
    yield Finding(
        True,
        f"{label} has {many}{size_text(size_bytes)}; {limits.word} must be {must}.",
        _SMALLER[limits.kind],
        curable=limits.kind is Kind.IMAGE,
    )


def _picture(limits: Limits, facts: Probe, label: str) -> Iterator[Finding]:
    width, height = facts.width, facts.height
    if not width or not height:
        if limits.side and limits.side.firm:
            yield Finding(False, f"how many pixels {label} has could not be read here")
        return
    pixels = pixels_text(width, height)
    if limits.side:
        # The side that is farther outside tells.
        side = min(width, height) if min(width, height) < limits.side.low else max(width, height)
        text = f"{label} has {pixels}; {limits.word} must have {_range(limits.side)} pixels on each side"
        yield from _judged(limits, limits.side, side, text, _side_hint(limits, side))
    if limits.ratio:
        text = f"{label} has {pixels}, a ratio of {width / height:.3g}; {limits.word} must have a ratio"
        text = f"{text} of {_range(limits.ratio)} (width / height)"
        hint = "Crop it or pad it: downscaling does not change the ratio."
        yield from _judged(limits, limits.ratio, width / height, text, hint, curable=False)
    if limits.area:
        text = f"{label} has {pixels}, {width * height:,} in all; {limits.word} should have"
        text = f"{text} {_range(limits.area)} pixels"
        yield from _judged(
            limits, limits.area, width * height, text, "", curable=width * height > limits.area.high
        )


def _side_hint(limits: Limits, side: int) -> str:
    if limits.side and side < limits.side.low:
        return "Give a larger one: it is never scaled up."
    return f"{DOWNSCALE}, or make it smaller yourself." if limits.kind is Kind.IMAGE else "Make it smaller."


def _time(limits: Limits, facts: Probe, label: str) -> Iterator[Finding]:
    if limits.duration_s:
        if facts.duration_s is None:
            yield Finding(False, f"how long {label} is could not be read here")
        else:
            text = f"{label} lasts {facts.duration_s:.4g} s; {limits.word} must last"
            text = f"{text} {_range(limits.duration_s)} s"
            # Encoders round to whole frames.
            yield from _judged(
                limits, limits.duration_s, round(facts.duration_s, 3), text, _cut_hint(limits, facts)
            )
    if limits.fps and facts.fps:
        text = f"{label} has {facts.fps:.4g} frames per second; {limits.word} must have {_range(limits.fps)}"
        hint = (
            f"Save it with {_range(limits.fps)} frames per second: ffmpeg -i IN -r {limits.fps.low:g} OUT.mp4"
        )
        # 23.976 is called 24, and 59.94 is called 60.
        yield from _judged(limits, limits.fps, round(facts.fps), text, hint)
    if limits.codecs and facts.codec and facts.codec not in limits.codecs:
        names = " or ".join(limits.codecs)
        yield Finding(
            False, f"{label} is coded as {facts.codec}: {names} is known to work, it may be refused"
        )


def _cut_hint(limits: Limits, facts: Probe) -> str:
    span = limits.duration_s
    if span is None or (facts.duration_s or 0) < span.low:
        return "Give a longer one."
    return f"Cut it: ffmpeg -i IN -t {span.high:g} OUT. With strict=False it is sent as it is."


def _judged(
    limits: Limits, span: Span, value: float, text: str, hint: str, *, curable: bool | None = None
) -> Iterator[Finding]:
    verdict = span.verdict(value)
    if verdict is Verdict.FITS:
        return
    refused = verdict is Verdict.REFUSED
    if curable is None:
        curable = limits.kind is Kind.IMAGE and value > span.high
    yield Finding(refused, f"{text}." if refused else f"{text}: it may be refused", hint, curable)


def _range(span: Span) -> str:
    if span.high == float("inf"):
        return f"at least {span.low:g}"
    if span.low == 0:
        return f"at most {_number(span.high)}"
    return f"{_number(span.low)} to {_number(span.high)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:.4g}"
