"""What the simulator's tests share: the application without a socket, requests, and small media."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from anyfast_nb.simulator.app import build
from anyfast_nb.simulator.config import Config
from anyfast_nb.simulator.looking.eyes import Eyes
from anyfast_nb.simulator.request import ChatRequest
from anyfast_nb.simulator.teacher import Draft, Lesson, teach
from anyfast_nb.simulator.validate import read_chat

KEY = "sk-sim-unit"
MODEL = "doubao-seed-2.0-pro"


def body(prompt: Any = "Hello", **more: Any) -> dict[str, Any]:
    """A chat request's body."""
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}]} | more


def asked(prompt: Any = "Hello", **more: Any) -> ChatRequest:
    """A checked chat request."""
    return read_chat(body(prompt, **more))


def taught(prompt: Any = "Hello", **more: Any) -> Draft:
    """What the teaching model says to a request."""
    request = asked(prompt, **more)
    eyes = Eyes()
    views = {part: eyes.look(part) for message in request.messages for part in message.media}
    return teach(Lesson(request, request.prompt, views))


def data_uri(data: bytes, mime: str) -> str:
    """Bytes as a data URI."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def image_part(data: bytes, mime: str = "image/png") -> dict[str, Any]:
    """A content part with a picture."""
    return {"type": "image_url", "image_url": {"url": data_uri(data, mime)}}


def video_part(data: bytes, fps: float | None = None) -> dict[str, Any]:
    """A content part with a clip."""
    inner: dict[str, Any] = {"url": data_uri(data, "video/mp4")}
    return {"type": "video_url", "video_url": inner if fps is None else inner | {"fps": fps}}


def two_coloured(left: str = "red", right: str = "blue", size: tuple[int, int] = (64, 48)) -> bytes:
    """A PNG, one colour on the left and one on the right."""
    from PIL import Image

    image = Image.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Five seconds of H.264 at 24 frames per second, 160 x 120: red, then from the middle on blue."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


def make_clip(path: Path, *, seconds: int = 5, rate: int = 24) -> bytes:
    """An mp4 with its index in front."""
    import av
    from PIL import Image

    red, blue = (Image.new("RGB", (160, 120), colour) for colour in ("red", "blue"))
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream: Any = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": str(rate), "bf": "0"}
        for index in range(seconds * rate):
            picture = red if index < seconds * rate // 2 else blue
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application at speed 0, its key in place."""
    async with connect(Config(key=KEY, speed=0)) as connected:
        yield connected


def connect(config: Config, **more: Any) -> httpx.AsyncClient:
    """A client of an application, without a socket."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=build(config, **more)),
        base_url="http://127.0.0.1:8765",
        headers={"authorization": f"Bearer {config.key}"},
    )
