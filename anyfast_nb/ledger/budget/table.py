"""The budgets of a ledger: set, ended, looked at, and asked before each request.

What a request may use at most is reserved before it is sent, in one step with
the look at what is left, so that those who ask at the same moment never spend
more than the amount together. Its own figure takes the reservation's place
when the request ends; a figure above its reservation counts in full.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError, BudgetError, InputError, NotAllowedError
from anyfast_nb.ledger.budget.values import (
    Ask,
    Budget,
    BudgetState,
    Per,
    Reserved,
    Scope,
    Standing,
    check_amount,
)
from anyfast_nb.ledger.budget.verdict import fits, refusal, warnings
from anyfast_nb.ledger.budget.windows import check_zone, local_zone
from anyfast_nb.ledger.disk.durable import Durable
from anyfast_nb.ledger.rows import kept_text, microseconds, moment_of, new_id

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PATIENCE_S: Final = 0.2
_GUARDED: Final = "SELECT 1 FROM budgets WHERE ended_us IS NULL LIMIT 1"


class BudgetTable(Durable):
    """The budgets and reservations of a ledger."""

    _wall: Callable[[], datetime] = staticmethod(lambda: datetime.now(UTC))

    # --- asked before each request --------------------------------------------------------

    def guarded(self) -> bool:
        """May there be a budget? Told without loading SQLAlchemy, in about a millisecond.

        A shared ledger must be asked each time: a budget that a teacher sets holds from the next request on.
        """
        if self.dialect != "sqlite":
            return True
        if self._hint.exists():  # of a ledger that was damaged or removed, `reserve` finds that out
            return True
        if not self.path.exists():
            return False
        try:
            reader = sqlite3.connect(
                f"{self.path.resolve().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S, isolation_level=None
            )
            try:
                return reader.execute(_GUARDED).fetchone() is not None
            finally:
                reader.close()
        except sqlite3.Error as error:
            # Without the table nobody has set one. Anything else is for `reserve` to find out.
            return "no such table" not in str(error)

    def reserve(self, ask: Ask) -> Reserved:
        """Reserve what a request may use at most; nothing is reserved where no budget applies.

        Args:
            ask: the request, with its bounds.

        Returns:
            A line for each soft budget that it exceeds, or may; and whether something is reserved.

        Raises:
            BudgetError: a hard budget has no room, or cannot say so; the request must not be sent.
        """
        from anyfast_nb.ledger.budget.states import states_told, wish

        wished = wish(ask)
        try:
            if self.dialect == "sqlite":
                states = self._reserve_here(ask, wished)
            else:
                answer = self._call("reserve(CAST(:wish AS jsonb))", wish=json.dumps(wished))
                states = states_told(answer["states"], wished)
                self._remember(_any_hard(states), forget=not answer["any"])
        except BudgetError:
            raise
        except AnyFastError as trouble:
            self._unchecked(trouble)
            return Reserved()
        refused = refusal(ask, states, shared=self.shared)
        if refused is not None:
            raise refused
        return Reserved(warnings(ask, states), stands=bool(states))

    def _reserve_here(self, ask: Ask, wished: dict[str, Any]) -> list[BudgetState]:
        from sqlalchemy import insert

        from anyfast_nb.ledger.budget.functions import NEVER_SENT_S
        from anyfast_nb.ledger.budget.states import states_here
        from anyfast_nb.ledger.disk.tables import RESERVATIONS

        row = {name: value for name, value in wished.items() if name != "user"}
        asker = {name: wished[name] for name in ("user", "notebook", "thread")}
        with self._changing() as connection:
            now = self._wall()
            states = states_here(connection, asker, now=now)
            self._remember(_any_hard(states))
            self._check_known(connection)
            if states and fits(ask, states):
                row |= {"user_name": wished["user"], "time_us": microseconds(now)}
                row |= {"expires_us": row["time_us"] + NEVER_SENT_S * 10**6}
                connection.execute(insert(RESERVATIONS).values(**row))
        return states

    def _check_known(self, connection: Connection) -> None:
        """A hard budget does not end because the file that knew it was damaged or removed."""
        if self._hint.exists() and not _knows_hard(connection):
            raise BudgetError(
                f"A hard budget was set here, and the ledger {self.place} knows it no more: it was damaged "
                "or removed. Nothing was sent.",
                hint='Set it again: %anyfast budget "AMOUNT" --per PERIOD; or, if none is to hold, '
                f"remove the file {self._hint}.",
            )

    def release(self, id: str, *, sent: bool = False) -> bool:
        """Give back what was reserved for a request.

        Args:
            id: the request's.
            sent: give it back although the request is in the ledger, because a person knows that it used
                nothing, or does not care; else only what is known not to be sent is given back.

        Returns:
            Whether there was something to give back.

        Raises:
            LedgerError: the ledger cannot be written.
            NotAllowedError: the request was sent, and the ledger is a class's: its owner says so.
        """
        if self.dialect == "sqlite":
            return self._release_here(id, sent=sent)
        said = self._call("release(:id, CAST(:sent AS boolean))", as_json=False, id=id, sent=sent)
        if said == "teacher":
            raise NotAllowedError(
                f"The request {id[-8:]} was sent, and the ledger is shared: its reservation stands.",
                hint="The owner of the ledger can release it.",
            )
        return bool(said == "released")

    def _release_here(self, id: str, *, sent: bool) -> bool:
        from sqlalchemy import exists, select, update

        from anyfast_nb.ledger.disk.tables import REQUESTS, RESERVATIONS

        row = RESERVATIONS.c
        change = update(RESERVATIONS).where(row.id == id, row.released_us.is_(None))
        if not sent:
            change = change.where(~exists(select(REQUESTS.c.id).where(REQUESTS.c.id == id)))
        with self._changing() as connection:
            done = connection.execute(change.values(released_us=microseconds(self._wall())))
            return bool(done.rowcount)

    # --- set and ended --------------------------------------------------------------------

    def set_budget(
        self,
        amount: int,
        unit: str,
        *,
        per: Per | str,
        scope: Scope | str = Scope.ALL,
        hard: bool = True,
        zone: str | None = None,
        user: str | None = None,
    ) -> Budget:
        """Set a budget; one of the same user, unit, period, scope and hardness gives way to it.

        Args:
            amount: tokens, or billionths of a unit of the currency; see `budget_values.parse_amount`.
            unit: ``tokens`` or a currency.
            per: day, week, or total: all from now on (a new amount for the same total goes on counting).
            scope: all together, or each user, notebook or thread.
            hard: refuse before sending; else warn.
            zone: whose midnight; by default this system's.
            user: whose requests alone; None is everybody's. In a shared ledger only its owner sets
                another's or everybody's; anyone else's is about their own requests.

        Raises:
            InputError: a value cannot be.
            LedgerError: the ledger cannot be written.
        """
        check_amount(amount, unit)
        wish = {
            "id": new_id(),
            "amount": amount,
            "unit": unit,
            "per": _word(Per, per, "per"),
            "scope": _word(Scope, scope, "scope"),
            "hard": int(hard),
            "zone": local_zone() if zone is None else check_zone(zone),
            "user": kept_text(user),
        }
        if self.dialect == "sqlite":
            budget = self._set_here(wish)
        else:
            budget = Budget.of(self._call("set_budget(CAST(:wish AS jsonb))", wish=json.dumps(wish)))
            self._remember(hard)
        return budget

    def _set_here(self, wish: dict[str, Any]) -> Budget:
        from sqlalchemy import insert, select, update

        from anyfast_nb.ledger.disk.tables import BUDGETS

        row = wish | {"user_name": wish["user"]}
        del row["user"]
        same = [BUDGETS.c.ended_us.is_(None), BUDGETS.c.user_name.is_not_distinct_from(row["user_name"])]
        same += [BUDGETS.c[name] == row[name] for name in ("per", "scope", "unit", "hard")]
        with self._changing() as connection:
            now_us = microseconds(self._wall())
            former = connection.execute(select(BUDGETS.c.created_us).where(*same)).scalars().all()
            connection.execute(update(BUDGETS).where(*same).values(ended_us=now_us))
            row["created_us"] = min(former, default=now_us)
            connection.execute(insert(BUDGETS).values(**row))
            self._remember(bool(row["hard"]))
        return Budget.of(row)

    def end_budget(self, id: str) -> None:
        """Take a budget back.

        Raises:
            InputError: no such budget holds.
            NotAllowedError: in a shared ledger, it is not one's own.
            LedgerError: the ledger cannot be written.
        """
        if self.dialect == "sqlite":
            said = self._end_here(id)
        else:
            said = self._call("end_budget(:id)", as_json=False, id=id)
        if said == "teacher":
            raise NotAllowedError(
                "This budget is the class's, not your own.", hint="The owner of the ledger can end it."
            )
        if said != "ended":
            raise InputError(
                f"no budget {id[:40]!r} holds", field="id", hint="`%anyfast budget` lists those that do."
            )
        if self.shared:
            self._remember(False, forget=not _any_hard(self.budgets()))

    def _end_here(self, id: str) -> str:
        from sqlalchemy import update

        from anyfast_nb.ledger.disk.tables import BUDGETS

        change = update(BUDGETS).where(BUDGETS.c.id == id, BUDGETS.c.ended_us.is_(None))
        with self._changing() as connection:
            done = connection.execute(change.values(ended_us=microseconds(self._wall())))
            self._remember(False, forget=not _knows_hard(connection))
            return "ended" if done.rowcount else "none"

    # --- looked at ------------------------------------------------------------------------

    def budgets(
        self,
        *,
        user: str | None = None,
        notebook: str | None = None,
        thread: str | None = None,
        everyone: bool = False,
    ) -> list[BudgetState]:
        """How the budgets stand, in the order they were set.

        Args:
            user: for whom; None is every user of a ledger of one's own, and oneself in a shared one.
            notebook: in which; None is each that used something.
            thread: of which conversation; None is each that used something.
            everyone: each user of a shared ledger; only its owner is told.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        from anyfast_nb.ledger.budget.states import states_here, states_told, who

        asker = who(user=user, notebook=notebook, thread=thread)
        if self.dialect == "sqlite":
            every = {f"any_{name}": everyone or value is None for name, value in asker.items()}
            with self.reading() as connection:
                return states_here(connection, asker, now=self._wall(), **every)
        wished = json.dumps(asker | {"everyone": everyone})
        return states_told(self._call("budget_states(CAST(:wish AS jsonb))", wish=wished), asker)

    def unsettled(
        self, *, since: datetime, user: str | None = None, everyone: bool = False
    ) -> list[Standing]:
        """The reservations that stand although their request was sent, oldest first.

        Args:
            since: those reserved from then on; aware.
            user: whose; None is every user of a ledger of one's own, and oneself in a shared one.
            everyone: of each user of a shared ledger; only its owner is told.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        from anyfast_nb.ledger.budget.states import unsettled_here, unsettled_told

        since_us, whose = microseconds(since), kept_text(user)
        if self.dialect == "sqlite":
            with self.reading() as connection:
                return unsettled_told(
                    unsettled_here(connection, user=whose, since_us=since_us), now=self._wall()
                )
        wished = json.dumps({"user": whose, "everyone": everyone, "begins_us": since_us})
        found = self._call("budget_standing(CAST(:wish AS jsonb))", wish=wished)
        return unsettled_told(found["lines"], now=moment_of(int(found["now_us"])))

    # --- details --------------------------------------------------------------------------

    def _call(self, call: str, *, as_json: bool = True, **values: Any) -> Any:
        """Carry out one of the functions of a PostgreSQL ledger."""
        from sqlalchemy import text

        with self._changing() as connection:
            found = connection.execute(text(f"SELECT CAST({call} AS text)"), values).scalar_one()
        return json.loads(found) if as_json else found

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Connection]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self.transaction() as connection:
                yield connection
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise self._unwritable(error) from error

    def _unchecked(self, trouble: AnyFastError) -> None:
        """The budgets cannot be asked: refuse where a hard one is known to this home, else go on."""
        if self._hint.exists():
            raise BudgetError(
                f"A hard budget holds here and cannot be checked, so nothing was sent. {trouble.message}",
                hint="`%anyfast doctor` shows where the ledger is, and whether it answers.",
            ) from trouble
        self._tell(
            "budgets", f"The ledger cannot be asked for budgets, and requests go on. {trouble.message}"
        )

    @property
    def _hint(self) -> Path:
        return self.path.with_name(f"{self.path.name}.hard-budget")

    def _remember(self, hard: bool, *, forget: bool = False) -> None:
        """Leave a mark that a hard budget was seen, for when the ledger cannot be asked; or remove it.

        With a file it is done in the transaction, so that mark and budgets never part.
        """
        try:
            if forget:
                self._hint.unlink(missing_ok=True)
            elif hard and not self._hint.exists():
                self._hint.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(self._hint, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as error:
            self._tell("hard-budget", f"{self._hint} cannot be written ({error}): requests go on.")


def _any_hard(states: Sequence[BudgetState]) -> bool:
    return any(state.budget.hard for state in states)


def _knows_hard(connection: Connection) -> bool:
    """Does a file know a hard budget that holds, whosever it is?"""
    from sqlalchemy import select

    from anyfast_nb.ledger.disk.tables import BUDGETS

    held = select(BUDGETS.c.id).where(BUDGETS.c.ended_us.is_(None), BUDGETS.c.hard == 1)
    return connection.execute(held.limit(1)).first() is not None


def _word(kind: type[Per | Scope], word: str, field: str) -> str:
    try:
        return kind(word).value
    except ValueError:
        known = ", ".join(kind)
        raise InputError(f"{field}={word!r} is not known", field=field, hint=f"Give {known}.") from None
