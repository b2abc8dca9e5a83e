from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from anyfast_nb.simulator.store import Store
from anyfast_nb.simulator.tasks import media
from anyfast_nb.simulator.tasks.media import Library, container, fetch_here, is_loopback_url, shown
from tests.simulator.calls import png, wav


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
    monkeypatch.setattr(media, "FETCH_LIMIT_BYTES", 10)
    assert fetch_here(f"{here}/a.png") is None


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
    ],
)
def test_which_addresses_are_of_this_machine(url: str, expected: bool) -> None:
    assert is_loopback_url(url) == expected


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


def test_what_a_killed_server_left_behind_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, young, other = (tmp_path / name for name in ("anyfast-sim-old", "anyfast-sim-young", "other"))
    for folder in (old, young, other):
        folder.mkdir()
        (folder / "film.mp4").write_bytes(b"x")
    for folder in (old, other):
        os.utime(folder, (time.time() - 10 * 86_400,) * 2)
    store = Store()
    store.keep(b"x", suffix=".bin")
    assert [folder.exists() for folder in (old, young, other)] == [False, True, True]
