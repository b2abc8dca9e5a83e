from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.errors import InputError
from anyfast_nb.panels.intake import MOST_BYTES, STALE_S, Intake, plain_name


def send(intake: Intake, id: str, name: str, data: bytes, *, by: int = 7) -> Path:
    intake.begin(id, name=name, size_bytes=len(data))
    for at in range(0, len(data), by):
        assert intake.take(id, data[at : at + by], offset=at) == min(at + by, len(data))
    path = intake.whole(id)
    assert path is not None
    return path


def test_a_file_comes_in_chunks_to_its_place(tmp_path: Path) -> None:
    intake = Intake(tmp_path / "uploads")
    path = send(intake, "1", "cat.png", b"0123456789" * 5)
    assert path == tmp_path / "uploads" / "cat.png"
    assert path.read_bytes() == b"0123456789" * 5
    assert [one.name for one in path.parent.iterdir()] == ["cat.png"]


def test_a_file_of_no_bytes_is_there_at_once(tmp_path: Path) -> None:
    intake = Intake(tmp_path)
    intake.begin("1", name="empty.txt", size_bytes=0)
    assert intake.whole("1") == tmp_path / "empty.txt"


def test_files_of_one_name_get_numbers_and_replace_nothing(tmp_path: Path) -> None:
    intake = Intake(tmp_path)
    paths = [send(intake, str(n), "a.txt", bytes([65 + n])) for n in range(3)]
    assert [path.name for path in paths] == ["a.txt", "a-2.txt", "a-3.txt"]
    assert [path.read_bytes() for path in paths] == [b"A", b"B", b"C"]


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr("anyfast_nb.panels.intake.os.link", refuse)
    intake = Intake(tmp_path)
    assert [send(intake, str(n), "a.txt", b"x").name for n in range(2)] == ["a.txt", "a-2.txt"]


def test_what_is_cancelled_leaves_nothing_and_is_expected_no_more(tmp_path: Path) -> None:
    intake = Intake(tmp_path)
    intake.begin("1", name="a.bin", size_bytes=10)
    intake.take("1", b"01234", offset=0)
    intake.cancel("1")
    assert intake.take("1", b"56789", offset=5) is None
    assert intake.whole("1") is None
    assert list(tmp_path.iterdir()) == []
    intake.begin("2", name="b.bin", size_bytes=10)
    intake.close()
    assert list(tmp_path.iterdir()) == []


def test_a_chunk_that_comes_twice_counts_once(tmp_path: Path) -> None:
    intake = Intake(tmp_path)
    intake.begin("1", name="a.bin", size_bytes=4)
    assert intake.take("1", b"01", offset=0) == 2
    assert intake.take("1", b"01", offset=0) == 2
    assert intake.take("1", b"23", offset=2) == 4
    path = intake.whole("1")
    assert path is not None
    assert path.read_bytes() == b"0123"


@pytest.mark.parametrize("chunk", [b"", b"12345"])
def test_a_file_that_changed_while_it_was_sent_is_refused(tmp_path: Path, chunk: bytes) -> None:
    intake = Intake(tmp_path)
    intake.begin("1", name="a.bin", size_bytes=4)
    with pytest.raises(InputError, match="changed"):
        intake.take("1", chunk, offset=0)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    intake = Intake(tmp_path)
    intake.begin("1", name="a.bin", size_bytes=4)

    class Full:
        def write(self, _: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            pass

    intake._coming["1"].file.close()
    intake._coming["1"].file = Full()  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space"):
        intake.take("1", b"0123", offset=0)
    assert list(tmp_path.iterdir()) == []


def test_what_is_too_large_is_refused_before_it_comes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="512 MiB"):
        Intake(tmp_path).begin("1", name="a.bin", size_bytes=MOST_BYTES + 1)


def test_what_a_kernel_that_is_gone_left_goes_after_a_day(tmp_path: Path) -> None:
    old = tmp_path / ".0123456789abcdef.part"
    old.write_bytes(b"half")
    now = old.stat().st_mtime
    for after_s, stays in ((STALE_S - 1, True), (STALE_S + 1, False)):
        intake = Intake(tmp_path, clock=lambda: now + after_s)  # noqa: B023 - asked at once
        intake.begin("1", name="a", size_bytes=1)
        intake.close()
        assert old.exists() is stays


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("../../.ssh/id_rsa", "id_rsa"),
        ("C:\\Users\\a\\cat.png", "cat.png"),
        (".bashrc", "bashrc"),
        ("..", "file"),
        ("", "file"),
        ("a:b?.PNG", "a_b_.PNG"),
        ("猫.png", "猫.png"),
        ("evil\u202egnp.exe", "evil_gnp.exe"),
        ("half\ud83d.png", "half_.png"),
        ('<img src=x onerror="x">.png', "_img src=x onerror=_x_.png"),
    ],
)
def test_a_name_is_one(given_name: str, name: str) -> None:
    assert plain_name(given_name) == name


@given(st.text(max_size=400))
def test_any_name_can_be_written(name: str) -> None:
    plain = plain_name(name)
    assert plain == Path(plain).name
    assert not plain.startswith(".")
    assert 0 < len(plain.encode()) < 250
