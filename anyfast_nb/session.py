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
        self._told_of_simulator = False
        self.gateway = Gateway(lambda: self.settings, interactive=True)
        self.threads = ThreadBook()
        self.last: Answer | None = None
        self.failure: Failure | None = None

    @property
    def settings(self) -> Settings:
        """The settings in force; read from environment and file at first use.

        Raises:
            ConfigError: environment or file hold a value that cannot work.
        """
        if self._settings is None:
            self._settings = settings_room.load()
        return self._settings

    def configure(self, *, origin: str = "%anyfast config", **changes: Any) -> None:
        """Change settings for this kernel; a value of None goes back to its default."""
        settings = self.settings.with_changes(origin=origin, **changes)
        for name in (name for name, value in changes.items() if value is None):
            settings = settings.without(name)
        self._settings = settings_room.with_stored_key(settings)

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


@cache
def session() -> Session:
    """The session of this kernel."""
    return Session()
