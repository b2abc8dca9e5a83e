"""What a file is, told by its bytes and never by its name.

Source: the formats' own specifications.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final

from anyfast_nb.media.mp3 import is_frame

HEAD_BYTES = 1024


class Kind(StrEnum):
    """What a request can carry, and everything else."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
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


def _audio(subtype: str, name: str) -> Format:
    return Format(Kind.AUDIO, f"audio/{subtype}", name)


def _document(media_type: str, name: str) -> Format:
    return Format(Kind.DOCUMENT, media_type, name)


def _other(name: str, media_type: str = "application/octet-stream") -> Format:
    return Format(Kind.OTHER, media_type, name)


_TIFF = _image("tiff", "a TIFF image")
_MP4 = _video("mp4", "an MP4 clip")
_MOV = _video("quicktime", "a QuickTime clip")
_M4A = _audio("mp4", "an M4A sound")
_MP3 = _audio("mpeg", "an MP3 sound")
_SVG = _other("an SVG drawing (vectors, not pixels)", "image/svg+xml")
_HTML = _document("text/html", "a web page")
_TEXT = _document("text/plain", "a text")
_ZIP = _other("a ZIP archive or an Office document", "application/zip")
_OLE = _other("an old Office file of unknown kind", "application/x-ole-storage")

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
    (b"%PDF-", _document("application/pdf", "a PDF document")),
    (b"{\\rtf", _document("application/rtf", "an RTF document")),
    (b"PK\x03\x04", _ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLE),
    (b"\x1f\x8b", _other("a gzip archive", "application/gzip")),
    (b"ID3", _MP3),
    (b"\xff\xf1", _audio("aac", "an AAC sound")),
    (b"\xff\xf9", _audio("aac", "an AAC sound")),
    (b"fLaC", _audio("flac", "a FLAC sound")),
    (b"\x93NUMPY", _other("a saved numpy array (give the array itself)")),
    (b"\xff\xfe", _other("a text in UTF-16 (save it as UTF-8)", "text/plain")),
    (b"\xfe\xff", _other("a text in UTF-16 (save it as UTF-8)", "text/plain")),
)

_RIFF: dict[bytes, Format] = {
    b"WEBP": _image("webp", "a WebP image"),
    b"AVI ": _video("x-msvideo", "an AVI clip"),
    b"WAVE": _audio("wav", "a WAV sound"),
}

# ISO files (MP4, MOV, HEIC, AVIF) tell themselves apart by the brand behind `ftyp`.
_BRANDS: dict[bytes, Format] = {
    b"qt  ": _MOV,
    b"avif": _image("avif", "an AVIF image"),
    b"avis": _image("avif", "an AVIF image"),
    b"M4A ": _M4A,
    b"M4B ": _M4A,
} | dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"), _image("heic", "an HEIC image"))

_TEXT_OPENINGS: tuple[tuple[bytes, Format], ...] = (
    (b"<svg", _SVG),
    (b"<!doctype html", _HTML),
    (b"<html", _HTML),
)
_JSON = _document("application/json", "JSON text")

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OOXML: tuple[tuple[str, Format], ...] = (
    ("word/", _document(f"{_OFFICE}wordprocessingml.document", "a Word document")),
    ("xl/", _document(f"{_OFFICE}spreadsheetml.sheet", "an Excel workbook")),
    ("ppt/", _document(f"{_OFFICE}presentationml.presentation", "a PowerPoint presentation")),
)
_OLD_OFFICE: tuple[tuple[str, Format], ...] = (
    ("WordDocument", _document("application/msword", "an old Word document")),
    ("Workbook", _document("application/vnd.ms-excel", "an old Excel workbook")),
    ("Book", _document("application/vnd.ms-excel", "an old Excel workbook")),
    ("PowerPoint Document", _document("application/vnd.ms-powerpoint", "an old PowerPoint presentation")),
)
_OPEN_DOCUMENT: dict[bytes, Format] = {
    f"application/{name}".encode(): _document(f"application/{name}", said)
    for name, said in (
        ("vnd.oasis.opendocument.text", "an OpenDocument text"),
        ("vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet"),
        ("vnd.oasis.opendocument.presentation", "an OpenDocument presentation"),
        ("epub+zip", "an EPUB book"),
    )
}

# Text has no first bytes of its own: its ending is all that tells a table from a note.
_TEXT_SUFFIXES: Final[dict[str, str]] = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".html": "text/html",
    ".htm": "text/html",
    ".xml": "application/xml",
}
_SUFFIXES: Final[dict[str, tuple[str, ...]]] = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/bmp": (".bmp",),
    "image/tiff": (".tiff", ".tif"),
    "image/heic": (".heic", ".heif"),
    "image/avif": (".avif",),
    "video/mp4": (".mp4", ".m4v"),
    "video/quicktime": (".mov", ".qt"),
    "video/webm": (".webm",),
    "video/x-msvideo": (".avi",),
    "video/x-matroska": (".mkv",),
    "audio/mpeg": (".mp3",),
    "audio/wav": (".wav",),
    "audio/mp4": (".m4a",),
    "audio/aac": (".aac",),
    "audio/flac": (".flac",),
    "audio/ogg": (".ogg", ".opus"),
    "application/pdf": (".pdf",),
    "application/rtf": (".rtf",),
    "application/json": (".json", ".ipynb", ".geojson"),
    "application/xml": (".xml",),
    "text/html": (".html", ".htm"),
    "text/markdown": (".md", ".markdown"),
    "text/csv": (".csv",),
    "text/tab-separated-values": (".tsv",),
    "application/msword": (".doc",),
    "application/vnd.ms-excel": (".xls",),
    "application/vnd.ms-powerpoint": (".ppt",),
    f"{_OFFICE}wordprocessingml.document": (".docx", ".docm"),
    f"{_OFFICE}spreadsheetml.sheet": (".xlsx", ".xlsm"),
    f"{_OFFICE}presentationml.presentation": (".pptx", ".pptm"),
    "application/vnd.oasis.opendocument.text": (".odt",),
    "application/vnd.oasis.opendocument.spreadsheet": (".ods",),
    "application/vnd.oasis.opendocument.presentation": (".odp",),
    "application/epub+zip": (".epub",),
}


def sniff(head: bytes) -> Format:
    """The format of a file, by its first `HEAD_BYTES` bytes."""
    if not head:
        return _other("empty (0 bytes)")
    return (
        _container(head)
        or next((found for opening, found in _OPENINGS if head.startswith(opening)), None)
        or _text(head)
        or _unknown(head)
    )


def identify(file: BinaryIO, *, name: str = "") -> Format:
    """The format of a whole file: `sniff`, and a look inside where the first bytes do not tell.

    Args:
        file: open, seekable; it stands at its beginning afterwards.
        name: the file's name. It tells texts apart (a table, a note), and nothing else.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    found = sniff(head)
    if found is _ZIP:
        found = _packed(file, head)
    elif found is _OLE:
        found = _old_office(file)
    elif found is _TEXT:
        suffix = name[name.rfind(".") :].lower() if "." in name else ""
        found = _document(_TEXT_SUFFIXES.get(suffix, found.media_type), found.name)
    file.seek(0)
    return found


def suffix_of(media_type: str, given: str = "") -> str:
    """The file name ending of a media type: the given one if it fits, "" if none is known.

    Example:
        >>> suffix_of("image/png", ".jpg"), suffix_of("image/jpeg", ".JPEG"), suffix_of("text/plain", ".log")
        ('.png', '.JPEG', '.log')
    """
    if media_type == "text/plain":
        return given or ".txt"
    known = _SUFFIXES.get(media_type, ())
    return given if given.lower() in known else (known[0] if known else "")


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
    return _sound(head)


def _sound(head: bytes) -> Format | None:
    if is_frame(head):
        return _MP3
    if head.startswith(b"FORM") and head[8:12] in {b"AIFF", b"AIFC"}:
        return _audio("aiff", "an AIFF sound")
    if head.startswith(b"OggS"):
        is_clip = b"theora" in head[:64]
        return _video("ogg", "an Ogg clip") if is_clip else _audio("ogg", "an Ogg sound")
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
    for opening, found in _TEXT_OPENINGS:
        if start.startswith(opening):
            return found
    if start.startswith(b"<?xml"):
        return _SVG if b"<svg" in start else _document("application/xml", "an XML text")
    if not _is_text(head):
        return None
    return _JSON if start.startswith(b"{") else _TEXT


def _unknown(head: bytes) -> Format:
    also = "" if _has_controls(head) else ", or a text that is not in UTF-8"
    return _other(f"of no known format{also} (it begins with the bytes {head[:8].hex(' ')})")


def _has_controls(head: bytes) -> bool:
    return any(byte < 9 or 13 < byte < 27 for byte in head)


def _is_text(head: bytes) -> bool:
    if _has_controls(head):
        return False
    try:
        # The last character may be cut.
        head[: -4 if len(head) == HEAD_BYTES else None].decode()
    except UnicodeDecodeError:
        return False
    return True


def _packed(file: BinaryIO, head: bytes) -> Format:
    """What is in a ZIP archive: an Office document, an OpenDocument, or just files."""
    if head[30:38] == b"mimetype":
        for media_type, found in _OPEN_DOCUMENT.items():
            if head[38:].startswith(media_type):
                return found
    import zipfile

    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except Exception:  # noqa: BLE001 - a broken archive fails in many ways, and is one thing
        return _other("a ZIP archive that is cut off or broken", _ZIP.media_type)
    if "[Content_Types].xml" in names:
        for folder, found in _OOXML:
            if any(name.startswith(folder) for name in names):
                return found
    return _other("a ZIP archive", _ZIP.media_type)


def _old_office(file: BinaryIO) -> Format:
    """Which program's file an OLE container is: the first stream of its directory that tells."""
    file.seek(0)
    data = file.read()
    sector = 1 << min(data[30], 16) if len(data) > 30 else 512
    # The directory lies anywhere; an embedded document's streams come after the main one's.
    start = (int.from_bytes(data[48:52], "little") + 1) * sector
    places = []
    for name, found in _OLD_OFFICE:
        place = data.find(f"{name}\0".encode("utf-16-le"), start)
        if place >= 0:
            places.append((place, found))
    return min(places, key=lambda one: one[0])[1] if places else _OLE
