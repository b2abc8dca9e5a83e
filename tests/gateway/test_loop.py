from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import textwrap
import threading

import pytest

from anyfast_nb.errors import Interrupted
from anyfast_nb.gateway.loop import IOLoop
from anyfast_nb.wire.values import Event, Finished, TextDelta
from tests.client.conftest import KEY, MakeClient, chunk, press_ctrl_c, rows, whole
from tests.wire_server import HANG, Reply, WireServer


@pytest.fixture
def loop() -> IOLoop:
    """A loop of the test's own; its thread is a daemon, as ever."""
    return IOLoop()


async def nothing() -> None:
    """Work that does nothing."""


def test_work_runs_on_one_daemon_thread_of_its_own(loop: IOLoop) -> None:
    async def where() -> threading.Thread:
        return threading.current_thread()

    first, second = loop.run(where()), loop.run(where())
    assert first is second is not threading.current_thread()
    assert first.daemon
    assert first.name == "anyfast-io"


def test_errors_come_back_as_they_are(loop: IOLoop) -> None:
    async def fail() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        loop.run(fail())
    with pytest.raises(KeyError, match="mine"):
        asyncio.run(loop.wait(fail()))


@pytest.mark.parametrize("ending", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_the_loop_outlives_work_that_wants_to_end_the_process(loop: IOLoop, ending: BaseException) -> None:
    async def leave() -> None:
        raise ending

    with pytest.raises(type(ending)):
        loop.run(leave())
    assert loop.run(asyncio.sleep(0, "alive")) == "alive"


def test_an_interrupt_cancels_the_work_and_leaves_it_a_moment(loop: IOLoop) -> None:
    said: list[str] = []

    async def work() -> None:
        press_ctrl_c()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            said.append("last words")

    with pytest.raises(Interrupted) as caught:
        loop.run(work())
    assert said == ["last words"]
    assert caught.value.__suppress_context__


def test_work_that_does_not_end_is_not_waited_for(loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    from anyfast_nb.gateway import loop as room

    monkeypatch.setattr(room, "LAST_WORDS_S", 0.01)
    release = threading.Event()

    async def work() -> None:
        press_ctrl_c()
        try:
            await asyncio.Event().wait()
        finally:
            release.wait()

    with pytest.raises(Interrupted):
        loop.run(work())
    assert not release.is_set()
    release.set()


def test_the_context_is_the_callers_copy(loop: IOLoop) -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="none")

    async def change() -> str:
        before = name.get()
        name.set("changed")
        return before

    name.set("mine")
    assert loop.run(change()) == "mine"
    assert asyncio.run(loop.wait(change())) == "mine"
    assert name.get() == "mine"


def test_awaiting_from_the_loop_itself_does_not_wait_for_itself(loop: IOLoop) -> None:
    async def outer() -> str:
        return await loop.wait(asyncio.sleep(0, "inner"))

    assert loop.run(outer()) == "inner"


# --- nesting ----------------------------------------------------------------------------------


def surroundings() -> dict[str, object]:
    """All that nest_asyncio changes in a process, and what this package must leave alone."""
    import tornado.concurrent

    policy = type(asyncio.get_event_loop_policy())
    places = {
        "asyncio": asyncio,
        "events": asyncio.events,
        "tasks": asyncio.tasks,
        "futures": asyncio.futures,
        "tornado.concurrent": tornado.concurrent,
        "policy": policy,
        "the common loop": asyncio.SelectorEventLoop,
        "the base loop": asyncio.BaseEventLoop,
    }
    return {
        f"{place}.{name}": value for place, thing in places.items() for name, value in vars(thing).items()
    }


def test_a_synchronous_call_from_the_loop_nests_and_leaves_the_process_as_it_was(loop: IOLoop) -> None:
    loop.run(nothing())
    before = surroundings()

    async def outer(depth: int) -> int:
        await asyncio.sleep(0)
        return 1 + loop.run(outer(depth - 1)) if depth else 0

    assert loop.run(outer(3)) == 3
    after = surroundings()
    assert after.keys() == before.keys()
    assert [name for name in before if after[name] is not before[name]] == []
    for name in ("asyncio.run", "asyncio.get_event_loop", "asyncio.Task", "asyncio.Future", "tasks.Task"):
        assert name in before

    async def plain() -> tuple[str, bool]:
        task = asyncio.create_task(asyncio.sleep(0, "works"))
        work = asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="cannot be called from a running event loop"):
            asyncio.run(work)
        work.close()
        return await task, type(task) is asyncio.Task

    assert asyncio.run(plain()) == ("works", True)
    common = asyncio.new_event_loop()
    with pytest.raises(RuntimeError, match="already running"):
        common.run_until_complete(_runs_again(common))
    common.close()
    assert loop.run(asyncio.sleep(0, "still")) == "still"


async def _runs_again(common: asyncio.AbstractEventLoop) -> None:
    work = nothing()
    try:
        common.run_until_complete(work)
    finally:
        work.close()


def test_other_work_goes_on_during_a_nested_call(loop: IOLoop) -> None:
    beats = 0

    async def outer() -> int:
        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0)

        beating = asyncio.create_task(beat())
        loop.run(asyncio.sleep(0.02))
        beating.cancel()
        return beats

    assert loop.run(outer()) > 3


def test_a_tool_may_call_the_client_from_its_callback(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(whole("outer"), whole("inner"), whole("streamed"))
    mine = client()
    inner: list[str] = []

    def tool(event: Event) -> None:
        if event == TextDelta("outer"):
            inner.append(mine.chat("inner").text)
            inner.extend(event.answer.text for event in mine.stream("inner") if isinstance(event, Finished))

    assert mine.chat("outer", on_event=tool).text == "outer"
    assert inner == ["inner", "streamed"]
    assert [row["status"] for row in rows()] == ["ok"] * 3


def test_an_interrupt_reaches_a_nested_call_too(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(Reply.sse(chunk("outer"), HANG), Reply.sse(chunk("inner"), HANG), whole("again"))
    mine = client()

    def interrupt(event: Event) -> None:
        if event == TextDelta("inner"):
            press_ctrl_c()

    def tool(event: Event) -> None:
        if event == TextDelta("outer"):
            mine.chat("inner", on_event=interrupt)

    with pytest.raises(Interrupted):
        mine.chat("outer", on_event=tool)
    assert all(request.gone.wait(5) for request in wire_server.requests)
    assert [row["status"] for row in rows()] == ["interrupted"] * 2
    assert mine.chat("x").text == "again"


# --- forks ------------------------------------------------------------------------------------

FORKS = """
    import os, sys
    import anyfast_nb as af

    client = af.Client(policy=af_policy())
    print("parent", client.chat("one").text, flush=True)
    child = os.fork()
    if child == 0:
        try:
            print("child", client.chat("two").text, flush=True)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    print("parent", client.chat("three").text, flush=True)
    client.close()
"""


def test_a_forked_child_has_a_loop_and_connections_of_its_own(wire_server: WireServer) -> None:
    wire_server.script(whole("1"), whole("2"), whole("3"))
    setup = "from anyfast_nb.http.retry import RetryPolicy as af_policy\n"
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", setup + textwrap.dedent(FORKS)],
        env=os.environ | {"ANYFAST_API_KEY": KEY, "ANYFAST_BASE_URL": wire_server.url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["parent 1", "child 2", "parent 3"]
    assert [row["status"] for row in rows()] == ["ok"] * 3
