from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.client.faces import AsyncClient, Client
from anyfast_nb.http.retry import RetryPolicy
from anyfast_nb.jobs.poll import Pace
from anyfast_nb.ledger import Ledger
from tests.wire_server import Reply, WireServer

KEY = "sk-live-0123456789abcdef"
NO_WAITS = RetryPolicy(base_s=0, cap_s=0)
SIGNATURE = "X-Tos-Signature=5ec2e75ec2e7"
TASK = "asyntask_h81efT0qwtLnzyt6VENmCZ6VXSfNxE2E"
SECRETS = (KEY, "5ec2e75ec2e7", "0123456789abcdef")


class Time:
    """A clock that moves by what is slept."""

    def __init__(self) -> None:
        self.start = datetime.now(UTC)
        self.passed = 0.0
        self.slept: list[float] = []

    def pace(self, **changes: Any) -> Pace:
        values: dict[str, Any] = {
            "sleep": self.sleep,
            "uniform": lambda low, high: (low + high) / 2,
            "clock": lambda: self.passed,
            "now": lambda: self.start + timedelta(seconds=self.passed),
        }
        return Pace(**(values | changes))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds
        await asyncio.sleep(0)


@pytest.fixture
def time() -> Time:
    return Time()


MakeClient = Callable[..., Client]


@pytest.fixture
def client(wire_server: WireServer, time: Time, folder: Path) -> Iterator[MakeClient]:
    """Makes clients of the wire server that never wait, and closes them."""
    with ExitStack() as stack:

        def make(**changes: Any) -> Client:
            defaults = {"api_key": KEY, "base_url": wire_server.url, "policy": NO_WAITS}
            made = stack.enter_context(Client(**{**defaults, **changes}))
            made.pace = time.pace()
            return made

        yield make


@pytest.fixture
def async_client(wire_server: WireServer, time: Time, folder: Path) -> Callable[[], AsyncClient]:
    def make() -> AsyncClient:
        made = AsyncClient(api_key=KEY, base_url=wire_server.url, policy=NO_WAITS)
        made.pace = time.pace()
        return made

    return make


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder the notebook runs in; media go into a folder in it."""
    place = tmp_path / "notebook"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


# --- what a gateway answers -------------------------------------------------------------------


def created(id: str = TASK, status: str = "") -> Reply:
    """The deployed gateway's reply to a create."""
    return Reply.json(
        {"id": id, "task_id": id, "object": "video", "model": "seedance", "status": status, "progress": 0}
    )


def task(status: str, progress: str = "50%", **fields: Any) -> Reply:
    """The deployed gateway's reply to a poll."""
    body = {"task_id": TASK, "action": "generate", "status": status, "progress": progress, "fail_reason": ""}
    return Reply.json({"code": "success", "message": "", "data": body | {"data": {}} | fields})


def succeeded(url: str, **content: Any) -> Reply:
    """The reply that holds the film's link."""
    inner = {
        "id": "cgt-1", "status": "succeeded", "content": {"video_url": url, **content}, "duration": 4,
        "usage": {"completion_tokens": 108900},
    }  # fmt: skip
    return task("SUCCESS", "100%", result_url=url, fail_reason=url, data=inner)


def film_reply(data: bytes) -> Reply:
    return Reply(body=(data,), content_type="video/mp4", declared_size=len(data))


def picture_reply(data: bytes) -> Reply:
    return Reply(body=(data,), content_type="image/png", declared_size=len(data))


def link(server: WireServer, name: str = "film.mp4") -> str:
    return f"{server.url}/store/{name}?{SIGNATURE}"


def refused(message: str = "bad", *, status: int = 400, code: str = "InvalidParameter") -> Reply:
    return Reply.json({"error": {"message": message, "code": code, "type": "BadRequest"}}, status=status)


def posts(server: WireServer) -> list[Any]:
    return [request for request in server.requests if request.method == "POST"]


def gets(server: WireServer) -> list[str]:
    return [request.path for request in server.requests if request.method == "GET"]


# --- media ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small MP4 whose first frame is red and whose last is blue."""
    import av
    from PIL import Image

    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream("libx264", rate=24, options={"preset": "ultrafast", "g": "12"})
        stream.width, stream.height, stream.pix_fmt = 480, 320, "yuv420p"
        for number in range(48):
            colour = (255, 0, 0) if number < 24 else (0, 0, 255)
            frame = av.VideoFrame.from_image(Image.new("RGB", (480, 320), colour))
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path.read_bytes()


def png(colour: str = "red", size: tuple[int, int] = (400, 400)) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, format="PNG")
    return file.getvalue()


# --- what is kept -----------------------------------------------------------------------------


def ledger_rows() -> list[Mapping[str, Any]]:
    import sqlite3

    with Ledger() as ledger:
        ledger.absorb()
        path = ledger.path
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute("SELECT * FROM requests ORDER BY time_us")]
    finally:
        connection.close()


def everything_on_disk(*folders: Path) -> bytes:
    """The bytes of all files but the media themselves."""
    media = {".mp4", ".png", ".jpeg", ".jpg"}
    paths = [path for folder in folders for path in folder.rglob("*")]
    return b"".join(path.read_bytes() for path in paths if path.is_file() and path.suffix not in media)


def names(folder: Path) -> list[str]:
    """What lies in the media folder, times and ids left out."""
    media = folder / "anyfast_media"
    found = sorted(path.name for path in media.iterdir()) if media.exists() else []
    return [re.sub(r"\d{8}-\d{6}-[0-9a-f]{8}", "T", name) for name in found]
