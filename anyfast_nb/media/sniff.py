"""What a file is, told by its first bytes and never by its name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

HEAD_BYTES = 1024


class Kind(StrEnum):
    """What a request can carry, and everything else."""

    IMAGE = "image"
    VIDEO = "video"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: its kind, its media type, and its name in a sentence ("a PNG image")."""

    kind: Kind
    media_type: str
    name: str


def _image(subtype: str, name: str) -> Format:
    return Format(Kind.IMAGE, f"image/{subtype}", name)


def _video(subtype: str, name: str) -> Format:
    return Format(Kind.VIDEO, f"video/{subtype}", name)


def _other(name: str, media_type: str = "application/octet-stream") -> Format:
    return Format(Kind.OTHER, media_type, name)


_AUDIO = "a sound file"
_TIFF = _image("tiff", "a TIFF image")
_MP4 = _video("mp4", "an MP4 clip")
_MOV = _video("quicktime", "a QuickTime clip")
_SVG = _other("an SVG drawing (vectors, not pixels)", "image/svg+xml")

# The first that fits counts.
_OPENINGS: tuple[tuple[bytes, Format], ...] = (
    (b"\x89PNG\r\n\x1a\n", _image("png", "a PNG image")),
    (b"\xff\xd8\xff", _image("jpeg", "a JPEG image")),
    (b"GIF87a", _image("gif", "a GIF image")),
    (b"GIF89a", _image("gif", "a GIF image")),
    (b"II*\x00", _TIFF),
    (b"MM\x00*", _TIFF),
    (b"FLV\x01", _video("x-flv", "an FLV clip")),
    (b"\x00\x00\x01\xba", _video("mpeg", "an MPEG clip")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _video("x-ms-asf", "a Windows Media clip")),
    (b"%PDF-", _other("a PDF document", "application/pdf")),
    (b"PK\x03\x04", _other("a ZIP archive or an Office document", "application/zip")),
    (b"\x1f\x8b", _other("a gzip archive", "application/gzip")),
    (b"ID3", _other(_AUDIO, "audio/mpeg")),
    (b"\xff\xfb", _other(_AUDIO, "audio/mpeg")),
    (b"fLaC", _other(_AUDIO, "audio/flac")),
    (b"OggS", _other("an Ogg file", "application/ogg")),
    (b"\x93NUMPY", _other("a saved numpy array (give the array itself)")),
)

_RIFF: dict[bytes, Format] = {
    b"WEBP": _image("webp", "a WebP image"),
    b"AVI ": _video("x-msvideo", "an AVI clip"),
    b"WAVE": _other(_AUDIO, "audio/wav"),
}

# ISO files (MP4, MOV, HEIC, AVIF) tell themselves apart by the brand behind `ftyp`.
_BRANDS: dict[bytes, Format] = {
    b"qt  ": _MOV,
    b"avif": _image("avif", "an AVIF image"),
    b"avis": _image("avif", "an AVIF image"),
    b"M4A ": _other(_AUDIO, "audio/mp4"),
    b"M4B ": _other(_AUDIO, "audio/mp4"),
} | dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"), _image("heic", "an HEIC image"))

_TEXT: tuple[tuple[bytes, Format], ...] = (
    (b"<svg", _SVG),
    (b"<!doctype html", _other("a web page", "text/html")),
    (b"<html", _other("a web page", "text/html")),
    (b"{", _other("JSON text", "application/json")),
)


def sniff(head: bytes) -> Format:
    """The format of a file, by its first `HEAD_BYTES` bytes."""
    if not head:
        return _other("empty (0 bytes)")
    return (
        _container(head)
        or next((found for opening, found in _OPENINGS if head.startswith(opening)), None)
        or _text(head)
        or _other(f"of no known format (it begins with the bytes {head[:8].hex(' ')})")
    )


def _container(head: bytes) -> Format | None:
    """Formats that need more than a look at the first bytes."""
    # The first byte is the highest of a box's length: a text has a letter there.
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide"} and head[0] < 4:
        return _iso(head)
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head.startswith(b"\x1aE\xdf\xa3"):
        return (
            _video("webm", "a WebM clip") if b"webm" in head[:64] else _video("x-matroska", "a Matroska clip")
        )
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return _image("bmp", "a BMP image")
    # An MPEG transport stream has a sync byte every 188 bytes.
    if head[:377:188] == b"GGG":
        return _video("mp2t", "an MPEG transport stream")
    return None


def _iso(head: bytes) -> Format:
    brand = head[8:12]
    if head[4:8] != b"ftyp":
        return _MOV
    if brand in {b"mif1", b"msf1"} and b"avif" in head[16:64]:
        brand = b"avif"
    return _BRANDS.get(brand, _MP4)


def _text(head: bytes) -> Format | None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for opening, found in _TEXT:
        if start.startswith(opening):
            return found
    if start.startswith(b"<?xml"):
        return _SVG if b"<svg" in start else _other("an XML text", "application/xml")
    return _other("a text", "text/plain") if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    if any(byte < 9 or 13 < byte < 27 for byte in head):
        return False
    try:
        # The last character may be cut.
        head[: -4 if len(head) == HEAD_BYTES else None].decode()
    except UnicodeDecodeError:
        return False
    return True
