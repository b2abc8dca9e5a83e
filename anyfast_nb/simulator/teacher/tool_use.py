"""Tools: when to call one, with which arguments, and what to make of the result."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from anyfast_nb.simulator.request import Call, Message, Tool, ToolMode
from anyfast_nb.simulator.teacher.lesson import Draft, Lesson
from anyfast_nb.simulator.teacher.schema import fill, proper_names

_SEVERAL = re.compile(r"\band\b|,|&|和|与|、", re.IGNORECASE)
MOST_CALLS = 4


def call(lesson: Lesson, *, understood: bool) -> Draft | None:
    """The tool calls for a question, None when it is answered without.

    Args:
        lesson: the question.
        understood: whether another skill has an answer; then a tool must fit the words to be called.
    """
    request = lesson.request
    if not request.tools or request.tool_mode is ToolMode.NONE:
        return None
    tool, fits = _choose(lesson)
    if request.tool_mode is ToolMode.AUTO and understood and not fits:
        return None
    prompts = _prompts(lesson, tool)
    made = tuple(
        Call(_id(lesson, index), tool.name, json.dumps(_arguments(tool, prompt), ensure_ascii=False))
        for index, prompt in enumerate(prompts)
    )
    steps = lesson.say(
        f"The tool {tool.name} fits the question. I fill its arguments from the words of the question.\n",
        f"工具 {tool.name} 适合这个问题。我用问题里的词填写参数。\n",
    )
    return Draft("", reasoning=steps, calls=made)


def after_result(lesson: Lesson) -> Draft | None:
    """The answer after tools have run, None when the last message is no tool result."""
    results = []
    for message in reversed(lesson.request.messages):
        if message.role != "tool":
            break
        results.append(message)
    if not results:
        return None
    results.reverse()
    names = {c.id: c for m in lesson.request.messages for c in m.calls}
    described = [_result(message, names.get(message.call_id), lesson) for message in results]
    steps = lesson.say(
        f"{len(results)} tool result(s) came back. I answer from them.",
        f"收到 {len(results)} 个工具结果，据此回答。",
    )
    return Draft("\n\n".join(described), reasoning=steps)


def _choose(lesson: Lesson) -> tuple[Tool, bool]:
    """The tool to call, and whether the words of the question speak for it."""
    request = lesson.request
    if request.tool_mode is ToolMode.NAMED:
        return next(tool for tool in request.tools if tool.name == request.tool_name), True
    said = _stems(lesson.prompt)
    scored = [(len(said & _stems(_describe(tool))), -index, tool) for index, tool in enumerate(request.tools)]
    score, _, best = max(scored, key=lambda row: row[:2])
    return best, score > 0


def _describe(tool: Tool) -> str:
    properties = tool.parameters.get("properties")
    names = " ".join(properties) if isinstance(properties, Mapping) else ""
    return f"{tool.name} {tool.description} {names}".replace("_", " ")


def _stems(text: str) -> set[str]:
    words = re.findall(r"[a-z]{4,}", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())
    signs = re.findall(r"[\u3400-\u9fff]{2}", text)
    return {
        word[:5] for word in words if word not in {"what", "with", "this", "that", "from", "your", "which"}
    } | set(signs)


def _prompts(lesson: Lesson, tool: Tool) -> list[str]:
    """One prompt for each call: a question that names several things may become several calls."""
    names = proper_names(lesson.prompt)
    properties = tool.parameters.get("properties")
    texts = [
        name
        for name, inner in (properties.items() if isinstance(properties, Mapping) else ())
        if isinstance(inner, Mapping) and inner.get("type") == "string" and not inner.get("enum")
    ]
    several = (
        lesson.request.parallel_calls
        and len(texts) == 1
        and len(names) > 1
        and _SEVERAL.search(lesson.prompt)
    )
    if not several:
        return [lesson.prompt]
    kept = [name for name in names if not any(name != other and name in other for other in names)][
        :MOST_CALLS
    ]
    return [_only(lesson.prompt, name, kept) for name in kept]


def _only(prompt: str, name: str, names: list[str]) -> str:
    for other in names:
        if other != name:
            prompt = prompt.replace(other, "")
    return prompt


def _arguments(tool: Tool, prompt: str) -> Any:
    schema = {"type": "object", **tool.parameters}
    return fill(schema, prompt)


def _id(lesson: Lesson, index: int) -> str:
    mark = hashlib.sha256(lesson.request.digest() + bytes([index])).hexdigest()
    return f"call_{mark[:20]}"


def _result(message: Message, made: Call | None, lesson: Lesson) -> str:
    name = f"`{made.name}`" if made else lesson.say("The tool", "工具")
    given = f" ({_flat(_parsed(made.arguments))})" if made and made.arguments not in {"", "{}"} else ""
    value = _parsed(message.text)
    if isinstance(value, Mapping):
        lines = "\n".join(f"- {key}: **{_flat(item)}**" for key, item in value.items())
        return lesson.say(f"{name}{given} says:\n\n{lines}", f"{name}{given} 的结果：\n\n{lines}")
    return lesson.say(
        f"{name}{given} says: **{_flat(value)}**.", f"{name}{given} 的结果：**{_flat(value)}**。"
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_flat(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_flat(item) for item in value[:10])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
