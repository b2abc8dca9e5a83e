"""Python functions as tools: their schema for the model, and one call of one of them.

Handing a function over is the consent to run it; nothing else is ever run.
What goes wrong in a call goes back to the model as text, so that it can mend it.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.media import table_markdown
from anyfast_nb.wire.text import mended
from anyfast_nb.wire.values import ToolCall, ToolResult

MOST_CHARS: Final = 20_000  # of one result: more would crowd the conversation out

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SECTION: Final = re.compile(r"^(Args|Arguments|Parameters):\s*$")
_ARGUMENT: Final = re.compile(r"^\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")

Tool = Callable[..., Any] | Mapping[str, Any]


class Toolbox:
    """The tools of one chat.

    Args:
        tools: Python functions (sync or async) with typed parameters, or ready schemas, which are
            described to the model and never run.

    Attributes:
        schemas: one for each tool, in the form of chat completions.

    Raises:
        InputError: something that cannot be a tool.
    """

    def __init__(self, tools: Sequence[Tool] | None) -> None:
        if tools is not None and not isinstance(tools, list | tuple):
            raise InputError(
                "tools must be a list", field="tools", hint="Write tools=[…], also for a single one."
            )
        self.schemas: list[dict[str, Any]] = []
        self._functions: dict[str, _Function] = {}
        for number, tool in enumerate(tools or ()):
            if isinstance(tool, Mapping):
                self.schemas.append(dict(tool))
                continue
            function = _read(tool, f"tools[{number}]")
            if function.name in self._functions:
                raise InputError(
                    f"two tools are called {function.name!r}",
                    field=f"tools[{number}]",
                    hint="The model knows them by name: rename one of the functions.",
                )
            self._functions[function.name] = function
            self.schemas.append(function.schema)

    def __bool__(self) -> bool:
        """Is there any function to run?"""
        return bool(self._functions)

    def run(self, call: ToolCall, *, wait: Callable[[Coroutine[Any, Any, Any]], Any]) -> ToolResult:
        """Run one call here and now.

        Args:
            call: what the model asks for.
            wait: runs an asynchronous function to its end.
        """
        try:
            value = self._begun(call)
            return _returned(call, wait(value) if inspect.iscoroutine(value) else value)
        except Exception as error:  # noqa: BLE001 - whatever the user's function raised
            return _failed(call, error)

    async def arun(self, call: ToolCall) -> ToolResult:
        """Run one call, awaiting it if its function is asynchronous."""
        try:
            value = self._begun(call)
            return _returned(call, await value if inspect.isawaitable(value) else value)
        except Exception as error:  # noqa: BLE001 - whatever the user's function raised
            return _failed(call, error)

    def _begun(self, call: ToolCall) -> Any:
        """Call the function with checked arguments; an asynchronous one gives a coroutine."""
        function = self._functions.get(call.name)
        if function is None:
            known = ", ".join(self._functions)
            raise _CannotCall(f"There is no function {call.name!r}. There are: {known}.")
        positional, named = function.arguments(call.arguments)
        return function.call(*positional, **named)


class _CannotCall(Exception):
    """The model asked for something that cannot be called; the text tells it why."""


# --- a function and its schema ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Function:
    """A function that the model may ask for."""

    name: str
    call: Callable[..., Any]
    schema: dict[str, Any]
    adapter: Any

    def arguments(self, text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments as the function takes them."""
        from pydantic import ValidationError

        try:
            found: tuple[tuple[Any, ...], dict[str, Any]] = self.adapter.validate_json(text.strip() or "{}")
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            lines = (f"{'.'.join(map(str, one['loc'])) or 'JSON'}: {one['msg']}" for one in problems[:8])
            raise _CannotCall(f"Wrong arguments for {self.name}: {'; '.join(lines)}") from None
        return found


def _read(tool: Any, field: str) -> _Function:
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    name = getattr(tool, "__name__", "")
    if not callable(tool) or not _NAME.fullmatch(name):
        what = name if callable(tool) and name else type(tool).__name__
        raise InputError(
            f"{field} is {what}, which has no name that a model could call",
            field=field,
            hint="Give a function made with def.",
        )
    _check_parameters(tool, name, field)

    @functools.wraps(tool)
    def given(*positional: Any, **named: Any) -> Any:
        return positional, named

    try:
        adapter = TypeAdapter[Any](given)  # type: ignore[arg-type]  # it takes functions too
        parameters = adapter.json_schema()
    except (PydanticUserError, NameError, TypeError) as error:
        raise InputError(
            f"the parameters of {name} cannot be described: {str(error).splitlines()[0]}",
            field=field,
            hint="Use types that JSON has: str, int, float, bool, list, dict, Literal, Enum, dataclasses.",
        ) from None
    about, arguments = _docstring(tool)
    _describe(parameters, arguments)
    described = {"name": name, "description": about, "parameters": parameters}
    schema = {"type": "function", "function": {key: value for key, value in described.items() if value}}
    return _Function(name, tool, schema, adapter)


def _check_parameters(tool: Callable[..., Any], name: str, field: str) -> None:
    """JSON names every argument: what has no name cannot be given."""
    kinds = {parameter.kind: parameter.name for parameter in inspect.signature(tool).parameters.values()}
    for kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
        if kind in kinds:
            raise InputError(
                f"{name}: a model cannot give {kinds[kind]!r}, it has no name in a call",
                field=field,
                hint="Use ordinary or keyword-only parameters.",
            )


def _describe(parameters: dict[str, Any], arguments: Mapping[str, str]) -> None:
    """Put the docstring's words beside each parameter; generated titles say nothing."""
    for name, property_ in parameters.get("properties", {}).items():
        property_.pop("title", None)
        if name in arguments:
            property_.setdefault("description", arguments[name])


def _docstring(tool: Any) -> tuple[str, dict[str, str]]:
    """The words before the first section, and the argument section (Google style)."""
    lines = (inspect.getdoc(tool) or "").splitlines()
    start = next((i for i, line in enumerate(lines) if re.fullmatch(r"[A-Z]\w+:\s*", line)), len(lines))
    about = "\n".join(lines[:start]).strip()
    arguments: dict[str, str] = {}
    section = next((i for i, line in enumerate(lines) if _SECTION.match(line)), len(lines))
    indent, last = 0, ""
    for line in lines[section + 1 :]:
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip())
        if depth == 0:
            break
        indent = indent or depth
        found = _ARGUMENT.match(line.strip()) if depth == indent else None
        if found:
            last = found[1]
            arguments[last] = found[2].strip()
        elif last:
            arguments[last] = f"{arguments[last]} {line.strip()}".strip()
    return about, arguments


# --- what comes back ----------------------------------------------------------------------


def _failed(call: ToolCall, error: Exception) -> ToolResult:
    text = str(error) if isinstance(error, _CannotCall) else f"{type(error).__name__}: {error}"
    return ToolResult(call, mended(text[:MOST_CHARS]), failed=True)


def _returned(call: ToolCall, value: Any) -> ToolResult:
    text = _as_text(value)
    if len(text) > MOST_CHARS:
        text = f"{text[:MOST_CHARS]}\n… ({len(text) - MOST_CHARS:,} more characters left out)"
    return ToolResult(call, mended(text))


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    table = table_markdown(value)
    return json.dumps(value, ensure_ascii=False, default=str) if table is None else table
