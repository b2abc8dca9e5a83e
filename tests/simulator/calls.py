"""What the tests of films and assets share: a clock to turn, request bodies, small media."""

from __future__ import annotations

import functools
import io
import json
import math
import struct
import wave
from pathlib import Path
from typing import Any

import httpx

from anyfast_nb.simulator.config import Config
from tests.simulator.conftest import KEY, connect, data_uri

SEEDANCE = "/v1/video/generations"
KLING = "/kling/v1/videos"
NOON = 1_777_288_506.25


class Clock:
    """Seconds since 1970 that pass when the test says so."""

    def __init__(self, at: float = NOON) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def timed(clock: Clock, **config: Any) -> httpx.AsyncClient:
    """A client of an application that lives by that clock."""
    return connect(Config(key=KEY, **config), now=clock, clock=clock)


def text(prompt: str = "A cat plays the piano") -> dict[str, Any]:
    return {"type": "text", "text": prompt}


def image(url: str = "https://example.com/a.png", role: str = "reference_image") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}} | ({"role": role} if role else {})


def video(url: str = "https://example.com/a.mp4", role: str = "reference_video") -> dict[str, Any]:
    return {"type": "video_url", "video_url": {"url": url}} | ({"role": role} if role else {})


def audio(url: str = "https://example.com/a.mp3", role: str = "reference_audio") -> dict[str, Any]:
    return {"type": "audio_url", "audio_url": {"url": url}} | ({"role": role} if role else {})


def seedance(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A Seedance body; a text to video if no content is given."""
    return {"model": "seedance", "content": list(content) or [text()]} | more


async def create(client: httpx.AsyncClient, body: dict[str, Any], path: str = SEEDANCE) -> dict[str, Any]:
    """The reply to a create call that is accepted."""
    reply = await client.post(path, json=body)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def poll(client: httpx.AsyncClient, id: str, path: str = SEEDANCE) -> dict[str, Any]:
    """What a poll tells, without the envelope of the current shape."""
    reply = await client.get(f"{path}/{id}")
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found["data"] if found.get("code") == "success" else found


async def made(client: httpx.AsyncClient, body: dict[str, Any], path: str = SEEDANCE) -> dict[str, Any]:
    """The finished task of a request, at speed 0."""
    return await poll(client, (await create(client, body, path))["id"])


def ark_error(reply: httpx.Response) -> dict[str, Any]:
    """The upstream's error inside the gateway's."""
    outer = reply.json()
    assert (outer["code"], outer["data"]) == ("fail_to_fetch_task", None)
    error: dict[str, Any] = json.loads(outer["message"])["error"]
    return error


@functools.cache
def png(width: int = 320, height: int = 320, colour: str = "red") -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


def png_uri(width: int = 320, height: int = 320, colour: str = "red") -> str:
    return data_uri(png(width, height, colour), "image/png")


@functools.cache
def wav(seconds: float = 3.0) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        count = int(seconds * 8_000)
        file.writeframes(b"".join(struct.pack("<h", int(8_000 * math.sin(i / 6))) for i in range(count)))
    return out.getvalue()


def wav_uri(seconds: float = 3.0) -> str:
    return data_uri(wav(seconds), "audio/wav")


def make_clip_of(
    path: Path, *, width: int = 854, height: int = 480, seconds: float = 2.5, rate: int = 24
) -> bytes:
    """An mp4 of one colour, cheap to make."""
    import av
    from PIL import Image

    picture = Image.new("RGB", (width, height), "teal")
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "ultrafast"}
        frame = av.VideoFrame.from_image(picture)
        for _ in range(round(seconds * rate)):
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()
