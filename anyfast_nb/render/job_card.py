"""A job as a card: honest progress while it is made, what to do when it ended without a film.

What is known is shown, and nothing else: the time that has passed, the
server's own percentage, and how long such jobs took before. Every text of the
server and of a person is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.render.escape import escape_prose
from anyfast_nb.render.preflight import rows_html, rows_of, summary
from anyfast_nb.render.style import LINE_COLOUR, page, quiet
from anyfast_nb.wire.text import without_controls

if TYPE_CHECKING:
    from anyfast_nb.jobs.card import Card
    from anyfast_nb.jobs.preflight import Preflight

_WORDS: Final = {
    "submitting": "Sending",
    "submit_unknown": "In doubt",
    "queued": "Queued",
    "running": "Running",
    "succeeded": "Done, fetching the film",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "expired": "Expired",
    "unknown": "Running",
}
_ENDS: Final = frozenset({"failed", "cancelled", "expired"})


def card_bundle(card: Card, *, remark: str = "") -> dict[str, Any]:
    """A job without a film as a mimebundle.

    Args:
        card: the job at this moment.
        remark: one line more, such as how to see it live.
    """
    plain = "\n".join([card_line(card), *_trouble(card), *([remark] if remark else []), *_way_back(card)])
    return {"text/plain": without_controls(plain), "text/html": card_html(card, remark=remark)}


def card_html(card: Card, *, remark: str = "", style: bool = True) -> str:
    """The card as safe HTML."""
    inner = quiet(escape_prose(_head(card)), name="anyfast-note")
    inner += f"<div><b>{escape_prose(word_of(card))}</b>{_after(progress_words(card))}</div>\n"
    inner += _bar(card)
    inner += _prompt(card.prompt)
    inner += "".join(f'<div class="anyfast-why">{escape_prose(line)}</div>\n' for line in _trouble(card))
    small = [*_about(card), *card.notes, *([remark] if remark else []), *_way_back(card)]
    inner += quiet("<br>".join(escape_prose(line) for line in dict.fromkeys(small)))
    return page(inner, name="anyfast-job", style=style)


def card_line(card: Card) -> str:
    """The card in one line, for a terminal."""
    words = [_head(card), word_of(card).lower(), *progress_words(card)]
    return without_controls(" · ".join(word for word in words if word))


def status_line(card: Card) -> str:
    """The same without what changes each second: printed when it differs."""
    percent = [] if card.progress is None or card.status.value in _ENDS else [f"{card.progress} %"]
    return without_controls(" · ".join([_head(card), word_of(card).lower(), *percent, *usual_words(card)]))


def word_of(card: Card) -> str:
    """The status as a person says it."""
    if card.absent and card.status.value == "succeeded":
        return "Done, its film is not on this disk"
    return _WORDS.get(card.status.value, card.status.value)


def progress_words(card: Card) -> list[str]:
    """How far it is: percent, time, and how long such jobs take."""
    if card.status.value in _ENDS:
        return [f"after {span(card.elapsed_s)}"]
    if card.absent or card.status.value == "submit_unknown":
        return []
    percent = [] if card.progress is None else [f"{card.progress} %"]
    return [*percent, span(card.elapsed_s), *usual_words(card)]


def usual_words(card: Card) -> list[str]:
    """How long such jobs took; that this one takes longer, where it does."""
    low, high = card.usual_s
    if low is None or high is None:
        return []
    usual = between(low, high)
    longest_s = max(high, _rounded(low, high)[1] * _unit(low, high)[0])  # not before what is said is over
    return [f"longer than usual ({usual})"] if card.elapsed_s > longest_s else [f"usually {usual}"]


def span(seconds: float) -> str:
    """A time that has passed.

    Example:
        >>> span(8), span(75), span(3700)
        ('8 s', '1 min 15 s', '1 h 1 min')
    """
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def between(low_s: float, high_s: float) -> str:
    """Two times as a range.

    Example:
        >>> between(42, 58), between(61, 119), between(70, 80)
        ('42–58 s', '1–2 min', 'about 1 min')
    """
    low, high = _rounded(low_s, high_s)
    name = _unit(low_s, high_s)[1]
    return f"about {high} {name}" if low >= high else f"{low}–{high} {name}"


def _unit(low_s: float, high_s: float) -> tuple[int, str]:
    return (60, "min") if high_s >= 90 or low_s >= 60 else (1, "s")


def _rounded(low_s: float, high_s: float) -> tuple[int, int]:
    unit = _unit(low_s, high_s)[0]
    return max(1, round(low_s / unit)), max(1, round(high_s / unit))


def fold_html(preflight: Preflight | None) -> str:
    """What was known beforehand, folded."""
    if preflight is None:
        return ""
    line = escape_prose(summary(preflight))
    return f"<details><summary><small>{line}</small></summary>{rows_html(rows_of(preflight))}</details>\n"


# --- pieces -------------------------------------------------------------------------------


def _head(card: Card) -> str:
    model = "" if card.model in {"", card.kind} else card.model
    words = ["simulated" if card.simulated else "", card.kind, model, f"job {card.id}"]
    return " · ".join(word for word in words if word)


def _about(card: Card) -> list[str]:
    return [] if card.preflight is None else [summary(card.preflight)]


def _trouble(card: Card) -> list[str]:
    named = ", ".join(card.arguments)
    return [*card.trouble, *([f"It is about: {named}"] if named else [])]


def _way_back(card: Card) -> list[str]:
    if card.status.value in {*_ENDS, "submit_unknown"}:
        return []
    if card.status.value == "succeeded":
        return [f"%anyfast resume {card.id} fetches it, as job.path does"]
    return [f"%anyfast resume {card.id} waits for it again, in any kernel, on any day"]


def _bar(card: Card) -> str:
    """The server's percentage, drawn; nothing where it says none."""
    if card.progress is None or card.absent or card.status.value in {*_ENDS, "submit_unknown"}:
        return ""
    inner = f"height:100%;border-radius:2px;background:var(--jp-brand-color1,#1976d2);width:{card.progress}%"
    outer = f"height:4px;max-width:480px;margin:.5em 0;border-radius:2px;background:{LINE_COLOUR}"
    return f'<div style="{outer}"><div style="{inner}"></div></div>\n'


def _prompt(prompt: str) -> str:
    return f'<div class="anyfast-prompt">{escape_prose(prompt)}</div>\n' if prompt else ""


def _after(words: Iterable[str]) -> str:
    return "".join(f" · {escape_prose(word)}" for word in words)
