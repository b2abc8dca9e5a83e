from __future__ import annotations

import asyncio
import dataclasses
import enum
import functools
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pandas as pd
import pytest

from anyfast_nb import settings
from anyfast_nb.errors import AnyFastError, InputError
from anyfast_nb.gateway.rounds import Rounds, rounds_of
from anyfast_nb.gateway.tools import MOST_CHARS, Toolbox
from anyfast_nb.wire.messages import answer_messages
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


def results() -> list[ToolResult]:
    return [Toolbox([weather]).run(CALL, wait=asyncio.run)]


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_rounds_go_on_until_nothing_is_asked(api: str) -> None:
    chat = rounds(api=api)
    first = asking("Let me see.")
    field = "messages" if api == "chat" else "input"
    before = chat.body()

    assert chat.due(first)
    done = chat.add(first, results())
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
        chat.add(asking(), results())

    assert not chat.due(asking())


@pytest.mark.parametrize("most", [0, -1, 1.5, "8"])
def test_a_wrong_bound_is_refused(most: Any) -> None:
    with pytest.raises(InputError, match="max_rounds"):
        rounds(max_rounds=most)


@pytest.mark.parametrize("make", [lambda: asking(status=Status.TRUNCATED), lambda: Answer("no call")])
def test_no_round_after(make: Callable[[], Answer]) -> None:
    assert not rounds().due(make())


def test_schemas_alone_make_one_round() -> None:
    chat = rounds({"type": "function", "function": {"name": "weather"}})

    assert chat.body()["tools"] == [{"type": "function", "function": {"name": "weather"}}]
    assert not chat.due(asking())


def test_an_answer_repeats_its_rounds() -> None:
    chat = rounds()
    chat.add(asking(), results())
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

    chat.add(asking(), results())
    listen(TextDelta("Fine."))
    listen(Finished(Answer("Fine.")))
    assert [type(event).__name__ for event in heard] == ["TextDelta", "Finished"]
    assert len(heard[1].answer.rounds) == 1  # type: ignore[attr-defined]
    assert chat.listener(None) is None


def test_a_partial_answer_keeps_its_rounds() -> None:
    chat = rounds()
    chat.add(asking(), results())
    error = AnyFastError("cut")
    error.partial = Answer("half")
    chat.stopped(error)

    assert isinstance(error.partial, Answer)
    assert len(error.partial.rounds) == 1
