"""The usage panel: what was used as table and chart, what budgets leave, and which models have no price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from anyfast_nb.ledger.periods import NAMES
from anyfast_nb.panels import usage_figures as ledger_figures
from anyfast_nb.panels.board import Board
from anyfast_nb.panels.errands import drawn
from anyfast_nb.panels.memos import Memos, in_a_row, press_button
from anyfast_nb.panels.panel import Panel, lines_of
from anyfast_nb.panels.scratch import Scratch
from anyfast_nb.panels.usage_figures import CHARTS, Asked, Drawn, Figures
from anyfast_nb.panels.usage_forms import BudgetForm, PriceForm
from anyfast_nb.panels.words import say
from anyfast_nb.render.account import budget_html, chart_html, sections_html, unpriced_html
from anyfast_nb.render.notice import notice
from anyfast_nb.render.shelf import button, line_html
from anyfast_nb.wire.values import Source

if TYPE_CHECKING:
    from anyfast_nb.ledger.budget.values import Budget, BudgetState
    from anyfast_nb.ledger.prices.repricing import Missing
    from anyfast_nb.render.publish import Bundle
    from anyfast_nb.session import Session

_BYS: Final = ("model", "day", "notebook", "user", "thread", "kind")
_FIELD: Final = {"width": "auto", "flex": "1 1 15em", "min_width": "13em"}


class UsagePanel(Panel):
    """What was used, by what is chosen, with budgets and prices below.

    Args:
        session: of the kernel.

    Example:
        >>> import anyfast_nb as af
        >>> af.UsagePanel()  # doctest: +SKIP
    """

    def __init__(self, *, session: Session | None = None) -> None:
        super().__init__(session=session)
        self._asked = Asked()
        self._figures: Figures | None = None
        self._drawn: Drawn | None = None
        self._states: list[BudgetState] = []
        self._missing: list[Missing] = []
        self._sure = ""
        self._scratch = Scratch()
        self._build()
        self.refresh()

    # --- what is in it --------------------------------------------------------------------

    def _build(self) -> None:
        when = ipywidgets.Combobox(
            value=self._asked.when,
            options=NAMES,
            description=say("usage.when"),
            placeholder=say("usage.when_hint"),
            continuous_update=False,
            layout=ipywidgets.Layout(**_FIELD),
        )
        when.observe(self.guarded(lambda change: self._choose(when=change["new"])), "value")
        sources = [
            (say("usage.every_source"), ""),
            *((say(f"usage.{one.value}"), one.value) for one in Source),
        ]
        charts = [*((say(f"usage.chart_{one}"), one) for one in CHARTS), (say("usage.chart_none"), "")]
        bar = in_a_row([
            when,
            self._chooser("by", [(say(f"usage.by_{one}"), one) for one in _BYS]),
            self._chooser("source", sources),
            self._chooser("chart", charts),
        ])  # fmt: skip
        self._budget_form = BudgetForm(on_set=self.guarded(self._set_budget))
        self._price_form = PriceForm(on_set=self.guarded(self._set_price))
        self._price_form.toggle.observe(self.guarded(lambda _: self._draw_prices()), "value")
        acts = in_a_row([
            press_button("usage.refresh", self.guarded(lambda _: self.refresh())),
            press_button("usage.export", self.guarded(lambda _: self.export())),
            self._budget_form.toggle,
            self._price_form.toggle,
        ])  # fmt: skip
        self._memos = Memos("usage", on_act=self.guarded(self._act))
        self._board_of_figures = self._board("figures")
        self._board_of_budgets = self._board("budgets")
        self._board_of_prices = self._board("prices")
        self.children = [
            bar, acts, self._memos.board, self._budget_form.box, self._board_of_budgets, self._price_form.box,
            self._board_of_prices, self._board_of_figures,
        ]  # fmt: skip
        self._draw()

    def _board(self, name: str) -> Board:
        return Board(
            label=say(f"usage.{name}_label"),
            on_act=self.guarded(self._act),
            text_of=lambda _: self.as_magic(),
        )

    def _chooser(self, name: str, options: Sequence[tuple[str, str]]) -> Any:
        made = ipywidgets.Dropdown(
            options=options,
            value=getattr(self._asked, name),
            description=say(f"usage.{name}"),
            layout=ipywidgets.Layout(**_FIELD),
        )
        made.observe(self.guarded(lambda change: self._choose(**{name: change["new"]})), "value")
        return made

    def relabel(self) -> None:
        """Say everything anew, in the language of the settings; what was chosen stays."""
        self._build()

    # --- reading --------------------------------------------------------------------------

    def refresh(self) -> None:
        """Add up anew, and draw; gives back at once."""
        asked = self._asked
        self._errands.read(lambda: ledger_figures.figures(asked), self._added_up, key="figures")
        self._errands.read(
            lambda: ledger_figures.budgets(self.session, self.origin), self._stand, key="budgets"
        )
        self._errands.read(lambda: ledger_figures.missing(self.session), self._miss, key="prices")

    def _choose(self, **changes: Any) -> None:
        before, self._asked = self._asked, replace(self._asked, **changes)
        if self._asked == before:
            return
        self._memos.drop("trouble")
        if set(changes) == {"chart"}:
            self._draw_chart()
            return
        asked = self._asked
        self._errands.read(lambda: ledger_figures.figures(asked), self._added_up, key="figures")

    def _added_up(self, figures: Figures) -> None:
        self._figures = figures
        self._draw_figures()
        self.keep(now=True)
        self._draw_chart()

    def _draw_chart(self) -> None:
        asked, figures = self._asked, self._figures
        if not asked.chart or figures is None or figures.report.frame.empty:
            self._chart_made(None)
            return
        folder = self._scratch.path
        if self._drawn is None:
            self._board_of_figures.put("chart", line_html(say("usage.drawing")))
        self._errands.read(lambda: ledger_figures.chart(asked, folder), self._chart_made, key="chart")

    def _chart_made(self, made: Drawn | None) -> None:
        before, self._drawn = self._drawn, made
        self._draw_figures()
        self.keep(now=True)
        if before is not None and before != made:
            for path in (before.light, before.dark):
                path.unlink(missing_ok=True)

    def _stand(self, states: list[BudgetState]) -> None:
        self._states = states
        self._draw_budgets()
        self.keep()

    def _miss(self, found: list[Missing]) -> None:
        self._missing = found
        self._draw_prices()

    # --- what is shown --------------------------------------------------------------------

    def _draw(self) -> None:
        self._draw_figures()
        self._draw_budgets()
        self._draw_prices()

    def _draw_figures(self) -> None:
        pieces = {"table": self._table()}
        if self._drawn is not None and self._asked.chart:
            board, made = self._board_of_figures, self._drawn
            pieces["chart"] = chart_html(board.medium(made.light), board.medium(made.dark), says=made.says)
        pieces["magic"] = (
            f'<div class="anyfast-acts"><button type="button" class="anyfast-act" data-copy="magic">'
            f"{say('usage.copy_magic')}</button></div>"
        )
        drawn(self._board_of_figures, pieces)

    def _table(self) -> str:
        figures = self._figures
        if figures is None:
            return line_html(say("usage.loading"))
        if figures.report.frame.empty:
            return line_html(say("usage.none", period=figures.period))
        by = say(f"usage.by_{figures.report.by}")
        caption = say("usage.caption", by=by, period=figures.period)
        return sections_html(figures.sections, key=by, caption=caption, notes=self._remarks(figures), say=say)

    def _remarks(self, figures: Figures) -> list[str]:
        counts = (("usage.unpriced", figures.unpriced), ("usage.unknown", figures.unknown))
        return [say(key, count=f"{count:,}") for key, count in counts if count]

    def _draw_budgets(self) -> None:
        lines = ledger_figures.budget_lines(self._states, sure=self._sure)
        pieces = {f"budget-{at}": budget_html(line, say=say) for at, line in enumerate(lines)}
        drawn(self._board_of_budgets, pieces or {"none": line_html(say("usage.no_budget"))})

    def _draw_prices(self) -> None:
        without = ledger_figures.without_price(self._missing)
        waiting = sum(one.figures for one in self._missing if one.priced and one.source == Source.LIVE.value)
        count = sum(without.values())
        pieces = {}
        if without:
            heading = say("usage.without_price", count=f"{count:,}")
            pieces["without"] = unpriced_html(without, heading=heading, say=say)
        if waiting:
            told = line_html(say("usage.can_price", count=f"{waiting:,}"))
            pieces["waiting"] = f"{told}{button('reprice:', say('usage.reprice'))}"
        self._price_form.count(count)
        drawn(self._board_of_prices, pieces or {"none": line_html(say("usage.all_priced"))})
        self._board_of_prices.layout.display = "" if self._price_form.is_open else "none"

    def tell(self, error: BaseException) -> None:
        """Show in the panel what went wrong."""
        self._memos.put("trouble", lines_of(error), kind="trouble")

    # --- what a person presses ------------------------------------------------------------

    def _act(self, act: str) -> None:
        verb, _, name = act.partition(":")
        if verb == "away":
            self._memos.drop(name)
        elif verb == "price":
            self._price_form.ask(name)
            self._draw_prices()
        elif verb == "reprice":
            self._errands.read(lambda: ledger_figures.reprice(self.session), self._repriced, key="reprice")
        elif verb == "end":
            self._end(name)

    def _end(self, id: str) -> None:
        if self._sure != id:
            self._sure = id
            self._draw_budgets()
            self._memos.board.announce(say("usage.end_sure"))
            return
        self._sure = ""

        def ended(_: None) -> None:
            self._memos.put("budget", [say("usage.ended")])
            self.refresh()

        self._errands.read(lambda: self.session.gateway.ledger.end_budget(id), ended, key="end")

    def _set_budget(self, amount: str, per: str, scope: str, hard: bool) -> None:
        def made(budget: Budget) -> None:
            self._memos.drop("trouble")
            self._budget_form.clear()
            self._memos.put("budget", [say("usage.budget_set", budget=ledger_figures.budget_words(budget))])
            self.refresh()

        def work() -> Budget:
            return ledger_figures.set_budget(self.session, amount=amount, per=per, scope=scope, hard=hard)

        self._errands.read(work, made, key="set")

    def _set_price(self, model: str, currency: str, given: dict[str, str]) -> None:
        def made(told: str) -> None:
            self._memos.drop("trouble")
            self._price_form.clear()
            self._memos.put("price", [told])
            self.refresh()

        self._errands.read(
            lambda: ledger_figures.set_price(self.session, model, currency, given), made, key="set"
        )

    def _repriced(self, done: Any) -> None:
        self._memos.put("price", [say("usage.repriced", count=f"{done.changed:,}")])
        self.refresh()

    def export(self) -> None:
        """Write the figures as CSV into the folder of the notebook; gives back at once."""
        figures = self._figures
        if figures is not None:
            self._errands.read(
                lambda: ledger_figures.export(figures),
                lambda path: self._memos.put("export", [say("usage.exported", path=path)]),
                key="export",
            )

    # --- what stays -----------------------------------------------------------------------

    def as_magic(self) -> str:
        """The line that shows the same."""
        return self._asked.as_magic

    def essence(self) -> Bundle:
        """The table, and the budgets as lines."""
        figures = self._figures
        if figures is None:
            return notice(say("usage.loading"))
        bundle = figures.report._repr_mimebundle_()
        return {"text/plain": bundle["text/plain"], "text/html": bundle["text/html"]}

    def close(self) -> None:
        """Let go of it."""
        self._errands.close()
        self._scratch.close()
        super().close()
