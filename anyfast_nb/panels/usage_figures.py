"""What the usage panel reads and changes in the ledger: everything here blocks, and runs in a thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.budget.values import Per, Scope, parse_amount
from anyfast_nb.ledger.periods import NAMES
from anyfast_nb.panels.words import say
from anyfast_nb.render.account import BudgetLine
from anyfast_nb.wire.values import Source

if TYPE_CHECKING:
    from anyfast_nb.gateway.whence import Origin
    from anyfast_nb.ledger.budget.values import Budget, BudgetState
    from anyfast_nb.ledger.prices.book import Prices
    from anyfast_nb.ledger.prices.repricing import Missing, Repriced
    from anyfast_nb.ledger.views.report import UsageReport
    from anyfast_nb.render.usage import UsageSection
    from anyfast_nb.session import Session

CHARTS: Final = ("overview", "tokens", "cost", "latency", "jobs")
PRICED: Final = ("input", "output", "image", "video_second")
_MOST_BUDGETS: Final = 40
_ONE_DAY: Final = ("today", "yesterday")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is looked at; "" is any source, or no chart."""

    when: str = "month"
    by: str = "model"
    source: str = ""
    chart: str = "tokens"

    @property
    def as_magic(self) -> str:
        """The line that shows the same."""
        words = ["%anyfast usage", self.when, "--by", self.by]
        words += ["--source", self.source] if self.source else []
        return " ".join([*words, *(["--plot"] if self.chart else [])])


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was used, added up.

    Attributes:
        report: with the frame.
        sections: its lines, a section for each source.
        unpriced: live requests whose model has no price.
        unknown: requests whose usage nobody knows.
        when: the period as it was asked for.
    """

    report: UsageReport
    sections: tuple[UsageSection, ...]
    unpriced: int
    unknown: int
    when: str

    @property
    def period(self) -> str:
        """The period in words."""
        words = say(f"usage.in_{self.when}") if self.when in NAMES else self.when
        since = self.report.period.since
        if since is None or self.when not in NAMES:
            return words
        day = f"{since:%Y-%m-%d}"
        return f"{words} · {day if self.when in _ONE_DAY else say('usage.since', day=day)}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart in both themes, as files, and what it says."""

    light: Path
    dark: Path
    says: str


def figures(asked: Asked) -> Figures:
    """Add up.

    Raises:
        InputError: there is no such period.
        LedgerError: the ledger cannot be read.
    """
    from anyfast_nb.ledger.views.lines import sections
    from anyfast_nb.ledger.views.report import usage

    report = usage(asked.when.strip() or "all", by=asked.by, source=asked.source or None)
    frame = report.frame
    live = frame[frame["source"] == Source.LIVE.value]
    return Figures(
        report=report,
        sections=sections(frame, by=asked.by, took=report.took),
        unpriced=int(live["without_price"].sum()),
        unknown=int(frame["without_usage"].sum()),
        when=asked.when.strip() or "all",
    )


def chart(asked: Asked, folder: Path) -> Drawn:
    """Draw a chart for light and for dark pages.

    Raises:
        InputError: there is no such period.
        LedgerError: the ledger cannot be read.
    """
    from anyfast_nb.ledger import plot

    draw: Callable[..., Any] = getattr(plot, asked.chart)
    made = {theme: draw(asked.when, theme=theme, source=asked.source or None) for theme in ("light", "dark")}
    mark = uuid4().hex[:12]
    for theme, drawn in made.items():
        drawn.set_facecolor("none")  # the panel's own ground
        (folder / f"{mark}-{theme}.png").write_bytes(drawn.png())
    return Drawn(folder / f"{mark}-light.png", folder / f"{mark}-dark.png", made["light"].says)


def export(figures: Figures) -> Path:
    """Write the figures as CSV into the folder of the notebook.

    Raises:
        InputError: there is nothing to write.
    """
    from anyfast_nb.ledger.frames.export import to_csv

    if figures.report.frame.empty:
        raise InputError(say("usage.nothing_to_export"), field="frame")
    name = f"usage-by-{figures.report.by}-{datetime.now().astimezone():%Y%m%d-%H%M%S}.csv"
    return to_csv(figures.report.frame, Path.cwd() / name, overwrite=True)


# --- budgets ------------------------------------------------------------------------------


def budgets(session: Session, origin: Origin) -> list[BudgetState]:
    """How the budgets stand."""
    ledger = session.gateway.ledger
    user = origin.user if ledger.shared else None
    return ledger.budgets(user=user, notebook=origin.notebook, everyone=ledger.shared)[:_MOST_BUDGETS]


def set_budget(session: Session, *, amount: str, per: str, scope: str, hard: bool) -> Budget:
    """Set a budget.

    Raises:
        InputError: an amount without a unit, or one that is none.
    """
    whole, unit = parse_amount(amount)
    return session.gateway.ledger.set_budget(
        whole, unit, per=Per(per), scope=Scope(scope), hard=hard, zone=None
    )


def budget_words(budget: Budget) -> str:
    """A budget in words."""
    what = say(f"usage.a_{budget.per.value}", amount=budget.said(budget.amount))
    each = "" if budget.scope is Scope.ALL else say(f"usage.each_{budget.scope.value}")
    return " · ".join(part for part in (what, each, "" if budget.hard else say("usage.only_warns")) if part)


def budget_lines(states: Sequence[BudgetState], *, sure: str) -> list[BudgetLine]:
    """The budgets as lines; each can be ended from its first one.

    Args:
        states: as they stand.
        sure: id of the budget whose end was pressed once.
    """
    lines, seen = [], set[str]()
    for state in states:
        one = state.budget
        used = state.spent + state.reserved
        how = [say("usage.spent", amount=one.said(state.spent))]
        how += [say("usage.reserved", amount=one.said(state.reserved))] if state.reserved else []
        left = say("usage.over", amount=one.said(state.excess))
        how.append(left if state.excess else say("usage.left", amount=one.said(state.left)))
        how += [say("usage.anew", when=state.anew)] if state.anew else []
        how += [say("usage.unknown_figures", count=state.unknown)] if state.unknown else []
        what = " · ".join(part for part in (budget_words(one), state.name) if part)
        line = BudgetLine(
            id=one.id,
            what=what,
            how=tuple(how),
            used=100 * used // one.amount if one.amount else 100,
            over=bool(state.excess),
            sure=sure == one.id,
            ends=one.id not in seen,
        )
        seen.add(one.id)
        lines.append(line)
    return lines


# --- prices -------------------------------------------------------------------------------


def prices(session: Session) -> Prices:
    """The user's prices file."""
    from anyfast_nb.ledger.prices.book import Prices, prices_path

    return Prices(prices_path(session.settings.home))


def missing(session: Session) -> list[Missing]:
    """Requests without a cost, by model.

    Raises:
        ConfigError: the prices file is broken.
        LedgerError: the ledger cannot be read.
    """
    from anyfast_nb.ledger.prices.repricing import missing as of_ledger

    return of_ledger(session.gateway.ledger, prices(session).table())


def without_price(found: Sequence[Missing]) -> dict[str, int]:
    """How many live requests of each model have no price: only these cost money."""
    counts: dict[str, int] = {}
    for one in found:
        if not one.priced and one.source == Source.LIVE.value:
            counts[one.model] = counts.get(one.model, 0) + one.requests
    return counts


def set_price(session: Session, model: str, currency: str, given: Mapping[str, str]) -> str:
    """Set a price; gives the model's name and a doubt, if there is one.

    Raises:
        InputError: a value cannot be; nothing was written.
    """
    from anyfast_nb.ledger.prices.book import doubt

    numbers: dict[str, Any] = {name: text.strip() for name, text in given.items() if text.strip()}
    if not numbers:
        raise InputError(say("usage.price_numbers"), field="input")
    price = prices(session).set(model.strip(), currency=currency.strip(), **numbers)
    return f"{say('usage.price_set', model=price.model)} {doubt(price.model)}".strip()


def reprice(session: Session) -> Repriced:
    """Give earlier requests the costs they have by the prices that are set now."""
    from anyfast_nb.ledger.prices.repricing import reprice as in_ledger

    return in_ledger(session.gateway.ledger, prices=prices(session))
