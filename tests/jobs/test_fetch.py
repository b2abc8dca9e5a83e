"""Results onto this disk: whole or not at all, and no endless tries."""

from __future__ import annotations

import os
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.errors import ConfigError
from anyfast_nb.jobs.fetch import film_type, picture_type
from tests.jobs.conftest import MakeClient, Time, created, film_reply, gets, link, names, png, succeeded
from tests.wire_server import Reply, WireServer


def test_a_full_disk_is_told_at_once(
    wire_server: WireServer,
    client: MakeClient,
    film: bytes,
    folder: Path,
    time: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = _accepted(wire_server, client)
    write = os.write

    def full(file: int, data: Any) -> int:
        if len(data) < 1000:
            return write(file, data)
        write(file, data[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        wire_server.script(succeeded(link(wire_server)), film_reply(film))
        with pytest.raises(ConfigError, match="No space left") as caught:
            job.wait()
    assert "job.wait()" in caught.value.hint
    assert sum("film.mp4" in path for path in gets(wire_server)) == 1
    wire_server.script(film_reply(film))
    assert job.wait().path is not None
    assert names(folder) == [".gitignore", "seedance-T.json", "seedance-T.mp4"]


def test_something_else_under_the_name_of_the_part_is_not_taken_for_another_kernel(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path, time: Time
) -> None:
    job = _accepted(wire_server, client)
    media = folder / "anyfast_media"
    media.mkdir()
    stem = f"seedance-{job.created_at.astimezone():%Y%m%d-%H%M%S}-{job.id[-8:]}"
    (media / f"{stem}.mp4.part").mkdir()
    wire_server.script(succeeded(link(wire_server)))
    with pytest.raises(ConfigError, match="no plain file"):
        job.wait()
    assert len(time.slept) < 10


def _accepted(server: WireServer, client: MakeClient) -> Any:
    server.script(created())
    return client().seedance("A cat")


def test_a_picture_that_was_cut_gets_no_name(
    wire_server: WireServer, client: MakeClient, folder: Path
) -> None:
    cut = png(size=(300, 300))[:-40]
    address = link(wire_server, "a.png")
    wire_server.script(
        Reply.json({"model": "m", "created": 1, "data": [{"url": address}, {"url": address}]}),
        Reply(body=(cut,), content_type="image/png"),
        Reply(body=(png(),), content_type="image/png"),
    )
    made = client().seedream("A cat")
    assert [picture.lost for picture in sorted(made, key=lambda one: not one.lost)] == [True, False]
    assert "broken" in next(picture.error for picture in made if picture.lost)
    assert len([name for name in names(folder) if name.endswith((".png", ".jpeg", ".part"))]) == 1


@pytest.mark.parametrize("lost", [1, 12, 40, 200])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_a_part_of_a_picture_is_none(tmp_path: Path, format: str, lost: int) -> None:
    from PIL import Image

    path = tmp_path / "picture"
    Image.effect_noise((120, 90), 60).convert("RGB").save(path, format=format)
    assert picture_type(path) == f"image/{format.lower()}"
    data = path.read_bytes()
    if (format, lost) in {("PNG", 1), ("PNG", 12), ("JPEG", 1)}:
        return  # the pixels are all there
    path.write_bytes(data[:-lost])
    with pytest.raises(ValueError, match=r"\w"):
        picture_type(path)


def test_a_film_without_its_index_is_none(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(_box(b"ftyp", b"isom" + bytes(8)) + _box(b"mdat", bytes(1000)))
    with pytest.raises(ValueError, match="index"):
        film_type(path)


def test_a_large_film_is_looked_at_without_reading_it(tmp_path: Path, film: bytes) -> None:
    path = tmp_path / "film.mp4"
    size = 300_000_000
    with path.open("wb") as file:
        file.write(film)
        file.write(struct.pack(">I4s", size, b"free"))
        file.truncate(len(film) + size)
    tracemalloc.start()
    try:
        assert film_type(path) == "video/mp4"
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content
