from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import httpx
import pytest

from anyfast_nb.simulator.config import Config
from anyfast_nb.simulator.store import LinkRefused, Store
from tests.simulator.calls import NOON, Clock, create, made, poll, seedance, text, timed
from tests.simulator.conftest import KEY, connect


class Maker:
    """Writes a file, and counts how often."""

    def __init__(self, data: bytes = b"0123456789") -> None:
        self.data = data
        self.count = 0

    def __call__(self, path: Path) -> None:
        self.count += 1
        path.write_bytes(self.data)


def split(link: str) -> tuple[str, str]:
    path, _, query = link.partition("?")
    return path.rpartition("/")[2], query


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Store:
    return Store(folder=tmp_path / "files", now=clock, limit_bytes=25)


# --- files ------------------------------------------------------------------------------------------------


def test_nothing_is_made_before_it_is_needed_and_then_once(store: Store) -> None:
    maker = Maker()
    name = store.put(maker, key="a", suffix=".mp4")
    assert store.put(maker, key="a", suffix=".mp4") == name
    assert name.endswith(".mp4")
    assert maker.count == 0
    assert (store.read(name), store.read(name)) == (maker.data, maker.data)
    assert maker.count == 1


def test_other_keys_are_other_files(store: Store) -> None:
    names = {store.put(Maker(), key=key, suffix=suffix) for key in "ab" for suffix in (".mp4", ".png")}
    assert len(names) == 4


async def test_all_who_wait_for_a_file_get_the_one_that_is_made(store: Store) -> None:
    may_end = threading.Event()
    maker = Maker()

    def slow(path: Path) -> None:
        assert may_end.wait(timeout=20)
        maker(path)

    name = store.put(slow, key="a", suffix=".mp4")
    waiting = [asyncio.ensure_future(store.fetch(name)) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # a client that goes away takes nothing from the others
    may_end.set()
    found = await asyncio.gather(*waiting[1:])
    assert maker.count == 1
    assert {stored.size_bytes for stored in found} == {10}


def test_the_oldest_file_goes_when_room_is_needed_and_comes_back_the_same(store: Store, clock: Clock) -> None:
    makers = {key: Maker(key.encode() * 10) for key in "abc"}
    names = {key: store.put(maker, key=key, suffix=".bin") for key, maker in makers.items()}
    first = store.path(names["a"])
    for name in names.values():
        store.path(name)
    assert not first.path.exists()
    clock.at += 100
    again = store.path(names["a"])
    assert makers["a"].count == 2
    assert again == first


def test_a_file_that_is_being_sent_stays(store: Store) -> None:
    names = [store.put(Maker(), key=key, suffix=".bin") for key in "abcd"]
    with store.lease(names[0]):
        sent = store.path(names[0])
        for name in names[1:]:
            store.path(name)
        assert sent.path.exists()


def test_bytes_that_came_along_are_kept_once_and_are_gone_when_room_is_needed(store: Store) -> None:
    name = store.keep(b"x" * 20, suffix=".png")
    assert store.keep(b"x" * 20, suffix=".png") == name
    assert store.read(name) == b"x" * 20
    store.path(store.put(Maker(), key="a", suffix=".bin"))
    assert store.read(name) is None
    assert store.keep(b"x" * 20, suffix=".png") == name
    assert store.read(name) == b"x" * 20


def test_what_can_be_made_again_goes_first(store: Store) -> None:
    given = store.keep(b"x" * 8, suffix=".png")
    made = [store.put(Maker(), key=key, suffix=".bin") for key in "ab"]
    paths = [store.path(name).path for name in made]
    assert [path.exists() for path in paths] == [False, True]
    assert store.read(given) == b"x" * 8


async def test_a_file_that_is_there_waits_for_no_other(store: Store) -> None:
    may_end = threading.Event()

    def slow(path: Path) -> None:
        assert may_end.wait(timeout=20)
        path.write_bytes(b"x")

    there = store.put(Maker(), key="there", suffix=".mp4")
    await store.fetch(there)
    queue = [store.put(slow, key=str(number), suffix=".mp4") for number in range(8)]
    waiting = [asyncio.ensure_future(store.fetch(name)) for name in queue]
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(10):
            assert (await store.fetch(there)).size_bytes == 10
    finally:
        may_end.set()
        await asyncio.gather(*waiting)


def test_a_closed_store_makes_nothing_and_leaves_nothing() -> None:
    store = Store()
    name = store.put(Maker(), key="a", suffix=".bin")
    folder = store.path(store.put(Maker(), key="b", suffix=".bin")).path.parent
    store.close()
    assert not folder.exists()
    with pytest.raises(LinkRefused, match="ends"):
        store.path(name)
    assert not folder.exists()


def test_a_file_may_need_another_one(store: Store) -> None:
    film = store.put(Maker(b"film"), key="film", suffix=".mp4")

    def frame(path: Path) -> None:
        path.write_bytes(store.path(film).path.read_bytes()[:2])

    assert store.read(store.put(frame, key="frame", suffix=".png")) == b"fi"


def test_a_private_folder_of_its_own_goes_with_the_store() -> None:
    store = Store()
    folder = store.path(store.put(Maker(), key="a", suffix=".bin")).path.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    del store
    assert not folder.exists()


async def test_a_file_nobody_knows_is_404(store: Store) -> None:
    with pytest.raises(LinkRefused, match="does not exist") as caught:
        await store.fetch("nothing.mp4")
    assert (caught.value.status, caught.value.code) == (404, "NoSuchKey")
    assert store.read("nothing.mp4") is None


# --- links ------------------------------------------------------------------------------------------------


def test_a_link_opens_until_its_time_is_over(store: Store, clock: Clock) -> None:
    name, query = split(store.link(store.put(Maker(), key="a", suffix=".mp4")))
    assert "X-Tos-Expires=43200" in query
    assert f"X-Tos-Date={time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(NOON))}" in query
    clock.at += 12 * 3600
    assert store.opened(name, query) == ""
    clock.at += 2
    with pytest.raises(LinkRefused, match="Request has expired") as caught:
        store.opened(name, query)
    assert (caught.value.status, caught.value.code) == (403, "AccessDenied")


@pytest.mark.parametrize(
    "forged",
    [
        lambda name, query: (name, query.replace("43200", "99999")),
        lambda name, query: (name, query[:-1] + ("0" if query[-1] != "0" else "1")),
        lambda name, query: ("other.mp4", query),
        lambda name, query: (name, query + "&x-sim-fault=html"),
        lambda name, query: (name, query + "é"),
    ],
)
def test_a_link_that_was_changed_does_not_open(store: Store, forged: object) -> None:
    name, query = split(store.link(store.put(Maker(), key="a", suffix=".mp4")))
    with pytest.raises(LinkRefused) as caught:
        store.opened(*forged(name, query))  # type: ignore[operator]
    assert (caught.value.status, caught.value.code) == (403, "SignatureDoesNotMatch")


def test_a_link_of_another_server_does_not_open(store: Store, clock: Clock) -> None:
    link = Store(now=clock).link("a.mp4")
    with pytest.raises(LinkRefused, match="signature"):
        store.opened(*split(link))


def test_a_link_may_be_over_from_the_start_or_carry_a_fault(store: Store) -> None:
    with pytest.raises(LinkRefused, match="expired"):
        store.opened(*split(store.link("a.mp4", expired=True)))
    assert store.opened(*split(store.link("a.mp4", fault="drop:2:x"))) == "drop:2:x"


# --- the route --------------------------------------------------------------------------------------------


async def short_film(client: httpx.AsyncClient) -> str:
    """A link to a small file: the last frame of the smallest film."""
    done = await made(client, seedance(resolution="480p", ratio="21:9", duration=4, return_last_frame=True))
    url: str = done["data"]["content"]["last_frame_url"]
    return url


async def test_a_link_works_without_a_key_whole_and_in_parts(client: httpx.AsyncClient) -> None:
    url = await short_film(client)
    del client.headers["authorization"]
    whole = await client.get(url)
    assert (whole.status_code, whole.headers["content-type"]) == (200, "image/png")
    assert whole.content.startswith(b"\x89PNG")
    assert int(whole.headers["content-length"]) == len(whole.content)
    size = len(whole.content)

    head = await client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(size)
    assert head.headers["accept-ranges"] == "bytes"

    part = await client.get(url, headers={"range": "bytes=8-15"})
    assert (part.status_code, part.content) == (206, whole.content[8:16])
    assert part.headers["content-range"] == f"bytes 8-15/{size}"
    rest = await client.get(url, headers={"range": f"bytes={size - 5}-"})
    assert rest.content == whole.content[-5:]

    beyond = await client.get(url, headers={"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")


async def test_a_range_is_the_end_or_several_parts_or_none_at_all(client: httpx.AsyncClient) -> None:
    url = await short_film(client)
    whole = (await client.get(url)).content

    async def asked(span: str) -> httpx.Response:
        return await client.get(url, headers={"range": span})

    assert (await asked("bytes=-7")).content == whole[-7:]
    for span in ("bytes=0-1, 4-5", "BYTES=0-0,-1"):
        several = await asked(span)
        assert several.status_code == 206
        assert several.headers["content-type"].startswith("multipart/byteranges")
        assert several.content.count(b"Content-Range") == 2
    for wrong in ("bytes=5-2", "bytes=abc", "items=0-1", "bytes=0-1,x", "bytes=", "bytes=-"):
        reply = await asked(wrong)
        assert (reply.status_code, reply.content) == (200, whole)


async def test_if_range_gives_a_part_of_the_same_file_only(client: httpx.AsyncClient) -> None:
    url = await short_film(client)
    headers = (await client.head(url)).headers
    for mark in (headers["etag"], headers["last-modified"]):
        reply = await client.get(url, headers={"range": "bytes=0-3", "if-range": mark})
        assert reply.status_code == 206
    reply = await client.get(url, headers={"range": "bytes=0-3", "if-range": '"another"'})
    assert reply.status_code == 200


async def test_an_expired_link_is_403_xml_and_the_next_poll_tells_a_fresh_one() -> None:
    clock = Clock()
    async with timed(clock, speed=0, link_s=60) as client:
        task = (await create(client, seedance(text("x"), resolution="480p", ratio="1:1", duration=4)))["id"]
        first = (await poll(client, task))["result_url"]
        clock.at += 62
        reply = await client.get(first)
        assert (reply.status_code, reply.headers["content-type"]) == (403, "application/xml")
        assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in reply.text
        second = (await poll(client, task))["result_url"]
        assert second != first
        assert (await client.head(second)).status_code == 200
        forged = await client.get(second.replace("X-Tos-Expires=60", "X-Tos-Expires=61"))
        assert forged.status_code == 403
        assert "<Code>SignatureDoesNotMatch</Code>" in forged.text


async def test_only_reading_a_file_needs_no_key() -> None:
    async with connect(Config(key=KEY, speed=0)) as client:
        del client.headers["authorization"]
        assert (await client.get("/files/a.mp4")).status_code == 403
        assert (await client.post("/files/a.mp4")).status_code == 401
        assert (await client.get("/filesystem")).status_code == 401
