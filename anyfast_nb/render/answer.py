"""A finished answer as a mimebundle: the text exactly, and safe HTML that stands by itself.

What changes from run to run (seconds, speed, ids) is kept in the output's
metadata only, so a notebook that is run again is saved the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from anyfast_nb.render.calls import calls_html, calls_plain
from anyfast_nb.render.document import text_html
from anyfast_nb.render.escape import escape_prose
from anyfast_nb.render.style import page, quiet
from anyfast_nb.wire.text import without_controls
from anyfast_nb.wire.values import Answer, Source, Status, Usage

Footer = Literal["full", "short", "off"]

_MARKS = {
    Status.INTERRUPTED: "interrupted",
    Status.TRUNCATED: "cut off: the answer broke off",
    Status.ERROR: "failed",
    Status.UNFINISHED: "unfinished",
}
_REASONS = {"length": "stopped at max_tokens", "content_filter": "stopped by the content filter"}


def answer_bundle(answer: Answer, *, footer: Footer = "full", plain: bool = False) -> dict[str, Any]:
    """An answer as a mimebundle.

    Args:
        answer: the answer, whole or partial.
        footer: how much the last line tells; a mark such as "interrupted" always shows.
        plain: show the text as it is instead of rendering its Markdown.

    Returns:
        `text/plain`, the answer's text (with the mark on a last line if it
        broke off), and `text/html`.
    """
    body = text_html(answer.text, plain=plain) if answer.text else ""
    return compose(answer, body, footer=footer)


def compose(answer: Answer, body: str, *, footer: Footer, notes: Iterable[str] = ()) -> dict[str, Any]:
    """The same from a body that is rendered already.

    Args:
        answer: the answer.
        body: its text as safe HTML.
        footer: how much the last line tells.
        notes: lines above the answer.
    """
    earlier = "".join(_round_html(before) for before in answer.rounds)
    inner = f"{notes_html(notes)}{earlier}{_told_html(answer, body)}{footer_html(answer, footer)}"
    return {"text/plain": answer_plain(answer), "text/html": page(inner, name="anyfast-whole", style=True)}


def _round_html(answer: Answer) -> str:
    return _told_html(answer, text_html(answer.text) if answer.text else "")


def _told_html(answer: Answer, body: str) -> str:
    """What it thought, said, and asked for."""
    thought = thought_html(answer.reasoning, thought_title(answer.usage)) if answer.reasoning else ""
    return f"{thought}{body}{calls_html(answer.tool_calls, answer.results)}"


def answer_plain(answer: Answer) -> str:
    """The answer's text; the calls it asks for if it has none; the mark if it broke off."""
    text = without_controls(answer.text or calls_plain(answer.tool_calls, answer.results))
    if answer.status is Status.OK:
        return text
    return f"{text}\n\n[{mark(answer)}]".lstrip()


def answer_metadata(answer: Answer) -> dict[str, Any]:
    """What the output remembers beside what it shows: model, usage, ids and seconds."""
    usage, timing = answer.usage, answer.timing
    facts = {
        "model": answer.model,
        "source": str(answer.source),
        "status": str(answer.status),
        "id": answer.id,
        "finish_reason": answer.finish_reason,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "ttft_s": _rounded(timing.ttft_s),
        "thinking_s": _rounded(timing.thinking_s),
        "duration_s": _rounded(timing.duration_s),
        "tokens_per_s": tokens_per_s(answer),
        "cost": None if answer.cost is None else str(answer.cost),
    }
    return {"anyfast": {name: fact for name, fact in facts.items() if fact not in (None, "")}}


def tokens_per_s(answer: Answer) -> float | None:
    """Output tokens per second from the first one on, or None if unknown."""
    tokens, timing = answer.usage.output_tokens, answer.timing
    seconds = (timing.duration_s or 0) - (timing.ttft_s or 0)
    return round(tokens / seconds, 1) if tokens and seconds > 0 else None


def mark(answer: Answer) -> str:
    """Why the answer is not whole, or ""."""
    if answer.finish_reason in _REASONS and answer.status in (Status.OK, Status.TRUNCATED):
        return _REASONS[answer.finish_reason]
    return _MARKS.get(answer.status, "")


def footer_text(answer: Answer, footer: Footer = "full") -> str:
    """The saved last line: where it came from, why it stopped, the model, its tokens, what it cost."""
    return " · ".join(_footer_parts(answer, footer))


def footer_html(answer: Answer, footer: Footer = "full") -> str:
    """The same as HTML, the mark in bold; "" if there is nothing to tell."""
    stopped = mark(answer)
    parts = [
        f"<strong>{escape_prose(part)}</strong>" if part == stopped else escape_prose(part)
        for part in _footer_parts(answer, footer)
    ]
    return quiet(" · ".join(parts)) if parts else ""


def _footer_parts(answer: Answer, footer: Footer) -> list[str]:
    source = "" if answer.source is Source.LIVE else str(answer.source)  # first: nobody takes it for real
    cost = answer.total_cost
    told = [
        answer.model,
        usage_text(answer.usage) if footer == "full" else "",
        "" if cost is None else cost.brief(),
    ]
    parts = [source, mark(answer), *told] if footer != "off" else [mark(answer)]
    return [part for part in parts if part]


def usage_text(usage: Usage) -> str:
    """Tokens in and out: "120 → 340 tokens"; what is unknown is left out."""
    given, made = usage.input_tokens, usage.output_tokens
    if given is not None and made is not None:
        return f"{given:,} → {made:,} tokens"
    if given is not None:
        return f"{given:,} tokens in"
    return f"{made:,} tokens out" if made is not None else ""


def thought_title(usage: Usage) -> str:
    """The closed pane's title as it is saved: without seconds, they differ from run to run."""
    tokens = usage.reasoning_tokens
    return "Thought" if tokens is None else f"Thought · {tokens:,} tokens"


def thought_html(reasoning: str, title: str) -> str:
    """The chain of thought in a closed pane."""
    return f"<details><summary>{title}</summary>\n{text_html(reasoning)}</details>\n"


def notes_html(notes: Iterable[str]) -> str:
    """Lines above the answer: what went into the prompt, what served it."""
    lines = "<br>".join(escape_prose(note) for note in notes)
    return quiet(lines, name="anyfast-note") if lines else ""


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
