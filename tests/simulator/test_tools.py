from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyfast_nb.simulator.teacher.schema import fill
from tests.simulator.conftest import taught


def tool(name: str, description: str = "", **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }


WEATHER = tool("get_weather", "Current weather of a city", city={"type": "string"})
DICE = tool(
    "roll", "Roll dice", sides={"type": "integer", "minimum": 2}, times={"type": "integer", "minimum": 1}
)


def calls(prompt: str, *tools: dict[str, Any], **more: Any) -> list[tuple[str, Any]]:
    draft = taught(prompt, tools=list(tools), **more)
    assert not (draft.calls and draft.content)
    return [(call.name, json.loads(call.arguments)) for call in draft.calls]


@pytest.mark.parametrize(
    ("prompt", "city"),
    [
        ("What is the weather in Oslo?", "Oslo"),
        ("Weather for New York please", "New York"),
        ("weather in 'Bad Homburg' today", "Bad Homburg"),
        ("巴黎的天气怎么样？", "巴黎"),
    ],
)
def test_arguments_come_from_the_words_of_the_question(prompt: str, city: str) -> None:
    assert calls(prompt, WEATHER) == [("get_weather", {"city": city})]


def test_the_tool_that_fits_the_words_is_chosen() -> None:
    assert calls("Roll dice with 20 sides 3 times", WEATHER, DICE) == [("roll", {"sides": 20, "times": 3})]


def test_several_places_become_several_calls_unless_that_is_switched_off() -> None:
    prompt = "Compare the weather in Oslo and Rome"
    assert calls(prompt, WEATHER) == [("get_weather", {"city": "Oslo"}), ("get_weather", {"city": "Rome"})]
    assert len(calls(prompt, WEATHER, parallel_tool_calls=False)) == 1


def test_auto_answers_itself_what_no_tool_is_for() -> None:
    assert calls("Hello!", WEATHER) == []
    assert calls("what is 2+3?", WEATHER) == []
    assert calls("Where is my parcel?", WEATHER) != []


def test_tool_choice_is_obeyed() -> None:
    assert calls("What is the weather in Oslo?", WEATHER, tool_choice="none") == []
    assert calls("Hello!", WEATHER, tool_choice="required") != []
    named = {"type": "function", "function": {"name": "roll"}}
    assert [name for name, _ in calls("the weather in Oslo", WEATHER, DICE, tool_choice=named)] == ["roll"]


def test_call_ids_differ_and_stay() -> None:
    first = taught("Weather in Oslo and Rome", tools=[WEATHER]).calls
    assert len({call.id for call in first}) == 2
    assert taught("Weather in Oslo and Rome", tools=[WEATHER]).calls == first


def test_after_a_result_it_answers_with_it() -> None:
    turns = [
        {"role": "user", "content": "What is the weather in Oslo?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": '{"temperature": 4, "sky": "cloudy"}'},
    ]
    draft = taught(messages=turns, tools=[WEATHER], tool_choice="auto")
    assert draft.calls == ()
    assert "`get_weather` (city Oslo) says" in draft.content
    assert "temperature: **4**" in draft.content
    assert "sky: **cloudy**" in draft.content
    turns[-1]["content"] = "4 degrees"
    assert "**4 degrees**" in taught(messages=turns, tools=[WEATHER]).content


SCHEMAS: list[dict[str, Any]] = [
    {
        "type": "object",
        "properties": {
            "unit": {"enum": ["C", "F"]},
            "deep": {
                "type": "object",
                "properties": {"x": {"type": "number", "minimum": 0, "maximum": 1}},
                "required": ["x"],
            },
        },
        "required": ["unit", "deep"],
    },
    {
        "type": "object",
        "properties": {
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2, "uniqueItems": True}
        },
        "required": ["tags"],
    },
    {"type": "object", "properties": {"when": {"type": "string", "format": "date"}, "at": {"const": 7}}},
    {
        "type": "object",
        "properties": {"v": {"anyOf": [{"type": "null"}, {"type": "integer", "exclusiveMinimum": 9}]}},
    },
    {
        "type": "object",
        "properties": {"n": {"type": "integer", "multipleOf": 5, "minimum": 7, "maximum": 12}},
    },
    {
        "type": "object",
        "properties": {"code": {"type": "string", "pattern": "^[A-Z]{3}$"}},
        "required": ["code"],
    },
    {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/node"}},
                "required": ["name"],
            }
        },
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/node"}},
    },
    {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"properties": {"b": {"type": "boolean"}}, "required": ["b"]},
        ]
    },
    {"type": "object", "properties": {"s": {"type": "string", "minLength": 20, "maxLength": 22}}},
    {"type": "object"},
]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("prompt", ["", "Weather in Oslo and Rome in C on 2026-03-04, 3 times, 99.5 percent"])
def test_arguments_fit_the_schema(schema: dict[str, Any], prompt: str) -> None:
    jsonschema.validate(fill(schema, prompt), schema)


def _schemas() -> st.SearchStrategy[dict[str, Any]]:
    words = st.text("abcxyz", min_size=1, max_size=6)
    low = st.integers(-50, 50)
    leaf = st.one_of(
        st.just({"type": "boolean"}),
        st.just({"type": "null"}),
        st.builds(lambda a: {"type": "string", "maxLength": a}, st.integers(1, 30)),
        st.builds(lambda a: {"type": "string", "minLength": a}, st.integers(0, 30)),
        st.builds(lambda a, b: {"type": "integer", "minimum": a, "maximum": a + b}, low, st.integers(0, 9)),
        st.builds(lambda a: {"type": "integer", "exclusiveMaximum": a}, low),
        st.builds(
            lambda a, b: {"type": "number", "exclusiveMinimum": a, "maximum": a + b}, low, st.integers(1, 9)
        ),
        st.builds(lambda a: {"enum": a}, st.lists(st.one_of(words, low, st.none()), min_size=1, max_size=4)),
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(
                lambda a, b: {"type": "array", "items": a, "minItems": b, "maxItems": b + 2},
                inner,
                st.integers(0, 3),
            ),
            st.builds(
                lambda a: {
                    "type": "object",
                    "properties": a,
                    "required": sorted(a),
                    "additionalProperties": False,
                },
                st.dictionaries(words, inner, max_size=4),
            ),
            st.builds(lambda a: {"oneOf": [a]}, inner),
        ),
        max_leaves=10,
    )


@given(schema=_schemas(), prompt=st.sampled_from(["", "roll 3 dice in Oslo, not now", "-7.5 abc 88"]))
@settings(max_examples=150)
def test_arguments_fit_any_schema_of_the_usual_kinds(schema: dict[str, Any], prompt: str) -> None:
    whole = {"type": "object", "properties": {"value": schema}, "required": ["value"]}
    jsonschema.validate(fill(whole, prompt), whole)
