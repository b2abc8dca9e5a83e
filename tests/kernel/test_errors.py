"""Errors in a notebook: at most three lines, the run fails, and no fragment of the key."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.kernels import Kernel
from tests.wire_server import CUT, Reply, WireServer

pytestmark = pytest.mark.kernel
KEY = "sk-live-QUEZALCOATL-0123456789"


def fragments(text: str) -> list[str]:
    """Runs of six of the key's characters that stand in a text."""
    return [KEY[i : i + 6] for i in range(len(KEY) - 5) if KEY[i : i + 6] in text]


ECHO = {"error": {"message": f"Incorrect API key provided: {KEY[:8]}****{KEY[-4:]}; you sent Bearer {KEY}",
                  "type": "authentication_error", "code": "invalid_api_key"}}  # fmt: skip
NO_MODEL = {
    "error": {
        "message": "no available channel for model nope",
        "type": "new_api_error",
        "code": "model_not_found",
    }
}
REFUSED = Reply.json(ECHO, status=401)
PAGE = Reply(body=(b"<html><title>Console</title>",), content_type="text/html")
CASES = [
    ("401", "%%anyfast\nhi", REFUSED, "AuthenticationError"),
    ("unknown model", "%%anyfast -m nope\nhi", Reply.json(NO_MODEL, status=503), "ModelNotFoundError"),
    ("500", "%%anyfast\nhi", Reply.json(ECHO, status=500), "ServerError"),
    ("bad option", "%%anyfast --temprature 1\nhi", None, "InputError"),
    ("bad value", "%%anyfast --temperature 9\nhi", None, "InputError"),
    ("unknown name", "%%anyfast\n{{nothing_here}}", None, "InputError"),
    ("cut", "%%anyfast\nhi", Reply.sse('{"choices":[{"delta":{"content":"a"}}]}', CUT), "WireCut"),
    ("web page", "%%anyfast\nhi", PAGE, "ProtocolError"),
    ("from Python", "from anyfast_nb import chat\nchat('hi')", REFUSED, "AuthenticationError"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "reply", "name"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_an_error_is_short_and_fails_the_run(
    kernel: Callable[..., Kernel], wire_server: WireServer, cell: str, reply: Reply | None, name: str
) -> None:
    if reply is not None:
        wire_server.script(reply)
    k = kernel(ANYFAST_BASE_URL=wire_server.url, ANYFAST_API_KEY=KEY)
    k.execute("%load_ext anyfast_nb")
    run = k.execute(cell)
    assert run.status == "error"
    assert run.reply["content"]["ename"] == name
    error = next(m["content"] for m in run.messages if m["msg_type"] == "error")
    assert len("\n".join(error["traceback"]).splitlines()) <= 3
    everything = json.dumps([message["content"] for message in run.messages]) + json.dumps(
        run.reply["content"]
    )
    assert not fragments(everything)
    rows = k.execute("import anyfast_nb as af\nprint(af.ledger.frame(columns='all').to_csv())").text
    assert not fragments(rows)
    assert (reply is not None) == ("chat," in rows)


def test_a_refused_connection_is_three_lines(kernel: Callable[..., Kernel]) -> None:
    k = kernel(ANYFAST_API_KEY=KEY)
    k.execute("%load_ext anyfast_nb\n%anyfast config base_url=http://127.0.0.1:1")
    run = k.execute("%%anyfast\nhi")
    error = next(m["content"] for m in run.messages if m["msg_type"] == "error")
    assert run.reply["content"]["ename"] == "ConnectFailed"
    assert "nothing was sent" in error["traceback"][0]
    assert len("\n".join(error["traceback"]).splitlines()) <= 3
