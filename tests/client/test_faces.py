from __future__ import annotations

import asyncio
import contextvars
import doctest
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import anyfast_nb as af
from anyfast_nb.client import faces
from anyfast_nb.client.faces import AsyncClient, Client
from anyfast_nb.errors import BadRequestError, ConfigError, InputError, Interrupted, MissingKeyError, WireCut
from anyfast_nb.gateway import gateway
from anyfast_nb.http.retry import RetryPolicy
from anyfast_nb.settings import save_file
from anyfast_nb.wire.system import ServedModel
from anyfast_nb.wire.values import Answer, Event, Finished, Opened, TextDelta
from tests.client.conftest import KEY, NO_WAITS, MakeClient, chunk, press_ctrl_c, rows, whole
from tests.wire_server import CUT, HANG, Reply, WireServer

HANGING = Reply.sse(chunk("Hel"), chunk("lo"), HANG)


@pytest.fixture
def async_client(wire_server: WireServer) -> Callable[[], AsyncClient]:
    return lambda: AsyncClient(api_key=KEY, base_url=wire_server.url, model="m", policy=NO_WAITS)


# --- what a client is made from ---------------------------------------------------------------


def test_the_public_names_are_these() -> None:
    assert af.Client is Client
    assert af.AsyncClient is AsyncClient
    assert af.Answer is Answer


def test_the_promised_call(wire_server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYFAST_API_KEY", KEY)
    monkeypatch.setenv("ANYFAST_BASE_URL", f"{wire_server.url}/v1")
    wire_server.script(whole("Hello back"))
    with af.Client() as client:
        answer = client.chat("Hello", model="mini", max_tokens=5)
    assert (answer.text, answer.reasoning, answer.model, answer.id) == ("Hello back", "", "served", "0217")
    assert answer.usage.output_tokens == 5
    assert wire_server.requests[0].path == "/v1/chat/completions"
    assert wire_server.requests[0].json() == {
        "model": "doubao-seed-2.0-mini",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_arguments_count_before_environment_and_file(
    wire_server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anyfast_nb.settings import home

    save_file(home(), model="from-file", system="from file", base_url="https://file.example")
    monkeypatch.setenv("ANYFAST_API_KEY", "sk-environment")
    monkeypatch.setenv("ANYFAST_BASE_URL", "https://environment.example")
    wire_server.script(whole(), whole())
    with Client(api_key=KEY, base_url=wire_server.url, policy=NO_WAITS) as client:
        client.chat("x")
    with Client(api_key=KEY, base_url=wire_server.url, model="argument", system="") as client:
        client.chat("x", system="call")
    first, second = (request.json() for request in wire_server.requests)
    assert first["model"] == "from-file"
    assert first["messages"][0] == {"role": "system", "content": "from file"}
    assert (second["model"], second["messages"][0]["content"]) == ("argument", "call")
    assert {request.headers["Authorization"] for request in wire_server.requests} == {f"Bearer {KEY}"}


@pytest.mark.parametrize("make", [Client, AsyncClient])
def test_a_client_that_could_not_send_is_not_made(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MissingKeyError) as caught:
        make()
    assert 'Client(base_url="simulator")' in caught.value.hint
    with pytest.raises(MissingKeyError, match=r"for https://h\.example"):
        make(base_url="https://h.example")
    with pytest.raises(ConfigError, match="unencrypted"):
        make(api_key=KEY, base_url="http://h.example")
    with pytest.raises(InputError):
        make(api_key="Bearer x")
    with pytest.raises(InputError):
        make(api_key=KEY, base_url="h.example")
    monkeypatch.setenv("ANYFAST_BASE_URL", "nonsense")
    with pytest.raises(ConfigError, match="from the environment"):
        make(api_key=KEY)


def test_a_client_shows_its_address_and_not_its_key() -> None:
    assert repr(Client(api_key=KEY)) == "Client(base_url='https://www.anyfast.ai')"
    assert (
        repr(AsyncClient(api_key=KEY, base_url="http://[::1]:1/v1"))
        == "AsyncClient(base_url='http://[::1]:1')"
    )


def test_how_often_to_retry_is_the_callers_choice(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(*[Reply.json({"error": {"message": "busy"}}, status=503)] * 9)
    with pytest.raises(af.errors.ServerError):
        client(policy=RetryPolicy(attempts=7, base_s=0)).chat("x")
    assert len(wire_server.requests) == 7


def test_wrong_arguments_are_refused_before_anything_is_sent_or_written(
    wire_server: WireServer, client: MakeClient
) -> None:
    mine = client()
    for prompt, options in (
        ("x", {"temperature": 3}),
        ("x", {"fps": 2}),
        ("x", {"images": "a.png"}),
        ([{"role": "user", "content": "x"}], {"images": ["https://h/a.png"]}),
        ("x", {"extra": {"model": "y"}}),
        ("", {}),
        ("  \n", {}),
        ([], {}),
    ):
        with pytest.raises(InputError) as caught:
            mine.chat(prompt, **options)  # type: ignore[arg-type]
        assert caught.value.field
        with pytest.raises(InputError):
            mine.stream(prompt, **options)  # type: ignore[arg-type]
        with pytest.raises(InputError):
            AsyncClient(api_key=KEY, base_url=wire_server.url).stream(prompt, **options)  # type: ignore[arg-type]
    assert wire_server.requests == []
    assert rows() == []


def test_media_and_history_find_their_places(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(whole())
    client(system="Be brief.").chat(
        "What?",
        images=["https://h.example/a.png"],
        videos=["https://h.example/v.mp4"],
        fps=2,
        history=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
    )
    assert wire_server.requests[0].json()["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "https://h.example/a.png"}},
                {"type": "video_url", "video_url": {"url": "https://h.example/v.mp4", "fps": 2}},
                {"type": "text", "text": "What?"},
            ],
        },
    ]


def test_a_system_prompt_in_the_messages_is_not_doubled(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(whole(), whole())
    messages = [{"role": "system", "content": "mine"}, {"role": "user", "content": "x"}]
    client(system="setting").chat(messages)
    client(system="setting").chat("x", system="")
    assert [request.json()["messages"] for request in wire_server.requests] == [messages, messages[1:]]


def test_the_models_are_listed_and_have_no_row(wire_server: WireServer, client: MakeClient) -> None:
    busy = Reply.json({"error": {"message": "down"}}, status=500)
    wire_server.script(busy, Reply.json({"data": [{"id": "a"}]}), Reply.json({"data": [{"id": "a"}]}))
    assert client().models() == [ServedModel("a", "", ())]
    assert rows() == []

    async def listed() -> list[ServedModel]:
        async with AsyncClient(api_key=KEY, base_url=wire_server.url) as mine:
            return await mine.models()

    assert asyncio.run(listed()) == [ServedModel("a", "", ())]


# --- streams ----------------------------------------------------------------------------------


def test_a_stream_gives_its_events(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(whole("Hello"))
    *events, last = client().stream("x")
    assert events == [Opened("served", "0217"), TextDelta("Hello")]
    assert isinstance(last, Finished)
    assert last.answer.text == "Hello"


def test_leaving_a_stream_early_stops_the_request(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(HANGING)
    for event in client().stream("x"):
        if event == TextDelta("lo"):
            break
    assert wire_server.requests[0].gone.wait(5)
    wait_for_status("interrupted")


def test_a_stream_that_breaks_raises_after_its_events(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.sse(chunk("Hello"), CUT))
    events: list[Event] = []
    with pytest.raises(WireCut) as caught:
        events.extend(client().stream("x"))
    partial = caught.value.partial
    assert isinstance(partial, Answer)
    assert partial.text == "Hello"


def test_a_stream_that_nobody_reads_sends_nothing(wire_server: WireServer, client: MakeClient) -> None:
    client().stream("x")
    assert wire_server.requests == []


def wait_for_status(status: str) -> None:
    """The row is settled on the private loop: a call that runs behind it there has seen it."""
    gateway.io_loop().run(asyncio.sleep(0))
    assert [row["status"] for row in rows()] == [status]


# --- interrupts -------------------------------------------------------------------------------


def interrupt_after_text(event: Event) -> None:
    if event == TextDelta("lo"):
        press_ctrl_c()


def test_an_interrupt_stops_the_request_and_keeps_what_came(
    wire_server: WireServer, client: MakeClient
) -> None:
    wire_server.script(HANGING, whole("again"))
    mine = client()
    with pytest.raises(Interrupted) as caught:
        mine.chat("x", on_event=interrupt_after_text)
    partial = caught.value.partial
    assert isinstance(partial, Answer)
    assert (partial.text, partial.status) == ("Hello", "interrupted")
    assert wire_server.requests[0].gone.wait(5)
    assert [row["status"] for row in rows()] == ["interrupted"]
    assert mine.chat("x").text == "again"


def test_an_interrupt_ends_the_wait_between_two_tries(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(
        Reply.json({"error": {"message": "busy"}}, status=429, headers={"Retry-After": "3600"})
    )
    with pytest.raises(Interrupted):
        client(policy=RetryPolicy(cap_s=3600)).chat("x", on_event=lambda _: press_ctrl_c())
    assert [row["status"] for row in rows()] == ["interrupted"]
    assert len(wire_server.requests) == 1


def press_once_the_main_thread_waits() -> None:
    """An interrupt a moment earlier would be pytest's own, and end the run."""
    main = threading.main_thread().ident
    assert main is not None
    while sys._current_frames()[main].f_code is not faces._next.__code__:
        time.sleep(0.001)
    time.sleep(0.05)
    press_ctrl_c()


def test_an_interrupt_of_a_stream_keeps_what_came(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(HANGING)
    events = client().stream("x")
    while next(events) != TextDelta("lo"):
        pass
    presser = threading.Thread(target=press_once_the_main_thread_waits)
    presser.start()
    with pytest.raises(Interrupted) as caught:
        next(events)
    presser.join()
    partial = caught.value.partial
    assert isinstance(partial, Answer)
    assert partial.text == "Hello"
    assert wire_server.requests[0].gone.wait(5)


def test_an_interrupt_of_a_list_is_one_of_ours(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply(body=(HANG,)))
    mine = client()
    timer = threading.Thread(target=lambda: (wire_server.wait_for_requests(1), press_ctrl_c()), daemon=True)
    timer.start()
    with pytest.raises(Interrupted):
        mine.models()
    timer.join()


# --- asynchronous -----------------------------------------------------------------------------


async def test_awaiting_gives_the_answer(
    wire_server: WireServer, async_client: Callable[[], AsyncClient]
) -> None:
    wire_server.script(whole(), Reply.json({"error": {"message": "no"}}, status=400))
    async with async_client() as mine:
        assert (await mine.chat("x")).text == "Hello"
        with pytest.raises(BadRequestError):
            await mine.chat("x")


def test_one_client_serves_several_loops(
    wire_server: WireServer, async_client: Callable[[], AsyncClient]
) -> None:
    wire_server.script(*[whole()] * 6)
    mine = async_client()

    async def both() -> list[str]:
        answers = await asyncio.gather(mine.chat("x"), mine.chat("y"))
        return [answer.text for answer in answers]

    assert asyncio.run(both()) == ["Hello", "Hello"]
    assert asyncio.run(both()) == ["Hello", "Hello"]
    other = threading.Thread(target=lambda: asyncio.run(both()))
    other.start()
    other.join()
    asyncio.run(mine.close())
    assert len(wire_server.requests) == 6


async def test_cancelling_stops_the_request(
    wire_server: WireServer, async_client: Callable[[], AsyncClient]
) -> None:
    wire_server.script(HANGING)
    arrived = asyncio.Event()
    here = asyncio.get_running_loop()

    def listen(event: Event) -> None:
        if event == TextDelta("lo"):
            here.call_soon_threadsafe(arrived.set)

    async with async_client() as mine:
        task = asyncio.create_task(mine.chat("x", on_event=listen))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(wire_server.requests[0].gone.wait, 5)
    assert [row["status"] for row in rows()] == ["interrupted"]


async def test_an_asynchronous_stream_gives_its_events(
    wire_server: WireServer, async_client: Callable[[], AsyncClient]
) -> None:
    wire_server.script(whole(), Reply.sse(chunk("x"), CUT))
    async with async_client() as mine:
        events = [event async for event in mine.stream("x")]
        assert events[:2] == [Opened("served", "0217"), TextDelta("Hello")]
        assert isinstance(events[-1], Finished)
        with pytest.raises(WireCut):
            async for _ in mine.stream("x"):
                pass


def test_leaving_an_asynchronous_stream_early_stops_the_request(
    wire_server: WireServer, async_client: Callable[[], AsyncClient]
) -> None:
    wire_server.script(HANGING)
    mine = async_client()

    async def leave() -> None:
        async for event in mine.stream("x"):
            if event == TextDelta("lo"):
                return

    asyncio.run(leave())  # closes its generators, then itself
    assert wire_server.requests[0].gone.wait(5)
    asyncio.run(mine.close())
    wait_for_status("interrupted")


def test_the_callers_context_reaches_the_callback(wire_server: WireServer, client: MakeClient) -> None:
    cell: contextvars.ContextVar[str] = contextvars.ContextVar("cell", default="none")
    seen: set[str] = set()
    wire_server.script(whole(), whole())
    mine = client()
    cell.set("first")
    mine.chat("x", on_event=lambda _: seen.add(cell.get()))
    context = contextvars.copy_context()
    context.run(cell.set, "second")
    context.run(mine.chat, "x", on_event=lambda _: seen.add(cell.get()))
    assert seen == {"first", "second"}
    assert cell.get() == "first"


def test_many_threads_share_one_client(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(*[whole() for _ in range(12)])
    mine = client()
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(mine.chat("x").text)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["Hello"] * 12
    assert len({row["time"] for row in rows()}) > 1
    assert [row["status"] for row in rows()] == ["ok"] * 12


# --- the examples -----------------------------------------------------------------------------


def test_the_examples_run() -> None:
    result = doctest.testmod(faces, optionflags=doctest.ELLIPSIS)
    assert result.attempted >= 8
    assert result.failed == 0
