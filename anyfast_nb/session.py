"""The one piece of state of a kernel: settings, gateway, threads, the last answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from anyfast_nb import settings as settings_room
from anyfast_nb.client.faces import Gateway
from anyfast_nb.threads.book import ThreadBook

if TYPE_CHECKING:
    from anyfast_nb.settings import Settings
    from anyfast_nb.wire.values import Answer


@dataclass(frozen=True, slots=True)
class Failure:
    """The last failed cell and its traceback, redacted: what ``{{error}}`` puts in."""

    cell: str
    traceback: str

    def __str__(self) -> str:
        return f"This cell failed:\n\n{self.cell}\n\nwith this error:\n\n{self.traceback}"


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
        self._changes: dict[str, tuple[str, Any]] = {}  # name -> origin and value; None is the default
        self._told_of_simulator = False
        self.gateway = Gateway(lambda: self.settings, interactive=True)
        self.threads = ThreadBook()
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

    def configure(self, *, origin: str = "%anyfast config", **changes: Any) -> None:
        """Change settings for this kernel; a value of None goes back to its default."""
        current = self.settings
        for name, value in changes.items():
            current = _changed(current, name, origin, value)  # a wrong one is refused before any counts
        self._changes |= {name: (origin, value) for name, value in changes.items()}
        self._settings = settings_room.with_stored_key(current)

    def _with_changes(self, settings: Settings) -> Settings:
        for name, (origin, value) in self._changes.items():
            settings = _changed(settings, name, origin, value)
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


def _changed(settings: Settings, name: str, origin: str, value: Any) -> Settings:
    if value is None:
        return settings.without(name)
    return settings.with_changes(origin=origin, **{name: value})


@cache
def session() -> Session:
    """The session of this kernel."""
    return Session()
