"""login, logout, models, config, code, doctor, against a real built-in AnyFast."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb import keystore, settings
from anyfast_nb.errors import AuthenticationError, InputError, MissingKeyError
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.magics import verbs
from anyfast_nb.session import Session
from anyfast_nb.wire.values import Answer
from tests.conftest import Simulator
from tests.wire_server import WireServer


class Shown(list[str]):
    """Collects what a verb shows, as text; keys must be in none of its forms."""

    def __call__(self, bundle: dict[str, Any]) -> None:
        assert "sk-sim-test" not in json.dumps(bundle)
        self.append(bundle["text/plain"])

    @property
    def text(self) -> str:
        return "\n".join(self)


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> Iterator[Session]:
    monkeypatch.setenv("ANYFAST_BASE_URL", simulator.base_url)
    session = Session()
    yield session
    io_loop().run(session.gateway.connection.close())
    session.gateway.ledger.close()


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keystore, "keyring", lambda: None)


@pytest.mark.usefixtures("no_keyring")
def test_login_checks_the_key_and_says_where_it_is(own: Session, simulator: Simulator, shown: Shown) -> None:
    verbs.login(own, "", shown, ask=lambda _: simulator.key)
    assert "Key accepted" in shown.text
    assert settings.normalise_base_url(simulator.base_url) in shown.text
    assert "this kernel only" in shown.text
    assert not keystore.path(own.settings.home).exists()
    assert own.settings.api_key is not None
    assert own.settings.api_key.reveal() == simulator.key


@pytest.mark.usefixtures("no_keyring")
def test_login_saves_a_file_only_its_owner_reads(own: Session, simulator: Simulator, shown: Shown) -> None:
    verbs.login(own, "--save", shown, ask=lambda _: simulator.key)
    path = keystore.path(own.settings.home)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert str(path) in shown.text
    assert Session().settings.api_key == own.settings.api_key  # the next kernel finds it

    verbs.logout(own, "", shown)
    assert own.settings.api_key is None
    assert Session().settings.api_key is None
    assert "forgotten" in shown.text


def test_a_wrong_key_is_refused_and_not_kept(own: Session, shown: Shown) -> None:
    with pytest.raises(AuthenticationError):
        verbs.login(own, "--save", shown, ask=lambda _: "sk-wrong-000000")
    assert own.settings.api_key is None
    assert not keystore.path(own.settings.home).exists()
    assert not shown


def test_config_shows_and_changes(own: Session, shown: Shown) -> None:
    verbs.config(own, "model=pro footer=short 'system=Be brief.'", shown)
    assert (own.settings.model, own.settings.footer, own.settings.system) == ("pro", "short", "Be brief.")
    assert "%anyfast config" in shown.text
    verbs.config(own, "model= system=", shown)
    assert (own.settings.model, own.settings.system) == (settings.DEFAULT_MODEL, None)
    assert own.settings.footer == "short"
    assert Session().settings.footer == "full"  # this kernel alone


def test_config_of_films(own: Session, shown: Shown) -> None:
    verbs.config(own, "wait=false confirm_above=200,000 --save", shown)
    assert (own.settings.wait, own.settings.confirm_above) == (False, 200_000)
    assert "false" in shown.text
    assert "200000" in shown.text
    assert (Session().settings.wait, Session().settings.confirm_above) == (False, 200_000)
    verbs.config(own, "wait=on confirm_above= --save", shown)
    assert (Session().settings.wait, Session().settings.confirm_above) == (True, None)


def test_config_saves(own: Session, shown: Shown) -> None:
    verbs.config(own, "model=mini --save", shown)
    assert Session().settings.model == "mini"
    verbs.config(own, "model= --save", shown)
    assert Session().settings.model == settings.DEFAULT_MODEL


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("footr=short", "Did you mean footer?"),
        ("footer=loud", "full, short, off"),
        ("wait=soon", "wait=true or wait=false"),
        ("confirm_above=much", "a number of tokens"),
        ("base_url=ftp://x", "http"),
        ("api_key=sk-123456", "%anyfast login"),
        ("model", "name=value"),
        ("--save", "nothing to save"),
    ],
)
def test_config_refuses(own: Session, shown: Shown, line: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        verbs.config(own, line, shown)
    assert says in str(caught.value)
    assert "sk-123456" not in str(caught.value)


def test_models_are_the_gateways_own(own: Session, simulator: Simulator, shown: Shown) -> None:
    own.configure(api_key=simulator.key)
    verbs.models(own, "", shown)
    assert "doubao-seed-2.0-pro" in shown.text
    assert "pro " in shown.text


def test_code_inserts_and_runs_nothing(own: Session, shown: Shown) -> None:
    inserted: list[str] = []
    own.last = Answer(text="One:\n\n```python\na = 1\n```\n\nTwo:\n\n~~~\nb = 2\n\nc = 3\n~~~\n")
    verbs.code(own, "", shown, insert=inserted.append)
    verbs.code(own, "2", shown, insert=inserted.append)
    assert inserted == ["a = 1", "b = 2\n\nc = 3"]
    for line, says in (("3", "1 to 2"), ("0", "1 to 2"), ("x", "1 to 2")):
        with pytest.raises(InputError, match=says):
            verbs.code(own, line, shown, insert=inserted.append)
    own.last = Answer(text="no code")
    with pytest.raises(InputError, match="no code block"):
        verbs.code(own, "", shown, insert=inserted.append)
    own.last = None
    with pytest.raises(InputError, match="no answer yet"):
        verbs.code(own, "", shown, insert=inserted.append)


def test_doctor_fits_a_bug_report(own: Session, simulator: Simulator, shown: Shown) -> None:
    own.configure(api_key=simulator.key)
    verbs.doctor(own, "", shown)
    for word in (
        "Python",
        "anyfast-nb",
        "httpx",
        "set %anyfast config",
        "reachable",
        "yes,",
        "ledger.sqlite3",
    ):
        assert word in shown.text


def test_doctor_works_where_nothing_does(
    monkeypatch: pytest.MonkeyPatch, shown: Shown, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANYFAST_HOME", str(tmp_path))
    (tmp_path / "settings.json").write_text("{broken")
    verbs.doctor(Session(), "", shown)
    assert "settings file cannot be read" in shown.text
    assert "Python" in shown.text


@pytest.mark.usefixtures("no_keyring")
def test_logout_tells_of_a_key_in_the_environment(
    own: Session, simulator: Simulator, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANYFAST_API_KEY", simulator.key)
    verbs.login(own, "", shown, ask=lambda _: simulator.key)
    verbs.logout(own, "", shown)
    assert "ANYFAST_API_KEY is still set" in shown.text


@pytest.mark.usefixtures("no_keyring")
@pytest.mark.parametrize("line", ["", "--save"])
def test_a_logins_key_stays_with_its_base_url(
    own: Session, simulator: Simulator, shown: Shown, wire_server: WireServer, line: str
) -> None:
    verbs.login(own, line, shown, ask=lambda _: simulator.key)
    own.configure(base_url=wire_server.url)
    with pytest.raises(MissingKeyError):
        own.gateway.connection.check()
    assert own.settings.api_key is None
    own.configure(base_url=simulator.base_url)
    assert own.settings.api_key is not None
    assert not wire_server.requests


@pytest.mark.usefixtures("no_keyring")
def test_logout_is_about_the_gateway_while_the_built_in_anyfast_answers(own: Session, shown: Shown) -> None:
    own.configure(base_url="simulator")
    keystore.keep(own.settings.home, base_url=settings.DEFAULT_BASE_URL, key="sk-stored-000000", in_file=True)
    verbs.logout(own, "", shown)
    assert keystore.find(own.settings.home, base_url=settings.DEFAULT_BASE_URL) is None
    assert f"The key for {settings.DEFAULT_BASE_URL} is forgotten" in shown.text
    verbs.logout(own, "", shown)
    assert "No key for" in shown.text


def test_taking_a_setting_back_leaves_environment_and_file(
    own: Session, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANYFAST_API_KEY", "sk-live-000000")
    monkeypatch.setenv("ANYFAST_BASE_URL", "simulator")
    verbs.config(own, "model=pro --save", shown)
    verbs.config(own, "model=mini base_url=https://other.example", shown)
    verbs.config(own, "model= base_url=", shown)
    assert (own.settings.model, own.settings.base_url) == ("pro", "simulator")
