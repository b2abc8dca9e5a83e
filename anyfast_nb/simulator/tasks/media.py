"""What a task refers to: bytes that came along, assets, and addresses on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from anyfast_nb.simulator.config import MIB
from anyfast_nb.simulator.gate import FILES_PREFIX
from anyfast_nb.simulator.problems import bad_field
from anyfast_nb.simulator.reach import fetched, is_here, unpacked
from anyfast_nb.simulator.store import LinkRefused
from anyfast_nb.simulator.studio import Kind, measure

if TYPE_CHECKING:
    from anyfast_nb.simulator.store import Store
    from anyfast_nb.simulator.studio import Measured

FETCH_LIMIT_BYTES = 200 * MIB
ASSET_SCHEME = "asset://"
_SHOWN = 40
_HEIC = frozenset({b"heic", b"heix", b"heif", b"mif1", b"msf1", b"heim", b"heis"})
_SUFFIXES = {
    "png": ".png",
    "jpeg": ".jpg",
    "gif": ".gif",
    "webp": ".webp",
    "mp4": ".mp4",
    "mov": ".mov",
    "wav": ".wav",
    "mp3": ".mp3",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One reference, resolved.

    Attributes:
        label: what to call it in the film.
        name: of its bytes in the store, "" for a placeholder.
        size_bytes: of its bytes, 0 for a placeholder.
        container: mp4, mov, heic, wav, mp3 or "" by the first bytes.
        measured: what the bytes are, None for a placeholder and for what is no image, clip or sound.
    """

    label: str
    name: str = ""
    size_bytes: int = 0
    container: str = ""
    measured: Measured | None = field(default=None, repr=False)

    @property
    def has_bytes(self) -> bool:
        """Whether it could be reached."""
        return bool(self.name)


class Library:
    """Resolves references. Only this machine is ever asked: what lies elsewhere becomes a placeholder.

    Args:
        store: keeps the bytes until the film is made.
        fetch: gives the bytes at an address on this machine, None if it cannot within 2 s.
    """

    def __init__(self, store: Store, *, fetch: Callable[[str], bytes | None] | None = None) -> None:
        self._store = store
        self._fetch = fetch or fetch_here

    def data(self, uri: str, *, path: str, label: str) -> Found:
        """What a data URI holds.

        Raises:
            Refusal: 400, it is not valid base64.
        """
        return self.take(decoded(uri, path=path), label=label)

    def take(self, data: bytes, *, label: str) -> Found:
        """Bytes, measured and kept."""
        measured, file = measure(data), container(data)
        kind = file or (measured.format if measured else "")
        name = self._store.keep(data, suffix=_SUFFIXES.get(kind, ".bin"))
        return Found(label, name=name, size_bytes=len(data), container=file, measured=measured)

    def address(self, url: str, *, label: str, host: str) -> Found:
        """What lies at an address, if it is one of this machine.

        Args:
            url: http(s).
            label: what to call it.
            host: the Host header of the request: links of this very server are read without a request,
                whichever of its names they use.
        """
        try:
            netloc = urlsplit(url).netloc
        except ValueError:
            return Found(label)  # half an IPv6 address, for one: nothing lies there
        label = f"{label} · {shown(url)}"
        here = is_here(url)
        data = self._own(url) if here or netloc == host else None
        if data is None and here:
            data = self._fetch(url)
        if data is None:
            return Found(label)
        return self.take(data, label=label)

    def _own(self, url: str) -> bytes | None:
        """What a link of this server leads to: its signature tells that it is one."""
        parts = urlsplit(url)
        if not parts.path.startswith(FILES_PREFIX):
            return None
        name = parts.path.removeprefix(FILES_PREFIX)
        try:
            self._store.opened(name, parts.query)
        except LinkRefused:
            return None
        return self._store.read(name)


def container(data: bytes) -> str:
    """The kind of file by its first bytes: mp4, mov, heic, wav, mp3, else ""."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        return "heic"
    if data[4:8] == b"ftyp":
        return "mov" if data[8:10] == b"qt" else "mp4"
    if data[4:8] in {b"moov", b"mdat", b"wide", b"free"}:
        return "mov"
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    is_mp3 = data[:3] == b"ID3" or (data[:1] == b"\xff" and len(data) > 1 and data[1] & 0xE6 == 0xE2)
    return "mp3" if is_mp3 else ""


def decoded(uri: str, *, path: str) -> bytes:
    """The bytes of a ``data:…;base64,…`` URI.

    Raises:
        Refusal: 400, it is not valid base64.
    """
    head, comma, payload = uri.partition(",")
    if not comma or not head.lower().rstrip().endswith(";base64"):
        raise bad_field(path, "must be data:<mime>;base64,<data>")
    return decoded_base64(payload, path=path)


def decoded_base64(payload: str, *, path: str) -> bytes:
    """The bytes of base64 text.

    Raises:
        Refusal: 400, it is not valid, or holds nothing.
    """
    data = unpacked(payload)
    if data is None:
        raise bad_field(path, "is not in a valid base64 format")
    if not data:
        raise bad_field(path, "holds no data")
    return data


def fetch_here(url: str) -> bytes | None:
    """The bytes at an address of this machine, None if it does not answer well, soon, or with too much."""
    return fetched(url, limit_bytes=FETCH_LIMIT_BYTES)


def shown(url: str) -> str:
    """An address without scheme, query and fragment, short enough for a label."""
    parts = urlsplit(url)
    text = f"{parts.hostname or ''}{parts.path}"
    return text if len(text) <= _SHOWN else f"…{text[-_SHOWN:]}"


def kind_word(kind: Kind) -> str:
    """What a kind is called on the wire."""
    return {Kind.IMAGE: "image", Kind.CLIP: "video", Kind.SOUND: "audio"}[kind]
