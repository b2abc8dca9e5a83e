from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from anyfast_nb import keystore
from anyfast_nb.errors import ConfigError

URL, OTHER = "https://www.anyfast.ai", "https://www.anyfast.com.cn"


class FakeKeyring:
    """As much of the keyring library as is used."""

    class KeyringError(Exception):
        pass

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.broken = False

    def _touch(self) -> None:
        if self.broken:
            raise self.KeyringError("no session bus")

    def get_password(self, service: str, name: str) -> str | None:
        self._touch()
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self._touch()
        self.kept[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        self._touch()
        if self.kept.pop((service, name), None) is None:
            raise self.KeyringError("not found")


def install(monkeypatch: pytest.MonkeyPatch, fake: FakeKeyring | None) -> None:
    """Put a keyring library in place; without a fake it finds no backend."""
    library: Any = ModuleType("keyring")
    library.errors = ModuleType("keyring.errors")
    library.errors.KeyringError = FakeKeyring.KeyringError
    fail: Any = ModuleType("keyring.backends.fail")
    fail.Keyring = type("Keyring", (), {})
    library.get_keyring = fail.Keyring if fake is None else lambda: fake
    if fake is not None:
        for name in ("get_password", "set_password", "delete_password"):
            setattr(library, name, getattr(fake, name))
    monkeypatch.setitem(sys.modules, "keyring", library)
    monkeypatch.setitem(sys.modules, "keyring.backends", ModuleType("keyring.backends"))
    monkeypatch.setitem(sys.modules, "keyring.backends.fail", fail)


@pytest.fixture(params=["no library", "no backend"])
def without_keyring(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "no library":
        monkeypatch.setitem(sys.modules, "keyring", None)
    else:
        install(monkeypatch, None)


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    fake = FakeKeyring()
    install(monkeypatch, fake)
    return fake


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nothing_is_found_in_an_empty_folder(tmp_path: Path) -> None:
    assert keystore.find(tmp_path / "none", base_url=URL) is None
    assert not keystore.forget(tmp_path / "none", base_url=URL)
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("without_keyring")
def test_a_key_is_kept_in_a_file_of_its_owners_only_if_asked(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert keystore.keep(home, base_url=URL, key="sk-abc", in_file=False) is None
    assert not home.exists()
    assert "readable by you alone" in (keystore.keep(home, base_url=URL, key="sk-abc", in_file=True) or "")
    assert mode(home) == 0o700
    assert [mode(path) for path in home.iterdir()] == [0o600]
    assert keystore.find(home, base_url=URL) == ("sk-abc", "key file")


@pytest.mark.usefixtures("without_keyring")
def test_a_key_belongs_to_its_base_url(tmp_path: Path) -> None:
    keystore.keep(tmp_path, base_url=URL, key="sk-one", in_file=True)
    keystore.keep(tmp_path, base_url=OTHER, key="sk-two", in_file=True)
    assert keystore.find(tmp_path, base_url=URL) == ("sk-one", "key file")
    assert keystore.find(tmp_path, base_url=f"{URL}:8443") is None
    assert keystore.forget(tmp_path, base_url=URL)
    assert keystore.find(tmp_path, base_url=URL) is None
    assert keystore.find(tmp_path, base_url=OTHER) == ("sk-two", "key file")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", '{"https://www.anyfast.ai": 5}', '{"https://www.anyfast.ai": null}']
)
def test_a_broken_file_holds_no_key(tmp_path: Path, text: str) -> None:
    keystore.path(tmp_path).write_text(text)
    assert keystore.find(tmp_path, base_url=URL) is None


def test_the_keyring_holds_the_key_and_the_file_only_its_place(tmp_path: Path, ring: FakeKeyring) -> None:
    assert keystore.keep(tmp_path, base_url=URL, key="sk-abc", in_file=True) == "the system's keyring"
    assert "sk-abc" not in keystore.path(tmp_path).read_text()
    assert keystore.find(tmp_path, base_url=URL) == ("sk-abc", "keyring")
    assert keystore.forget(tmp_path, base_url=URL)
    assert ring.kept == {}
    assert json.loads(keystore.path(tmp_path).read_text()) == {}


def test_a_locked_keyring_breaks_nothing(tmp_path: Path, ring: FakeKeyring) -> None:
    keystore.keep(tmp_path, base_url=URL, key="sk-abc", in_file=False)
    ring.broken = True
    assert keystore.find(tmp_path, base_url=URL) is None
    assert keystore.keep(tmp_path, base_url=OTHER, key="sk-two", in_file=False) is None
    assert keystore.keep(tmp_path, base_url=OTHER, key="sk-two", in_file=True) is not None
    assert keystore.find(tmp_path, base_url=OTHER) == ("sk-two", "key file")
    assert keystore.forget(tmp_path, base_url=URL)


def test_a_file_is_replaced_in_one_step_whatever_its_mode_was(tmp_path: Path) -> None:
    target = tmp_path / "keys.json"
    target.write_text("old")
    target.chmod(0o644)
    keystore.write_private(target, "new")
    assert (target.read_text(), mode(target)) == ("new", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_a_folder_that_cannot_be_written_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        keystore.write_private(tmp_path / "file" / "keys.json", "sk-abc")
    assert "ANYFAST_HOME" in caught.value.hint
    (tmp_path / "keys.json").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        keystore.write_private(tmp_path / "keys.json", "sk-abc")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "keys.json"]
