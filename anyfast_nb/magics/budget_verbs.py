"""`%anyfast budget`: how the budgets stand, setting one, ending one, giving back what stands for nothing."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError, InputError
from anyfast_nb.gateway.whence import here
from anyfast_nb.ledger.budget.values import Per, Scope, amount_text, parse_amount
from anyfast_nb.magics.options import split, verb_options
from anyfast_nb.render.notice import notice, table

if TYPE_CHECKING:
    import argparse

    from anyfast_nb.ledger.budget.values import Budget, BudgetState, Standing
    from anyfast_nb.magics.verbs import Show
    from anyfast_nb.session import Session

ACTIONS: Final = ("end", "release")
_SET: Final = '%anyfast budget "5 USD" --per day'
_COLUMNS: Final = ("N", "budget", "per", "scope", "spent", "reserved", "left", "used", "begins anew")
_STANDING: Final = ("request", "age", "kind", "model", "status", "counts as")
_BAR: Final = 10
_MOST_ROWS: Final = 40


def budget(session: Session, line: str, show: Show) -> None:
    """Show the budgets, set one, end one, or give back what a request without an end holds.

    Raises:
        InputError: a wrong word, amount or option; nothing was changed.
        LedgerError: the ledger cannot be read or written.
        NotAllowedError: in a shared ledger, it is not one's own.
    """
    found = verb_options("budget").read(split(line))
    action = found.words[0] if found.words else ""
    if action and action not in ACTIONS:
        _set(session, found, show)
        return
    _without_options(found, action)
    if action == "end":
        _end(session, found.words[1:], show)
    elif action == "release":
        _release(session, found.words[1:], show)
    else:
        _list(session, show)


def words(before: Sequence[str], fragment: str, session: Session) -> Iterable[str]:
    """What may stand at a place that is no option's value.

    Args:
        before: the words since the verb.
        fragment: what is there of the word itself.
        session: whose ledger.
    """
    if not before and not fragment.startswith("-"):
        return ACTIONS
    if not before or before[0] not in ACTIONS:
        return verb_options("budget").names()
    if len(before) > 1:
        return ()
    with contextlib.suppress(AnyFastError):
        states = _states(session)
        if before[0] == "release":
            return [one.id[-8:] for one in _standing(session, states) if not _runs(session, one)]
        return [*(str(number) for number, _ in enumerate(_budgets(states), 1)), "all"]
    return ()


def _without_options(found: argparse.Namespace, action: str) -> None:
    given = [name for name in ("per", "scope", "zone", "soft") if getattr(found, name)]
    if given:
        after = f" {action}" if action else ""
        raise InputError(
            f"%anyfast budget{after}: --{given[0]} belongs to an amount",
            field=given[0],
            hint=f"Write {_SET}",
        )


# --- setting ------------------------------------------------------------------------------


def _set(session: Session, found: argparse.Namespace, show: Show) -> None:
    amount, unit = _amount(found.words)
    if found.per is None:
        raise InputError(
            f"%anyfast budget: {amount_text(amount, unit)} for how long?",
            field="per",
            hint=f"Add --per {', --per '.join(Per)}.",
        )
    ledger = session.gateway.ledger
    before = _budgets(_states(session))
    made = ledger.set_budget(
        amount, unit, per=found.per, scope=found.scope or Scope.ALL, hard=not found.soft, zone=found.zone
    )
    states = _states(session)
    show(notice("\n".join(_told(made, before, states, shared=ledger.shared))))
    show(_table(states))


def _amount(words: Sequence[str]) -> tuple[int, str]:
    """Two words are one amount as well: 5 USD needs no quotes."""
    try:
        return parse_amount(" ".join(words))
    except InputError as error:
        if words[0].casefold() in {"set", "add", "new"} and len(words) > 1:
            error.hint = f"Leave out {words[0]}: {_SET}"
        elif near := difflib.get_close_matches(words[0].casefold(), ACTIONS, n=1):
            error.hint = f"Did you mean `%anyfast budget {near[0]}`? {error.hint}"
        elif words[-1] in set(Per):
            error.hint = f"The period is an option: {_SET}"
        elif words[0][0].isalpha():
            error.hint = f"{error.hint} `%anyfast budget` alone shows how the budgets stand."
        raise


def _told(
    made: Budget, before: Sequence[Budget], states: Sequence[BudgetState], *, shared: bool
) -> list[str]:
    does = "a request that might exceed it is not sent" if made.hard else "a request that may exceed it warns"
    first = f"Budget: {made}; {does}."
    still = {state.budget.id for state in states}
    if gone := [str(old) for old in before if old.id not in still]:
        first += f" It takes the place of {gone[0]}."
    lines = [first]
    if shared:
        whose = "It binds all users of this ledger" if made.user is None else "It is about your requests"
        lines.append(f"{whose}.")
    if made.hard and made.unit != "tokens":
        lines.append("A model without a price is refused then; `%anyfast prices` shows what is set.")
    return lines


# --- ending and giving back ---------------------------------------------------------------


def _end(session: Session, which: Sequence[str], show: Show) -> None:
    known = _budgets(_states(session))
    if not known:
        raise InputError("there is no budget to end", field="N", hint=f"{_SET} sets one.")
    if len(which) > 1 or (not which and len(known) > 1):
        raise InputError(
            f"%anyfast budget end: one of {len(known)} budgets, or all",
            field="N",
            hint="Give its number in %anyfast budget, or write %anyfast budget end all",
        )
    word = which[0] if which else "1"
    if word != "all" and not (word.isdecimal() and 1 <= int(word) <= len(known)):
        raise InputError(
            f"%anyfast budget end {word}: there are budgets 1 to {len(known)}",
            field="N",
            hint="`%anyfast budget` shows them with their numbers.",
        )
    ledger = session.gateway.ledger
    ended = _own(session, known) if word == "all" else [known[int(word) - 1]]
    for one in ended:
        ledger.end_budget(one.id)
    show(notice(f"Ended: {'; '.join(map(str, ended)) or 'none, for those that hold are not your own'}."))
    if len(ended) < len(known):
        show(_table(_states(session)))


def _own(session: Session, known: Sequence[Budget]) -> list[Budget]:
    """Those that `all` means: in a shared ledger one's own, if there are any; else the class's."""
    own = [one for one in known if one.user is not None]
    return own if session.gateway.ledger.shared and own else list(known)


def _release(session: Session, which: Sequence[str], show: Show) -> None:
    if len(which) != 1:
        raise InputError(
            "%anyfast budget release: of which request?",
            field="ID",
            hint="`%anyfast budget` lists those that stand, with their IDs.",
        )
    word = which[0].lower()
    found = [one for one in _standing(session, _states(session)) if one.id.endswith(word)]
    if len(found) != 1:
        many = "several requests end so" if found else "no request that stands ends so"
        raise InputError(
            f"%anyfast budget release {word[:40]}: {many}",
            field="ID",
            hint="`%anyfast budget` lists those that stand, with their IDs.",
        )
    if _runs(session, found[0]):
        raise InputError(
            f"%anyfast budget release {word[:40]}: it may still run, sent {_age(found[0].age)} ago",
            field="ID",
            hint="What it used takes the place of what is reserved when it ends.",
        )
    session.gateway.ledger.release(found[0].id, sent=True)
    show(
        notice(
            f"Released: {_counts_as(found[0])} of {found[0].id[-8:]} no longer count.\n"
            "If the server tells what it used after all, that counts."
        )
    )


# --- showing ------------------------------------------------------------------------------


def _list(session: Session, show: Show) -> None:
    states = _states(session)
    if not states:
        show(notice(f"No budget is set.\n{_SET} refuses what might go beyond it; --soft only warns."))
        return
    show(_table(states))
    if standing := [one for one in _standing(session, states) if not _runs(session, one)]:
        rows = [
            (one.id[-8:], _age(one.age), one.kind, one.model, one.status, _counts_as(one)) for one in standing
        ]
        caption = "Sent, and what they used is not known: `%anyfast budget release ID` gives one back."
        show(table(rows, columns=_STANDING, caption=caption))


def _states(session: Session) -> list[BudgetState]:
    ledger, place = session.gateway.ledger, here()
    user = place.user if ledger.shared else None
    return ledger.budgets(user=user, notebook=place.notebook, everyone=ledger.shared)


def _standing(session: Session, states: Sequence[BudgetState]) -> list[Standing]:
    """The requests that hold room in one of these budgets."""
    if not states:
        return []
    ledger = session.gateway.ledger
    user = here().user if ledger.shared else None
    since = min(state.begins for state in states)
    found = ledger.unsettled(since=since, user=user, everyone=ledger.shared)
    return [
        one
        for one in found
        if any(
            one.figure(state.budget.unit) is not None and one.reserved_at >= state.begins for state in states
        )
    ]


def _runs(session: Session, one: Standing) -> bool:
    """May it still run? Then its figure comes by itself, and nobody is asked to give anything back."""
    return one.may_run or session.gateway.ledger.is_begun_here(one.id)


def _budgets(states: Sequence[BudgetState]) -> list[Budget]:
    """The budgets in the order of their numbers."""
    return list({state.budget.id: state.budget for state in states}.values())


def _table(states: Sequence[BudgetState]) -> dict[str, Any]:
    numbers = {one.id: number for number, one in enumerate(_budgets(states), 1)}
    rows: list[Sequence[Any]] = [_row(numbers[state.budget.id], state) for state in states[:_MOST_ROWS]]
    caption = []
    if len(states) > _MOST_ROWS:
        caption.append(f"the first {_MOST_ROWS} of {len(states)} amounts")
    if unknown := max((state.unknown for state in states), default=0):
        caption.append(f"{unknown:,} request{'s' if unknown > 1 else ''} without a figure, in no sum")
    columns = list(_COLUMNS)
    if not any(state.reserved for state in states):  # the usual case: there is room for the others
        at = columns.index("reserved")
        columns, rows = _without(columns, at), [_without(row, at) for row in rows]
    return table(rows, columns=columns, caption=" · ".join(caption))


def _without(cells: Sequence[Any], at: int) -> list[Any]:
    return [*cells[:at], *cells[at + 1 :]]


def _row(number: int, state: BudgetState) -> tuple[Any, ...]:
    one = state.budget
    whose = one.scope.value if one.scope is not Scope.ALL or not one.user else "all of"
    return (
        number,
        one.said(one.amount) + ("" if one.hard else ", only warns"),
        one.per.value,
        f"{whose} {state.name}".strip(),
        one.said(state.spent),
        one.said(state.reserved) if state.reserved else "",
        f"{one.said(state.excess)} over" if state.excess else one.said(state.left),
        _bar(state),
        state.anew or f"never; since {state.begins.astimezone():%Y-%m-%d %H:%M}",
    )


def _bar(state: BudgetState) -> str:
    """How much is used, in ten boxes and in percent: it reads without colours, and aloud."""
    used, amount = state.spent + state.reserved, state.budget.amount
    # Rounded down: as long as something is left, it is not full.
    percent = 100 * used // amount if amount else 100
    full = min(_BAR, percent * _BAR // 100)
    return f"{'█' * full}{'░' * (_BAR - full)} {percent:,} %"


def _counts_as(one: Standing) -> str:
    figures = [amount_text(one.tokens, "tokens")] if one.tokens is not None else []
    if one.cost_nano is not None and one.currency:
        figures.append(amount_text(one.cost_nano, one.currency))
    return ", ".join(figures)


def _age(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds())) // 60
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
