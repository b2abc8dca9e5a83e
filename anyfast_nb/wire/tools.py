"""Tools in the two forms of the wire: chat nests the function, the Responses API has it flat.

Source: wire reference 3.1 and 4.1; seed 000 (function calling).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.wire import checks

_NESTED: Final = '{"type": "function", "function": {"name": …}}'
_FLAT: Final = '{"type": "function", "name": …}'
_WORDS: Final = ("none", "auto", "required")


def nested(
    tools: Sequence[Mapping[str, Any]] | None, choice: str | Mapping[str, Any] | None
) -> dict[str, Any]:
    """Tools and choice as fields of a chat; both forms are taken.

    Raises:
        InputError: something that is no function, a choice that is none.
    """
    out: dict[str, Any] = {}
    if found := [_nest(f"tools[{i}]", tool) for i, tool in enumerate(_listed(tools))]:
        out["tools"] = found
    if isinstance(choice, Mapping):
        name = _function(choice).get("name") or _word(choice, _NESTED)
        choice = {"type": "function", "function": {"name": name}}
    if choice is not None:
        out["tool_choice"] = choice if isinstance(choice, Mapping) else _word(choice, _NESTED)
    return out


def flat(tools: Sequence[Mapping[str, Any]] | None, choice: str | Mapping[str, Any] | None) -> dict[str, Any]:
    """Tools and choice as fields of a response; both forms are taken, other kinds of tools as they are.

    Raises:
        InputError: something that is no tool, a choice that is none.
    """
    out: dict[str, Any] = {}
    if found := [_flatten(f"tools[{i}]", tool) for i, tool in enumerate(_listed(tools))]:
        out["tools"] = found
    if isinstance(choice, Mapping) and choice.get("type", "function") == "function":
        name = _function(choice).get("name") or _word(choice, _FLAT)
        choice = {"type": "function", "name": name}
    elif isinstance(choice, Mapping):
        choice = dict(choice)  # such as {"type": "web_search"}: the server knows its own tools
    if choice is not None:
        out["tool_choice"] = choice if isinstance(choice, Mapping) else _word(choice, _FLAT)
    return out


def _listed(tools: Any) -> Sequence[Any]:
    if tools is not None and not isinstance(tools, list | tuple):
        raise InputError("tools must be a list of functions", field="tools", hint="Write tools=[…].")
    return tools or ()


def _function(tool: Any) -> Mapping[str, Any]:
    """What is said of a function, in either form; empty if it is none."""
    if not isinstance(tool, Mapping):
        return {}
    inner = tool.get("function")
    if isinstance(inner, Mapping):
        return inner
    if tool.get("type") != "function":
        return {}
    return {name: value for name, value in tool.items() if name != "type"}


def _nest(field: str, tool: Any) -> dict[str, Any]:
    function = _function(tool)
    if not function.get("name"):
        raise InputError(f"{field} must be {_NESTED}", field=field)
    return dict(tool) if "function" in tool else {"type": "function", "function": dict(function)}


def _flatten(field: str, tool: Any) -> dict[str, Any]:
    kind = tool.get("type", "function") if isinstance(tool, Mapping) else None
    if isinstance(kind, str) and kind and kind != "function":
        return dict(tool)
    function = _function(tool)
    if not function.get("name"):
        raise InputError(f"{field} must be {_FLAT}", field=field)
    return {"type": "function", **function}


def _word(choice: Any, form: str) -> str:
    return checks.one_of("tool_choice", choice, allowed=(*_WORDS, form))
