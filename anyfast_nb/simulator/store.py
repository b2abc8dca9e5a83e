"""Files behind signed links that expire: films and pictures, made when somebody first needs them.

A finished task tells a link, not a file. The link works without a key, for 12
hours, as one from an object store does; a fresh poll tells a fresh link. What
it leads to is made on the first download and kept in a private folder. When
the folder grows too large the oldest file goes; it is made again on demand.
Bytes that came with a request cannot be made again: they go last.
"""

from __future__ import annotations

import asyncio
import calendar
import contextlib
import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from anyfast_nb.simulator.config import MIB
from anyfast_nb.simulator.folders import PrivateFolder
from anyfast_nb.simulator.gate import FILES_PREFIX

Make = Callable[[Path], None]

LINK_S = 12 * 3600
LIMIT_BYTES = 1024 * MIB
MOST_FILES = 50_000  # a task has up to 3, and there may be 10 000
MAKERS = 2  # renders at once: they are all arithmetic
ALGORITHM = "TOS4-HMAC-SHA256"


class LinkRefused(Exception):
    """A link that does not open: forged, expired, or of a file that is gone.

    Attributes:
        status: HTTP status.
        code: the object store's word for it.
        message: one sentence.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class Stored:
    """One file that is there.

    Attributes:
        path: where it lies until somebody else needs the room.
        size_bytes: its length.
        etag: the same for the same bytes.
        made_at: seconds since 1970 of the first making, whenever it was made again.
    """

    path: Path
    size_bytes: int
    etag: str
    made_at: float


@dataclass(slots=True)
class _Record:
    make: Make = field(repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock)  # held while it is made
    leases: int = 0
    stored: Stored | None = None
    first_made_at: float = 0.0
    making: Future[Stored] | None = None

    @property
    def is_there(self) -> bool:
        """Whether its file lies in the folder."""
        return self.stored is not None and self.stored.path.exists()


class Store:
    """Keeps the files of one server and signs the links to them.

    Args:
        folder: where files lie; a private folder that goes with the server if not given.
        link_s: how long a link works.
        limit_bytes: the most that is kept; 1 file may be larger.
        now: seconds since 1970.
        secret: signs the links; a random one if not given.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        link_s: float = LINK_S,
        limit_bytes: int = LIMIT_BYTES,
        now: Callable[[], float] = time.time,
        secret: bytes | None = None,
    ) -> None:
        self.link_s = link_s
        self._folder = folder
        self._private: PrivateFolder | None = None
        self._closed = False
        self._limit_bytes = limit_bytes
        self._now = now
        self._secret = secret or secrets.token_bytes(32)
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._lock = threading.Lock()
        self._makers = ThreadPoolExecutor(MAKERS, thread_name_prefix="anyfast-sim-maker")

    # --- files ------------------------------------------------------------------------------------

    def put(self, make: Make, *, key: str, suffix: str) -> str:
        """Register a file without making it.

        Args:
            make: writes the file at the path it gets; called in a thread, at most once at a time.
            key: what the file is made from; the same key is the same file.
            suffix: such as ``.mp4``.

        Returns:
            The file's name, for `link`.
        """
        name = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32] + suffix
        with self._lock:
            if name in self._records:
                self._records.move_to_end(name)
            else:
                self._records[name] = _Record(make)
            while len(self._records) > MOST_FILES:
                _, dropped = self._records.popitem(last=False)
                _remove(dropped)
        return name

    def keep(self, data: bytes, *, suffix: str) -> str:
        """Register bytes that came with a request; they lie on disk, and are gone when the room is needed.

        Returns:
            The file's name.
        """
        name = self.put(_gone, key=f"kept\0{hashlib.sha256(data).hexdigest()}", suffix=suffix)
        record = self._record(name)
        with record.lock:
            if not record.is_there:
                path = self._place() / name
                path.write_bytes(data)
                self._settle(record, path)
        return name

    def path(self, name: str) -> Stored:
        """The file, made in this thread if it is not there.

        Raises:
            LinkRefused: 404, the file is not known (any more).
        """
        record = self._record(name)
        with record.lock:
            if record.stored is not None and record.is_there:
                return record.stored
            path = self._place() / name
            record.make(path)
            return self._settle(record, path)

    def read(self, name: str) -> bytes | None:
        """The bytes of a file, made in this thread if need be; None when they are gone."""
        with contextlib.suppress(LinkRefused, OSError), self.lease(name):
            return self.path(name).path.read_bytes()
        return None

    async def fetch(self, name: str) -> Stored:
        """The file, made in a thread if need be: the loop goes on, and all who wait get the same one.

        Raises:
            LinkRefused: 404, the file is not known (any more).
        """
        record = self._record(name)
        there = record.stored
        if there is not None and record.is_there:
            return there  # who only reads does not queue up behind films that are being made
        with self._lock:
            if record.making is None or record.making.done():
                record.making = self._makers.submit(self.path, name)
            making = record.making
        return await asyncio.shield(asyncio.wrap_future(making))

    def close(self) -> None:
        """Begin no file that is not begun, and remove the private folder."""
        with self._lock:
            self._closed = True
        self._makers.shutdown(wait=False, cancel_futures=True)
        if self._private is not None:
            self._private.remove()

    @contextlib.contextmanager
    def lease(self, name: str) -> Iterator[None]:
        """While this is open the file is not removed to make room.

        Raises:
            LinkRefused: 404, the file is not known (any more).
        """
        record = self._record(name)
        with self._lock:
            record.leases += 1
        try:
            yield
        finally:
            with self._lock:
                record.leases -= 1

    def _record(self, name: str) -> _Record:
        with self._lock:
            record = self._records.get(name)
            if record is None:
                raise LinkRefused(404, "NoSuchKey", "The specified key does not exist.")
            self._records.move_to_end(name)
            return record

    def _settle(self, record: _Record, path: Path) -> Stored:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        record.first_made_at = record.first_made_at or self._now()
        stored = Stored(path, path.stat().st_size, f'"{digest[:32]}"', record.first_made_at)
        with self._lock:
            record.stored = stored
            self._make_room(but=record)
        return stored

    def _make_room(self, *, but: _Record) -> None:
        there = [record for record in self._records.values() if record.stored is not None]
        there.sort(key=lambda record: record.make is _gone)
        total = sum(record.stored.size_bytes for record in there if record.stored)
        for record in there:
            if total <= self._limit_bytes:
                return
            if record.leases or record is but or record.stored is None:
                continue
            total -= record.stored.size_bytes
            _remove(record)

    def _place(self) -> Path:
        with self._lock:
            if self._closed:
                raise LinkRefused(503, "ServiceUnavailable", "The server ends.")
            if self._folder is None:
                self._private = PrivateFolder()
                self._folder = self._private.path
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return self._folder

    # --- links --------------------------------------------------------------------------------------

    def link(
        self,
        name: str,
        now: float | None = None,
        *,
        for_s: float | None = None,
        expired: bool = False,
        fault: str = "",
    ) -> str:
        """A fresh link.

        Args:
            name: from `put`.
            now: seconds since 1970; the store's own clock if not given.
            for_s: how long it works; as long as the store's links do if not given.
            expired: sign it as if its time were over.
            fault: what shall go wrong with the download, see `files`.

        Returns:
            Path and query; the caller puts its own scheme and host in front.
        """
        at = self._now() if now is None else now
        lives_s = self.link_s if for_s is None else for_s
        signed_at = at - lives_s - 10 if expired else at
        query = {
            "X-Tos-Algorithm": ALGORITHM,
            "X-Tos-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(signed_at)),
            "X-Tos-Expires": str(max(1, int(lives_s))),
            "X-Tos-SignedHeaders": "host",
        }
        if fault:
            query["x-sim-fault"] = fault
        query["X-Tos-Signature"] = self._signature(name, query)
        return f"{FILES_PREFIX}{name}?{urlencode(query)}"

    def opened(self, name: str, query: str) -> str:
        """Check a link.

        Args:
            name: the last part of its path.
            query: all behind the question mark.

        Returns:
            The fault it carries, "" for none.

        Raises:
            LinkRefused: 403, forged or expired.
        """
        given = dict(parse_qsl(query, keep_blank_values=True))
        signature = given.pop("X-Tos-Signature", "")
        if not signature:
            raise LinkRefused(403, "AccessDenied", "Access Denied")
        if not hmac.compare_digest(signature.encode(), self._signature(name, given).encode()):
            raise LinkRefused(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided.",
            )
        signed_at = _seconds(given["X-Tos-Date"])
        if not signed_at - 900 <= self._now() <= signed_at + float(given["X-Tos-Expires"]) + 1:
            raise LinkRefused(403, "AccessDenied", "Request has expired")
        return given.get("x-sim-fault", "")

    def _signature(self, name: str, query: dict[str, str]) -> str:
        text = name + "\n" + urlencode(sorted(query.items()))
        return hmac.new(self._secret, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _seconds(date: str) -> float:
    return calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))


def _gone(_: Path) -> None:
    raise LinkRefused(404, "NoSuchKey", "The bytes are not kept any more.")


def _remove(record: _Record) -> None:
    if record.stored is not None:
        with contextlib.suppress(OSError):
            record.stored.path.unlink(missing_ok=True)
        record.stored = None
