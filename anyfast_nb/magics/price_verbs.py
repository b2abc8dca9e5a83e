"""`%anyfast prices`: what is set, setting one, and pricing what was sent before."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError, LedgerError
from anyfast_nb.magics.options import split, verb_options
from anyfast_nb.render.notice import notice, table

if TYPE_CHECKING:
    import argparse

    from anyfast_nb.ledger.prices.book import Prices
    from anyfast_nb.ledger.prices.repricing import Missing
    from anyfast_nb.ledger.prices.table import Price, PriceTable
    from anyfast_nb.magics.verbs import Show
    from anyfast_nb.session import Session

ACTIONS: Final = ("set", "reprice", "example")
_NUMBERS: Final = ("input", "output", "cached", "image", "video_second", "video_token")
FIELDS: Final = (*_NUMBERS, "currency", "from", "note")
_MEANT: Final = {"valid_from": "from"}  # as the file calls it
_SET: Final = "%anyfast prices set MODEL input=… output=… currency=USD"
_MOST_NAMED: Final = 3


def prices(session: Session, line: str, show: Show) -> None:
    """Show the prices, set one, price earlier requests, or print how the file is written.

    Raises:
        InputError: a wrong word, field or value; nothing was changed.
        ConfigError: the prices file is broken.
        LedgerError: the ledger cannot be read, or is another's.
    """
    found = verb_options("prices").read(split(line))
    action, *words = found.words or [""]
    if action != "reprice":
        _without_options(found, action)
    if action == "set":
        _set(session, words, show)
    elif action == "reprice":
        _none_left(words, action)
        _reprice(session, found, show)
    elif action == "example":
        _none_left(words, action)
        _example(show)
    elif not action:
        _list(session, show)
    else:
        raise _unknown_action(action, _prices(session))


def _unknown_action(action: str, own: Prices) -> InputError:
    near = difflib.get_close_matches(action.partition("=")[0], ACTIONS, n=1, cutoff=0.5)
    meant = f"Did you mean `%anyfast prices {near[0]}`? " if near else ""
    return InputError(
        f"%anyfast prices {action}: there is no such action",
        field="action",
        hint=f"{meant}There are {', '.join(ACTIONS)}; %anyfast prices alone shows what is set, "
        f"and a price is taken out of {_path(own)} by hand.",
    )


def _without_options(found: argparse.Namespace, action: str) -> None:
    given = [name for name in ("all", "since", "model") if getattr(found, name)]
    if given:
        raise InputError(
            f"{f'%anyfast prices {action}'.rstrip()}: --{given[0]} belongs to reprice",
            field=given[0],
            hint=f"Write %anyfast prices reprice --{given[0]}",
        )


def _none_left(words: Sequence[str], action: str) -> None:
    if words:
        raise InputError(
            f"%anyfast prices {action}: {words[0]!r} is one word too many",
            hint="`%anyfast help prices` shows how it is written.",
        )


def _prices(session: Session) -> Prices:
    from anyfast_nb.ledger.prices.book import Prices, prices_path

    return Prices(prices_path(session.settings.home))


# --- what is set --------------------------------------------------------------------------


def _list(session: Session, show: Show) -> None:
    own = _prices(session)
    known = own.table()
    if known.prices:
        names = [name for name in _NUMBERS if any(getattr(price, name) is not None for price in known.prices)]
        # Of two of one day the one further down counts.
        holding = {_order(price): price for price in known.prices}
        rows = [_row(price, names) for _, price in sorted(holding.items())]
        columns = ["model", "from", *(_HEADINGS[name] for name in names), "currency", "note"]
        per = " · input, cached, output and film tokens per 1,000,000" if {*names} - {"image"} else ""
        gone = len(known.prices) - len(holding)
        replaced = f" · {_some(gone, 'price')} in it replaced by a later one" if gone else ""
        show(table(rows, columns=columns, caption=f"{_path(own)}{per}{replaced}"))
    else:
        show(
            notice(f"No price is set, so no request has a cost. The place for them is {_path(own)}.\n{_SET}")
        )
    if told := _told(session, known):
        show(notice(told))


_HEADINGS: Final = {
    "input": "input",
    "cached": "cached",
    "output": "output",
    "image": "picture",
    "video_second": "film second",
    "video_token": "film tokens",
}


def _row(price: Price, names: Sequence[str]) -> list[Any]:
    numbers = [getattr(price, name) for name in names]
    return [
        price.model,
        "always" if price.valid_from is None else price.valid_from.isoformat(),
        *("" if number is None else f"{number:f}" for number in numbers),
        price.currency,
        price.note,
    ]


def _order(price: Price) -> tuple[str, str]:
    """By model, and by day."""
    return price.model, "" if price.valid_from is None else price.valid_from.isoformat()


def _path(own: Prices) -> str:
    return str(own.path)


def _told(session: Session, known: PriceTable) -> str:
    """Which requests of the ledger have no cost, and the line that gives them one."""
    from anyfast_nb.ledger.prices.book import set_line
    from anyfast_nb.ledger.prices.repricing import missing

    every = missing(session.gateway.ledger, known)
    without = [one for one in every if not one.priced]
    waiting = sum(one.figures for one in every if one.priced)
    unknown = sum(one.requests - one.figures for one in every if one.priced)
    lines = []
    if without:
        lines.append(f"{_count(without)} without a price: {_names(without)}.")
        lines.append(set_line(without[0].model, without[0].kind))
    if waiting:
        lines.append(f"{_some(waiting)} can be priced by now: `%anyfast prices reprice`.")
    if unknown:
        who = "it" if unknown == 1 else "they"
        lines.append(f"{_some(unknown)} cannot be priced: what {who} used is not known.")
    return "\n".join(lines)


def _count(without: Sequence[Missing]) -> str:
    """``12 requests``, and by source where these are not all live."""
    by_source: dict[str, int] = {}
    for one in without:
        by_source[one.source] = by_source.get(one.source, 0) + one.requests
    said = _some(sum(by_source.values()))
    if set(by_source) == {"live"}:
        return said
    return f"{said} ({', '.join(f'{count:,} {source}' for source, count in by_source.items())})"


def _names(without: Sequence[Missing]) -> str:
    names = list(dict.fromkeys(one.model for one in without))
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _some(count: int, word: str = "request") -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


# --- setting one --------------------------------------------------------------------------


def _set(session: Session, words: Sequence[str], show: Show) -> None:
    from anyfast_nb.ledger.prices.book import doubt

    if not words or "=" in words[0]:
        raise InputError("%anyfast prices set: no model is named", field="model", hint=_SET)
    model, *rest = words
    given = _fields(rest)
    currency = given.pop("currency", "")
    if not currency:
        raise InputError(
            f"the price of {model} names no currency",
            field="currency",
            hint="Add currency=USD, currency=CNY, or what you pay in.",
        )
    own = _prices(session)
    price = own.set(model, currency=currency, valid_from=given.pop("from", None), **given)
    show(notice("\n".join(filter(None, (_in_words(price, own), doubt(price.model), _waiting(session, own))))))


def _fields(words: Sequence[str]) -> dict[str, str]:
    """``input=0.5`` and so on, by name.

    Raises:
        InputError: a word that is no field, one without a value, or one that comes twice.
    """
    found: dict[str, str] = {}
    for word in words:
        written, equals, value = word.partition("=")
        name = _MEANT.get(written, written)
        if name not in FIELDS:
            raise _unknown_field(written)
        if not equals or not value:
            raise InputError(f"{written} has no value", field=name, hint=f"Write {name}=…, without spaces.")
        if name in found:
            raise InputError(f"{name} comes twice", field=name, hint="Give it once.")
        found[name] = value
    return found


def _unknown_field(name: str) -> InputError:
    near = difflib.get_close_matches(name.lower(), FIELDS, n=1, cutoff=0.5)
    meant = f"Did you mean {near[0]}=? " if near else ""
    return InputError(
        f"{name!r} is nothing a price has",
        field=name,
        hint=f"{meant}It has {', '.join(FIELDS)}, as name=value.",
    )


def _in_words(price: Price, own: Prices) -> str:
    known = {name: getattr(price, name) for name in _NUMBERS}
    numbers = [f"{_HEADINGS[name]} {number:f}" for name, number in known.items() if number is not None]
    since = "" if price.valid_from is None else f", from {price.valid_from.isoformat()} (UTC)"
    return f"{price.model}: {', '.join(numbers)} {price.currency}{since}. Kept in {_path(own)}"


def _waiting(session: Session, own: Prices) -> str:
    """How many earlier requests could have a cost by now; the price stands whatever the ledger says."""
    from anyfast_nb.ledger.prices.repricing import missing

    try:
        waiting = sum(one.figures for one in missing(session.gateway.ledger, own.table()) if one.priced)
    except LedgerError:
        return ""
    said = f"{_some(waiting, 'earlier request')} can have a cost now"
    return f"{said}: `%anyfast prices reprice`." if waiting else ""


# --- the rest -----------------------------------------------------------------------------


def _reprice(session: Session, found: argparse.Namespace, show: Show) -> None:
    from anyfast_nb.ledger.prices.repricing import reprice

    done = reprice(
        session.gateway.ledger,
        since=_since(found.since),
        model=found.model,
        everything=found.all,
        prices=_prices(session),
    )
    show(notice(str(done)))


def _since(word: str | None) -> datetime | None:
    """A time in ISO form as it is; else a period by its name, such as ``week`` or ``7d``."""
    from anyfast_nb.ledger.periods import period

    with contextlib.suppress(ValueError):
        return word if word is None else datetime.fromisoformat(word.strip())
    assert word is not None
    found = period(word)
    if found.until is not None:
        raise InputError(f"--since {word} has an end", field="since", hint="Give its beginning alone.")
    return found.since


def _example(show: Show) -> None:
    from anyfast_nb.ledger.prices.file import HEADER

    show(notice(HEADER.rstrip("\n")))


# --- completion ---------------------------------------------------------------------------


def words(before: Sequence[str], fragment: str, session: Session) -> Iterable[str]:
    """What may stand at the cursor.

    Args:
        before: the words in front of it, without the verb.
        fragment: the word that has begun.
        session: whose prices name the currencies in use.
    """
    from anyfast_nb import catalog

    action = before[0] if before else ""
    if before and before[-1] in {"-m", "--model"}:
        return catalog.names()
    if not action and not fragment.startswith("-"):
        return ACTIONS
    if action == "reprice":
        return [name for name in verb_options("prices").names() if name not in before]
    if action == "set":
        return catalog.names() if len(before) == 1 else _field_words(before, fragment, session)
    return ()


def _field_words(before: Sequence[str], fragment: str, session: Session) -> list[str]:
    """The fields that are not given yet, or the values of the one that is being written."""
    if fragment.startswith("currency="):
        return [f"currency={word}" for word in _currencies(session)]
    given = {word.partition("=")[0] for word in before}
    return [f"{name}=" for name in FIELDS if name not in given]


def _currencies(session: Session) -> list[str]:
    """Those in use, and else the two that the vendor's consoles have."""
    from anyfast_nb.errors import AnyFastError

    try:
        used = {price.currency for price in _prices(session).table().prices}
    except AnyFastError:
        used = set()
    return sorted(used) or ["CNY", "USD"]
