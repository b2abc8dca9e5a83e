"""The one piece of state of a kernel: settings, gateway, threads, the last answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb import settings as settings_room
from anyfast_nb.gateway.gateway import Gateway
from anyfast_nb.threads.book import ThreadBook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anyfast_nb.jobs.desk import Desk
    from anyfast_nb.panels.deck_registry import Panels
    from anyfast_nb.secret import Secret
    from anyfast_nb.settings import Settings
    from anyfast_nb.wire.values import Answer


_LOGIN: Final = "%anyfast login"


@dataclass(frozen=True, slots=True)
class Failure:
    """The last failed cell and its traceback, redacted: what ``{{error}}`` puts in."""

    cell: str
    traceback: str

    def __str__(self) -> str:
        return (
            f"This cell failed:\n\n```\n{self.cell}\n```\n\nwith this error:\n\n```\n{self.traceback}\n```\n"
        )


class Session:
    """What the magics and panels of one kernel share.

    Attributes:
        threads: the conversations.
        last: the last answer, None before the first.
        failure: the last failed cell, None before the first.
    """

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._environment: dict[str, str] = {}
        self._changes: dict[str, tuple[str, Any]] = {}  # name -> origin and value
        self._keys: dict[str, Secret] = {}  # of logins: each for its base URL and no other
        self._told_of_simulator = False
        self._told_of_ledger: set[str] = set()
        self.gateway = Gateway(lambda: self.settings, interactive=True)
        self.threads = ThreadBook()
        self._desk: Desk | None = None
        self._panels: Panels | None = None
        self.last: Answer | None = None
        self.failure: Failure | None = None

    @property
    def settings(self) -> Settings:
        """The settings in force; read at first use, and again when the environment has changed.

        Raises:
            ConfigError: environment or file hold a value that cannot work.
        """
        environment = settings_room.seen_environment()
        if self._settings is None or environment != self._environment:
            self._settings = self._with_changes(settings_room.load())
            self._environment = environment
        return self._settings

    @property
    def desk(self) -> Desk:
        """Where films and pictures are asked for; one for the kernel, with one scheduler."""
        if self._desk is None:
            from anyfast_nb.jobs.desk import Desk

            self._desk = Desk(self.gateway)
        return self._desk

    @property
    def panels(self) -> Panels:
        """The panels of the kernel: one of each, made when it is first wanted."""
        if self._panels is None:
            from anyfast_nb.panels.deck_registry import Panels

            self._panels = Panels(self)
        return self._panels

    def configure(self, *, origin: str = "%anyfast config", **changes: Any) -> None:
        """Change settings for this kernel; None takes a change back: environment and file count again.

        Raises:
            InputError: a value that cannot work; nothing is changed then.
        """
        self.settings.with_changes(origin=origin, **changes)
        kept = {name: old for name, old in self._changes.items() if name not in changes}
        self._changes = kept | {name: (origin, new) for name, new in changes.items() if new is not None}
        self._settings = None

    def log_in(self, key: Secret, *, base_url: str) -> None:
        """Use a key in this kernel, for one base URL, and send requests there."""
        self._keys[base_url] = key
        self.configure(origin=_LOGIN, base_url=base_url)

    def log_out(self, *, base_url: str) -> bool:
        """Forget the key of a login; was there one?"""
        if self._changes.get("base_url") == (_LOGIN, base_url):
            del self._changes["base_url"]
        self._settings = None
        return self._keys.pop(base_url, None) is not None

    def _with_changes(self, settings: Settings) -> Settings:
        for name, (origin, value) in self._changes.items():
            settings = settings.with_changes(origin=origin, **{name: value})
        own = self._keys.get(settings.base_url or settings_room.DEFAULT_BASE_URL)
        if own is not None and (settings.base_url or settings.api_key is None):
            return settings.with_changes(origin=_LOGIN, api_key=own)
        return settings_room.with_stored_key(settings)

    def destination(self) -> str:
        """Where the next request goes, in words."""
        if self.gateway.connection.simulated():
            return "the built-in AnyFast"
        return self.settings.base_url or settings_room.DEFAULT_BASE_URL

    def simulator_notice(self) -> str | None:
        """The line that says who answers, once, where nobody chose the built-in AnyFast."""
        chosen = self.settings.base_url is not None
        if chosen or self._told_of_simulator or not self.gateway.connection.simulated():
            return None
        self._told_of_simulator = True
        return "No key is set: the built-in AnyFast answers, simulated and free. `%anyfast login` sets a key."

    def untold(self, lines: Iterable[str]) -> list[str]:
        """Of what a ledger says of itself, what was not said before in this kernel."""
        found = [line for line in dict.fromkeys(lines) if line not in self._told_of_ledger]
        self._told_of_ledger.update(found)
        return found


@cache
def session() -> Session:
    """The session of this kernel."""
    return Session()
