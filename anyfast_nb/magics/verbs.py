"""The verbs of `%anyfast` beside `chat`: login, logout, models, config, code, doctor."""

from __future__ import annotations

import getpass
import os
import platform
import re
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb import catalog, keystore
from anyfast_nb import settings as settings_room
from anyfast_nb.client.faces import Client
from anyfast_nb.errors import AnyFastError, ConfigError, InputError
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.gateway.whence import here
from anyfast_nb.http.redact import redact
from anyfast_nb.magics.options import Options, split, verb_options
from anyfast_nb.render.notice import notice, table
from anyfast_nb.settings import CONFIGURABLE, DEFAULT_BASE_URL, SIMULATOR
from anyfast_nb.wire.text import counted

if TYPE_CHECKING:
    from anyfast_nb.session import Session

Show = Callable[[dict[str, Any]], None]

_CODE_BLOCK: Final = re.compile(
    r"^(?P<indent> {0,3})(?P<fence>`{3,}|~{3,})[^\n]*\n(?P<code>.*?)^ {0,3}(?P=fence)[`~]*[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
_PACKAGES: Final = ("anyfast-nb", "ipython", "ipykernel", "jupyterlab", "ipywidgets", "httpx", "pandas")


# --- the key ------------------------------------------------------------------------------


def login(session: Session, line: str, show: Show, *, ask: Callable[[str], str] = getpass.getpass) -> None:
    """Ask for the key, check it, keep it: in the keyring, with --save in a file, else in this kernel."""
    options = verb_options("login").read(split(line))
    base_url = _gateway(session)
    key = settings_room.check_key(ask(f"Key for {base_url}: "))
    with Client(api_key=key.reveal(), base_url=base_url) as client:
        served = client.models()  # bills nothing; a wrong key is refused here
    session.log_in(key, base_url=base_url)
    kept = keystore.keep(session.settings.home, base_url=base_url, key=key.reveal(), in_file=options.save)
    place = f"kept in {kept}" if kept else "kept in this kernel only (`%anyfast login --save` keeps it)"
    accepted = f"Key accepted, {counted(len(served), 'model')}."
    show(notice(f"{accepted} Requests now go to {base_url}.\nThe key is {place}."))


def logout(session: Session, line: str, show: Show) -> None:
    """Forget the key: in this kernel, and where `login` kept it."""
    Options("logout").read_words(split(line))
    base_url = _gateway(session)
    stored = keystore.forget(session.settings.home, base_url=base_url)
    known = session.log_out(base_url=base_url)
    said = f"No key for {base_url} was kept."
    if stored or known:
        said = f"The key for {base_url} is forgotten" + (", here and where it was kept." if stored else ".")
    if os.environ.get("ANYFAST_API_KEY"):
        said += "\nANYFAST_API_KEY is still set in this kernel's environment."
    show(notice(said))


def _gateway(session: Session) -> str:
    """The real gateway that login and logout are about, also while the built-in AnyFast answers."""
    base_url = session.settings.base_url
    return DEFAULT_BASE_URL if base_url is None or base_url == SIMULATOR else base_url


# --- settings and models ------------------------------------------------------------------


def config(session: Session, line: str, show: Show) -> None:
    """Show the settings, or change them: `%anyfast config model=pro footer=short [--save]`."""
    options = verb_options("config").read(split(line))
    changes: dict[str, Any] = {}
    for word in options.words:
        name, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"{word!r} is no setting", hint="Write name=value; name= goes back to default.")
        if name == "api_key":
            raise InputError("a key does not belong into a notebook", hint="Use `%anyfast login`.")
        if name not in CONFIGURABLE:
            raise settings_room.unknown(name)
        changes[name] = value or None
    if changes:
        if options.save:
            settings_room.save_file(session.settings.home, **changes)
        session.configure(**changes)
    elif options.save:
        raise InputError("there is nothing to save", hint="Write %anyfast config name=value --save")
    show(table(_config_rows(session), columns=("setting", "value", "from")))


def _config_rows(session: Session) -> list[tuple[str, str, str]]:
    settings = session.settings
    rows = [
        (name, _in_words(getattr(settings, name)), settings.origins.get(name, "default"))
        for name in CONFIGURABLE
    ]
    rows[0] = ("base_url", settings.base_url or session.destination(), rows[0][2])
    if settings.allow is not None:  # seen here, changed elsewhere
        rows.append(("allow", ", ".join(settings.allow), settings.origins.get("allow", "")))
    return [*rows, ("key", *_key_words(session)), ("home", str(settings.home), "")]


def _in_words(value: object) -> str:
    """A value as it is written after the equals sign; None is nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _key_words(session: Session) -> tuple[str, str]:
    settings = session.settings
    if session.gateway.connection.simulated():
        return "not needed", ""
    return ("set", settings.origins.get("api_key", "")) if settings.api_key else ("not set", "")


def models(session: Session, line: str, show: Show) -> None:
    """List the models this key can use, with what the catalogue knows of each."""
    Options("models").read_words(split(line))
    served = io_loop().run(session.gateway.models())
    known = {model.id: model for model in catalog.models()}
    rows = [
        (
            model.id,
            ", ".join(known[model.id].aliases) if model.id in known else "",
            known[model.id].about if model.id in known else ", ".join(model.endpoints),
        )
        for model in served
    ]
    show(
        table(
            rows,
            columns=("model", "alias", "about"),
            caption=f"{counted(len(rows), 'model')} at {session.destination()}",
        )
    )


# --- code ---------------------------------------------------------------------------------


def code(session: Session, line: str, show: Show, *, insert: Callable[[str], None]) -> None:
    """Put the last answer's Nth code block into a new cell; nothing is run."""
    words = Options("code").read_words(split(line), most=1)
    if session.last is None:
        raise InputError("there is no answer yet", hint='Chat first: %anyfast chat "…"')
    blocks = [match["code"] for match in _CODE_BLOCK.finditer(session.last.text)]
    number = words[0] if words else "1"
    if not blocks:
        raise InputError("the last answer holds no code block")
    if not number.isdecimal() or not 1 <= int(number) <= len(blocks):
        raise InputError(f"code {number}: the last answer has blocks 1 to {len(blocks)}", field="N")
    insert(blocks[int(number) - 1].rstrip("\n"))
    show(notice(f"Code block {number} of {len(blocks)} is in the next cell; read it before you run it."))


# --- health -------------------------------------------------------------------------------


def doctor(session: Session, line: str, show: Show) -> None:
    """Versions, key present or not, is the base URL reachable, where the ledger is: one screen."""
    Options("doctor").read_words(split(line))
    rows = [("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")]
    rows += [(name, found) for name in _PACKAGES if (found := _version(name))]
    try:
        rows += [("key", " ".join(filter(None, (word for word in _key_words(session)))))]
        rows += [("base URL", session.destination()), ("reachable", _reachable(session))]
        rows += [("model", session.settings.model), ("ledger", _ledger_words(session))]
        rows += [("state folder", str(session.settings.home))]
    except ConfigError as error:
        rows += [("settings", str(error))]
    rows += [("front end", _front_end()), ("this cell", _here_words())]
    show(table(rows))


def _reachable(session: Session) -> str:
    try:
        return f"yes, {counted(len(io_loop().run(session.gateway.models())), 'model')}"
    except AnyFastError as error:
        return f"no: {error.message}"


def _ledger_words(session: Session) -> str:
    try:
        ledger = session.gateway.ledger
        requests = sum(total.requests for total in ledger.totals_by_model())
        words = f"{ledger.place}, {counted(requests, 'request')}"
        return f"{words}. {ledger.advice()}".rstrip(". ")
    except AnyFastError as error:
        return f"trouble: {error.message}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _here_words() -> str:
    """What a ledger row of this cell says of where it comes from; a path as it is told."""
    origin = here()
    names = ("notebook", "cell", "session", "user")
    return ", ".join(f"{name} {redact(getattr(origin, name) or 'unknown')}" for name in names)


def _front_end() -> str:
    if "ipykernel" not in sys.modules:
        return "IPython in a terminal"
    known = {"VSCODE_PID": "VS Code", "JPY_SESSION_NAME": "Jupyter", "COLAB_RELEASE_TAG": "Colab"}
    return next((name for variable, name in known.items() if variable in os.environ), "a Jupyter kernel")
