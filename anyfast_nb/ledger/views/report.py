"""What was used in a period, added up or request by request: a value that shows itself as a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from sqlalchemy import func, select

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.disk.tables import REQUESTS
from anyfast_nb.ledger.frames import requests as frames
from anyfast_nb.ledger.frames import totals
from anyfast_nb.ledger.frames.choice import Choice
from anyfast_nb.ledger.frames.columns import REQUEST_FIELDS
from anyfast_nb.ledger.frames.handed_in import opened
from anyfast_nb.ledger.periods import Period, period, zone
from anyfast_nb.ledger.store import Ledger
from anyfast_nb.ledger.views.lines import Took, notes, sections, share_of
from anyfast_nb.wire.values import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from anyfast_nb.ledger.budget.values import BudgetState
    from anyfast_nb.ledger.rows import Names

BYS: Final = ("model", "day", "notebook", "user", "thread", "kind")
_TITLE_CHARS: Final = 48
_MOST_BUDGETS: Final = 12
_UNKNOWN: Final = re.compile(r"\((unknown user|unknown notebook|no thread)\)")  # no brackets in brackets
_HEADINGS: Final = ("time", "source", "model", "status", "tokens in", "tokens out", "cost", "took", "title")
_RIGHT: Final = (4, 5, 6, 7)
_NEWEST: Final = ("time", "source", "kind", "model", "status", "input_tokens", "output_tokens", "cost",
                  "currency", "duration_s", "title")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class UsageReport:
    """What was used, as a table in a notebook and as text elsewhere.

    Attributes:
        frame: the figures: by `by`, a row for each key, source and currency; without `by` a row for
            each request, newest first.
        period: of what time.
        by: model, day, notebook, user, thread or kind; "" where it lists requests.
        asked: the filters, in words.
        tz: whose days and times they are; None is this machine's.
        took: the seconds of each source and key, added up, and of how many requests.
        budgets: what is left of each budget, a line each.
    """

    frame: pd.DataFrame = field(repr=False)
    period: Period
    by: str
    asked: str = ""
    tz: str | None = None
    took: Took = field(default_factory=dict, repr=False)
    budgets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return str(self._repr_mimebundle_()["text/plain"])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from anyfast_nb.render.notice import notice
        from anyfast_nb.render.usage import newest_bundle, usage_bundle

        if self.frame.empty:
            return notice("\n".join([self._nothing(), *self.budgets]))
        if not self.by:
            cells = _newest_cells(self.frame, self.tz)
            return newest_bundle(cells, columns=_HEADINGS, right=_RIGHT, caption=self._caption())
        return usage_bundle(
            sections(self.frame, by=self.by, took=self.took),
            key=self.by,
            caption=self._caption(),
            share_of=share_of(self.frame),
            notes=[*notes(self.frame), *self.budgets],
        )

    def _caption(self) -> str:
        count = len(self.frame)
        newest = f"The newest {count:,} requests" if count != 1 else "The newest request"
        what = f"Usage by {self.by}" if self.by else newest
        return " · ".join(part for part in (what, self.period.words, self.asked) if part)

    def _nothing(self) -> str:
        asked = f" ({self.asked})" if self.asked else ""
        if self.period.since is None and not self.asked:
            return "The ledger is empty."
        hint = "" if self.period.since is None else " · `%anyfast usage all` shows all time"
        return f"No requests: {self.period.words}{asked}{hint}"


def usage(
    when: str = "month",
    *,
    by: str | None = None,
    last: int | None = None,
    tz: str | None = None,
    kind: Names = None,
    model: Names = None,
    source: Names = None,
    thread: Names = None,
    notebook: Names = None,
    user: Names = None,
    source_files: str | Path | Iterable[str | Path] | None = None,
    path: str | Path | None = None,
    now: Callable[[], datetime] | None = None,
) -> UsageReport:
    """What was used, as a table.

    Args:
        when: ``today``, ``yesterday``, ``week``, ``month``, ``24h``, ``7d``, ``all``, a date (since
            then), or two dates with ``..`` between them.
        by: what a line is about: model (if nothing is said), day, notebook, user, thread or kind.
        last: list so many of the newest requests instead.
        tz: whose days they are, such as ``Asia/Shanghai``; by default this machine's.
        kind: chat, responses, seedream, seedance, kling, asset; one name or several, as in all that follow.
        model: the model that served, or was asked for where none answered.
        source: live, simulated, replayed.
        thread: names of conversations.
        notebook: paths of notebooks.
        user: names of users.
        source_files: ledgers that were handed in, as in ``frame``, instead of one's own.
        path: another ledger; by default ``ANYFAST_LEDGER_URL``, else the state folder's.
        now: the clock.

    Returns:
        A value that shows itself; its ``frame`` holds the figures. Sources are never added up.

    Raises:
        InputError: a period, a zone or a word of `by` that there is not.
        LedgerError: the ledger cannot be read.

    Example:
        >>> usage("all").by
        'model'
    """
    if by is not None and last is not None:
        raise InputError(
            f"last={last} lists requests, and by={by!r} adds them up", field="by", hint="Give one of them."
        )
    by = BYS[0] if by is None else by
    if by not in BYS:
        raise InputError(
            f"by={by!r} is nothing to count by", field="by", hint=f"Write one of {', '.join(BYS)}."
        )
    if last is not None and last < 1:
        raise InputError(
            f"last={last} is below 1", field="last", hint="last=20 lists the newest 20 requests."
        )
    span = period(when, tz=tz, now=now)
    chosen = {"kind": kind, "model": model, "source": source, "thread": thread, "notebook": notebook,
              "user": user}  # fmt: skip
    asked = " · ".join(f"{name} {_listed(names)}" for name, names in chosen.items() if names is not None)
    filters: dict[str, Any] = chosen | {"until": span.until, "source_files": source_files, "path": path}
    if last is not None:
        rows = frames.frame(span.since, columns=list(_NEWEST), limit=last, **filters)
        return UsageReport(rows.iloc[::-1].reset_index(drop=True), span, "", asked=asked, tz=tz)
    more: dict[str, Any] = {"tz": tz} if by == "day" else {}
    return UsageReport(
        getattr(totals, f"by_{by}")(span.since, **filters, **more),
        span,
        by,
        asked=asked,
        tz=tz,
        took=took_by(by, Choice(span.since, span.until, chosen), tz=tz, source_files=source_files, path=path),
        budgets=budget_lines(path) if source_files is None else (),
    )


def _listed(names: Names) -> str:
    return names if isinstance(names, str) else ", ".join(names or ())


# --- single requests ----------------------------------------------------------------------


def _newest_cells(rows: pd.DataFrame, tz: str | None) -> list[list[str]]:
    from anyfast_nb.render.usage import money_places, number, seconds

    where = zone(tz)
    places = money_places(float(cost) for cost in rows.loc[rows["source"] == "live", "cost"].dropna())
    cells = []
    for row in rows.itertuples(index=False):
        known: dict[str, Any] = {
            name: None if pd.isna(value) else value for name, value in row._asdict().items()
        }
        moment = known["time"].to_pydatetime().astimezone(where)
        priced = known["cost"] is not None and known["source"] == Source.LIVE.value
        cells.append([
            f"{moment:%Y-%m-%d %H:%M:%S}",
            str(known["source"]),
            str(known["model"] or ""),
            str(known["status"]),
            number(known["input_tokens"]),
            number(known["output_tokens"]),
            _cost(known, places) if priced else "",
            seconds(known["duration_s"]),
            _title(known["title"]),
        ])  # fmt: skip
    return cells


def _cost(known: Mapping[str, Any], places: int) -> str:
    from anyfast_nb.render.usage import money

    return f"{money(float(known['cost']), places=places)} {known['currency'] or ''}".rstrip()


def _title(title: str | None) -> str:
    text = " ".join((title or "").split())
    return text if len(text) <= _TITLE_CHARS else f"{text[: _TITLE_CHARS - 1]}…"


# --- beside the totals --------------------------------------------------------------------


def took_by(
    by: str,
    choice: Choice,
    *,
    tz: str | None = None,
    source_files: str | Path | Iterable[str | Path] | None = None,
    path: str | Path | None = None,
) -> Took:
    """The seconds of the requests whose duration is known, by source and key; added up by the database."""
    row = REQUESTS.c
    key = row.time_us // totals.QUARTER_US if by == "day" else REQUEST_FIELDS[by].of
    figures = (func.sum(row.duration_s), func.count(row.duration_s))
    statement = choice.of_requests(select(row.source, key.label("key"), *figures)).group_by(row.source, "key")
    turned = totals.day_of(tz) if by == "day" else None
    sums: dict[tuple[str, Any], tuple[float, int]] = {}
    with opened(path, source_files, warn=lambda _: None) as ledger, ledger.reading() as connection:
        for source, name, seconds, count in connection.execute(statement):
            if count:
                place = (source, name if turned is None else turned(name))
                before = sums.get(place, (0.0, 0))
                sums[place] = (before[0] + seconds, before[1] + count)
    return sums


def budget_lines(path: str | Path | None = None) -> tuple[str, ...]:
    """How each budget stands, a line each; none where there are none."""
    with Ledger(path, warn=lambda _: None) as ledger:
        # A teacher sees each student's, a student none but the own.
        states = ledger.budgets(everyone=ledger.shared) if ledger.guarded() else []
    lines = [_budget_line(state) for state in states[:_MOST_BUDGETS]]
    if left := len(states) - len(lines):
        lines.append(f"budgets: {left:,} more lines · `%anyfast budget` shows them")
    return tuple(lines)


def _budget_line(state: BudgetState) -> str:
    budget = state.budget
    used = [f"{budget.said(state.spent)} spent"]
    used += [f"{budget.said(state.reserved)} reserved"] if state.reserved else []
    left = f"{budget.said(state.left)} left" if state.left >= 0 else f"over by {budget.said(state.excess)}"
    name = _UNKNOWN.sub(r"\1", state.name)
    who = f" ({name})" if name else ""
    return f"budget {budget}{who}: {', '.join(used)}, {left}{f' · {state.anew}' if state.anew else ''}"
