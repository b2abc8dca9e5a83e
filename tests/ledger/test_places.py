from __future__ import annotations

from pathlib import Path

import pytest

from anyfast_nb.errors import ConfigError
from anyfast_nb.ledger.disk.location import ledger_path, locate
from anyfast_nb.ledger.disk.mounts import is_network

MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/local ext4 rw 0 0
//nas/share /mnt/with\\040space cifs rw 0 0
me@host:/x /mnt/ssh fuse.sshfs rw 0 0
overlay /mnt/overlay fuse.fuse-overlayfs rw 0 0
/dev/vdc /mnt/twice ext4 rw 0 0
server:/b /mnt/twice nfs rw 0 0
tmpfs /tmp tmpfs rw 0 0
broken line
"""


@pytest.mark.parametrize(
    ("path", "network"),
    [
        ("/srv/ledger.sqlite3", False),
        ("/home/anna/.local/ledger.sqlite3", True),
        ("/home", True),
        ("/homes/anna", False),
        ("/home/local/ledger.sqlite3", False),
        ("/mnt/with space/x", True),
        ("/mnt/ssh/x", True),
        ("/mnt/overlay/x", False),
        ("/mnt/twice/x", True),
    ],
)
def test_a_network_mount_is_told_by_the_longest_prefix(path: str, network: bool) -> None:
    assert is_network(Path(path), mounts=MOUNTS) is network


def test_without_a_mount_table_a_folder_is_local(tmp_path: Path) -> None:
    assert not is_network(tmp_path, mounts="")
    assert not is_network(Path("/dev/shm"))


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("/a/b.db", "/a/b.db"),
        (Path("b.db"), "b.db"),
        ("sqlite:////a/b c.db", "/a/b c.db"),
        ("sqlite:////a/b%20c.db?timeout=3", "/a/b c.db"),
        ("sqlite:///b.db", "b.db"),
        ("sqlite+pysqlite:////a/b.db", "/a/b.db"),
    ],
)
def test_a_place_is_a_path_or_a_sqlite_url(place: str | Path, path: str) -> None:
    assert ledger_path(place) == Path(path)


def test_the_home_sign_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ledger_path("~/l.db") == ledger_path("sqlite:///~/l.db") == tmp_path / "l.db"


def test_the_environment_names_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANYFAST_HOME", str(tmp_path))
    assert ledger_path(environ={}) == tmp_path / "ledger.sqlite3"
    assert ledger_path(environ={"ANYFAST_LEDGER_URL": " "}) == tmp_path / "ledger.sqlite3"
    assert ledger_path(environ={"ANYFAST_LEDGER_URL": "sqlite:////x/y.db"}) == Path("/x/y.db")


@pytest.mark.parametrize(
    ("url", "kind", "says"),
    [
        ("mysql://anna:geheim@db/ledger", "mysql", "not supported"),
        ("postgresql+psycopg2://anna:geheim@db/ledger", "postgresql+psycopg2", "not supported"),
        ("postgresql://anna:geheim@db", "postgresql", "names no PostgreSQL database"),
        ("postgresql://anna:geheim@db:port/x", "PostgreSQL", "names no PostgreSQL database"),
    ],
)
def test_another_database_is_refused_without_showing_its_password(url: str, kind: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        ledger_path(url)
    assert kind.lower() in str(caught.value).lower()
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "place", "read"),
    [
        (
            "postgresql://anna:geheim@db/ledger?sslmode=require",
            "postgresql://anna@db/ledger",
            "postgresql://anna:geheim@db/ledger?sslmode=require",
        ),
        (
            "postgresql+psycopg://anna:ge%40h%2Feim@db:5433/ledger",
            "postgresql://anna@db:5433/ledger",
            "postgresql://anna:ge%40h%2Feim@db:5433/ledger",
        ),
        (  # as people paste it
            "postgres://anna:ge@h/e:i?m@[::1]:5433/ledger",
            "postgresql://anna@[::1]:5433/ledger",
            "postgresql://anna:ge%40h%2Fe%3Ai%3Fm@[::1]:5433/ledger",
        ),
        (
            "postgresql:///ledger?host=/var/run/postgresql&password=geheim",
            "postgresql:///ledger",
            "postgresql:///ledger?host=/var/run/postgresql&password=geheim",
        ),
    ],
)
def test_a_postgresql_url_is_read_and_shown_without_its_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, place: str, read: str
) -> None:
    monkeypatch.setenv("ANYFAST_HOME", str(tmp_path))
    found = locate(url)
    assert (found.dialect, found.place, found.url) == ("postgresql", place, read)
    assert found.path.parent == tmp_path
    assert found.path.name.startswith("ledger-")
    assert "ge" not in repr(found).replace("ledger", "")
    other_password = url.replace("geheim", "new").replace("ge%40h%2Feim", "new").replace("ge@h/e:i?m", "new")
    assert locate(other_password).path == found.path
    assert locate(url.replace("ledger", "other")).path != found.path
    assert locate(environ={"ANYFAST_LEDGER_URL": url}) == found


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_ledger_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="names no file"):
        ledger_path(url)
