from __future__ import annotations

import asyncio
import dataclasses
import enum
import functools
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from anyfast_nb import settings
from anyfast_nb.errors import AnyFastError, InputError, Interrupted
from anyfast_nb.gateway.rounds import Rounds, rounds_of
from anyfast_nb.gateway.tools import MOST_CHARS, Toolbox
from anyfast_nb.wire.messages import NOT_RUN, answer_messages
from anyfast_nb.wire.values import Answer, Finished, Status, TextDelta, ToolCall, ToolResult


def weather(city: str, days: int = 3, *, unit: Literal["C", "F"] = "C") -> dict[str, Any]:
    """The weather of a city.

    It is made up.

    Args:
        city: its name, in English
            or in its own language.
        days (int): how many of them.

    Returns:
        What was asked.
    """
    return {"city": city, "days": days, "unit": unit}


async def slow(x: int) -> int:
    """Double a number."""
    await asyncio.sleep(0)
    return 2 * x


def run(tool: Any, arguments: str | dict[str, Any], *, name: str = "") -> ToolResult:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = ToolCall("call_1", name or tool.__name__, text)
    return Toolbox([tool]).run(call, wait=asyncio.run)


# --- schema -------------------------------------------------------------------------------


def test_a_typed_function_becomes_a_schema() -> None:
    [schema] = Toolbox([weather]).schemas

    assert schema["type"] == "function"
    function = schema["function"]
    assert (function["name"], function["description"]) == (
        "weather",
        "The weather of a city.\n\nIt is made up.",
    )
    properties = function["parameters"]["properties"]
    assert properties["city"] == {
        "type": "string",
        "description": "its name, in English or in its own language.",
    }
    assert properties["days"] == {"type": "integer", "default": 3, "description": "how many of them."}
    assert properties["unit"]["enum"] == ["C", "F"]
    assert function["parameters"]["required"] == ["city"]


def test_a_field_description_wins_over_the_docstring() -> None:
    pydantic = pytest.importorskip("pydantic")

    def look(place: Annotated[str, pydantic.Field(description="from the field")]) -> str:
        """Look.

        Args:
            place: from the docstring
        """
        return place

    look.__annotations__["place"] = Annotated[str, pydantic.Field(description="from the field")]
    [schema] = Toolbox([look]).schemas

    assert schema["function"]["parameters"]["properties"]["place"]["description"] == "from the field"


def test_a_schema_passes_as_it_is_and_is_never_run() -> None:
    schema = {"type": "function", "function": {"name": "f"}}
    box = Toolbox([schema])

    assert box.schemas == [schema]
    assert not box


@pytest.mark.parametrize(
    ("tool", "part"),
    [
        (lambda x: x, "<lambda>"),
        (functools.partial(weather, "Oslo"), "partial"),
        (3, "int"),
        ("weather", "str"),
        (None, "NoneType"),
    ],
)
def test_what_has_no_name_is_refused(tool: Any, part: str) -> None:
    with pytest.raises(InputError, match="no name") as caught:
        Toolbox([tool])

    assert part in caught.value.message
    assert caught.value.field == "tools[0]"


def test_parameters_without_a_name_are_refused() -> None:
    def many(*words: str) -> int:
        return len(words)

    def first(word: str, /) -> str:
        return word

    for tool in (many, first):
        with pytest.raises(InputError, match="no name in a call"):
            Toolbox([tool])


def test_a_type_that_json_has_not_is_refused() -> None:
    def look(frame: pd.DataFrame) -> int:
        return len(frame)

    look.__annotations__["frame"] = pd.DataFrame
    with pytest.raises(InputError, match="look cannot be described"):
        Toolbox([look])


class Scales:
    """Weighs."""

    def __init__(self, least: int) -> None:
        self.least = least

    def weigh(self, what: str) -> int:
        return self.least + len(what)


@pytest.mark.parametrize(
    ("tool", "part"),
    [
        (Scales, "tools[0] is the class Scales"),
        (int, "tools[0] is the class int"),
        (max, "its parameters are not known"),
        (Scales.weigh, "method without its object"),
    ],
)
def test_what_is_no_function_of_the_users_is_refused_in_words(tool: Any, part: str) -> None:
    with pytest.raises(InputError) as caught:
        Toolbox([tool])

    assert part in caught.value.message
    assert caught.value.hint
    assert caught.value.field == "tools[0]"


def test_a_default_that_json_has_not_is_just_not_told() -> None:
    def look(place: str, cache: Any = object()) -> str:  # noqa: B008
        return place

    look.__annotations__.clear()
    [schema] = Toolbox([look]).schemas  # a warning would be an error here

    assert "default" not in schema["function"]["parameters"]["properties"]["cache"]


def test_a_schema_and_a_function_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="two tools are called 'weather'"):
        Toolbox([weather, {"type": "function", "name": "weather"}])


@pytest.mark.parametrize("given", [weather, "weather", {"type": "function", "name": "weather"}])
def test_a_choice_is_a_tool_or_its_name(given: Any) -> None:
    assert Toolbox([weather]).choice(given) == {"type": "function", "function": {"name": "weather"}}


@pytest.mark.parametrize("given", [slow, "slow", {"type": "function", "function": {"name": "slow"}}, 3])
def test_a_choice_that_is_none_of_the_tools_is_refused(given: Any) -> None:
    with pytest.raises(InputError, match="none of the tools") as caught:
        Toolbox([weather]).choice(given)

    assert caught.value.field == "tool_choice"
    assert "weather" in caught.value.hint


def test_a_choice_without_tools_is_refused() -> None:
    with pytest.raises(InputError, match="without tools"):
        rounds_of("x", settings=settings.load(), tool_choice="required")


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="two tools are called 'weather'") as caught:
        Toolbox([weather, weather])

    assert caught.value.field == "tools[1]"


def test_a_single_function_is_no_list() -> None:
    with pytest.raises(InputError, match="must be a list"):
        Toolbox(weather)  # type: ignore[arg-type]


# --- a call -------------------------------------------------------------------------------


def test_a_call_runs_with_its_arguments() -> None:
    result = run(weather, {"city": "Oslo", "days": "5"})

    assert json.loads(result.content) == {"city": "Oslo", "days": 5, "unit": "C"}
    assert not result.failed


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: int


def test_arguments_arrive_as_their_types() -> None:
    def paint(point: Point, colour: Colour) -> str:
        return f"{point!r} {colour!r}"

    paint.__annotations__ |= {"point": Point, "colour": Colour}
    result = run(paint, {"point": {"x": 1, "y": 2}, "colour": "red"})

    assert result.content == "Point(x=1, y=2) <Colour.RED: 'red'>"


def test_a_method_can_be_a_tool() -> None:
    class Shop:
        stock = 3

        def count(self, extra: int = 0) -> int:
            """How many there are."""
            return self.stock + extra

    assert run(Shop().count, {"extra": 2}).content == "5"


def test_an_asynchronous_function_is_awaited() -> None:
    assert run(slow, {"x": 4}).content == "8"
    call = ToolCall("1", "slow", '{"x": 5}')
    assert asyncio.run(Toolbox([slow]).arun(call)).content == "10"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ("{", "Wrong arguments for weather"),
        ("[1]", "Wrong arguments for weather"),
        ("{}", "city: Missing required argument"),
        ('{"city": "Oslo", "days": "many"}', "days: Input should be a valid integer"),
        ('{"city": "Oslo", "planet": 1}', "planet: Unexpected keyword argument"),
    ],
)
def test_wrong_arguments_go_back_to_the_model(arguments: str, part: str) -> None:
    result = run(weather, arguments)

    assert result.failed
    assert part in result.content
    assert "pydantic" not in result.content


def test_no_arguments_may_be_an_empty_text() -> None:
    def now() -> str:
        return "noon"

    assert run(now, "").content == "noon"


def test_an_unknown_function_is_never_looked_for() -> None:
    result = run(weather, {}, name="os.system")

    assert result.failed
    assert result.content == "There is no function 'os.system'. There are: weather."


def test_an_exception_goes_back_as_one_line() -> None:
    def fails() -> None:
        raise KeyError("nothing there")

    assert run(fails, {}).content == "KeyError: 'nothing there'"
    assert asyncio.run(Toolbox([fails]).arun(ToolCall("1", "fails", ""))).failed


def test_an_interrupt_is_nobodys_result() -> None:
    def stops() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(stops, {})


@pytest.mark.parametrize(
    ("value", "text"),
    [("plain", "plain"), (None, "null"), ({"a": [1, "é"]}, '{"a": [1, "é"]}'), (Colour.RED, '"Colour.RED"')],
)
def test_a_result_becomes_text(value: object, text: str) -> None:
    def give() -> object:
        return value

    assert run(give, {}).content == text


class Loop(list[Any]):
    """Holds itself."""

    def __init__(self) -> None:
        self.append(self)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Point(1, 2), '{"x": 1, "y": 2}'),
        ([Point(1, 2)], '[{"x": 1, "y": 2}]'),
        ({3}, "[3]"),
        (b"abc", '"(3 bytes, left out)"'),
        (np.int64(3), "3"),
        (np.arange(3), "[0, 1, 2]"),
        ({"a": np.float32(0.5)}, '{"a": 0.5}'),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        (Loop(), "[[...]]"),
        ({"df": pd.DataFrame({"a": [1]})}, '{"df": "| a |\\n| --- |\\n| 1 |"}'),
        (Image.new("RGB", (2, 2)), '"(a picture, Image: only text goes back to the model)"'),
    ],
)
def test_a_result_that_json_has_not_says_what_it_is(value: object, text: str) -> None:
    def give() -> object:
        return value

    give.__annotations__.clear()
    result = run(give, {})

    assert (result.content, result.failed) == (text, False)


def test_an_exception_that_cannot_be_told_ends_nothing() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def fails() -> None:
        raise Mute

    result = run(fails, {})

    assert (result.content, result.failed) == ("Mute: (it cannot be told)", True)


def test_null_is_no_argument() -> None:
    def now() -> str:
        return "noon"

    assert run(now, "null").content == "noon"


def test_a_frame_becomes_a_table() -> None:
    def sales() -> pd.DataFrame:
        return pd.DataFrame({"month": ["May"], "visitors": [1200]})

    sales.__annotations__.clear()
    assert "| May" in run(sales, {}).content


def test_a_long_result_is_cut_and_says_so() -> None:
    def book() -> str:
        return "x" * (MOST_CHARS + 5)

    assert run(book, {}).content.endswith("(5 more characters left out)")


# --- rounds -------------------------------------------------------------------------------

CALL = ToolCall("call_1", "weather", '{"city": "Oslo"}')


def rounds(*tools: Any, **options: Any) -> Rounds:
    return rounds_of("The weather in Oslo?", settings=settings.load(), tools=tools or [weather], **options)


def asking(text: str = "", **fields: Any) -> Answer:
    return Answer(text, tool_calls=(CALL,), finish_reason="tool_calls", **fields)


def take(chat: Rounds, answer: Answer) -> list[ToolResult]:
    """Run the calls of an answer, as a client does."""
    return list(chat.run(answer, wait=asyncio.run))


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_rounds_go_on_until_nothing_is_asked(api: str) -> None:
    chat = rounds(api=api)
    first = asking("Let me see.")
    field = "messages" if api == "chat" else "input"
    before = chat.body()

    assert chat.due(first)
    done = dataclasses.replace(first, results=tuple(take(chat, first)))
    said = chat.body()[field][1:]
    if api == "chat":
        assert [message["role"] for message in said] == ["assistant", "tool"]
        assert said[1]["tool_call_id"] == "call_1"
    else:
        assert [item.get("type", "message") for item in said][1:] == ["function_call", "function_call_output"]
        assert said[2]["call_id"] == "call_1"
    assert {**chat.body(), field: None} == {**before, field: None}

    last = Answer("It is fine.")
    assert not chat.due(last)
    assert chat.last(last).rounds == (done,)


def test_rounds_are_bounded() -> None:
    chat = rounds(max_rounds=3)
    for _ in range(2):
        assert chat.due(asking())
        take(chat, asking())

    assert not chat.due(asking())


@pytest.mark.parametrize("most", [0, -1, 1.5, "8", True])
def test_a_wrong_bound_is_refused(most: Any) -> None:
    with pytest.raises(InputError, match="max_rounds"):
        rounds(max_rounds=most)


@pytest.mark.parametrize("make", [lambda: asking(status=Status.TRUNCATED), lambda: Answer("no call")])
def test_no_round_after(make: Callable[[], Answer]) -> None:
    assert not rounds().due(make())


def test_why_it_ended_is_told_where_calls_are_left() -> None:
    chat = rounds(max_rounds=2)
    assert chat.due(asking())
    take(chat, asking())

    assert chat.why_ended(asking()) == "ended after 2 requests (max_rounds): weather not run"
    assert chat.why_ended(Answer("Done.")) == ""


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_calls_of_an_answer_that_was_cut_short_are_not_run(reason: str) -> None:
    chat = rounds()
    answer = dataclasses.replace(asking(), finish_reason=reason)

    assert not chat.due(answer)
    assert not chat.why_ended(answer)


def test_a_call_of_what_is_only_described_is_the_callers_to_answer() -> None:
    chat = rounds(weather, {"type": "function", "function": {"name": "order"}})
    both = dataclasses.replace(asking(), tool_calls=(CALL, ToolCall("2", "order", "{}")))

    assert not chat.due(both)
    assert chat.due(asking())


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(("choice", "later"), [("required", "auto"), (weather, "auto"), ("auto", "auto")])
def test_a_choice_that_was_obeyed_does_not_bind_the_rounds_after(api: str, choice: Any, later: str) -> None:
    chat = rounds(api=api, tool_choice=choice)
    assert chat.body()["tool_choice"] != ("auto" if choice != "auto" else None)
    take(chat, asking())

    assert chat.body()["tool_choice"] == later


def test_schemas_alone_make_one_round() -> None:
    chat = rounds({"type": "function", "function": {"name": "weather"}})

    assert chat.body()["tools"] == [{"type": "function", "function": {"name": "weather"}}]
    assert not chat.due(asking())


def test_an_answer_repeats_its_rounds() -> None:
    chat = rounds()
    take(chat, asking())
    messages = answer_messages(chat.last(Answer("Done.")))

    assert [message["role"] for message in messages] == ["assistant", "tool", "assistant"]
    assert messages[-1]["content"] == "Done."


def test_one_chat_is_heard_not_its_rounds() -> None:
    heard: list[object] = []
    chat = rounds()
    listen = chat.listener(heard.append)
    assert listen is not None
    listen(Finished(asking()))
    assert heard == []

    take(chat, asking())
    listen(TextDelta("Fine."))
    listen(Finished(Answer("Fine.")))
    assert [type(event).__name__ for event in heard] == ["TextDelta", "Finished"]
    assert len(heard[1].answer.rounds) == 1  # type: ignore[attr-defined]
    assert chat.listener(None) is None


def test_a_partial_answer_keeps_its_rounds() -> None:
    chat = rounds()
    take(chat, asking())
    error = AnyFastError("cut")
    error.partial = Answer("half")
    with pytest.raises(AnyFastError), chat.kept():
        raise error

    assert isinstance(error.partial, Answer)
    assert len(error.partial.rounds) == 1


# --- an interrupt ---------------------------------------------------------------------------


def stopped(chat: Rounds, stop: Callable[[], None]) -> Interrupted:
    with pytest.raises(Interrupted) as caught, chat.kept():
        stop()
    return caught.value


def test_an_interrupt_in_a_function_keeps_the_calls_and_what_came_back() -> None:
    def stops() -> str:
        # What a client that is asked inside a function raises: its partial answer is not this chat's.
        raise Interrupted(partial=Answer("of another chat"))

    chat = rounds(weather, stops)
    take(chat, asking())
    both = dataclasses.replace(asking("Two."), tool_calls=(CALL, ToolCall("2", "stops", "{}")))
    error = stopped(chat, lambda: take(chat, both) and None)

    assert "while a tool ran" in str(error)
    assert isinstance(error.partial, Answer)
    assert (error.partial.text, error.partial.status) == ("Two.", Status.INTERRUPTED)
    assert [result.call for result in error.partial.results] == [CALL]
    assert len(error.partial.rounds) == 1


def test_an_interrupt_between_two_requests_is_one_of_ours() -> None:
    def press() -> None:
        raise KeyboardInterrupt

    chat = rounds()
    assert stopped(chat, press).partial is None
    take(chat, asking("First."))
    partial = stopped(chat, press).partial

    assert isinstance(partial, Answer)
    assert (partial.text, partial.status, len(partial.results)) == ("First.", Status.INTERRUPTED, 1)


def test_an_interrupt_of_a_request_keeps_the_rounds_before_it() -> None:
    def press() -> None:
        raise Interrupted(partial=Answer("half", status=Status.INTERRUPTED))

    chat = rounds()
    take(chat, asking())
    partial = stopped(chat, press).partial

    assert isinstance(partial, Answer)
    assert (partial.text, len(partial.rounds)) == ("half", 1)


# --- what later requests repeat --------------------------------------------------------------


def test_calls_that_were_not_run_are_answered_all_the_same() -> None:
    """A server refuses a call that no result follows."""
    [asked, said] = answer_messages(asking())

    assert asked["tool_calls"][0]["id"] == said["tool_call_id"] == "call_1"
    assert said["content"] == NOT_RUN


def test_calls_that_broke_off_are_left_out() -> None:
    half = ToolCall("call_2", "weather", '{"cit')

    assert answer_messages(Answer("", tool_calls=(half,))) == []
    assert answer_messages(Answer("Let me see.", tool_calls=(half,))) == [
        {"role": "assistant", "content": "Let me see."}
    ]
    whole, *_ = answer_messages(Answer("", tool_calls=(CALL, half)))
    assert [call["id"] for call in whole["tool_calls"]] == ["call_1"]


@pytest.mark.parametrize("known", ["", "same"])
def test_calls_without_an_id_of_their_own_get_one(known: str) -> None:
    calls = tuple(ToolCall(known, "weather", json.dumps({"city": city})) for city in ("Oslo", "Bergen"))
    results = tuple(ToolResult(call, call.arguments) for call in calls)
    asked, *said = answer_messages(Answer("", tool_calls=calls, results=results))

    ids = [call["id"] for call in asked["tool_calls"]]
    assert len(set(ids) - {""}) == 2
    assert [message["tool_call_id"] for message in said] == ids
    assert "Bergen" in said[1]["content"]
