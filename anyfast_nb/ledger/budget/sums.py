"""What counts against a budget, as one SQL statement: as it is for SQLite, inside a function for PostgreSQL.

Each live request counts by its own figure where that is known, with nothing
where it is known not to be billed, else by its reservation. A reservation
whose request never came into the ledger counts until it expires or is released.
What was reserved counts for the moment it was reserved, by the clock that did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql

from anyfast_nb.ledger.budget.values import TOKENS, Scope
from anyfast_nb.ledger.disk.schema import UNDER_WAY
from anyfast_nb.ledger.disk.tables import JOBS, REQUESTS, RESERVATIONS

Parameter = Callable[[str], ColumnElement[Any]]

PARAMETERS: Final[dict[str, Any]] = {
    "begins_us": BigInteger,  # of the window
    "moment_us": BigInteger,  # now
    "unit": Text,
    "scope": Text,
    "owner": Text,  # the budget's user; NULL is everybody
    "user": Text,  # whose amount is asked for, and of which notebook and thread
    "notebook": Text,
    "thread": Text,
    "any_user": Boolean,  # those of every user, a row each
    "any_notebook": Boolean,
    "any_thread": Boolean,
}

_R: Final = RESERVATIONS.c
_Q: Final = REQUESTS.c


def sums(parameter: Parameter | None = None) -> Select[Any]:
    """For each user, notebook or thread of a budget: spent, reserved, and requests of which neither is known.

    Args:
        parameter: what stands for each of ``PARAMETERS``; by default a bound one.
    """
    p = parameter or _bound
    own, held = _own(p), _held(p)
    known = or_(own.is_not(None), _Q.billed == "no")
    zero = literal_column("0", BigInteger)
    sent = select(
        *_keys(REQUESTS, p),
        func.coalesce(own, zero).label("spent"),
        zero.label("reserved"),
        case((known, 0), else_=1).label("unknown"),
    ).where(
        _Q.source == "live",
        _Q.kind != "asset",
        _Q.time_us >= p("begins_us"),
        ~exists(select(_R.id).where(_R.id == _Q.id)),
        _within(REQUESTS, p),
    )
    stands = and_(_R.released_us.is_(None), or_(_Q.id.is_not(None), _R.expires_us > p("moment_us")))
    reserved = (
        select(
            *_keys(RESERVATIONS, p),
            func.coalesce(own, zero).label("spent"),
            case((known, zero), (stands, func.coalesce(held, zero)), else_=zero).label("reserved"),
            case((known, 0), (and_(stands, held.is_(None)), 1), else_=0).label("unknown"),
        )
        .select_from(RESERVATIONS.outerjoin(REQUESTS, _Q.id == _R.id))
        .where(
            _R.time_us >= p("begins_us"), or_(_Q.id.is_(None), _Q.source == "live"), _within(RESERVATIONS, p)
        )
    )
    every = union_all(sent, reserved).subquery("counted")
    keys = [every.c[name] for name in ("user_name", "notebook", "thread")]
    added = [func.sum(every.c[name]).label(name) for name in ("spent", "reserved", "unknown")]
    return select(*keys, *added).group_by(*keys).order_by(*keys)


def sums_in_function() -> str:
    """The same as PL/pgSQL text: each parameter is the variable of its name with ``v_`` before it."""
    made = sums(lambda name: literal_column(f"v_{name}", PARAMETERS[name]))
    return _text(made)


def standing(parameter: Parameter | None = None) -> Select[Any]:
    """The reservations that stand although their request was sent: oldest first.

    Args:
        parameter: what stands for ``user``, ``any_user`` and ``begins_us``.
    """
    p = parameter or _bound
    unknown_tokens = and_(_R.tokens.is_not(None), _Q.input_tokens.is_(None), _Q.output_tokens.is_(None))
    unknown_cost = and_(_R.cost_nano.is_not(None), _Q.cost_nano.is_(None))
    return (
        select(
            _R.id,
            _R.time_us,
            _R.user_name,
            _Q.kind,
            _Q.model_asked.label("model"),
            _Q.status,
            case((unknown_tokens, _R.tokens)).label("tokens"),
            case((unknown_cost, _R.cost_nano)).label("cost_nano"),
            _R.currency,
            case((_job_under_way(), 1), else_=0).label("under_way"),
        )
        .select_from(RESERVATIONS.join(REQUESTS, _Q.id == _R.id))
        .where(
            _Q.source == "live",
            _R.released_us.is_(None),
            or_(_Q.billed.is_(None), _Q.billed != "no"),
            or_(unknown_tokens, unknown_cost),
            _R.time_us >= p("begins_us"),
            or_(p("any_user"), _R.user_name.is_not_distinct_from(p("user"))),
        )
        .order_by(_R.time_us, _R.id)
    )


def standing_in_function() -> str:
    """The same as PL/pgSQL text."""
    return _text(standing(lambda name: literal_column(f"v_{name}", PARAMETERS[name])))


# --- parts --------------------------------------------------------------------------------


def _job_under_way() -> ColumnElement[bool]:
    """Does the film that was asked for go on at the server, as far as anybody has heard?"""
    found = select(JOBS.c.id).where(JOBS.c.request_row == _Q.id, JOBS.c.status.in_(UNDER_WAY))
    return found.correlate(REQUESTS).exists()


def _bound(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=PARAMETERS[name])


def _text(statement: Select[Any]) -> str:
    # With a driver's %s as its style, the text would have %% for each %.
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _own(p: Parameter) -> ColumnElement[Any]:
    """What the request used, as far as the server said so."""
    tokens = case(
        (
            or_(_Q.input_tokens.is_not(None), _Q.output_tokens.is_not(None)),
            func.coalesce(_Q.input_tokens, 0) + func.coalesce(_Q.output_tokens, 0),
        )
    )
    return case((p("unit") == TOKENS, tokens), (_Q.currency == p("unit"), _Q.cost_nano))


def _held(p: Parameter) -> ColumnElement[Any]:
    return case((p("unit") == TOKENS, _R.tokens), (_R.currency == p("unit"), _R.cost_nano))


def _keys(table: Any, p: Parameter) -> list[ColumnElement[Any]]:
    """Whose amount a row counts against: as many names as the budget's scope has."""
    places = (Scope.NOTEBOOK.value, Scope.THREAD.value)
    nothing = null().cast(Text)
    return [
        case((p("scope") == Scope.ALL.value, nothing), else_=table.c.user_name).label("user_name"),
        case((p("scope").in_([literal(place) for place in places]), table.c.notebook)).label("notebook"),
        case((p("scope") == Scope.THREAD.value, table.c.thread)).label("thread"),
    ]


def _within(table: Any, p: Parameter) -> ColumnElement[bool]:
    scope = p("scope")
    user = or_(p("any_user"), table.c.user_name.is_not_distinct_from(p("user")))
    notebook = or_(p("any_notebook"), table.c.notebook.is_not_distinct_from(p("notebook")))
    thread = or_(p("any_thread"), table.c.thread == p("thread"))
    return and_(
        or_(p("owner").is_(None), table.c.user_name == p("owner")),
        or_(scope == Scope.ALL.value, user),
        or_(scope.in_([Scope.ALL.value, Scope.USER.value]), notebook),
        or_(scope != Scope.THREAD.value, and_(table.c.thread.is_not(None), thread)),
    )
