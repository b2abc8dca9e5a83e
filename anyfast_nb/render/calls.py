"""Functions that the model asks for: name, arguments, and what came back if they were run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from anyfast_nb.render.code import code_html
from anyfast_nb.render.escape import escape_prose
from anyfast_nb.render.style import quiet
from anyfast_nb.wire.text import without_controls
from anyfast_nb.wire.values import ToolCall, ToolCallDelta, ToolResult

LONG_CHARS = 600  # a longer result is folded away


class Calls:
    """The calls of one answer while they grow and run.

    Args:
        run: they will be run: the functions were handed over.
    """

    def __init__(self, *, run: bool = False) -> None:
        self._run = run
        self._calls: dict[int, ToolCall] = {}
        self._results: list[ToolResult] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """As far as they have come."""
        return tuple(self._calls.values())

    @property
    def results(self) -> tuple[ToolResult, ...]:
        """Of those that have run."""
        return tuple(self._results)

    def add(self, event: ToolCallDelta) -> None:
        """A piece of a call."""
        known = self._calls.get(event.index, ToolCall(id="", name="", arguments=""))
        self._calls[event.index] = ToolCall(
            id=event.id or known.id,
            name=event.name or known.name,
            arguments=known.arguments + event.arguments,
        )

    def returned(self, result: ToolResult) -> None:
        """A call has run."""
        self._results.append(result)

    def html(self) -> str:
        """All of them."""
        return calls_html(self.calls, self._results, run=self._run)


def calls_html(calls: Iterable[ToolCall], results: Iterable[ToolResult] = (), *, run: bool = False) -> str:
    """Calls with their results.

    Args:
        calls: what the model asks for.
        results: of those that were run.
        run: the others are about to run; else they are said to be not run.
    """
    return "".join(_call_html(call, result, run=run) for call, result in _paired(calls, results))


def calls_plain(calls: Iterable[ToolCall], results: Iterable[ToolResult] = ()) -> str:
    """A line for each call, and its result below."""
    lines = []
    for call, result in _paired(calls, results):
        lines.append(f"{call.name}({call.arguments})")
        if result is not None:
            lines.append(f"  → {result.content}")
    return "\n".join(lines)


def _paired(
    calls: Iterable[ToolCall], results: Iterable[ToolResult]
) -> Iterator[tuple[ToolCall, ToolResult | None]]:
    """Each call with its result; servers have given the same id twice, or none."""
    waiting = list(results)
    for call in calls:
        result = next((result for result in waiting if result.call.id == call.id), None)
        if result is not None:
            waiting.remove(result)
        yield call, result


def _call_html(call: ToolCall, result: ToolResult | None, *, run: bool) -> str:
    name = f"<code>{escape_prose(call.name)}</code>"
    if result is None:
        title = f"asks for {name}" if run else f"asks for {name}, not run"
        return quiet(title, name="anyfast-note") + code_html(_pretty(call.arguments), "json")
    title = f"{name} failed" if result.failed else f"{name} was run"
    return (
        quiet(title, name="anyfast-note")
        + code_html(_pretty(call.arguments), "json")
        + _result_html(result.content, "and said" if result.failed else "result")
    )


def _result_html(content: str, word: str) -> str:
    text = without_controls(content)
    shown = code_html(_pretty(text), "json" if _is_json(text) else "")
    if len(text) <= LONG_CHARS:
        return quiet(word, name="anyfast-note") + shown
    return f"<details><summary>{word}, {len(text):,} characters</summary>\n{shown}</details>\n"


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] in {"{", "["} and _pretty(text) != text
