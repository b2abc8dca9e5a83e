from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from anyfast_nb.simulator import reach
from anyfast_nb.simulator.reach import is_here
from anyfast_nb.simulator.store import Store
from anyfast_nb.simulator.tasks import media
from anyfast_nb.simulator.tasks.media import Library, container, fetch_here, shown
from anyfast_nb.simulator.workshop import READERS
from tests.simulator.calls import SEEDANCE, image, png, png_uri, seedance, wav


class Page(BaseHTTPRequestHandler):
    """A picture, a detour to it, and nothing else."""

    def do_GET(self) -> None:
        status = {"/a.png": 200, "/detour": 302}.get(self.path, 404)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/a.png")
        self.end_headers()
        self.wfile.write(png() if status == 200 else b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def here() -> Iterator[str]:
    """The address of a server on this machine."""
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_lies_on_this_machine_is_read(here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetch_here(f"{here}/a.png") == png()
    assert fetch_here(f"{here}/none.png") is None
    assert fetch_here(f"{here}/detour") is None
    assert fetch_here("http://127.0.0.1:99999/a.png") is None
    assert fetch_here("http://[::1%nowhere]:1/a.png") is None
    assert fetch_here(f"{here}/a\r\nX-Header: b") is None
    monkeypatch.setattr(media, "FETCH_LIMIT_BYTES", 10)
    assert fetch_here(f"{here}/a.png") is None


def test_who_speaks_too_slowly_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "LONGEST_S", 0.2)
    ended = threading.Event()

    class Dripping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                while not ended.wait(0.02):  # each piece comes soon enough, the end never
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n" if not self.headers.get("seen") else b"")
                    self.headers["seen"] = "1"
                    self.wfile.write(b"X-Drip: 1\r\n")

    with HTTPServer(("127.0.0.1", 0), Dripping) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        done = threading.Event()
        found: list[bytes | None] = []

        def ask() -> None:
            found.append(fetch_here(f"http://127.0.0.1:{server.server_port}/a.png"))
            done.set()

        asking = threading.Thread(target=ask)
        asking.start()
        in_time = done.wait(timeout=10)
        ended.set()
        asking.join()
        server.shutdown()
        thread.join()
    assert in_time
    assert found == [None]


def test_a_link_of_this_server_is_read_by_whichever_name(tmp_path: Path) -> None:
    store = Store(folder=tmp_path)
    link = store.link(store.keep(png(), suffix=".png"))
    library = Library(store, fetch=lambda _: None)
    for name in ("127.0.0.1:1", "localhost:1", "class.example:1"):
        found = library.address(f"http://{name}{link}", label="image1", host="class.example:1")
        assert found.size_bytes == len(png())
    elsewhere = library.address(f"http://other.example{link}", label="image1", host="class.example:1")
    assert not elsewhere.has_bytes


def test_only_this_machine_is_asked(tmp_path: Path) -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes | None:
        asked.append(url)
        return png()

    library = Library(Store(folder=tmp_path), fetch=fetch)
    far = library.address("https://example.com/private/a.png?signature=secret", label="image1", host="x")
    assert (far.has_bytes, far.label) == (False, "image1 · example.com/private/a.png")
    near = library.address("http://localhost:1/a.png", label="image2", host="x")
    assert near.measured is not None
    assert (near.measured.width, near.size_bytes) == (320, len(png()))
    assert asked == ["http://localhost:1/a.png"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1/a", True),
        ("http://127.9.9.9:80/a", True),
        ("https://[::1]/a", True),
        ("http://LOCALHOST/a", True),
        ("http://127.0.0.1.example.com/a", False),
        ("http://example.com/127.0.0.1", False),
        ("http://10.0.0.1/a", False),
        ("file:///etc/passwd", False),
        ("http://0.0.0.0/a", False),
        ("http://2130706433/a", False),
        ("http://0x7f.1/a", False),
        ("http://127.1/a", False),
        ("http://localhost.example.com/a", False),
        ("http://example.com@127.0.0.1.example.com/a", False),
        ("http://example.com#@127.0.0.1/a", False),
        ("http://example.com?@127.0.0.1/a", False),
        ("http://[::ffff:10.0.0.1]/a", False),
        ("http://[fe80::1]/a", False),
        ("http://[bad/", False),
        ("http://[::1%25lo]/a", False),
        ("http://[::1%example.com]/a", False),
        ("http://127.0.0.1:99999/a", False),
        ("http://127.0.0.1:0/a", False),
        ("http://127.0.0.1:x/a", False),
    ],
)
def test_which_addresses_are_of_this_machine(url: str, expected: bool) -> None:
    assert is_here(url) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\0\0\0\x18ftypisom....", "mp4"),
        (b"\0\0\0\x18ftypqt  ....", "mov"),
        (b"\0\0\0\x18ftypheic....", "heic"),
        (wav(), "wav"),
        (b"ID3\x04", "mp3"),
        (b"\xff\xfb\x90\x00", "mp3"),
        (b"\xff\xd8\xff\xe0", ""),
        (b"\xff", ""),
        (b"", ""),
    ],
)
def test_files_are_known_by_their_first_bytes(data: bytes, expected: str) -> None:
    assert container(data) == expected


def test_a_label_is_short_and_without_a_signature() -> None:
    assert shown("https://example.com/a.png?X-Tos-Signature=secret#x") == "example.com/a.png"
    assert len(shown("https://example.com/" + "x" * 500)) == 41


async def test_few_requests_with_media_are_read_at_once(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, most, lock, crowd = 0, 0, threading.Lock(), threading.Event()

    def slowly(data: bytes) -> None:
        nonlocal now, most
        with lock:
            now, most = now + 1, max(most, now + 1)
            if now > READERS:
                crowd.set()
        crowd.wait(0.01)
        with lock:
            now -= 1

    monkeypatch.setattr(media, "measure", slowly)
    body = {"model": "volc-asset", "Name": "a", "AssetType": "Image", "GroupId": "g", "URL": png_uri()}
    calls = [client.post("/volc/asset/CreateAsset", json=body) for _ in range(12)]
    calls += [client.post(SEEDANCE, json=seedance(image(png_uri()))) for _ in range(12)]
    await asyncio.gather(*calls)
    assert 1 < most <= READERS
