"""`%anyfast usage`: what was used, as a table and as charts."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.magics.options import USAGE_BY, USAGE_KINDS, USAGE_SOURCES, split, verb_options
from anyfast_nb.render.notice import notice

if TYPE_CHECKING:
    from anyfast_nb.magics.verbs import Show
    from anyfast_nb.session import Session

DEFAULT_PERIOD: Final = "month"
_FILTERS: Final = ("kind", "model", "source", "thread", "notebook", "user")


def usage(session: Session, line: str, show: Show) -> None:
    """Show what was used in a period: totals, the newest requests, charts.

    Args:
        session: knows what was said of the ledger before.
        line: the rest of the line.
        show: shows a bundle.

    Raises:
        InputError: a period, a zone or an option that there is not.
        LedgerError: the ledger cannot be read.
    """
    found = verb_options("usage").read(split(line))
    if len(found.words) > 1:
        raise InputError(
            f"%anyfast usage: {found.words[1]!r} is one word too many",
            hint="`%anyfast help usage` shows how it is written.",
        )
    when = found.words[0] if found.words else DEFAULT_PERIOD
    from anyfast_nb.ledger.views.report import usage as report_of

    filters: dict[str, Any] = {name: getattr(found, name) for name in _FILTERS}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        report = report_of(when, by=found.by, last=found.last, tz=found.tz, **filters)
    # Of the ledger itself: a person wants the words, not the place in our code.
    if lines := session.untold(str(one.message) for one in told):
        show(notice("\n".join(lines)))
    show(dict(report._repr_mimebundle_()))
    if found.csv:
        from anyfast_nb.ledger.frames.export import to_csv

        show(notice(f"Written: {to_csv(report.frame, found.csv)}"))
    if found.plot and not report.frame.empty:
        from anyfast_nb.ledger import plot

        bundle, _ = plot.overview(when, theme=found.theme, tz=found.tz, **filters)._repr_mimebundle_()
        show(dict(bundle))


def words(before: Sequence[str]) -> Iterable[str]:
    """The periods, where one may stand."""
    from anyfast_nb.ledger.periods import NAMES

    return () if any(word in NAMES for word in before) else NAMES


def values(option: str) -> Iterable[str]:
    """What an option of `usage` or `budget` may be; nothing for those that are no list."""
    if option in {"--tz", "--zone"}:
        from zoneinfo import available_timezones

        return sorted(available_timezones())
    known: dict[str, Iterable[str]] = {
        "--by": USAGE_BY,
        "--kind": USAGE_KINDS,
        "--source": USAGE_SOURCES,
        "--theme": ("light", "dark", "auto"),
    }
    return known.get(option, ())
