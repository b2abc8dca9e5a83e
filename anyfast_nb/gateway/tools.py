"""Python functions as tools: their schema for the model, and one call of one of them.

Handing a function over is the consent to run it; nothing else is ever run.
What goes wrong in a call goes back to the model as text, so that it can mend it.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import re
import warnings
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.media import table_markdown
from anyfast_nb.wire.text import mended
from anyfast_nb.wire.values import ToolCall, ToolResult

MOST_CHARS: Final = 20_000  # of one result: more would crowd the conversation out

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_CHOICES: Final = ("auto", "none", "required")
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
        self._described: set[str] = set()
        for number, tool in enumerate(tools or ()):
            self._add(tool, f"tools[{number}]")

    def _add(self, tool: Any, field: str) -> None:
        function = None if isinstance(tool, Mapping) else _read(tool, field)
        name = _function_name(tool) if function is None else function.name
        if name and (name in self._functions or name in self._described):
            raise InputError(
                f"two tools are called {name!r}",
                field=field,
                hint="The model knows them by name: rename one of the functions.",
            )
        if function is not None:
            self._functions[name] = function
            self.schemas.append(function.schema)
            return
        self.schemas.append(dict(tool))
        if name:
            self._described.add(name)

    def __bool__(self) -> bool:
        """Is there any function to run?"""
        return bool(self._functions)

    def runs(self, calls: Iterable[ToolCall]) -> bool:
        """Can all these calls be answered here? A tool that is only described is never run."""
        return not any(call.name in self._described for call in calls)

    def choice(self, choice: Any) -> Any:
        """A tool choice for the wire: one of the tools may be given as itself, or by its name.

        Raises:
            InputError: it is none of the tools.
        """
        if choice is None or choice in _CHOICES:
            return choice
        name = _function_name(choice) if isinstance(choice, Mapping) else getattr(choice, "__name__", choice)
        if isinstance(choice, Mapping) and not name:
            return choice  # of a kind that is not ours
        known = [*self._functions, *self._described]
        if name not in known:
            raise InputError(
                f"tool_choice is {name!r}, which is none of the tools",
                field="tool_choice",
                hint=f"Give {', '.join(_CHOICES)}, or one of {', '.join(known)}.",
            )
        return {"type": "function", "function": {"name": name}}

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


def _function_name(schema: Mapping[str, Any]) -> str:
    """The name in a tool's schema or in a choice, nested or flat; "" if it is no function's."""
    inner = schema.get("function")
    name = inner.get("name") if isinstance(inner, Mapping) else schema.get("name")
    return name if isinstance(name, str) else ""


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

        given = text.strip()
        given = "{}" if given in {"", "null"} else given  # some servers write null for no arguments
        try:
            found: tuple[tuple[Any, ...], dict[str, Any]] = self.adapter.validate_json(given)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            lines = (f"{'.'.join(map(str, one['loc'])) or 'JSON'}: {one['msg']}" for one in problems[:8])
            raise _CannotCall(f"Wrong arguments for {self.name}: {'; '.join(lines)}") from None
        return found


def _read(tool: Any, field: str) -> _Function:
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    name = _name_of(tool, field)
    _check_parameters(tool, name, field)

    @functools.wraps(tool)
    def given(*positional: Any, **named: Any) -> Any:
        return positional, named

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a default that JSON has not: it is just not told
            adapter = TypeAdapter[Any](given)  # type: ignore[arg-type]  # it takes functions too
            parameters = adapter.json_schema()
    except (PydanticUserError, NameError, TypeError, ValueError, KeyError, AttributeError) as error:
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


def _name_of(tool: Any, field: str) -> str:
    """The name that the model calls it by."""
    if isinstance(tool, type):
        raise InputError(
            f"{field} is the class {tool.__name__}, and no function",
            field=field,
            hint="Give a function made with def, or a method of one of its objects.",
        )
    name: str = getattr(tool, "__name__", "")
    if not callable(tool) or not _NAME.fullmatch(name):
        what = name if callable(tool) and name else type(tool).__name__
        raise InputError(
            f"{field} is {what}, which has no name that a model could call",
            field=field,
            hint="Give a function made with def, with a name of letters (a-z), digits and _, at most 64.",
        )
    return name


def _check_parameters(tool: Callable[..., Any], name: str, field: str) -> None:
    """JSON names every argument: what has no name cannot be given."""
    try:
        parameters = list(inspect.signature(tool).parameters.values())
    except (ValueError, TypeError):
        raise InputError(
            f"{name}: its parameters are not known, as of many functions that are built in",
            field=field,
            hint=f"Write a function of your own that calls {name}.",
        ) from None
    if parameters and parameters[0].name in {"self", "cls"} and "." in getattr(tool, "__qualname__", ""):
        hint = f"Give the one of an object: thing.{name}."
        raise InputError(f"{name} is a method without its object", field=field, hint=hint)
    kinds = {parameter.kind: parameter.name for parameter in parameters}
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
    text = str(error) if isinstance(error, _CannotCall) else f"{type(error).__name__}: {_told(error)}"
    return ToolResult(call, mended(text[:MOST_CHARS]), failed=True)


def _returned(call: ToolCall, value: Any) -> ToolResult:
    text = _as_text(value)
    if len(text) > MOST_CHARS:
        text = f"{text[:MOST_CHARS]}\n… ({len(text) - MOST_CHARS:,} more characters left out)"
    return ToolResult(call, mended(text))


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if (table := table_markdown(value)) is not None:
        return table
    try:
        return json.dumps(value, ensure_ascii=False, default=_simple)
    except (TypeError, ValueError):  # keys that are no text, a list that holds itself
        return str(value)


def _simple(value: Any) -> Any:
    """What a value is in JSON, which has no such type."""
    if isinstance(value, type):
        return str(value)
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, set | frozenset):
        return list(value)
    table = table_markdown(value)
    return _without_type(value) if table is None else table


def _without_type(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return f"({len(value):,} bytes, left out)"
    for name in ("model_dump", "tolist"):  # of pydantic, of numpy
        if callable(made := getattr(value, name, None)):
            return made()
    if any(callable(getattr(value, name, None)) for name in ("_repr_png_", "savefig")):
        return f"(a picture, {type(value).__name__}: only text goes back to the model)"
    return str(value)


def _told(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception of the user's that cannot even say what it is
        return "(it cannot be told)"
