"""Which rows are meant: the conditions of a reading, as SQLAlchemy has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb import catalog
from anyfast_nb.allowed import KINDS
from anyfast_nb.errors import InputError
from anyfast_nb.ledger.frames.columns import JOB_FIELDS, REQUEST_FIELDS, Field
from anyfast_nb.ledger.rows import Names, Since, since_us

_MEANT: Final = {
    "film": "seedance or kling", "video": "seedance or kling", "picture": "seedream", "image": "seedream",
    "message": "chat or responses", "upload": "asset", "fake": "simulated", "simulator": "simulated",
    "real": "live", "done": "succeeded or ok", "failure": "error or failed",
}  # fmt: skip

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select


@dataclass(frozen=True, slots=True)
class Choice:
    """The rows of a period with certain names.

    Attributes:
        since, until: the period; its end is not part of it. See `rows.since_us`.
        names: a field's name, and the name or names it may have; None is any. A model's alias is as
            good as its id.
    """

    since: Since
    until: Since
    names: Mapping[str, Names]

    def of_requests(self, statement: Select[Any]) -> Select[Any]:
        """The statement over ``requests`` with its conditions.

        Raises:
            InputError: ``since`` or ``until`` is no date or time.
        """
        return statement.where(*self._conditions(REQUEST_FIELDS))

    def of_jobs(self, statement: Select[Any]) -> Select[Any]:
        """The same over ``jobs``."""
        return statement.where(*self._conditions(JOB_FIELDS))

    def _conditions(self, fields: Mapping[str, Field]) -> list[ColumnElement[bool]]:
        time = fields["time"].of
        start, end = since_us(self.since), since_us(self.until, field="until")
        found: list[ColumnElement[bool]] = []
        if start is not None:
            found.append(time >= start)
        if end is not None:
            found.append(time < end)
        for name, wanted in self.names.items():
            if wanted is not None:
                # str() of each: a driver does not know the words of an enum.
                words = [str(wanted)] if isinstance(wanted, str) else [str(word) for word in wanted]
                _check(name, words, fields)
                if name == "model":
                    words += [catalog.resolve(word) for word in words]
                found.append(fields[name].of.in_(words))
        return found


def _check(name: str, words: Sequence[str], fields: Mapping[str, Field]) -> None:
    """Refuse a word that no row can have: it would find nothing, and say nothing.

    Raises:
        InputError: it names the nearest.
    """
    # Of jobs the kinds of all requests may be asked for: the same filters draw both.
    known = KINDS if name == "kind" else fields[name].known
    for word in words if known else ():
        if word in known:
            continue
        meant = [one for one in _MEANT.get(word.lower().rstrip("s"), "").split(" or ") if one in known]
        near = meant or get_close_matches(word.lower(), known, n=1)
        nearest = f"Did you mean {' or '.join(near)}? " if near else ""
        raise InputError(
            f"{name}={word[:80]!r} is none of the ledger's", field=name, hint=f"{nearest}{_there(known)}"
        )


def _there(known: Sequence[str]) -> str:
    return f"There are {', '.join(known[:-1])} and {known[-1]}."
