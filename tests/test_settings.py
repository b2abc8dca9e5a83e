from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import pickle
import stat
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb import keystore
from anyfast_nb import settings as room
from anyfast_nb.errors import ConfigError, InputError, MissingKeyError
from anyfast_nb.settings import (
    DEFAULT_BASE_URL,
    Secret,
    Settings,
    endpoint,
    load,
    normalise_base_url,
    wants_simulator,
)

KEY = "sk-live-0123456789"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def environ(home: Path, **values: str) -> dict[str, str]:
    return {"ANYFAST_HOME": str(home), **values}


def with_key(base_url: str | None = None, key: str = KEY) -> Settings:
    return Settings().with_changes(origin="test", api_key=key, base_url=base_url)


# --- which value counts -----------------------------------------------------------------------


def test_argument_over_config_over_environment_over_file(home: Path) -> None:
    room.save_file(home, base_url="https://file.example", model="file-model", system="file", footer="short")
    from_file = load(environ(home))
    assert (from_file.base_url, from_file.model, from_file.origins["base_url"]) == (
        "https://file.example",
        "file-model",
        "settings.json",
    )
    from_environment = load(environ(home, ANYFAST_BASE_URL="https://env.example/v1"))
    assert (from_environment.base_url, from_environment.model) == ("https://env.example", "file-model")
    assert from_environment.origins["base_url"] == "environment"
    config = from_environment.with_changes(
        origin="%anyfast config", base_url="https://config.example", footer="off"
    )
    assert (config.base_url, config.footer, config.system) == ("https://config.example", "off", "file")
    argument = config.with_changes(origin="argument", base_url="https://argument.example", model=None)
    assert (argument.base_url, argument.model) == ("https://argument.example", "file-model")
    assert argument.origins == {
        "base_url": "argument",
        "model": "settings.json",
        "system": "settings.json",
        "footer": "%anyfast config",
    }


def test_without_anything_there_are_defaults(home: Path) -> None:
    settings = load(environ(home))
    assert (settings.api_key, settings.base_url, settings.system, settings.ledger_url) == (None,) * 4
    assert (settings.model, settings.footer, settings.home) == (room.DEFAULT_MODEL, "full", home)
    assert not home.exists()


def test_the_environment_gives_key_address_and_ledger(home: Path) -> None:
    settings = load(
        environ(
            home, ANYFAST_API_KEY=f" {KEY}\n", ANYFAST_BASE_URL="simulator", ANYFAST_LEDGER_URL="sqlite:///x"
        )
    )
    assert settings.api_key == Secret(KEY)
    assert (settings.base_url, settings.ledger_url) == ("simulator", "sqlite:///x")
    assert load(environ(home, ANYFAST_API_KEY="", ANYFAST_BASE_URL="")).api_key is None


def test_forgetting_a_value_brings_its_default_back(home: Path) -> None:
    settings = load(environ(home, ANYFAST_BASE_URL="https://env.example")).without("base_url")
    assert settings.base_url is None
    assert "base_url" not in settings.origins


def test_the_folder_is_anyfast_home_or_the_platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert room.home({"ANYFAST_HOME": "~/state"}) == tmp_path / "state"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert room.home({}).name == "anyfast-nb"


# --- the file ---------------------------------------------------------------------------------


def test_the_file_is_its_owners_alone(home: Path) -> None:
    path = room.save_file(home, model="pro")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_saving_keeps_the_rest_and_none_removes(home: Path) -> None:
    room.save_file(home, model="pro", base_url="https://h.example/v1/")
    room.save_file(home, model=None, system="Be brief. 请用中文。")
    assert room.read_file(home) == {"base_url": "https://h.example", "system": "Be brief. 请用中文。"}


def test_the_settings_file_takes_no_key_and_gives_none(home: Path) -> None:
    with pytest.raises(InputError, match="unknown setting 'api_key'"):
        room.save_file(home, api_key=KEY)
    assert not home.exists()
    home.mkdir()
    (home / "settings.json").write_text(json.dumps({"api_key": KEY, "model": "pro", "later": 1}))
    assert load(environ(home)).api_key is None
    assert room.read_file(home) == {"model": "pro"}


@pytest.mark.parametrize("text", ["", "{", "[]", "5"])
def test_a_broken_file_is_told_with_its_place(home: Path, text: str) -> None:
    home.mkdir()
    (home / "settings.json").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(environ(home))
    assert str(home / "settings.json") in caught.value.hint


@pytest.mark.parametrize(
    ("variables", "saved", "place"),
    [
        ({"ANYFAST_BASE_URL": "ftp://h"}, {}, "(from the environment)"),
        ({"ANYFAST_API_KEY": "has space"}, {}, "(from the environment)"),
        ({}, {"footer": "huge"}, "(from the settings.json)"),
    ],
)
def test_a_value_that_cannot_work_is_told_with_its_place(
    home: Path, variables: dict[str, str], saved: dict[str, str], place: str
) -> None:
    home.mkdir()
    (home / "settings.json").write_text(json.dumps(saved))
    with pytest.raises(ConfigError) as caught:
        load(environ(home, **variables))
    assert place in caught.value.message
    assert "has space" not in str(caught.value)


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="unknown setting 'modle'") as caught:
        Settings().with_changes(origin="x", modle="pro")
    assert caught.value.hint == "Did you mean model?"
    with pytest.raises(InputError) as caught:
        Settings().with_changes(origin="x", zzz=1)
    assert "base_url, model, system, footer" in caught.value.hint


# --- base URLs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://www.anyfast.ai", "https://www.anyfast.ai"),
        ("https://www.anyfast.ai/", "https://www.anyfast.ai"),
        ("https://www.anyfast.ai/v1", "https://www.anyfast.ai"),
        ("https://www.anyfast.ai/v1/", "https://www.anyfast.ai"),
        ("https://www.anyfast.ai//v1//", "https://www.anyfast.ai"),
        ("  https://www.anyfast.ai/v1\n", "https://www.anyfast.ai"),
        ("HTTPS://WWW.AnyFast.AI/v1", "https://www.anyfast.ai"),
        ("https://h.example:443/v1", "https://h.example"),
        ("http://h.example:80", "http://h.example"),
        ("http://h.example:", "http://h.example"),
        ("https://h.example:8443/v1", "https://h.example:8443"),
        ("https://h.example/Gateway/v1/", "https://h.example/Gateway"),
        ("https://h.example/v1/proxy", "https://h.example/v1/proxy"),
        ("https://h.example/notv1", "https://h.example/notv1"),
        ("http://127.0.0.1:8765/v1", "http://127.0.0.1:8765"),
        ("http://[::1]:8765/v1", "http://[::1]:8765"),
        ("http://LOCALHOST:8765", "http://localhost:8765"),
        ("simulator", "simulator"),
        (" Simulator ", "simulator"),
    ],
)
def test_base_urls_are_normalised(given: str, kept: str) -> None:
    assert normalise_base_url(given) == kept
    assert normalise_base_url(kept) == kept


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "anyfast.ai",
        "localhost:8765",
        "ftp://h",
        "https://",
        "https:///v1",
        "http://[::1",
        "http://h:port",
        "http://h:99999",
        "https://me:secretpw@h",
        "https://me@h",
        "https://@h",
        "https://h?key=secretpw",
        "https://h/v1#secretpw",
        "sk-secretpw",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://good.example\\@evil.example",
        "https://good.example\x85/",
        "https://good example",
    ],
)
def test_what_is_no_base_url_is_refused_without_repeating_it(bad: str) -> None:
    with pytest.raises(InputError) as caught:
        normalise_base_url(bad)
    assert caught.value.field == "base_url"
    assert "secretpw" not in str(caught.value)
    assert DEFAULT_BASE_URL in caught.value.hint


@given(st.text(max_size=60).map(lambda text: f"https://{text}") | st.text(max_size=40))
def test_a_base_url_is_stable_or_refused(text: str) -> None:
    try:
        kept = normalise_base_url(text)
    except InputError:
        return
    assert normalise_base_url(kept) == kept


# --- where a request goes ---------------------------------------------------------------------


def test_a_key_alone_goes_to_the_vendor() -> None:
    target = endpoint(with_key())
    assert (target.base_url, target.api_key, target.simulated) == (DEFAULT_BASE_URL, Secret(KEY), False)


def test_a_base_url_without_a_key_is_an_error_that_names_it() -> None:
    settings = Settings().with_changes(origin="x", base_url="https://h.example/v1")
    assert not wants_simulator(settings, interactive=True)
    with pytest.raises(
        MissingKeyError, match=r"no AnyFast key is set for https://h\.example; nothing was sent"
    ):
        endpoint(settings)


def test_without_a_key_the_error_says_what_to_do() -> None:
    with pytest.raises(MissingKeyError) as caught:
        endpoint(Settings())
    assert caught.value.lines() == [
        "MissingKeyError: no AnyFast key is set; nothing was sent",
        (
            "Set ANYFAST_API_KEY, run `%anyfast login` in a notebook, or use the built-in AnyFast: "
            'Client(base_url="simulator").'
        ),
    ]


@pytest.mark.parametrize(
    ("base_url", "key", "interactive", "simulated"),
    [
        (None, None, True, True),
        (None, None, False, False),
        (None, KEY, True, False),
        ("https://h.example", None, True, False),
        ("simulator", None, False, True),
        ("simulator", KEY, True, True),
        ("simulator", KEY, False, True),
    ],
)
def test_when_the_built_in_anyfast_answers(
    base_url: str | None, key: str | None, interactive: bool, simulated: bool
) -> None:
    settings = Settings().with_changes(origin="x", base_url=base_url, api_key=key)
    assert wants_simulator(settings, interactive=interactive) is simulated


@pytest.mark.parametrize(
    ("base_url", "key", "travels"),
    [
        ("https://h.example", KEY, True),
        ("http://h.example", KEY, False),
        ("http://192.168.1.5:8765", KEY, False),
        ("http://127.0.0.1:8765", KEY, True),
        ("http://127.9.9.9", KEY, True),
        ("http://[::1]:8765", KEY, True),
        ("http://localhost:8765", KEY, True),
        ("http://localhost.evil.example", KEY, False),
        ("http://evil.localhost", KEY, False),
        ("http://127.0.0.1.evil.example", KEY, False),
        ("http://0.0.0.0:8765", KEY, False),
        ("http://h.example", "sk-sim-class", True),
        ("http://192.168.1.5:8765", "sk-sim-class", True),
        ("http://h.example", "sk-simple", False),
    ],
)
def test_a_key_travels_over_https_or_to_loopback_only(base_url: str, key: str, travels: bool) -> None:
    settings = with_key(base_url, key)
    if travels:
        assert endpoint(settings).base_url == base_url
        assert endpoint(settings).simulated == key.startswith("sk-sim-")
    else:
        with pytest.raises(ConfigError, match="unencrypted") as caught:
            endpoint(settings)
        assert key not in str(caught.value)


# --- stored keys ------------------------------------------------------------------------------


@pytest.fixture
def stored(home: Path) -> Path:
    keystore.write_private(
        keystore.path(home), json.dumps({"https://stored.example": KEY, DEFAULT_BASE_URL: "sk-vendor-1"})
    )
    return home


def test_a_stored_key_is_used_for_its_base_url_alone(stored: Path) -> None:
    assert load(environ(stored)).api_key == Secret("sk-vendor-1")
    assert load(environ(stored, ANYFAST_BASE_URL="https://STORED.example/v1")).api_key == Secret(KEY)
    assert load(environ(stored, ANYFAST_BASE_URL="https://other.example")).api_key is None
    assert load(environ(stored, ANYFAST_BASE_URL="https://stored.example:8443")).api_key is None
    assert load(environ(stored, ANYFAST_BASE_URL="http://stored.example")).api_key is None
    assert load(environ(stored, ANYFAST_BASE_URL="simulator")).api_key is None


def test_changing_the_base_url_never_takes_a_stored_key_along(stored: Path) -> None:
    settings = load(environ(stored))
    for place in ("https://evil.example", "http://127.0.0.1:1", "https://stored.example", "simulator"):
        moved = room.with_stored_key(settings.with_changes(origin="%anyfast config", base_url=place))
        assert moved.api_key == (Secret(KEY) if "stored" in place else None)
    assert room.with_stored_key(settings.without("base_url")).api_key == Secret("sk-vendor-1")


def test_a_given_key_is_never_replaced_by_a_stored_one(stored: Path) -> None:
    settings = load(environ(stored, ANYFAST_API_KEY="sk-environment"))
    assert settings.api_key == Secret("sk-environment")
    moved = room.with_stored_key(settings.with_changes(origin="x", base_url="https://stored.example"))
    assert moved.api_key == Secret("sk-environment")


# --- the key does not show --------------------------------------------------------------------


def test_a_keys_mark_tells_keys_apart_and_gives_nothing_away() -> None:
    mark = Secret(KEY).mark()
    assert mark == hashlib.sha256(b"anyfast-key\0" + KEY.encode()).hexdigest()[:16]
    assert mark != Secret(KEY + "x").mark()
    assert not any(KEY[i : i + 6] in mark for i in range(len(KEY) - 5))


def test_a_secret_shows_nowhere() -> None:
    secret = Secret(KEY)
    settings = with_key()
    target = endpoint(settings)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r}", f"{secret}", "%s %r" % (secret, secret)]  # noqa: UP031
    shown += [
        repr(settings),
        str(settings),
        repr(target),
        repr([secret]),
        repr({"k": secret}),
        repr(dir(secret)),
    ]
    shown += [repr(vars(settings)) if hasattr(settings, "__dict__") else "", json.dumps({"s": str(settings)})]
    assert not any(KEY[i : i + 6] in text for text in shown for i in range(len(KEY) - 5))
    assert secret.reveal() == KEY
    assert not hasattr(secret, "__dict__")


def test_a_secret_is_not_pickled_or_turned_into_a_dict() -> None:
    secret = Secret(KEY)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(secret, protocol)
    with pytest.raises(TypeError):
        pickle.dumps(with_key())
    with pytest.raises(TypeError):
        dataclasses.asdict(with_key())
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        f"{secret:>20}"


def test_secrets_compare_by_what_they_hide() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("a") != "a"


def test_a_traceback_with_local_variables_does_not_show_the_key() -> None:
    settings = with_key("http://h.example")

    def call(settings: Settings, secret: Secret) -> None:
        endpoint(settings)

    try:
        call(settings, Secret(KEY))
    except ConfigError as error:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "Secret(hidden)" in text
    assert KEY not in text


def test_a_password_in_the_ledgers_address_does_not_show() -> None:
    assert "hunter2" not in repr(Settings().with_changes(origin="x", ledger_url="postgresql://me:hunter2@db"))


@pytest.mark.parametrize(
    "bad", ["", "  ", "Bearer sk-1", "bearer sk-1", "sk 1", "sk-\n1", "sk-钥匙", "sk-\x001"]
)
def test_what_cannot_be_a_key_is_refused_without_repeating_it(bad: Any) -> None:
    with pytest.raises(InputError) as caught:
        room.check_key(bad)
    assert caught.value.field == "api_key"
    assert "sk" not in str(caught.value)
