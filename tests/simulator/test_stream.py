from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from anyfast_nb.simulator import samples, tokens
from anyfast_nb.simulator.completion import Completion, complete
from anyfast_nb.simulator.looking.eyes import Eyes
from anyfast_nb.simulator.problems import Refusal
from anyfast_nb.simulator.stream import Broken, Pacer, events, in_pieces
from anyfast_nb.simulator.triggers import Ending, Failures, Triggers, read_triggers, without_triggers
from tests.simulator.conftest import MODEL, asked, image_part, two_coloured, video_part


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def completed(prompt: Any = "what is 17*23+4", **more: Any) -> Completion:
    request = asked(prompt, **more)
    return complete(request, read_triggers(request.prompt), eyes=Eyes(), id="021", created=1_774_236_644)


async def sent(completion: Completion, triggers: Triggers | None = None, **more: Any) -> list[bytes]:
    time = FakeTime()
    more = {"include_usage": False, "sleep": time.sleep} | more
    pacer = more.pop("pacer", None) or Pacer(0)
    return [piece async for piece in events(completion, triggers or Triggers(), pacer, **more)]


def chunks(pieces: list[bytes]) -> list[Any]:
    """The JSON of each event, and the closing word."""
    found = [block.removeprefix("data: ") for block in b"".join(pieces).decode().split("\n\n") if block]
    return [json.loads(text) if text != "[DONE]" else text for text in found if not text.startswith(":")]


# --- the frames ------------------------------------------------------------------------------------


async def test_reasoning_comes_before_the_answer_then_the_finish_then_done() -> None:
    whole = completed()
    *frames, done = chunks(await sent(whole))
    assert done == "[DONE]"
    deltas = [frame["choices"][0]["delta"] for frame in frames]
    assert all(delta["role"] == "assistant" for delta in deltas)
    kinds = ["reasoning" if "reasoning_content" in delta else "text" for delta in deltas]
    assert kinds == sorted(kinds)
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "".join(whole.reasoning)
    assert "".join(delta["content"] for delta in deltas) == "".join(whole.content)
    assert [frame["choices"][0]["finish_reason"] for frame in frames] == [None] * (len(frames) - 1) + ["stop"]
    assert deltas[-1]["content"] == ""
    assert {(frame["id"], frame["object"], frame["model"]) for frame in frames} == {
        ("021", "chat.completion.chunk", MODEL)
    }


async def test_empty_choices_come_only_with_the_usage_that_was_asked_for() -> None:
    assert all(frame["choices"] for frame in chunks(await sent(completed()))[:-1])
    *frames, usage, _ = chunks(await sent(completed(), include_usage=True))
    assert all(frame["choices"] and frame["usage"] is None for frame in frames)
    assert usage["choices"] == []
    assert usage["usage"] == completed().usage()


async def test_tool_calls_grow_by_index() -> None:
    tools = [
        {
            "type": "function",
            "function": {"name": "look", "parameters": {"properties": {"q": {"type": "string"}}}},
        }
    ]
    whole = completed("look", tools=tools, tool_choice="required")
    *frames, _ = chunks(await sent(whole))
    deltas = [call for frame in frames for call in frame["choices"][0]["delta"].get("tool_calls", [])]
    assert deltas[0] == {
        "index": 0,
        "id": whole.calls[0].id,
        "type": "function",
        "function": {"name": "look", "arguments": ""},
    }
    assert json.loads("".join(delta["function"]["arguments"] for delta in deltas)) == {"q": "look"}
    assert frames[-1]["choices"][0]["finish_reason"] == "tool_calls"


# --- tokens ------------------------------------------------------------------------------------------


def test_tokens_join_to_their_text_and_are_about_four_characters() -> None:
    text = samples.varied(5_000) + "你好，世界"
    assert "".join(tokens.split(text)) == text
    assert 3 < len(samples.varied(5_000)) / tokens.count(samples.varied(5_000)) < 5
    assert tokens.split("你好") == ["你", "好"]


@pytest.mark.parametrize("count", [1, 7, 200, 2_000])
def test_samples_have_exactly_the_tokens_asked_for(count: int) -> None:
    assert tokens.count(samples.exactly(count)) == count
    assert tokens.count(samples.thoughts(count)) == count


def test_usage_adds_up() -> None:
    usage = completed().usage()
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    whole = completed()
    assert usage["completion_tokens"] == len(whole.reasoning) + len(whole.content)
    assert usage["completion_tokens_details"] == {"reasoning_tokens": len(whole.reasoning)}
    assert completed("x" * 400).prompt_tokens > completed("x").prompt_tokens + 70


def test_pictures_and_clips_cost_tokens_by_their_size(clip: bytes) -> None:
    bare = completed([{"type": "text", "text": "?"}]).prompt_tokens
    picture = completed(
        [{"type": "text", "text": "?"}, image_part(two_coloured(size=(640, 480)))]
    ).prompt_tokens
    assert picture - bare == 640 * 480 // 256
    slow, fast = (completed([video_part(clip, fps=fps)]).prompt_tokens for fps in (1, 2))
    assert fast - slow == (slow - tokens.PER_MESSAGE) == 5 * 64


# --- limits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 2, 5, 16, 40])
def test_max_tokens_counts_reasoning_and_answer_and_leaves_an_answer(most: int) -> None:
    whole = completed("plugh", max_tokens=most)
    assert whole.finish == "length"
    assert whole.completion_tokens == most
    assert len(whole.content) >= most // 2
    free = "".join(completed("plugh").content)
    assert free.startswith("".join(whole.content)[:3])


def test_a_limit_that_is_not_reached_changes_nothing() -> None:
    assert completed(max_tokens=5_000).content == completed().content
    assert completed(max_tokens=5_000).finish == "stop"


def test_thinking_can_be_switched_off() -> None:
    assert completed().reasoning
    assert not completed(thinking={"type": "disabled"}).reasoning
    assert not completed(reasoning_effort="minimal").reasoning


def test_stop_cuts_before_the_first_stop_even_across_tokens() -> None:
    whole = "".join(completed().content)
    assert "".join(completed(stop="Step by step").content) == whole.split("Step by step")[0]
    assert "".join(completed(stop=["never", "simul", "by st"]).content) == whole.split("by st")[0]
    cut = completed(stop="ep by s")
    assert (cut.finish, "ep by s" in "".join(cut.content)) == ("stop", False)
    assert cut.completion_tokens == len(cut.reasoning) + len(cut.content)


def test_a_stop_beyond_max_tokens_does_not_count() -> None:
    assert completed("plugh", max_tokens=10, stop="simulation").finish == "length"


# --- pace --------------------------------------------------------------------------------------------


async def test_tokens_pass_at_their_rate_without_drift() -> None:
    time = FakeTime()
    whole = completed("sim:chunks=120")
    await sent(whole, pacer=Pacer(60, clock=time.clock, sleep=time.sleep))
    assert time.now - 100 == pytest.approx(2.0)
    time.now += 50  # a delay is caught up: nothing waits for what is overdue
    pacer = Pacer(10, clock=time.clock, sleep=time.sleep)
    await pacer.wait()
    time.now += 1
    before = len(time.slept)
    for _ in range(10):
        await pacer.wait()
    assert len(time.slept) == before


async def test_at_speed_0_nothing_waits_and_frames_go_out_together() -> None:
    time = FakeTime()
    pieces = await sent(completed("sim:chunks=2000"), sleep=time.sleep)
    assert sum(time.slept) == 0
    assert len(pieces) < 40
    assert len(chunks(pieces)) == 2_002


# --- endings -----------------------------------------------------------------------------------------


async def test_a_cut_stream_ends_without_done() -> None:
    whole = completed("sim:cut=20 sim:chunks=100")
    found = chunks(await sent(whole, read_triggers("sim:cut=20")))
    assert len(found) == 20
    assert "[DONE]" not in found
    assert all(frame["choices"][0]["finish_reason"] is None for frame in found)
    assert len(chunks(await sent(whole, read_triggers("sim:cut")))) == 50


async def test_a_dropped_stream_breaks() -> None:
    with pytest.raises(Broken):
        await sent(completed(), read_triggers("sim:drop=3"))


async def test_a_failed_response_is_an_error_in_chat() -> None:
    *frames, last = chunks(await sent(completed(), read_triggers("sim:failed=3")))
    assert (len(frames), "error" in last) == (3, True)


async def test_an_error_frame_ends_the_stream() -> None:
    *frames, last = chunks(await sent(completed(), read_triggers("sim:error-midstream=3")))
    assert len(frames) == 3
    assert set(last["error"]) == {"message", "type", "code"}


async def test_a_hanging_stream_sends_only_pings() -> None:
    time = FakeTime()
    stream: AsyncIterator[bytes] = events(
        completed(), read_triggers("sim:hang=4 sim:ping"), Pacer(0), include_usage=False, sleep=time.sleep
    )
    first = await anext(stream)
    assert first.count(b"data: ") == 4
    assert [await anext(stream) for _ in range(3)] == [b": PING\n\n"] * 3
    assert time.now > 100


async def test_split_sends_the_same_bytes_in_small_pieces() -> None:
    whole = completed("计算 12 乘以 3")
    plain = b"".join(await sent(whole))

    async def source() -> AsyncIterator[bytes]:
        yield plain

    pieces = [piece async for piece in in_pieces(source())]
    assert b"".join(pieces) == plain
    assert max(map(len, pieces)) == 7
    assert any("\ufffd" in piece.decode("utf-8", "replace") for piece in pieces)


# --- trigger words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        ("hello", Triggers()),
        ("sim:429", Triggers(status=429)),
        ("please sim:503x2 now", Triggers(status=503, times=2)),
        ("sim:429x2/8", Triggers(status=429, times=2, retry_after="8")),
        ("sim:429/none", Triggers(status=429, retry_after="none")),
        ("sim:chunks=2000 sim:rate=200", Triggers(chunks=2000, rate_per_s=200)),
        ("sim:long=8000 sim:reasoning=30", Triggers(characters=8000, reasoning=30)),
        ("sim:slow", Triggers(rate_per_s=5)),
        ("sim:hang", Triggers(ending=Ending.HANG, ending_after=0)),
        ("sim:cut", Triggers(ending=Ending.CUT)),
        ("sim:error-midstream=2 sim:ping", Triggers(ending=Ending.ERROR, ending_after=2, ping=True)),
        ("sim:echo-key", Triggers(echo_key=True)),
        ("sim:echo sim:split sim:html sim:hostile", Triggers(echo=True, split=True, html=True, hostile=True)),
        ("sim:failed=3 sim:minimal", Triggers(ending=Ending.FAILED, ending_after=3, minimal=True)),
        ("sim:moderation sim:fail-item=2", Triggers(moderation=True, fail_item=2)),
        ("sim:bad-words sim:real-person", Triggers(bad_words=True, real_person=1)),
        ("sim:real-person=3 sim:fail-item", Triggers(real_person=3)),
        ("sim:unknown sim:200 sim:done maxsim:429 sim:long", Triggers()),
    ],
)
def test_trigger_words_are_read(prompt: str, wanted: Triggers) -> None:
    assert read_triggers(prompt) == wanted


def test_trigger_words_leave_the_prompt() -> None:
    assert without_triggers("what is sim:slow 2+2 sim:rate=9 sim:what") == "what is  2+2  sim:what"


def test_failures_are_counted_by_key_and_prompt_and_start_over() -> None:
    failures = Failures()
    triggers = read_triggers("sim:429x2")

    def status(key: str = "a", prompt: str = "p") -> int:
        try:
            failures.check(triggers, key=key, prompt=prompt, retry_after_s=1)
        except Refusal as refusal:
            return refusal.status
        return 200

    assert [status(), status("b"), status(), status(), status("b"), status()] == [
        429,
        429,
        429,
        200,
        429,
        429,
    ]
    assert status(prompt="q") == 429


def test_echo_cuts_media_short() -> None:
    whole = completed([{"type": "text", "text": "sim:echo"}, image_part(bytes(900))], temperature=0.3)
    echoed = json.loads("".join(whole.content))
    assert echoed["temperature"] == 0.3
    assert (
        echoed["messages"][0]["content"][1]["image_url"]["url"] == "data:image/png;base64,… (1200 characters)"
    )


def test_the_hostile_answer_is_whole() -> None:
    text = "".join(completed("sim:hostile").content)
    for weapon in (
        "<script>",
        "onerror=",
        "javascript:",
        "![a tracking",
        "<iframe",
        "<style>",
        "<svg onload",
        "\\href",
    ):
        assert weapon in text
