from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.errors import (
    AnyFastError,
    BadRequestError,
    Billed,
    InputError,
    NotFoundError,
    ProtocolError,
    RateLimitError,
    ReadTimedOut,
    ServerError,
    WireCut,
    WireError,
)
from anyfast_nb.http.download import Bounds, BusyError, Downloaded, download
from anyfast_nb.http.partial import Origin, Partial
from anyfast_nb.http.retry import RetryPolicy
from tests.wire_server import CUT, HANG, RESET, Piece, Reply, WireServer

MB = 1 << 20
SECRET = "s3cr3t"
ETAG = '"v1"'


def box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def film_of(size: int) -> bytes:
    """A faststart film of so many bytes, as far as its boxes go."""
    head = box(b"ftyp", b"isom" + bytes(8)) + box(b"moov", bytes(200))
    return head + box(b"mdat", os.urandom(size - len(head) - 8))


FILM = film_of(3 * MB + 12345)
CUT_AT = 2 * MB + 777


def boxes(path: Path) -> str:
    """A check as the media room makes one: every top-level box must be there whole."""
    found, size = set(), path.stat().st_size
    with path.open("rb") as file:
        place = 0
        while place < size:
            file.seek(place)
            length, name = struct.unpack(">I4s", file.read(8))
            if length == 1:
                (length,) = struct.unpack(">Q", file.read(8))
            found.add(name)
            place += length
    if place != size or not {b"ftyp", b"moov", b"mdat"} <= found:
        raise ValueError("the film is cut off")
    return "video/mp4"


def whole(content: bytes = FILM, *, tag: str = ETAG, end: tuple[Piece, ...] = (), **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()} | (
        {"ETag": tag} if tag else {}
    )
    size = len(FILM) if end else len(content)
    return Reply(200, named, (content, *end), "video/mp4", declared_size=size)


def rest(start: int, *, content: bytes = FILM, tag: str = ETAG, total: int | None = None) -> Reply:
    named = {"Content-Range": f"bytes {start}-{len(content) - 1}/{total or len(content)}"}
    if tag:
        named["ETag"] = tag
    return Reply(206, named, (content[start:],), "video/mp4", declared_size=len(content) - start)


@dataclass(slots=True)
class Desk:
    """Downloads from the wire server into a folder; waits are recorded, not waited."""

    server: WireServer
    folder: Path
    waits: list[float] = field(default_factory=list)
    progress: list[tuple[int, int | None]] = field(default_factory=list)

    @property
    def to(self) -> Path:
        return self.folder / "film.mp4"

    @property
    def link(self) -> str:
        return f"{self.server.url}/store/film.mp4?X-Tos-Signature={SECRET}%2F+=&n=1"

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    async def get(self, url: str | None = None, **more: Any) -> Downloaded:
        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        given: dict[str, Any] = {
            "to": self.to,
            "kind": "video",
            "own_origin": self.server.url,
            "check": boxes,
            "on_progress": lambda done, total: self.progress.append((done, total)),
            "sleep": sleep,
            "uniform": lambda _, high: high,
        }
        return await download(url or self.link, **(given | more))


@pytest.fixture
def desk(wire_server: WireServer, tmp_path: Path) -> Desk:
    folder = tmp_path / "films"
    folder.mkdir()
    return Desk(wire_server, folder)


def nothing_secret(error: BaseException) -> None:
    assert SECRET not in str(error)
    assert SECRET not in repr(error.__context__)
    assert error.__cause__ is None


# --- the whole file ---------------------------------------------------------------------------


async def test_a_film_gets_its_name_when_it_is_whole(desk: Desk) -> None:
    desk.server.script(whole())
    got = await desk.get()
    assert got == Downloaded(desk.to, len(FILM), hashlib.sha256(FILM).hexdigest(), "video/mp4")
    assert desk.to.read_bytes() == FILM
    assert desk.names == ["film.mp4"]
    assert desk.progress[0] == (0, len(FILM))
    assert desk.progress[-1] == (len(FILM), len(FILM))
    assert [done for done, _ in desk.progress] == sorted(done for done, _ in desk.progress)


async def test_the_store_gets_the_link_as_it_is_and_nothing_else(desk: Desk) -> None:
    desk.server.script(whole(Set_Cookie="a=b"), whole())
    await desk.get()
    await desk.get()
    for request in desk.server.requests:
        assert request.path == f"/store/film.mp4?X-Tos-Signature={SECRET}%2F+=&n=1"
        assert not {"authorization", "cookie", "referer", "range"} & {
            name.lower() for name in request.headers
        }
        assert request.headers["Accept-Encoding"] == "identity"


async def test_a_file_of_unknown_length_is_taken_to_its_end(desk: Desk) -> None:
    desk.server.script(Reply(200, {"ETag": ETAG}, (FILM[:MB], FILM[MB:]), "video/mp4"))
    assert (await desk.get()).size_bytes == len(FILM)
    assert desk.progress[-1] == (len(FILM), None)


async def test_a_file_of_that_name_is_replaced_in_one_step(desk: Desk) -> None:
    desk.to.write_bytes(b"old")
    desk.server.script(whole())
    await desk.get()
    assert desk.to.read_bytes() == FILM


@pytest.mark.parametrize(
    ("head", "kind", "media_type"),
    [
        (FILM[:5000], "video", "video/mp4"),
        (b"\x00\x00\x00\x14ftypqt  " + bytes(500), "video", "video/quicktime"),
        (b"\x89PNG\r\n\x1a\n" + bytes(900), "image", "image/png"),
        (b"\xff\xd8\xff\xe0", "image", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image", "image/webp"),
    ],
)
async def test_the_first_bytes_tell_the_type(desk: Desk, head: bytes, kind: str, media_type: str) -> None:
    desk.server.script(whole(head))
    assert (await desk.get(kind=kind, check=None)).media_type == media_type


# --- cut and taken up again -------------------------------------------------------------------


@pytest.mark.parametrize("end", [CUT, RESET])
async def test_after_a_cut_exactly_the_missing_bytes_are_asked_for(desk: Desk, end: Piece) -> None:
    desk.server.script(whole(FILM[:CUT_AT], end=(end,)))
    with pytest.raises(WireCut):
        await desk.get(policy=RetryPolicy(attempts=1))
    came = (desk.folder / "film.mp4.part").stat().st_size
    assert desk.names == ["film.mp4.part", "film.mp4.part.json"]
    assert SECRET not in (desk.folder / "film.mp4.part.json").read_text()
    desk.server.script(rest(came))
    got = await desk.get()
    again = desk.server.requests[1]
    assert (again.headers["Range"], again.headers["If-Range"]) == (f"bytes={came}-", ETAG)
    assert got.sha256 == hashlib.sha256(FILM).hexdigest()
    assert desk.to.read_bytes() == FILM
    assert desk.names == ["film.mp4"]
    if end is CUT:  # a reset may lose what was on its way
        assert came == CUT_AT


async def test_one_call_goes_on_by_itself_after_a_cut(desk: Desk) -> None:
    desk.server.script(whole(FILM[:CUT_AT], end=(CUT,)), Reply.json({}, status=503), rest(CUT_AT))
    await desk.get()
    assert [request.headers.get("Range") for request in desk.server.requests] == [
        None, f"bytes={CUT_AT}-", f"bytes={CUT_AT}-",
    ]  # fmt: skip
    assert desk.to.read_bytes() == FILM
    assert desk.waits == [1.0, 2.0]


async def test_the_date_serves_where_there_is_no_tag(desk: Desk) -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    desk.server.script(
        whole(FILM[:CUT_AT], tag='W/"weak"', end=(CUT,), Last_Modified=date), rest(CUT_AT, tag="")
    )
    await desk.get()
    assert desk.server.requests[1].headers["If-Range"] == date


async def test_what_cannot_be_told_apart_is_fetched_anew(desk: Desk) -> None:
    desk.server.script(whole(FILM[:CUT_AT], tag="", end=(CUT,)), whole(tag=""))
    await desk.get()
    assert "Range" not in desk.server.requests[1].headers
    assert desk.to.read_bytes() == FILM


OTHER = film_of(2 * MB)
CHANGES: dict[str, list[Reply]] = {
    "a whole answer": [whole(OTHER, tag='"v2"')],
    "another tag": [rest(CUT_AT, tag='"v2"'), whole(OTHER, tag='"v2"')],
    "another size": [rest(CUT_AT, total=99_999_999), whole(OTHER, tag='"v2"')],
    "another place": [rest(CUT_AT - 5), whole(OTHER, tag='"v2"')],
    "a shorter file": [Reply(416, {"Content-Range": f"bytes */{len(OTHER)}"}), whole(OTHER, tag='"v2"')],
    "no place": [Reply(206, {}, (b"x",), "video/mp4", declared_size=1), whole(OTHER, tag='"v2"')],
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_file_that_has_changed_is_never_mixed(desk: Desk, change: str) -> None:
    desk.server.script(whole(FILM[:CUT_AT], end=(CUT,)), *CHANGES[change])
    got = await desk.get()
    assert desk.to.read_bytes() == OTHER
    assert got.sha256 == hashlib.sha256(OTHER).hexdigest()


async def test_all_bytes_were_there_but_the_name_was_not(desk: Desk) -> None:
    desk.server.script(whole(FILM[:CUT_AT], end=(CUT,)))
    with pytest.raises(WireCut):
        await desk.get(policy=RetryPolicy(attempts=1))
    with (desk.folder / "film.mp4.part").open("ab") as file:
        file.write(FILM[CUT_AT:])
    desk.server.script(Reply(416, {"Content-Range": f"bytes */{len(FILM)}"}))
    assert (await desk.get()).size_bytes == len(FILM)
    assert desk.to.read_bytes() == FILM


@pytest.mark.parametrize("note", ["", "[]", "{", '{"source": 5}', '{"source": "x", "tag": "y"}', None])
async def test_a_left_over_of_unknown_origin_is_not_trusted(desk: Desk, note: str | None) -> None:
    (desk.folder / "film.mp4.part").write_bytes(b"junk" * 1000)
    if note is not None:
        (desk.folder / "film.mp4.part.json").write_text(note)
    desk.server.script(whole())
    await desk.get()
    assert "Range" not in desk.server.requests[0].headers
    assert desk.to.read_bytes() == FILM


async def test_a_left_over_of_another_link_is_not_gone_on_with(desk: Desk) -> None:
    desk.server.script(whole(FILM[:CUT_AT], end=(CUT,)), whole())
    with pytest.raises(WireCut):
        await desk.get(policy=RetryPolicy(attempts=1))
    await desk.get(f"{desk.server.url}/store/other.mp4?n=1")
    assert "Range" not in desk.server.requests[1].headers


async def test_tries_without_progress_are_bounded(desk: Desk) -> None:
    desk.server.script(*[Reply.json({}, status=502)] * 9)
    with pytest.raises(ServerError) as caught:
        await desk.get(policy=RetryPolicy(attempts=3))
    assert len(desk.server.requests) == 3
    assert caught.value.billed is Billed.NO
    assert desk.names == []


async def test_progress_begins_the_count_anew(desk: Desk) -> None:
    busy = Reply.json({}, status=503)
    desk.server.script(busy, whole(FILM[:CUT_AT], end=(CUT,)), busy, rest(CUT_AT))
    await desk.get(policy=RetryPolicy(attempts=3))
    assert desk.to.read_bytes() == FILM


@pytest.mark.parametrize(
    ("status", "error"), [(429, RateLimitError), (400, BadRequestError), (206, BadRequestError)]
)
async def test_other_answers_are_errors(desk: Desk, status: int, error: type[AnyFastError]) -> None:
    desk.server.script(*[Reply.json({}, status=status)] * 4)
    with pytest.raises(error) as caught:
        await desk.get()
    assert len(desk.server.requests) == (4 if status == 429 else 1)
    nothing_secret(caught.value)


async def test_the_server_says_how_long_to_wait(desk: Desk) -> None:
    desk.server.script(Reply.json({}, status=429, headers={"Retry-After": "7"}), whole())
    await desk.get()
    assert desk.waits == [pytest.approx(7.7)]


async def test_silence_ends_a_try(desk: Desk) -> None:
    desk.server.script(whole(FILM[:CUT_AT], end=(HANG,)), rest(CUT_AT))
    await desk.get(bounds=Bounds(idle_s=0.2))
    assert desk.to.read_bytes() == FILM


async def test_all_tries_together_are_bounded(desk: Desk) -> None:
    desk.server.script(whole(FILM[:CUT_AT], end=(HANG,)))
    with pytest.raises(ReadTimedOut, match="in all"):
        await desk.get(bounds=Bounds(total_s=0.5))
    assert desk.names == ["film.mp4.part", "film.mp4.part.json"]


# --- what is no film --------------------------------------------------------------------------

PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"
XML = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'
WRONG = {
    "a web page": PAGE,
    "an XML message": XML,
    "a JSON message": b'  {"error": {"message": "no"}}',
    "an empty file": b"",
    "a long page": b"\xef\xbb\xbf\n<html>" + b" " * 3 * MB,
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("check", [boxes, None], ids=["checked", "unchecked"])
async def test_what_is_no_film_never_gets_the_name(
    desk: Desk, wrong: str, check: Callable[[Path], str] | None
) -> None:
    desk.server.script(whole(WRONG[wrong]))
    with pytest.raises(ProtocolError) as caught:
        await desk.get(check=check)
    assert caught.value.billed is Billed.NO
    assert desk.names == []
    assert len(desk.server.requests) == 1
    nothing_secret(caught.value)


async def test_a_film_that_was_cut_at_the_source_never_gets_the_name(desk: Desk) -> None:
    desk.to.write_bytes(b"old")
    desk.server.script(whole(FILM[: len(FILM) // 2]))
    with pytest.raises(ProtocolError, match="cut off"):
        await desk.get()
    assert desk.names == ["film.mp4"]
    assert desk.to.read_bytes() == b"old"


async def test_a_picture_is_no_film(desk: Desk) -> None:
    desk.server.script(whole(b"\x89PNG\r\n\x1a\n" + bytes(2000)))
    with pytest.raises(ProtocolError, match="instead of the video"):
        await desk.get(check=None)
    assert desk.names == []


@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
async def test_a_file_that_is_too_large_is_refused(desk: Desk, told: bool) -> None:
    size = len(FILM) if told else None
    desk.server.script(Reply(200, {"ETag": ETAG}, (FILM,), "video/mp4", declared_size=size))
    with pytest.raises(ProtocolError, match="more than 2,000,000 bytes"):
        await desk.get(bounds=Bounds(size_bytes=2_000_000))
    assert desk.names == []


async def test_packed_bytes_are_refused(desk: Desk) -> None:
    desk.server.script(whole(Content_Encoding="gzip"))
    with pytest.raises(ProtocolError, match="packed"):
        await desk.get()
    assert desk.names == []


# --- the place --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["film.mp4", "film.mp4.part", "film.mp4.part.json"])
@pytest.mark.parametrize("there", [True, False], ids=["target", "dangling"])
async def test_a_symbolic_link_is_not_followed(desk: Desk, tmp_path: Path, name: str, there: bool) -> None:
    victim = tmp_path / "victim"
    if there:
        victim.write_bytes(b"precious")
    (desk.folder / name).symlink_to(victim)
    with pytest.raises(InputError, match="is a symbolic link") as caught:
        await desk.get()
    assert caught.value.field == "to"
    assert desk.server.requests == []
    assert (victim.read_bytes() == b"precious") if there else not victim.exists()


async def test_a_link_that_appears_meanwhile_is_not_followed(desk: Desk, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")

    def check(path: Path) -> str:
        desk.to.symlink_to(victim)
        return boxes(path)

    desk.server.script(whole())
    with pytest.raises(InputError, match="is a symbolic link"):
        await desk.get(check=check)
    assert victim.read_bytes() == b"precious"


async def test_a_folder_or_a_pipe_is_no_file(desk: Desk) -> None:
    desk.to.mkdir()
    with pytest.raises(InputError, match="is no plain file"):
        await desk.get()
    os.mkfifo(desk.folder / "pipe.mp4.part")
    with pytest.raises(InputError, match="is no plain file"):
        await desk.get(to=desk.folder / "pipe.mp4")


async def test_the_folder_must_be_there(desk: Desk) -> None:
    (desk.folder / "file").write_text("")
    for place in ("file", "missing"):
        with pytest.raises(InputError, match="is no folder"):
            await desk.get(to=desk.folder / place / "film.mp4")
    assert desk.server.requests == []


async def test_two_downloads_of_one_name_do_not_mix(desk: Desk) -> None:
    desk.server.script(whole(FILM[:CUT_AT], end=(HANG,)))
    first = asyncio.create_task(desk.get())
    while not desk.progress or desk.progress[-1][0] < MB:
        await asyncio.sleep(0.005)
    with pytest.raises(InputError, match="being downloaded already"):
        await desk.get()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    came = (desk.folder / "film.mp4.part").stat().st_size
    desk.server.script(rest(came))
    await desk.get()
    assert desk.to.read_bytes() == FILM


async def test_a_full_disk_is_said_and_leaves_no_gap(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    write, sizes = os.write, []

    def full(file: int, data: Any) -> int:
        if len(data) < 1000:
            return write(file, data)
        sizes.append(len(data))
        if len(sizes) == 2:
            write(file, data[:10])
            raise OSError(28, "No space left on device")
        return write(file, data)

    monkeypatch.setattr(os, "write", full)
    desk.server.script(whole())
    with pytest.raises(InputError, match="No space left"):
        await desk.get()
    monkeypatch.undo()
    came = (desk.folder / "film.mp4.part").read_bytes()
    assert came
    assert FILM.startswith(came)


async def test_a_cancelled_download_keeps_what_came(desk: Desk) -> None:
    desk.server.script(whole(FILM[:-1000], end=(HANG,)))
    task = asyncio.create_task(desk.get())
    while not desk.progress or desk.progress[-1][0] < 2 * MB:
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    came = (desk.folder / "film.mp4.part").read_bytes()
    assert len(came) >= 2 * MB
    assert FILM.startswith(came)
    assert desk.server.requests[0].gone.wait(5)


async def test_a_killed_process_leaves_the_part_alone(desk: Desk) -> None:
    desk.server.script(whole(FILM[:-1000], end=(HANG,)))
    program = (
        "import asyncio, sys; from pathlib import Path; from anyfast_nb.http.download import download\n"
        "asyncio.run(download(sys.argv[1], to=Path(sys.argv[2]), kind='video', own_origin=sys.argv[1],"
        " on_progress=lambda done, total: print(done, flush=True)))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, desk.link, str(desk.to)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 2 * MB:
                break
        process.send_signal(signal.SIGKILL)
    assert desk.names == ["film.mp4.part", "film.mp4.part.json"]
    came = (desk.folder / "film.mp4.part").stat().st_size
    desk.server.script(rest(came) if came else whole())
    await desk.get()
    assert desk.to.read_bytes() == FILM
    assert desk.server.requests[1].headers.get("Range") == (f"bytes={came}-" if came else None)


# --- links that run out -----------------------------------------------------------------------


def asking(url: str, asked: list[str]) -> Callable[[], Awaitable[str]]:
    async def refresh() -> str:
        asked.append(url)
        return url

    return refresh


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_an_expired_link_is_asked_for_once_more(desk: Desk, status: int) -> None:
    asked: list[str] = []
    fresh = f"{desk.server.url}/store/film.mp4?X-Tos-Signature=fresh"
    desk.server.script(Reply(status, body=(XML,)), whole())
    await desk.get(refresh=asking(fresh, asked))
    assert asked == [fresh]
    assert desk.server.requests[1].path.endswith("fresh")
    assert desk.waits == []


async def test_then_it_is_given_up(desk: Desk) -> None:
    asked: list[str] = []
    desk.server.script(*[Reply(403, body=(XML,))] * 3)
    with pytest.raises(NotFoundError, match="the link has expired") as caught:
        await desk.get(refresh=asking(desk.link, asked))
    assert len(asked) == 1
    assert len(desk.server.requests) == 2
    assert (caught.value.code, caught.value.status, caught.value.billed) == ("link_expired", 403, Billed.NO)
    nothing_secret(caught.value)
    assert desk.names == []


async def test_without_a_way_to_ask_it_is_given_up_at_once(desk: Desk) -> None:
    desk.server.script(Reply(410))
    with pytest.raises(NotFoundError):
        await desk.get()


async def test_a_link_that_runs_out_midway_goes_on_with_the_fresh_one(desk: Desk) -> None:
    fresh = f"{desk.server.url}/store/film.mp4?X-Tos-Signature=fresh"
    desk.server.script(whole(FILM[:CUT_AT], end=(CUT,)), Reply(403), rest(CUT_AT))
    await desk.get(refresh=asking(fresh, []))
    assert desk.server.requests[2].headers["Range"] == f"bytes={CUT_AT}-"
    assert desk.to.read_bytes() == FILM


# --- two gigabytes ----------------------------------------------------------------------------


def resident_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def test_two_gigabytes_take_no_memory(desk: Desk) -> None:
    head = box(b"ftyp", b"isom" + bytes(8)) + box(b"moov", bytes(200))
    block, blocks = bytes(MB), 1908
    size = len(head) + 16 + blocks * MB
    long_box = struct.pack(">I4sQ", 1, b"mdat", 16 + blocks * MB)
    body = (head + long_box, *[block] * blocks)
    desk.server.script(Reply(200, {"ETag": ETAG}, body, "video/mp4", declared_size=size))
    before, most = resident_bytes(), 0

    def watch(done: int, total: int | None) -> None:
        nonlocal most
        assert total == size
        most = max(most, resident_bytes())

    try:
        got = await desk.get(on_progress=watch)
        assert got.size_bytes == size > 2_000_000_000
        assert desk.to.stat().st_size == size
    finally:
        desk.to.unlink(missing_ok=True)
    assert most - before < 48 * MB


# --- what a second reader tried ---------------------------------------------------------------


async def test_packed_bytes_are_refused_in_the_rest_of_a_file_too(desk: Desk) -> None:
    desk.server.script(whole(FILM[:CUT_AT], end=(CUT,)))
    with pytest.raises(WireCut):
        await desk.get(policy=RetryPolicy(attempts=1))
    left = rest(CUT_AT)
    desk.server.script(replace(left, headers={**left.headers, "Content-Encoding": "gzip"}))
    with pytest.raises(ProtocolError, match="packed"):
        await desk.get()
    assert (desk.folder / "film.mp4.part").read_bytes() == FILM[:CUT_AT]
    desk.server.script(rest(CUT_AT))
    await desk.get()
    assert desk.to.read_bytes() == FILM


async def test_a_redirect_to_no_url_is_an_error_of_ours(desk: Desk) -> None:
    desk.server.script(Reply(302, {"Location": f"http://[{SECRET}/x"}))
    with pytest.raises(ProtocolError, match="no URL") as caught:
        await desk.get()
    nothing_secret(caught.value)
    assert desk.names == []


async def test_no_url_at_all_is_an_error_of_ours_beside_a_left_over(desk: Desk) -> None:
    desk.server.script(whole(FILM[:CUT_AT], end=(CUT,)))
    with pytest.raises(WireCut):
        await desk.get(policy=RetryPolicy(attempts=1))

    async def nobody(_host: str, _port: int) -> list[str]:
        return []

    with pytest.raises(WireError) as caught:
        await desk.get(f"https://[store/film.mp4?n={SECRET}", resolve=nobody, policy=RetryPolicy(attempts=1))
    nothing_secret(caught.value)


def test_a_file_that_got_its_name_meanwhile_is_not_cut(tmp_path: Path) -> None:
    """Between opening the part and locking it, the one who was at it may have finished."""
    first = Partial(tmp_path / "film.mp4")
    first.open()
    first.start_over(Origin("s", ETAG, 5))
    first.append(b"whole")

    class Late(Partial):
        def _lock(self) -> None:
            if not (tmp_path / "film.mp4").exists():
                first.publish()
            super()._lock()

    late = Late(tmp_path / "film.mp4")
    late.open()
    late.start_over(None)
    late.append(b"half")
    assert (tmp_path / "film.mp4").read_bytes() == b"whole"
    assert (tmp_path / "film.mp4.part").read_bytes() == b"half"
    late.close()


@pytest.mark.parametrize("end", ["publish", "discard"])
def test_the_file_is_held_until_it_has_its_name_or_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    part = Partial(tmp_path / "film.mp4")
    part.open()
    part.start_over(Origin("s", ETAG, 5))
    part.append(b"whole")
    act, busy = "replace" if end == "publish" else "unlink", []
    real = getattr(Path, act)

    def watched(path: Path, *given: Any, **more: Any) -> Any:
        if path.suffix == ".part":
            with pytest.raises(BusyError):
                Partial(tmp_path / "film.mp4").open()
            busy.append(path.name)
        return real(path, *given, **more)

    monkeypatch.setattr(Path, act, watched)
    getattr(part, end)()
    assert busy == ["film.mp4.part"]
    assert [path.name for path in tmp_path.iterdir()] == (["film.mp4"] if end == "publish" else [])
