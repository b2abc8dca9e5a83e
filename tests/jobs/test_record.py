from __future__ import annotations

import base64
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.errors import ConfigError
from anyfast_nb.jobs import folder as room
from anyfast_nb.jobs.failures import arguments_in, with_arguments
from anyfast_nb.jobs.film import place_of
from anyfast_nb.jobs.record import hash_of, kept_request, without_data
from tests.jobs.conftest import png

DATA = png()
URI = f"data:image/png;base64,{base64.b64encode(DATA).decode()}"
FACTS = {"sha256": hashlib.sha256(DATA).hexdigest(), "bytes": len(DATA), "media_type": "image/png"}

jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just(URI),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def test_data_becomes_its_hash_wherever_it_stands_and_however_it_is_written() -> None:
    bare = base64.b64encode(DATA).decode()
    found = without_data({"a": [URI, {"b": bare}], "c": "text", "d": "asset://x"})
    assert found == {"a": [FACTS, {"b": FACTS}], "c": "text", "d": "asset://x"}
    assert without_data("data:text/plain,a%20b")["bytes"] == 3
    assert without_data("data:image/png;base64,%%%")["bytes"] == 3  # unreadable, and told apart all the same


def test_the_hash_is_of_the_meaning() -> None:
    assert hash_of({"a": 1, "b": URI}) == hash_of({"b": URI.replace("image/png", "IMAGE/PNG"), "a": 1})
    assert hash_of({"a": 1}) != hash_of({"a": 2})
    assert hash_of({"a": "中\ud800"})


@given(st.dictionaries(st.text(max_size=5), jsons, max_size=4))
def test_nothing_of_the_data_is_kept(body: dict[str, Any]) -> None:
    kept = json.dumps(kept_request(body, redact=lambda text: text))
    assert "iVBORw0KGgo" not in kept
    assert hash_of(body) == hash_of(json.loads(json.dumps(body)))


def test_urls_are_kept_without_what_opens_them() -> None:
    body = {
        "url": "https://anna:pw@host/a.png?X-Tos-Signature=5ec2e7",
        "prompt": "see https://h/x?sig=5ec2e7 !",
    }
    kept = kept_request(body, redact=lambda text: text)
    assert kept == {"url": "https://host/a.png?…", "prompt": "see https://h/x?… !"}


# --- the folder -------------------------------------------------------------------------------


def test_a_folder_is_made_beside_the_notebook_and_kept_out_of_git(tmp_path: Path) -> None:
    found = room.open_folder(None, home=tmp_path / "home", beside=tmp_path)
    assert (found.path, found.note) == (tmp_path / "anyfast_media", "")
    assert (found.path / ".gitignore").read_text() == "*\n"
    (found.path / ".gitignore").write_text("mine\n")
    room.open_folder(None, home=tmp_path / "home", beside=tmp_path)
    assert (found.path / ".gitignore").read_text() == "mine\n"
    assert room.open_folder(str(tmp_path / "x/y"), home=tmp_path, beside=tmp_path).path == tmp_path / "x/y"


def test_without_any_place_nothing_is_begun(tmp_path: Path) -> None:
    for name in ("anyfast_media", "media"):
        (tmp_path / name).write_text("in the way")
    with pytest.raises(ConfigError, match="no place for the result") as caught:
        room.open_folder(None, home=tmp_path, beside=tmp_path)
    assert "ANYFAST_MEDIA_DIR" in caught.value.hint


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    room.write_whole(path, b"one")
    room.write_whole(path, b"two")
    assert path.read_bytes() == b"two"

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        room.write_whole(path, b"three")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a.png", b"two")]


def test_names_sort_by_time_and_tell_jobs_apart() -> None:
    moment = datetime(2026, 11, 20, 12, 30, 5, tzinfo=UTC)
    local = f"{moment.astimezone():%Y%m%d-%H%M%S}"
    assert room.stem_of("seedance", moment, "0123456789abcdef") == f"seedance-{local}-89abcdef"
    assert room.stem_of("seedream", moment, "0123456789abcdef", number=2) == f"seedream-{local}-89abcdef-2"


# --- where a page finds a file ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "notebook", "place", "near"),
    [
        ("work/anyfast_media/a b.mp4", None, "anyfast_media/a%20b.mp4", True),
        ("work/anyfast_media/ä#?.mp4", None, "anyfast_media/%C3%A4%23%3F.mp4", True),
        ("work/anyfast_media/a.mp4", "work/sub/x.ipynb", "../anyfast_media/a.mp4", True),
        ("work/anyfast_media/a.mp4", "x.ipynb", "work/anyfast_media/a.mp4", True),
        ("home/media/a.mp4", "work/deep/er/x.ipynb", "../../../home/media/a.mp4", False),
    ],
)
def test_the_place_of_a_file_from_its_notebook(
    tmp_path: Path, path: str, notebook: str | None, place: str, near: bool
) -> None:
    where = None if notebook is None else str(tmp_path / notebook)
    assert place_of(tmp_path / path, notebook=where, cwd=tmp_path / "work") == (place, near)


# --- words --------------------------------------------------------------------------------------


def test_items_are_named_by_their_arguments() -> None:
    arguments = {"content[1]": "first_frame", "content[12]": "videos[0]", "image": "image"}
    text = "content[1] and 'content[12]', not content[2]; content[1] again"
    assert arguments_in(text, arguments) == ["first_frame", "videos[0]"]
    assert with_arguments(text, arguments) == (
        "content[1] (first_frame) and 'content[12] (videos[0])', not content[2]; "
        "content[1] (first_frame) again"
    )


def test_what_a_killed_writer_left_goes_with_the_next_one(tmp_path: Path) -> None:
    file, other = tmp_path / "film[1].json", tmp_path / ".other.json.0a1b2c3d.part"
    left = tmp_path / ".film[1].json.0a1b2c3d.part"
    left.write_bytes(b'{"half')
    other.write_bytes(b"another's")
    room.write_whole(file, b"{}")
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, file.name]
    assert file.read_bytes() == b"{}"
