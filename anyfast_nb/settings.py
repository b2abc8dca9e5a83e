"""Settings: argument > `%anyfast config` > environment > file. The key is never printed.

One `Settings` value answers every question of the package: which key, which
base URL, which model, which folder. `load` reads the environment and the
file once; `Settings.with_changes` layers `%anyfast config` or arguments on
top. `endpoint` decides where a request goes and holds the rules on keys:

- ``base_url=simulator`` means the built-in AnyFast, even where a key is known;
- a key without a base URL goes to the vendor's global address;
- a base URL without a key is an error;
- neither: the built-in AnyFast where a person is looking (a magic, a panel),
  a `MissingKeyError` elsewhere;
- a key travels over https or to loopback only (``sk-sim-…`` also over http).
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args
from urllib.parse import urlsplit

from anyfast_nb import keystore
from anyfast_nb.allowed import check_allowed
from anyfast_nb.errors import ConfigError, InputError, MissingKeyError
from anyfast_nb.secret import Secret

DEFAULT_BASE_URL: Final = "https://www.anyfast.ai"
SIMULATOR: Final = "simulator"
STORES: Final = ("key file", "keyring")  # origins of a stored key
DEFAULT_MODEL: Final = "doubao-seed-2.0-lite"
Footer = Literal["full", "short", "off"]
FOOTERS: Final = get_args(Footer)
Language = Literal["auto", "en", "zh"]
LANGUAGES: Final = get_args(Language)

KEY_HELP: Final = (
    "Set ANYFAST_API_KEY, run `%anyfast login` in a notebook, "
    'or use the built-in AnyFast: Client(base_url="simulator").'
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the package needs to know.

    Attributes:
        api_key: the key, hidden.
        base_url: gateway address, ``simulator``, or None (not set).
        model: default model id or alias.
        system: default system prompt, or None.
        footer: ``full``, ``short`` or ``off``.
        home: folder of state: ledger, settings, the built-in AnyFast.
        ledger_url: ``ANYFAST_LEDGER_URL``, or None for the file in `home`.
        media_dir: folder for films and pictures; None is ``anyfast_media`` beside the notebook.
        wait: a magic waits for its film; else it shows a card and gives the notebook back at once.
        confirm_above: a magic that would use more tokens asks for ``--yes``; None is never.
        polls_per_s: questions after running jobs, in all, in a second at most.
        language: of the panels: ``en``, ``zh`` (中文), or ``auto``: the locale's.
        allow: what may be sent, ``ANYFAST_ALLOW``: kinds and models; None is everything. Environment and
            file alone say so: a notebook does not widen it.
        origins: for each value that is set, where it came from.
    """

    api_key: Secret | None = None
    base_url: str | None = None
    model: str = DEFAULT_MODEL
    system: str | None = None
    footer: Footer = "full"
    home: Path = Path()
    ledger_url: str | None = field(default=None, repr=False)  # it may hold a password
    media_dir: str | None = None
    wait: bool = True
    confirm_above: int | None = None
    polls_per_s: float = 5.0
    language: Language = "auto"
    allow: tuple[str, ...] | None = None
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def with_changes(self, *, origin: str, **changes: Any) -> Settings:
        """Layer values on top; None leaves a value as it is.

        Raises:
            InputError: an unknown name or a value that cannot work.
        """
        checked = {name: check(name, value) for name, value in changes.items() if value is not None}
        origins = {**self.origins, **dict.fromkeys(checked, origin)}
        return replace(self, **checked, origins=origins)

    def without(self, name: str) -> Settings:
        """Forget one value: back to its default."""
        default = next(f.default for f in fields(self) if f.name == name)
        origins = {key: place for key, place in self.origins.items() if key != name}
        return replace(self, **{name: default, "origins": origins})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a request goes: ``base_url`` without a trailing ``/v1``, and the key."""

    base_url: str
    api_key: Secret
    simulated: bool = False


# --- reading ------------------------------------------------------------------------------


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of state: ``ANYFAST_HOME``, else the platform's data folder."""
    if chosen := environ.get("ANYFAST_HOME"):
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("anyfast-nb", appauthor=False))


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings file, then the environment over it.

    Raises:
        ConfigError: a value there cannot work; the message names its place.
    """
    settings = Settings(home=home(environ))
    for origin, values in (
        (_file(settings.home).name, read_file(settings.home)),
        ("environment", _from_environment(environ)),
    ):
        try:
            settings = settings.with_changes(origin=origin, **values)
        except InputError as error:
            raise ConfigError(f"{error.message} (from the {origin})", hint=error.hint) from None
    return with_stored_key(settings)


def with_stored_key(settings: Settings) -> Settings:
    """Put in the key that is stored for this base URL, unless one was given."""
    if settings.api_key is not None and settings.origins.get("api_key") not in STORES:
        return settings
    settings = settings.without("api_key")
    if settings.base_url == SIMULATOR:
        return settings
    found = keystore.find(settings.home, base_url=settings.base_url or DEFAULT_BASE_URL)
    return settings.with_changes(origin=found[1], api_key=found[0]) if found else settings


def seen_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment as far as it counts here: when it changes, settings are read again."""
    return {name: environ[name] for name in sorted(environ) if name.startswith("ANYFAST_")}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    names = {
        "api_key": "ANYFAST_API_KEY",
        "base_url": "ANYFAST_BASE_URL",
        "ledger_url": "ANYFAST_LEDGER_URL",
        "media_dir": "ANYFAST_MEDIA_DIR",
        "polls_per_s": "ANYFAST_POLLS_PER_S",
        "language": "ANYFAST_LANGUAGE",
        "allow": "ANYFAST_ALLOW",
    }
    return {name: environ[variable] for name, variable in names.items() if environ.get(variable)}


def _file(folder: Path) -> Path:
    return folder / "settings.json"


def read_file(folder: Path) -> dict[str, Any]:
    """The saved settings: {} if there are none.

    Raises:
        ConfigError: the file is not a JSON object.
    """
    try:
        values = json.loads(_file(folder).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the settings file cannot be read: {type(error).__name__}",
            hint=f"Mend or remove {_file(folder)}",
        ) from None
    if not isinstance(values, dict):
        raise ConfigError("the settings file holds no JSON object", hint=f"Mend or remove {_file(folder)}")
    return {name: value for name, value in values.items() if name in (*CONFIGURABLE, *_FILE_ONLY)}


def save_file(folder: Path, **changes: Any) -> Path:
    """Write values into the settings file (mode 0600); None removes one. Returns its path."""
    for name in changes:
        if name not in CONFIGURABLE:  # a key has its own place, see `anyfast_nb.keystore`
            raise unknown(name)
    values = {**read_file(folder), **changes}
    kept = {name: check(name, value) for name, value in values.items() if value is not None}
    keystore.write_private(_file(folder), json.dumps(kept, indent=2, ensure_ascii=False))
    return _file(folder)


# --- checking -----------------------------------------------------------------------------


def check(name: str, value: Any) -> Any:
    """One value, checked and normalised.

    Raises:
        InputError: the name is unknown or the value cannot work.
    """
    if name not in _CHECKS:
        raise unknown(name)
    return _CHECKS[name](value)


def unknown(name: str) -> InputError:
    """The refusal of a name that is no setting here, with the nearest one."""
    import difflib

    if name in _FILE_ONLY:
        return InputError(
            f"{name} is not changed in a notebook",
            field=name,
            hint=f"Set ANYFAST_{name.upper()} before the kernel starts, or write it into settings.json.",
        )
    near = difflib.get_close_matches(name, CONFIGURABLE, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"Settings are: {', '.join(CONFIGURABLE)}"
    return InputError(f"unknown setting {name!r}", field=name, hint=hint)


def check_key(value: str | Secret) -> Secret:
    """A key as the Authorization header can carry it; the value is in no message."""
    key = value.reveal() if isinstance(value, Secret) else str(value).strip()
    if key.lower().startswith("bearer"):
        raise InputError("the key begins with 'Bearer'", field="api_key", hint="Give the key alone.")
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise InputError(
            "the key is empty or holds characters that no key has",
            field="api_key",
            hint="Copy the key from the console once more, without spaces.",
        )
    return Secret(key)


def normalise_base_url(value: str) -> str:
    """``https://host/v1/`` -> ``https://host``; ``simulator`` stays."""
    text = str(value).strip()
    if text.lower() == SIMULATOR:
        return SIMULATOR
    if not text.isprintable() or " " in text:
        raise InputError(
            "the base URL holds characters that no address has", field="base_url", hint=_URL_HINT
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InputError("the base URL cannot be read", field="base_url", hint=_URL_HINT) from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InputError(
            "the base URL needs http:// or https:// and a host", field="base_url", hint=_URL_HINT
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError("the base URL holds more than an address", field="base_url", hint=_URL_HINT)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown_port = "" if port in {None, _PORTS[parts.scheme]} else f":{port}"
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{host}{shown_port}{path}"


_PORTS: Final = {"http": 80, "https": 443}
_URL_HINT = f"It looks like {DEFAULT_BASE_URL} (with or without /v1), or is the word simulator."


def _check_footer(value: str) -> str:
    if value not in FOOTERS:
        raise InputError(f"footer is {value!r}", field="footer", hint=f"Choose one of {', '.join(FOOTERS)}.")
    return value


def _check_language(value: str) -> str:
    word = str(value).strip().lower()
    word = {"中文": "zh", "chinese": "zh", "english": "en"}.get(
        word, word.partition("_")[0].partition("-")[0]
    )
    if word not in LANGUAGES:
        choices = ", ".join(LANGUAGES)
        raise InputError(f"language is {value!r}", field="language", hint=f"Choose one of {choices}.")
    return word


def _check_wait(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in {*_YES, *_NO}:
        raise InputError(f"wait is {value!r}", field="wait", hint="Write wait=true or wait=false.")
    return word in _YES


def _check_tokens(value: Any) -> int:
    text = str(value).strip().replace(",", "").replace("_", "")
    if not text.isdecimal():
        raise InputError(
            f"confirm_above is {value!r}",
            field="confirm_above",
            hint="Write a number of tokens: confirm_above=200000; confirm_above= turns it off.",
        )
    return int(text)


def _check_rate(value: Any) -> float:
    try:
        rate = float(str(value).strip())
    except ValueError:
        rate = 0.0
    if not 0.01 <= rate <= 1000:
        raise InputError(
            f"polls_per_s is {value!r}",
            field="polls_per_s",
            hint="Write a number of requests per second, such as polls_per_s=5.",
        )
    return rate


_YES: Final = ("true", "yes", "on", "1")
_NO: Final = ("false", "no", "off", "0")


def _check_text(value: Any) -> str:
    return str(value).strip()


_CHECKS: Final = {
    "api_key": check_key,
    "base_url": normalise_base_url,
    "model": _check_text,
    "system": _check_text,
    "footer": _check_footer,
    "ledger_url": _check_text,
    "media_dir": _check_text,
    "wait": _check_wait,
    "confirm_above": _check_tokens,
    "polls_per_s": _check_rate,
    "language": _check_language,
    "allow": check_allowed,
}
CONFIGURABLE: Final = (
    "base_url", "model", "system", "footer", "media_dir", "wait", "confirm_above", "polls_per_s",
    "language",
)  # fmt: skip

_FILE_ONLY: Final = ("allow",)  # settings.json and the environment may hold it, a notebook may not


# --- deciding -----------------------------------------------------------------------------


def is_loopback(host: str | None) -> bool:
    """Is this host name or address this machine's own?"""
    if not host:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def wants_simulator(settings: Settings, *, interactive: bool) -> bool:
    """Does a request go to the built-in AnyFast?"""
    if settings.base_url == SIMULATOR:
        return True
    return interactive and settings.base_url is None and settings.api_key is None


def endpoint(settings: Settings) -> Endpoint:
    """The real gateway's address and key.

    Raises:
        MissingKeyError: no key is known.
        ConfigError: the key would travel over plain http to another machine.
    """
    if settings.api_key is None:
        where = f" for {settings.base_url}" if settings.base_url else ""
        raise MissingKeyError(f"no AnyFast key is set{where}; nothing was sent", hint=KEY_HELP)
    base_url = settings.base_url or DEFAULT_BASE_URL
    parts = urlsplit(base_url)
    simulated = settings.api_key.reveal().startswith("sk-sim-")
    if parts.scheme == "http" and not simulated and not is_loopback(parts.hostname):
        raise ConfigError(
            f"the key would travel unencrypted to {parts.hostname}; nothing was sent",
            hint="Use https:// in the base URL.",
        )
    return Endpoint(base_url=base_url, api_key=settings.api_key, simulated=simulated)
