"""What each endpoint takes of images, clips, sounds and documents: a table, and nothing else.

Where public sources contradict each other, the narrower range is the documented one and the
wider one is `Span.perhaps`: a value between the two is sent, and noted.

Source: of each row, its `Limits.source`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from anyfast_nb.media.sniff import Kind

MB: Final = 1024 * 1024
BODY_LIMIT: Final = 64 * MB


class Use(StrEnum):
    """What a medium is for: which endpoint gets it, and as what."""

    CHAT_IMAGE = "chat_image"
    CHAT_VIDEO = "chat_video"
    DOCUMENT = "document"
    SEEDANCE_IMAGE = "seedance_image"
    SEEDANCE_VIDEO = "seedance_video"
    SEEDANCE_AUDIO = "seedance_audio"
    KLING_IMAGE = "kling_image"
    SEEDREAM_IMAGE = "seedream_image"
    ASSET_IMAGE = "asset_image"
    ASSET_VIDEO = "asset_video"
    ASSET_AUDIO = "asset_audio"

    @property
    def kind(self) -> Kind:
        """Image, video, audio or document."""
        return LIMITS[self].kind


class Verdict(StrEnum):
    """Where a value lies."""

    FITS = "fits"
    DOUBTFUL = "doubtful"  # sent, and noted
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Span:
    """A range of allowed values.

    Attributes:
        low: the smallest that fits.
        high: the largest that fits.
        below: `high` itself is too much.
        perhaps: up to here another source still accepts it.
        firm: False if no source we trust says that a value outside is refused.
    """

    low: float
    high: float
    below: bool = False
    perhaps: float | None = None
    firm: bool = True

    def verdict(self, value: float) -> Verdict:
        """Whether a value fits, perhaps fits, or does not."""
        if self.low <= value and (value < self.high if self.below else value <= self.high):
            return Verdict.FITS
        if not self.firm or (self.perhaps is not None and self.low <= value <= self.perhaps):
            return Verdict.DOUBTFUL
        return Verdict.REFUSED


@dataclass(frozen=True, slots=True)
class Limits:
    """What one use takes.

    Attributes:
        kind: image, video, audio or document.
        word: how a message calls it: "an image for Kling".
        source: where the numbers come from.
        size_bytes: of the file.
        media_types: the accepted ones; () is every one of the kind.
        sure_types: the documented ones, where others may be taken too; () is all.
        side: pixels of width and of height.
        ratio: width / height.
        area: width x height in pixels.
        duration_s: seconds.
        fps: frames per second.
        codecs: those known to work; another one is noted. () is unknown.
        inline_note: why the bytes themselves may be refused inside a request (then upload them as
            an asset); "" if they are documented there.
        by_asset: ``asset://…`` is an address here.
        beside: kinds that the same request takes too.
    """

    kind: Kind
    word: str
    source: str
    size_bytes: Span
    media_types: tuple[str, ...] = ()
    sure_types: tuple[str, ...] = ()
    side: Span | None = None
    ratio: Span | None = None
    area: Span | None = None
    duration_s: Span | None = None
    fps: Span | None = None
    codecs: tuple[str, ...] = ()
    inline_note: str = ""
    by_asset: bool = False
    beside: tuple[Kind, ...] = ()


_CHAT: Final = 'AnyFast\'s chat page, "File size limits"'
_JPEG_PNG: Final = ("image/jpeg", "image/png")
_ASSET_IMAGES: Final = (*_JPEG_PNG, "image/gif", "image/webp", "image/bmp", "image/tiff", "image/heic")
_CLIPS: Final = ("video/mp4", "video/quicktime")
_SOUNDS: Final = ("audio/wav", "audio/mpeg")
_CODECS: Final = ("h264", "hevc")
_IN_CHAT: Final = (Kind.IMAGE, Kind.VIDEO, Kind.DOCUMENT)
_IN_FILMS: Final = (Kind.IMAGE, Kind.VIDEO, Kind.AUDIO)
_SIDE: Final = Span(300, 6000)
_RATIO: Final = Span(0.4, 2.5)

LIMITS: Final[Mapping[Use, Limits]] = {
    Use.CHAT_IMAGE: Limits(
        Kind.IMAGE,
        "an image",
        source=_CHAT,
        size_bytes=Span(1, 10 * MB, below=True),
        beside=_IN_CHAT,
    ),
    Use.CHAT_VIDEO: Limits(
        Kind.VIDEO,
        "a video",
        source=_CHAT,
        size_bytes=Span(1, 50 * MB, below=True),
        beside=_IN_CHAT,
    ),
    Use.DOCUMENT: Limits(
        Kind.DOCUMENT,
        "a document",
        source=f'{_CHAT} and "Document (Base64)" (its examples are PDF)',
        size_bytes=Span(1, 50 * MB, below=True),
        sure_types=("application/pdf",),
        beside=_IN_CHAT,
    ),
    Use.SEEDANCE_IMAGE: Limits(
        Kind.IMAGE,
        "an image for Seedance",
        source="AnyFast's Seedance 2.0 and asset pages",
        size_bytes=Span(1, 30 * MB, below=True),
        media_types=_ASSET_IMAGES,
        side=_SIDE,
        ratio=_RATIO,
        by_asset=True,
        beside=_IN_FILMS,
    ),
    Use.SEEDANCE_VIDEO: Limits(
        Kind.VIDEO,
        "a clip for Seedance",
        source="AnyFast's Seedance 2.0 page, content[].video_url; area by clients in use; "
        "rate as for assets, since a local clip becomes one",
        size_bytes=Span(1, 50 * MB, below=True),
        media_types=_CLIPS,
        duration_s=Span(2, 15, perhaps=15.2),
        fps=Span(24, 60),
        side=Span(300, 6000, firm=False),
        ratio=Span(0.4, 2.5, firm=False),
        area=Span(409_600, 927_408, firm=False),
        codecs=_CODECS,
        inline_note="documented as a URL or an asset only: the bytes of a clip may be refused",
        by_asset=True,
        beside=_IN_FILMS,
    ),
    Use.SEEDANCE_AUDIO: Limits(
        Kind.AUDIO,
        "a sound for Seedance",
        source="AnyFast's Seedance 2.0 page, content[].audio_url; 15.2 s is where clients see it refused",
        size_bytes=Span(1, 15 * MB, below=True),
        media_types=_SOUNDS,
        duration_s=Span(2, 15, perhaps=15.2),
        by_asset=True,
        beside=_IN_FILMS,
    ),
    Use.KLING_IMAGE: Limits(
        Kind.IMAGE,
        "an image for Kling",
        source="AnyFast's Kling pages, image",
        size_bytes=Span(1, 10 * MB),
        media_types=_JPEG_PNG,
        side=Span(300, float("inf")),
        ratio=_RATIO,
    ),
    Use.SEEDREAM_IMAGE: Limits(
        Kind.IMAGE,
        "an image for Seedream",
        source="AnyFast documents none: the size of chat images; ratio and area as Ark's image page has them",
        size_bytes=Span(1, 10 * MB, below=True),
        sure_types=_JPEG_PNG,
        ratio=Span(1 / 16, 16, firm=False),
        area=Span(0, 36_000_000, firm=False),
    ),
    Use.ASSET_IMAGE: Limits(
        Kind.IMAGE,
        "an image asset",
        source="AnyFast's asset pages, formats",
        size_bytes=Span(1, 30 * MB, below=True),
        media_types=_ASSET_IMAGES,
        side=_SIDE,
        ratio=_RATIO,
        beside=_IN_FILMS,
    ),
    Use.ASSET_VIDEO: Limits(
        Kind.VIDEO,
        "a video asset",
        source="AnyFast's asset pages, formats; clients in use upload up to 200 MB and 30 s",
        size_bytes=Span(1, 50 * MB, below=True, perhaps=200 * MB),
        media_types=_CLIPS,
        duration_s=Span(2, 15, perhaps=30),
        fps=Span(24, 60),
        area=Span(0, 927_408, firm=False),
        codecs=_CODECS,
        beside=_IN_FILMS,
    ),
    Use.ASSET_AUDIO: Limits(
        Kind.AUDIO,
        "a sound asset",
        source="AnyFast's asset pages, formats",
        size_bytes=Span(1, 15 * MB, below=True),
        media_types=_SOUNDS,
        duration_s=Span(2, 15, perhaps=15.2),
        beside=_IN_FILMS,
    ),
}
