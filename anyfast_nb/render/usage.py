"""What was used, as a table people like to read: figures to the right, a bar for each share.

The bars are plain boxes in a fixed colour that reads on light and dark: sites
that strip style sheets, and notebooks nobody trusts, show them all the same.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from anyfast_nb.render.escape import escape_prose
from anyfast_nb.render.style import LINE_COLOUR, page, quiet, wide
from anyfast_nb.wire.text import without_controls

BAR_COLOUR: Final = "#4a86b8"  # at least 3:1 on JupyterLab's white and on its black
_BAR_PIXELS: Final = 80
_BAR_CHARS: Final = 10
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_NAME_CHARS: Final = 48
_UNBROKEN_CHARS: Final = 24
# From here on a figure is told in millions: nobody reads eight digits.
_LONG: Final = 10_000_000
_MOST_PLACES: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLine:
    """A line of figures; None is unknown or not there.

    Attributes:
        name: what it is about: a model, a day …
        costs: of each currency, what is known.
        unpriced: requests whose cost is not known, beside `costs`.
        mean_s: seconds of a request, on average.
        share: of all that its section has, 0 to 1.
    """

    name: str
    requests: int
    errors: int = 0
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    images: int | None = None
    video_s: float | None = None
    costs: tuple[tuple[str, float], ...] = ()
    unpriced: int = 0
    mean_s: float | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class UsageSection:
    """The lines of one source, and what they add up to."""

    source: str
    lines: tuple[UsageLine, ...]
    total: UsageLine

    @property
    def heading(self) -> str:
        """The source, and whether it is about money."""
        return self.source if self.source == "live" else f"{self.source} · no money"


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    text: Callable[[UsageLine], str]
    right: bool = True


def usage_bundle(
    sections: Sequence[UsageSection], *, key: str, caption: str, share_of: str, notes: Iterable[str] = ()
) -> dict[str, str]:
    """Totals as a mimebundle.

    Args:
        sections: one for each source, never added up.
        key: what the lines are about.
        caption: which period, and what was asked for.
        share_of: what the shares are shares of.
        notes: lines below.

    Returns:
        `text/plain`, aligned for a terminal, and `text/html`.
    """
    columns = _columns(sections, key)
    shown = [line for section in sections for line in section.lines if line.share is not None]
    heading = f"share of {share_of}" if any(len(section.lines) > 1 for section in sections) and shown else ""
    below = [without_controls(note) for note in notes]
    plain = [without_controls(caption), *_plain_table(sections, columns, heading), *below]
    return {
        "text/plain": "\n".join(plain),
        "text/html": page(
            _caption_html(caption) + _html_table(sections, columns, heading) + notes_html(below), style=True
        ),
    }


def newest_bundle(
    rows: Sequence[Sequence[str]], *, columns: Sequence[str], right: Iterable[int], caption: str
) -> dict[str, str]:
    """Single requests as a mimebundle.

    Args:
        rows: cells by row.
        columns: headings.
        right: numbers of the columns that stand to the right.
        caption: a line above.

    Returns:
        `text/plain` and `text/html`; columns without anything in them are left out.
    """
    kept = [at for at in range(len(columns)) if any(row[at] for row in rows)]
    sides = [at in set(right) for at in kept]
    columns = [columns[at] for at in kept]
    cleaned = [[_one_line(row[at]) for at in kept] for row in rows]
    head = _row_html(list(zip(columns, sides, strict=True)), "th", breaks=True)
    body = "".join(f"<tr>{_row_html(list(zip(row, sides, strict=True)), 'td')}</tr>\n" for row in cleaned)
    html = wide(f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>")
    plain = [without_controls(caption), *_aligned([columns, *cleaned], sides, rules=(0,))]
    return {
        "text/plain": "\n".join(plain),
        "text/html": page(_caption_html(caption) + html, style=True),
    }


def notes_html(notes: Sequence[str]) -> str:
    """Lines below a table or a chart, quiet."""
    return quiet("<br>".join(escape_prose(note) for note in notes)) if notes else ""


# --- figures ------------------------------------------------------------------------------


def number(value: float | None) -> str:
    """A figure: 1,234,567, from ten millions on 12.35M; "" is unknown."""
    if value is None:
        return ""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= size and value >= _LONG:
            return f"{value / size:,.2f}{unit}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def seconds(value: float | None) -> str:
    """A duration: 0.84 s, 12.5 s, 3 min 20 s; "" is unknown."""
    if value is None:
        return ""
    if value < 100:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def money(amount: float, *, places: int | None = None) -> str:
    """An amount with as many places as it needs."""
    places = money_places([amount]) if places is None else places
    least = 10.0**-places
    return f"<{least:.{places}f}" if 0 < amount < least / 2 else f"{amount:,.{places}f}"


def money_places(amounts: Iterable[float]) -> int:
    """Places after the point that show two digits of the smallest amount; 2 to 6."""
    least = min((amount for amount in amounts if amount > 0), default=1.0)
    places = 2
    while least * 10**places < 10 and places < _MOST_PLACES:
        places += 1
    return places


def percent(share: float | None) -> str:
    """A share: 45 %, "<1 %"; "" is unknown."""
    if share is None:
        return ""
    return "<1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")


# --- columns ------------------------------------------------------------------------------


def _columns(sections: Sequence[UsageSection], key: str) -> list[_Column]:
    """Those that have anything to say."""
    every = [line for section in sections for line in (*section.lines, section.total)]
    currencies = sorted({currency for line in every for currency, _ in line.costs})
    always = [
        _Column(key, lambda line: _shortened(line.name), right=False),
        _Column("requests", lambda line: number(line.requests)),
    ]
    maybe = [
        _Column("errors", lambda line: number(line.errors or None)),
        _Column("tokens in", lambda line: number(line.input_tokens)),
        _Column("cached", lambda line: number(line.cached_tokens or None)),
        _Column("tokens out", lambda line: number(line.output_tokens)),
        _Column("reasoning", lambda line: number(line.reasoning_tokens or None)),
        _Column("images", lambda line: number(line.images or None)),
        _Column("film", lambda line: seconds(line.video_s or None)),
        *(_cost_column(currency, every) for currency in currencies),
        _Column("mean time", lambda line: seconds(line.mean_s)),
    ]
    return always + [column for column in maybe if any(column.text(line) for line in every)]


def _cost_column(currency: str, lines: Iterable[UsageLine]) -> _Column:
    places = money_places(amount for line in lines for one, amount in line.costs if one == currency)

    def text(line: UsageLine) -> str:
        amount = dict(line.costs).get(currency)
        if amount is None:
            return ""
        return f"{'≥ ' if line.unpriced else ''}{money(amount, places=places)} {currency}"

    return _Column("cost", text)


def _shortened(name: str) -> str:
    name = _one_line(name)
    return name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 1]}…"


def _one_line(text: str) -> str:
    return " ".join(without_controls(text).split())


# --- HTML ---------------------------------------------------------------------------------


def _caption_html(caption: str) -> str:
    return quiet(escape_prose(caption), name="anyfast-note")


def _html_table(sections: Sequence[UsageSection], columns: Sequence[_Column], share: str) -> str:
    headings = [(column.heading, column.right) for column in columns]
    ruled = f'<th colspan="2" style="text-align:left">{escape_prose(share)}</th>' if share else ""
    head = f"<thead><tr>{_row_html(headings, 'th', breaks=True)}{ruled}</tr></thead>\n"
    width = len(columns) + (2 if share else 0)
    bodies = "".join(_section_html(section, columns, bool(share), width) for section in sections)
    return wide(f"<table>{head}{bodies}</table>")


def _section_html(section: UsageSection, columns: Sequence[_Column], shares: bool, width: int) -> str:
    heading = (
        f'<tr><td colspan="{width}" style="text-align:left"><em>{escape_prose(section.heading)}</em>'
        "</td></tr>\n"
    )
    rows = "".join(
        f"<tr>{_row_html(_cells(line, columns), 'td')}{_share_html(line.share) if shares else ''}</tr>\n"
        for line in section.lines
    )
    if len(section.lines) == 1:
        return f"<tbody>{heading}{rows}</tbody>\n"
    blank = '<td colspan="2"></td>' if shares else ""
    total = f"<tr>{_row_html(_cells(section.total, columns), 'th')}{blank}</tr>\n"
    return f"<tbody>{heading}{rows}{total}</tbody>\n"


def _cells(line: UsageLine, columns: Sequence[_Column]) -> list[tuple[str, bool]]:
    return [(column.text(line), column.right) for column in columns]


def _row_html(cells: Iterable[tuple[str, bool]], tag: str, *, breaks: bool = False) -> str:
    """Cells of a row; figures and short names stay in one line, headings may break."""
    return "".join(
        f'<{tag} style="text-align:{"right" if right else "left"}'
        f'{";white-space:nowrap" if len(text) <= _UNBROKEN_CHARS and not breaks else ""}">'
        f"{escape_prose(text)}</{tag}>"
        for text, right in cells
    )


def _share_html(share: float | None) -> str:
    if share is None:
        return '<td colspan="2"></td>'
    bar = (
        f'<div style="width:{_BAR_PIXELS}px;background-color:{LINE_COLOUR}">'
        f'<div style="width:{share:.1%};height:8px;background-color:{BAR_COLOUR}"></div></div>'
    )
    text = escape_prose(percent(share))
    return (
        f'<td style="text-align:right;white-space:nowrap">{text}</td>'
        f'<td class="anyfast-bar" style="text-align:left;vertical-align:middle">{bar}</td>'
    )


# --- text ---------------------------------------------------------------------------------


def _plain_table(sections: Sequence[UsageSection], columns: Sequence[_Column], share: str) -> list[str]:
    rows: list[list[str]] = [[column.heading for column in columns] + ([share] if share else [])]
    rules, heads = [0], {}
    for section in sections:
        heads[len(rows)] = section.heading
        rows += [_plain_row(line, columns, bool(share)) for line in section.lines]
        if len(section.lines) > 1:
            rules.append(len(rows) - 1)
            rows.append(_plain_row(section.total, columns, shares=bool(share)))
    lines = _aligned(rows, [*(column.right for column in columns), *([False] if share else [])], rules=rules)
    return _with_headings(lines, heads, rules)


def _with_headings(lines: list[str], heads: dict[int, str], rules: Sequence[int]) -> list[str]:
    """A section's name above its first row; a rule is a line of its own and moves the rows below it."""
    told: list[str] = []
    row = at = 0
    while at < len(lines):
        if row in heads:
            told += [heads[row]] if row == 1 else ["", heads[row]]
        told.append(lines[at])
        at += 1
        if row in rules:
            told.append(lines[at])
            at += 1
        row += 1
    return told


def _plain_row(line: UsageLine, columns: Sequence[_Column], shares: bool) -> list[str]:
    cells = [column.text(line) for column in columns]
    if shares:
        cells.append("" if line.share is None else f"{percent(line.share):>5} {_bar(line.share)}")
    return cells


def _bar(share: float) -> str:
    whole, part = divmod(round(min(share, 1.0) * _BAR_CHARS * 8), 8)
    return ("█" * whole + _EIGHTHS[part]).rstrip()


def _aligned(rows: Sequence[Sequence[str]], right: Sequence[bool], *, rules: Sequence[int]) -> list[str]:
    """Rows as lines of one width, with a rule below some."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for at, row in enumerate(rows):
        cells = (_padded(*cell) for cell in zip(row, widths, right, strict=True))
        lines.append("  ".join(cells).rstrip())
        if at in rules:
            lines.append("  ".join("-" * width for width in widths))
    return lines


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _width(text: str) -> int:
    """Columns in a terminal: Chinese characters take two, accents on their own none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
