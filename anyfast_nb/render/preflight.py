"""A request before it is sent, as a card: what it amounts to, its media, what it may cost.

A dry run shows this card; a finished film keeps it, folded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyfast_nb.render.answer import notes_html
from anyfast_nb.render.escape import escape_prose
from anyfast_nb.render.notice import table
from anyfast_nb.render.style import page
from anyfast_nb.wire.text import without_controls

if TYPE_CHECKING:
    from anyfast_nb.jobs.preflight import InputFact, Preflight


def preflight_bundle(
    preflight: Preflight, *, where: str, path: str = "", state: str = "not sent"
) -> dict[str, Any]:
    """A dry run, or a request on its way, as a mimebundle.

    Args:
        preflight: what the request amounts to.
        where: its destination, in words.
        path: of the endpoint.
        state: how far it has come.

    Returns:
        `text/plain` and `text/html`.
    """
    head = f"{state}: {f'POST {path}' if path else preflight.kind} to {where}"
    rows = rows_of(preflight)
    plain = "\n".join([head, table(rows)["text/plain"]])
    inner = notes_html([head]) + rows_html(rows)
    return {"text/plain": without_controls(plain), "text/html": page(inner, style=True)}


def summary(preflight: Preflight) -> str:
    """All of it in one line: mode, size, seconds, tokens."""
    size = _size(preflight)
    told = [preflight.mode, size, *_length(preflight), *_tokens(preflight)]
    media = len(preflight.inputs)
    told += [f"{media} {'medium' if media == 1 else 'media'}"] if media else []
    return " · ".join(word for word in told if word)


def rows_of(preflight: Preflight) -> list[tuple[str, str]]:
    """Names and values, a row each."""
    rows = [("model", preflight.model), ("mode", preflight.mode)]
    if size := _size(preflight):
        rows.append(("size", size))
    rows += [("length", word) for word in _length(preflight)]
    if preflight.count > 1:
        rows.append(("pictures", f"up to {preflight.count}"))
    rows += [(one.argument, _input(one)) for one in preflight.inputs]
    rows.append(("tokens", next(iter(_tokens(preflight)), "unknown before it is made")))
    rows += [("cost", word) for word in _cost(preflight)]
    rows += [("note" if number == 0 else "", note) for number, note in enumerate(preflight.notes)]
    return rows


def rows_html(rows: list[tuple[str, str]]) -> str:
    """The rows as a list of names and values."""
    cells = "".join(f"<dt>{escape_prose(name)}</dt><dd>{escape_prose(value)}</dd>" for name, value in rows)
    return f'<dl class="anyfast-facts">{cells}</dl>\n'


def _size(preflight: Preflight) -> str:
    pixels = "" if preflight.pixels is None else f"{preflight.pixels[0]} × {preflight.pixels[1]}"
    if pixels and preflight.shape:
        return f"{pixels} ({preflight.shape})"
    return pixels or preflight.shape


def _length(preflight: Preflight) -> list[str]:
    if preflight.kind == "seedream":
        return []
    return ["the model chooses" if preflight.seconds is None else f"{preflight.seconds} s"]


def _tokens(preflight: Preflight) -> list[str]:
    return [] if preflight.tokens is None else [f"about {preflight.tokens:,} tokens"]


def _cost(preflight: Preflight) -> list[str]:
    if preflight.cost is not None:
        return [f"about {preflight.cost.brief()}"]
    if preflight.priced is None:
        return []
    return ["unknown before it is made" if preflight.priced else "no price set"]


def _input(one: InputFact) -> str:
    named = [one.label] if one.label else []
    return " · ".join([*named, *one.facts, one.travels, *one.remarks])
