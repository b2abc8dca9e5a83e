"""One file on its way: asked for from where the last try stopped, placed, and taken piece by piece.

Source: seed 004 (download links), wire reference 6.7, RFC 9110 (Range, If-Range).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urljoin, urlsplit

from anyfast_nb.errors import (
    AnyFastError,
    BadRequestError,
    Billed,
    NotFoundError,
    ProtocolError,
    RateLimitError,
    ServerError,
    StatusError,
    WireCut,
)
from anyfast_nb.http.failures import lost, translated
from anyfast_nb.http.partial import Origin, Partial, source_of
from anyfast_nb.http.redact import redact
from anyfast_nb.http.signs import media_type_of, page_in

if TYPE_CHECKING:
    import httpx

    from anyfast_nb.http.reach import Reach

T = TypeVar("T")
Check = Callable[[Path], str]
OnProgress = Callable[[int, int | None], None]

CHUNK: Final = 1 << 20
_HEAD: Final = 512
_MOST_HOPS: Final = 5
_EXPIRED: Final = frozenset({401, 403, 404, 410})
_RANGE: Final = re.compile(r"bytes (?:(\d{1,19})-(\d{1,19})|\*)/(\d{1,19}|\*)", re.IGNORECASE)
LINK_EXPIRED: Final = "link_expired"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one download.

    Attributes:
        connect_s: until a connection stands.
        idle_s: between two pieces.
        total_s: all tries together.
        size_bytes: a larger file is refused.
    """

    connect_s: float = 15.0
    idle_s: float = 60.0
    total_s: float = 7200.0
    size_bytes: int = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that is whole and on disk.

    Attributes:
        path: where it lies.
        size_bytes: its size.
        sha256: of its bytes, in hex digits.
        media_type: told by its content, such as ``video/mp4``.
    """

    path: Path
    size_bytes: int
    sha256: str
    media_type: str


class Worker:
    """The file, worked on by one thread, in order."""

    def __init__(self, part: Partial) -> None:
        self.part = part
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="anyfast-download")

    def start(self, act: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """Begin; the result may be awaited later."""
        begun = asyncio.get_running_loop().run_in_executor(self._thread, act, *arguments)
        begun.add_done_callback(_looked_at)
        return begun

    async def do(self, act: Callable[..., T], *arguments: Any) -> T:
        """Do it, and wait for it; a cancelled download drops nothing that was begun."""
        return await asyncio.shield(self.start(act, *arguments))

    def stop(self) -> None:
        """Let the thread go when it has done all."""
        self._thread.shutdown(wait=False)


@asynccontextmanager
async def at_work(part: Partial, reach: Reach) -> AsyncIterator[Worker]:
    """The opened file with its worker, and connections; all are let go of at the end."""
    work = Worker(part)
    try:
        await work.do(part.open)
        yield work
    finally:
        await work.do(part.close)
        work.stop()
        await reach.close()


class Fetching:
    """One file on its way."""

    def __init__(
        self,
        work: Worker,
        reach: Reach,
        url: str,
        *,
        kind: str,
        bounds: Bounds,
        on_progress: OnProgress | None,
    ) -> None:
        self.url = url
        self.part = work.part
        self.headers: Mapping[str, str] = {}
        self._work = work
        self._reach = reach
        self._kind = kind
        self._bounds = bounds
        self._on_progress = on_progress or (lambda _done, _total: None)

    # --- one try --------------------------------------------------------------------------

    async def once(self) -> None:
        """Get what is missing, as far as it comes.

        Raises:
            AnyFastError: what came so far is in the file.
        """
        self.headers = {}
        if not self._continues():
            await self._work.do(self.part.start_over, None)
        response = await self._asked()
        try:
            self.headers = response.headers
            if await self._placed(response):
                await self._take(response)
        finally:
            await response.aclose()

    def _continues(self) -> bool:
        """Can what is there be gone on with?"""
        origin = self.part.origin
        known = origin is not None and bool(origin.tag) and origin.source == source_of(self.url)
        return known and self.part.size_bytes > 0

    async def _asked(self) -> httpx.Response:
        """The response to a GET for what is missing; redirects are followed, each is checked."""
        headers = {"Accept-Encoding": "identity"}
        if self.part.size_bytes and self.part.origin is not None:
            headers |= {"Range": f"bytes={self.part.size_bytes}-", "If-Range": self.part.origin.tag}
        url = self.url
        for _ in range(_MOST_HOPS + 1):
            response = await self._reach.get(url, headers)
            if response.status_code not in {301, 302, 303, 307, 308}:
                return response
            await response.aclose()
            url = _moved(url, response.headers.get("location", ""))
        raise lost(
            ProtocolError, f"the download link was redirected more than {_MOST_HOPS} times", bills=False
        )

    async def _placed(self, response: httpx.Response) -> bool:
        """Is there a body to append? The file is set back to where it begins."""
        packing = response.headers.get("content-encoding", "identity").lower()
        if response.status_code in {200, 206} and packing != "identity":
            raise self._wrong("packed bytes, which were not asked for")
        if response.status_code == 206 and self._fits(response):
            return True
        if response.status_code == 416 and self._range(response)[1] == self.part.size_bytes > 0:
            return False  # nothing is missing
        if response.status_code in {206, 416} and self.part.size_bytes:  # of another file
            await self._work.do(self.part.start_over, None)
            raise lost(WireCut, f"the file at {self._host} has changed", bills=False)
        if response.status_code != 200:
            raise self._refusal(response.status_code)
        size = _length(response)
        self._check_size(size or 0)
        await self._work.do(self.part.start_over, Origin(source_of(self.url), _tag(response), size))
        return True

    def _fits(self, response: httpx.Response) -> bool:
        origin = self.part.origin
        start, total = self._range(response)
        if origin is None or start != self.part.size_bytes:
            return False
        same_tag = _tag(response) in {"", origin.tag}
        return same_tag and (None in {total, origin.size_bytes} or total == origin.size_bytes)

    def _range(self, response: httpx.Response) -> tuple[int | None, int | None]:
        """First byte and size of the whole, as a ``Content-Range`` says."""
        match = _RANGE.fullmatch(response.headers.get("content-range", "").strip())
        if match is None:
            return None, None
        start, _, total = match.groups()
        return (int(start) if start else None), (None if total == "*" else int(total))

    async def _take(self, response: httpx.Response) -> None:
        """The body into the file, while the next piece is on its way."""
        assert self.part.origin is not None
        total = self.part.origin.size_bytes
        taken: list[bytes] = []
        held = 0
        writing: asyncio.Future[None] | None = None
        done = self.part.size_bytes
        looked = done > 0
        self._on_progress(done, total)
        try:
            with translated(f"{urlsplit(self.url).scheme}://{self._host}", bills=False):
                async for piece in response.aiter_raw():
                    taken.append(piece)
                    held, done = held + len(piece), done + len(piece)
                    self._check_size(done)
                    if not looked and held >= _HEAD:
                        self._check_no_page(b"".join(taken))
                        looked = True
                    if held < CHUNK:
                        continue
                    if writing is not None:
                        await asyncio.shield(writing)
                    writing = self._work.start(self.part.append, b"".join(taken))
                    taken, held = [], 0
                    self._on_progress(done, total)
            if not looked:
                self._check_no_page(b"".join(taken))
        except ProtocolError:  # what came is no such file: nothing of it is kept
            taken = []
            self._work.start(self.part.start_over, None)
            raise
        finally:
            # What came is in the file, whatever happened.
            await self._work.do(self.part.append, b"".join(taken))
        self._on_progress(done, total)
        if total is not None and done < total:
            raise lost(WireCut, f"the connection to {self._host} broke off", bills=False)

    # --- the end --------------------------------------------------------------------------

    async def finished(self, check: Check | None) -> Downloaded:
        """Check the whole file, and give it its name."""
        part = self.part
        size = part.size_bytes
        expected = part.origin.size_bytes if part.origin is not None else None
        try:
            if not size or (expected is not None and size != expected):
                raise self._wrong(f"{size:,} bytes" if size else "an empty file")
            self._check_no_page(await self._work.do(part.head))
            media_type = await self._checked(check)
        except AnyFastError:
            await self._work.do(part.discard)
            raise
        sha256 = part.sha256
        await self._work.do(part.publish)
        return Downloaded(path=part.to, size_bytes=size, sha256=sha256, media_type=media_type)

    async def _checked(self, check: Check | None) -> str:
        if check is None:
            media_type = media_type_of(await self._work.do(self.part.head))
            if not media_type.startswith(f"{self._kind}/"):
                raise self._wrong("something else")
            return media_type
        try:
            return await self._work.do(check, self.part.path)
        except (ValueError, OSError) as error:
            raise self._wrong(f"a broken file ({redact(str(error))[:160]})") from None

    # --- what goes wrong ------------------------------------------------------------------

    @property
    def _host(self) -> str:
        try:
            return redact(urlsplit(self.url).hostname or "the store")
        except ValueError:  # no URL at all
            return "the store"

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._bounds.size_bytes:
            raise self._wrong(f"more than {self._bounds.size_bytes:,} bytes")

    def _check_no_page(self, head: bytes) -> None:
        if page := page_in(head[:_HEAD]):
            raise self._wrong(page)

    def _wrong(self, what: str) -> ProtocolError:
        error = lost(ProtocolError, f"{self._host} sent {what} instead of the {self._kind}", bills=False)
        error.hint = (
            "Nothing was billed for this, and no file was made. Fetch it again; the job keeps its result."
        )
        return error

    def _refusal(self, status: int) -> StatusError:
        kind: type[StatusError] = BadRequestError
        what, code, hint = "refused the download", "", "Fetch it again later."
        if status in _EXPIRED:
            kind, code = NotFoundError, LINK_EXPIRED
            what = "does not give the file (any more): the link has expired"
            hint = "Ask for the job once more: that gives a fresh link, as long as the server keeps the file."
        elif status == 429:
            kind, what = RateLimitError, "is asked too often"
        elif status >= 500 or status == 408:
            kind, what = ServerError, "failed"
        error = kind(f"{status} {self._host} {what}", status=status, code=code, hint=hint)
        error.billed = Billed.NO
        return error


def _moved(url: str, location: str) -> str:
    """Where a redirect leads; whether a download may go there is checked when it is asked."""
    try:
        return urljoin(url, location)
    except ValueError:
        raise lost(ProtocolError, "the download link was redirected to what is no URL", bills=False) from None


def _looked_at(done: asyncio.Future[Any]) -> None:
    """A failure that nobody waits for is told by the next piece."""
    if not done.cancelled():
        done.exception()


def _tag(response: httpx.Response) -> str:
    """What tells this file from another: a strong ETag, else its date."""
    tag: str = response.headers.get("etag", "").strip()
    if len(tag) > 2 and tag.startswith('"'):
        return tag
    return str(response.headers.get("last-modified", "")).strip()


def _length(response: httpx.Response) -> int | None:
    text = response.headers.get("content-length", "")
    return int(text) if re.fullmatch(r"\d{1,19}", text) else None
