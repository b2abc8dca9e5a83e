"""What was used, what budgets leave, what has no price: pieces of a panel, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anyfast_nb.render.escape import escape_attribute, escape_prose
from anyfast_nb.render.shelf import button
from anyfast_nb.render.usage import money, money_places, number, percent, seconds

if TYPE_CHECKING:
    from anyfast_nb.render.usage import UsageLine, UsageSection

Say = Callable[..., str]
"""The words of a key."""
Column = tuple[str, Callable[["UsageLine"], str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLine:
    """How a budget stands, in words.

    Attributes:
        id: of the budget.
        what: amount, period, scope.
        how: spent, reserved, left.
        used: percent of the amount.
        over: more was used than the amount.
        sure: ending it was pressed once.
        ends: it can be ended from this line.
    """

    id: str
    what: str
    how: tuple[str, ...]
    used: int
    over: bool = False
    sure: bool = False
    ends: bool = True


def sections_html(
    sections: Sequence[UsageSection], *, key: str, caption: str, notes: Iterable[str], say: Say
) -> str:
    """Totals as a table that scrolls by itself.

    Args:
        sections: one for each source, never added up.
        key: what the lines are about, as its heading.
        caption: which period.
        notes: lines below.
        say: the words.
    """
    columns = _columns(sections, key, say)
    shares = any(len(section.lines) > 1 for section in sections)
    head = "".join(
        f'<th scope="col"{_side(at)}>{escape_prose(heading)}</th>' for at, (heading, _) in enumerate(columns)
    )
    head += f'<th scope="col" colspan="2">{escape_prose(say("usage.share"))}</th>' if shares else ""
    width = len(columns) + (2 if shares else 0)
    bodies = "".join(_body(section, columns, shares=shares, width=width, say=say) for section in sections)
    below = "".join(f'<div class="anyfast-soft">{escape_prose(note)}</div>' for note in notes)
    label = escape_attribute(caption)
    return (
        f'<div class="anyfast-soft">{escape_prose(caption)}</div>'
        f'<div class="anyfast-strip" role="region" tabindex="0" aria-label="{label}">'
        f'<table class="anyfast-sums"><thead><tr>{head}</tr></thead>{bodies}</table></div>{below}'
    )


def chart_html(light: str, dark: str, *, says: str) -> str:
    """A chart in both themes: the page shows the one that fits.

    Args:
        light: name of the picture on the board.
        dark: name of the other one.
        says: what it says.
    """
    alt = escape_attribute(" ".join(says.split()))
    pictures = "".join(
        f'<img class="anyfast-{theme}" data-medium="{escape_attribute(name)}" alt="{alt}">'
        for theme, name in (("light", light), ("dark", dark))
    )
    return f'<div class="anyfast-chart">{pictures}</div>'


def budget_html(line: BudgetLine, *, say: Say) -> str:
    """A budget with a bar that reads without colours, and aloud."""
    full = " anyfast-beyond" if line.over else ""
    bar = (
        f'<div class="anyfast-level{full}" role="meter" aria-label="{escape_attribute(line.what)}" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{min(line.used, 100)}" '
        f'aria-valuetext="{line.used} %">'
        f'<div style="width:{min(line.used, 100)}%"></div></div>'
    )
    end = ""
    if line.ends:
        word = say("usage.end_sure" if line.sure else "usage.end")
        end = button(
            f"end:{escape_attribute(line.id)}", word, of=escape_attribute(line.what), pressed=line.sure
        )
    how = " · ".join((f"{line.used} %", *line.how))
    return (
        f'<div class="anyfast-budget"><div class="anyfast-head-words">{escape_prose(line.what)}</div>{bar}'
        f'<div class="anyfast-soft">{escape_prose(how)}</div>{end}</div>'
    )


def unpriced_html(counts: Mapping[str, int], *, heading: str, say: Say) -> str:
    """Models without a price, each with a button.

    Args:
        counts: how many requests, by model; the model names the button's act.
        heading: a line above.
        say: the words.
    """
    lines = "".join(
        f'<div class="anyfast-pager"><span>{escape_prose(model)} '
        f'<span class="anyfast-soft">{count:,}</span></span>'
        + button(f"price:{escape_attribute(model)}", say("usage.set_one"), of=escape_attribute(model))
        + "</div>"
        for model, count in counts.items()
    )
    return f'<div class="anyfast-soft">{escape_prose(heading)}</div>{lines}'


def _columns(sections: Sequence[UsageSection], key: str, say: Say) -> list[Column]:
    """Those that have anything to say."""
    every = [line for section in sections for line in (*section.lines, section.total)]
    always: list[Column] = [
        (key, lambda line: line.name),
        (say("usage.requests"), lambda line: number(line.requests)),
    ]
    maybe: list[Column] = [
        (say("usage.errors"), lambda line: number(line.errors or None)),
        (say("usage.tokens_in"), lambda line: number(line.input_tokens)),
        (say("usage.cached"), lambda line: number(line.cached_tokens or None)),
        (say("usage.tokens_out"), lambda line: number(line.output_tokens)),
        (say("usage.reasoning"), lambda line: number(line.reasoning_tokens or None)),
        (say("usage.images"), lambda line: number(line.images or None)),
        (say("usage.film"), lambda line: seconds(line.video_s or None)),
        *(
            _cost(currency, every, say)
            for currency in sorted({one for line in every for one, _ in line.costs})
        ),
        (say("usage.mean"), lambda line: seconds(line.mean_s)),
    ]
    return always + [column for column in maybe if any(column[1](line) for line in every)]


def _cost(currency: str, lines: Iterable[UsageLine], say: Say) -> Column:
    places = money_places(amount for line in lines for one, amount in line.costs if one == currency)

    def text(line: UsageLine) -> str:
        amount = dict(line.costs).get(currency)
        if amount is None:
            return ""
        return f"{'≥ ' if line.unpriced else ''}{money(amount, places=places)} {currency}"

    return say("usage.cost"), text


def _body(section: UsageSection, columns: Sequence[Column], *, shares: bool, width: int, say: Say) -> str:
    source = say(f"usage.{section.source}")
    heading = source if section.source == "live" else say("usage.no_money", source=source)
    rows = (
        f'<tr class="anyfast-origin"><th scope="rowgroup" colspan="{width}">{escape_prose(heading)}</th></tr>'
    )
    for line in section.lines:
        cells = _cells(line, columns, line.name)
        rows += f"<tr>{cells}{_share(line.share) if shares else ''}</tr>"
    if len(section.lines) > 1:
        blank = '<td colspan="2"></td>' if shares else ""
        rows += (
            f'<tr class="anyfast-whole-sum">{_cells(section.total, columns, say("usage.total"))}{blank}</tr>'
        )
    return f"<tbody>{rows}</tbody>"


def _cells(line: UsageLine, columns: Sequence[Column], name: str) -> str:
    first = f'<th scope="row">{escape_prose(name)}</th>'
    return first + "".join(
        f"<td{_side(at)}>{escape_prose(text(line))}</td>" for at, (_, text) in enumerate(columns) if at
    )


def _side(at: int) -> str:
    return ' class="anyfast-end"' if at else ""


def _share(share: float | None) -> str:
    if share is None:
        return '<td colspan="2"></td>'
    return (
        f'<td class="anyfast-end">{escape_prose(percent(share))}</td>'
        '<td><div class="anyfast-level anyfast-part" aria-hidden="true">'
        f'<div style="width:{share:.1%}"></div></div></td>'
    )
