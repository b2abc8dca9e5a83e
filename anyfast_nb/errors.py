"""Every exception of this package, and what each one answers.

    AnyFastError                      anything of ours
    ├── ConfigError                   settings cannot work; nothing was sent
    │   └── MissingKeyError           no key, and the simulator was not asked for
    ├── InputError (ValueError)       an argument is wrong; nothing was sent
    ├── WireError                     the network failed
    │   ├── ConnectFailed             no connection: nothing was sent
    │   ├── ReadTimedOut              sent, and then silence
    │   ├── WireCut                   sent, and the answer broke off
    │   └── ProtocolError             sent, and what came back is no AnyFast answer
    ├── StatusError                   the server answered with an error
    │   ├── BadRequestError           400, 413, 422: the request is wrong
    │   │   └── ModerationError       the content was refused
    │   ├── AuthenticationError       401: the key is wrong or missing
    │   ├── PermissionDeniedError     403: this key may not do this
    │   │   └── QuotaError            the credit is used up
    │   ├── NotFoundError             404: no such path or object
    │   │   └── ModelNotFoundError    the gateway does not serve that model to this key
    │   ├── RateLimitError            429: too many requests
    │   └── ServerError               5xx (and 408)
    ├── StillRunning (TimeoutError)   the waiting is over, the job is not
    ├── RefusedHere                   a rule of this place forbids it; nothing was sent
    │   ├── BudgetError               a hard budget has no room for it
    │   └── NotAllowedError           ANYFAST_ALLOW names neither its kind nor its model
    ├── LedgerError                   the ledger cannot be read or written
    └── SimulatorError                the built-in AnyFast does not start or answer

    Interrupted (KeyboardInterrupt)   the user stopped a running request

Every message says what happened, with which value, and what to do next.
Every error also answers three questions: was it sent, may it have been
billed, can it be retried. In a notebook an error is one to three lines, and
the run still fails.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Billed(StrEnum):
    """May the request have cost money?"""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


class AnyFastError(Exception):
    """Base of all errors of this package.

    Attributes:
        sent: whether the request reached the wire.
        billed: whether it may have been billed.
        retryable: whether the same call may be repeated without risk.
        hint: the next step for the user, or "".
        partial: what had arrived before the failure (an answer), or None.
    """

    partial: object | None = None
    sent: bool = False
    billed: Billed = Billed.NO
    retryable: bool = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors travel between processes; most have keyword arguments, which pickle alone would lose.
        return _restored, (type(self), self.args), self.__dict__

    def lines(self) -> list[str]:
        """The error as a notebook shows it: at most three lines."""
        head, *rest = [line for line in str(self).splitlines() if line.strip()] or [""]
        return [f"{type(self).__name__}: {head}", *rest[:2]]

    def _render_traceback_(self) -> list[str]:
        # IPython prints these lines instead of a traceback; the run fails all the same.
        return self.lines()


def _restored(kind: type[AnyFastError], args: tuple[Any, ...]) -> AnyFastError:
    error = kind.__new__(kind, *args)
    error.args = args  # one that is an OSError as well has not taken them
    return error


class ConfigError(AnyFastError):
    """A setting cannot work; nothing was sent."""


class MissingKeyError(ConfigError):
    """No key is known, and the simulator was not asked for."""


class InputError(AnyFastError, ValueError):
    """An argument is wrong; nothing was sent.

    Attributes:
        field: path of the offending value, such as ``messages[0].content[1].fps``.
    """

    def __init__(self, message: str, *, field: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class WireError(AnyFastError):
    """The network failed."""


class ConnectFailed(WireError):
    """No connection was made: nothing was sent, a retry is safe."""

    retryable = True


class ReadTimedOut(WireError):
    """The request was sent; then nothing came in time. It may be billed."""

    sent, billed = True, Billed.MAYBE


class WireCut(WireError):
    """The request was sent; the answer broke off. It may be billed."""

    sent, billed = True, Billed.MAYBE


class ProtocolError(WireError):
    """The request was sent; what came back is no AnyFast answer. It may be billed."""

    sent, billed = True, Billed.MAYBE


class StatusError(AnyFastError):
    """The server answered with an error.

    Attributes:
        status: HTTP status, 200 if the error came inside a successful reply.
        code, type, param: as the server gave them, "" if it did not.
        request_id: for the vendor's support, "" if unknown.
        raw_message: the server's own words, redacted.
        retry_after_s: so long the server asked to be left alone; None if it did not.
    """

    sent = True
    retry_after_s: float | None = None

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str = "",
        type: str = "",
        param: str = "",
        request_id: str = "",
        raw_message: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.type = type
        self.param = param
        self.request_id = request_id
        self.raw_message = raw_message or message


class BadRequestError(StatusError):
    """400, 413, 422: the request is wrong; repeating it changes nothing."""


class ModerationError(BadRequestError):
    """The content was refused by the provider's moderation."""


class AuthenticationError(StatusError):
    """401: the key is wrong or missing."""


class PermissionDeniedError(StatusError):
    """403: this key may not do this."""


class QuotaError(PermissionDeniedError):
    """The credit or the key's quota is used up."""


class NotFoundError(StatusError):
    """404: no such path or object."""


class ModelNotFoundError(NotFoundError):
    """The gateway does not serve that model to this key."""


class RateLimitError(StatusError):
    """429: too many requests; the server did not do the work."""

    retryable = True


class ServerError(StatusError):
    """5xx or 408: the server failed; a generation may have been billed."""

    billed = Billed.MAYBE


class StillRunning(AnyFastError, TimeoutError):
    """The waiting is over, the job is not: it goes on at AnyFast, and can be waited for again."""

    sent = True


class RefusedHere(AnyFastError):
    """A rule of this place, not of the server, forbids the request; nothing was sent."""


class BudgetError(RefusedHere):
    """A hard budget has no room for the worst case of this request; nothing was sent."""


class NotAllowedError(RefusedHere):
    """``ANYFAST_ALLOW`` names neither this kind of request nor this model; nothing was sent."""


class LedgerError(AnyFastError):
    """The ledger cannot be read or written."""


class SimulatorError(AnyFastError):
    """The built-in AnyFast does not start or does not answer."""


class Interrupted(KeyboardInterrupt):
    """The user stopped a running request; what had arrived is kept.

    Attributes:
        partial: the answer so far, or None.
    """

    def __init__(self, message: str = "interrupted", *, partial: object | None = None) -> None:
        super().__init__(message)
        self.partial = partial

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}"]
