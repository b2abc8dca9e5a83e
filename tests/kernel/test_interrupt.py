"""Stop: the cell ends at once, what had come stays, and nothing queued is lost."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.kernels import Kernel
from tests.wire_server import HANG, Gate, Reply, WireServer

pytestmark = pytest.mark.kernel


def delta(text: str) -> str:
    return json.dumps({"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {"content": text}}]})


def live(kernel: Callable[..., Kernel], server: WireServer) -> Kernel:
    started = kernel(ANYFAST_BASE_URL=server.url, ANYFAST_API_KEY="sk-test-interrupt")
    assert started.execute("%load_ext anyfast_nb").status == "ok"
    return started


def test_an_interrupt_keeps_the_partial_answer(
    kernel: Callable[..., Kernel], wire_server: WireServer
) -> None:
    wire_server.script(Reply.sse(delta("A partial "), delta("answer"), HANG))
    k = live(kernel, wire_server)
    first = k.send("%%anyfast -m m --to kept\nTell me", cell_id="one")
    before = k.wait_for(first, "partial")
    queued = [k.send(f"print('queued {n}')", stop_on_error=False) for n in range(3)]
    k.interrupt()
    runs = k.collect(first, *queued)
    runs[0].messages[:0] = before

    assert runs[0].status == "error"
    assert runs[0].reply["content"]["ename"] == "Interrupted"
    error = next(m["content"] for m in runs[0].messages if m["msg_type"] == "error")
    assert len("\n".join(error["traceback"]).splitlines()) <= 3
    assert "A partial answer" in runs[0].text
    assert "interrupted" in runs[0].text
    assert wire_server.requests[0].gone.wait(2), "the server never saw the client go"
    assert {run.status for run in runs[1:]} <= {"ok", "aborted"}

    assert k.execute("kept.text, kept.status.value").text.strip() == "('A partial answer', 'interrupted')"
    look = "af.ledger.frame(columns=['status', 'cell']).to_dict('records'), af.last.status"
    row = k.execute(f"import anyfast_nb as af\nprint({look})")
    assert "'status': 'interrupted'" in row.text
    assert "'cell': 'one'" in row.text
    assert row.text.strip().endswith("interrupted")


@pytest.mark.parametrize("word", ["def", "async def"])
def test_an_interrupt_while_a_tool_runs_leaves_a_thread_that_goes_on(
    kernel: Callable[..., Kernel], wire_server: WireServer, word: str
) -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "slow", "arguments": "{}"}}
    choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    asks = json.dumps({"id": "c1", "model": "m", "choices": [choice]})
    wire_server.script(Reply.sse(asks, done=True), Reply.sse(delta("Fine"), done=True))
    k = live(kernel, wire_server)
    wait = "await asyncio.sleep(30)" if word == "async def" else "time.sleep(30)"
    assert k.execute(f"import asyncio, time\n{word} slow():\n    print('begun')\n    {wait}\n").status == "ok"
    run = k.send("%%anyfast -m m --tools slow --thread t --to kept\nTell me")
    before = k.wait_for(run, "begun")
    k.interrupt()
    (done,) = k.collect(run, timeout_s=20)
    done.messages[:0] = before

    assert done.reply["content"]["ename"] == "Interrupted"
    assert "interrupted" in str([m["content"] for m in done.messages if "display" in m["msg_type"]])
    assert k.execute("kept.status.value, len(kept.tool_calls)").text.strip() == "('interrupted', 1)"
    assert k.execute("%%anyfast -m m --thread t\nGo on").status == "ok"
    roles = [message["role"] for message in wire_server.requests[1].json()["messages"]]
    assert roles == ["user", "assistant", "tool", "user"]


def test_an_interrupt_ends_the_wait_for_a_retry(
    kernel: Callable[..., Kernel], wire_server: WireServer
) -> None:
    wire_server.script(
        Reply.json({"error": {"message": "slow down"}}, status=429, headers={"Retry-After": "50"})
    )
    k = live(kernel, wire_server)
    run = k.send("%%anyfast -m m --to kept\nTell me")
    k.wait_for(run, "next try in")
    k.interrupt()
    (done,) = k.collect(run, timeout_s=20)
    assert done.reply["content"]["ename"] == "Interrupted"
    assert len(wire_server.requests) == 1


def test_cells_queued_during_a_stream_all_get_a_reply(
    kernel: Callable[..., Kernel], wire_server: WireServer
) -> None:
    gate = Gate()
    finish = json.dumps({"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    wire_server.script(Reply.sse(delta("first"), gate, delta(" last"), finish, done=True))
    k = live(kernel, wire_server)
    stream = k.send("%%anyfast -m m\nTell me")
    before = k.wait_for(stream, "first")
    queued = [k.send(f"{n} * 2") for n in range(20)]
    gate.opened.set()
    runs = k.collect(stream, *queued)
    runs[0].messages[:0] = before
    assert [run.status for run in runs] == ["ok"] * 21
    assert "first last" in runs[0].text
    assert runs[20].text.strip() == "38"


def test_asyncio_in_a_cell_is_as_without_us(kernel: Callable[..., Kernel], wire_server: WireServer) -> None:
    """A tool that calls the client synchronously nests; the kernel's own loop never notices."""
    finish = json.dumps(
        {"id": "c", "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]}
    )
    wire_server.script(*[Reply.sse(finish, done=True)] * 2)
    look = (
        "import asyncio, tornado.concurrent\n"
        "def state():\n"
        "    policy = type(asyncio.get_event_loop_policy())\n"
        "    loop = type(asyncio.get_running_loop())\n"
        "    return [asyncio.run, asyncio.get_event_loop, asyncio.Task, asyncio.Future, asyncio.tasks.Task,\n"
        "            asyncio.events.get_event_loop, policy.get_event_loop, tornado.concurrent.Future,\n"
        "            loop, loop.run_until_complete, hasattr(asyncio, '_nest_patched')]\n"
        "async def one():\n    return 1\n"
        "def plain():\n"
        "    work = one()\n"
        "    try:\n        return asyncio.run(work)\n"
        "    except RuntimeError as error:\n        work.close()\n        return str(error)\n"
        "before, plain_before = state(), plain()\n"
    )
    call = (
        "import anyfast_nb as af\n"
        "client, inner = af.Client(), []\n"
        "def tool(event):\n"
        "    if type(event).__name__ == 'Finished' and not inner:\n"
        "        inner.append(client.chat('inner', model='m').text)\n"
        "outer = client.chat('outer', model='m', on_event=tool)\n"
        "print(outer.text, inner, state() == before, plain() == plain_before)"
    )
    k = live(kernel, wire_server)
    assert k.execute(look).status == "ok"
    assert k.execute(call).text.strip() == "x ['x'] True True"
    assert k.execute("await one()").text.strip() == "1"
