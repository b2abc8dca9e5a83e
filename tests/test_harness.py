"""The tests' own tools do what the other tests take for granted."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import conftest, environment
from tests.kernels import Kernel
from tests.wire_server import CUT, HANG, RESET, Gate, Pause, Reply, WireServer, events

REACH_OUT = {
    "connect": "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)",
    "look up": "import socket; socket.getaddrinfo('example.org', 80)",
    "old look up": "import socket; socket.gethostbyname('example.org')",
    "datagram": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
    "six": "import socket; socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
    "asyncio": "import asyncio; asyncio.run(asyncio.wait_for(asyncio.open_connection('192.0.2.1', 80), 1))",
    "httpx": "import httpx; httpx.get('http://192.0.2.1/', timeout=1)",
}


@pytest.mark.parametrize("code", REACH_OUT.values(), ids=REACH_OUT.keys())
def test_the_network_is_closed_to_a_program_a_test_starts(code: str) -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)

    assert done.returncode != 0
    assert "NetworkBlocked: tests stay on loopback" in done.stderr


@pytest.mark.parametrize("code", REACH_OUT.values(), ids=REACH_OUT.keys())
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_network_is_closed_to_the_test_itself(code: str) -> None:
    with pytest.raises(conftest.offline.NetworkBlocked):
        exec(code, {})
    assert conftest.offline.blocked
    conftest.offline.blocked.clear()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "::ffff:127.0.0.1", b"localhost", None, ""]
)
def test_loopback_is_open(host: str | bytes | None) -> None:
    assert conftest.offline.is_local(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "example.org", "::ffff:192.0.2.1", "localhost.example.org", b"example.org"]
)
def test_nothing_else_is(host: str | bytes) -> None:
    assert not conftest.offline.is_local(host)


def test_a_name_that_cannot_exist_fails_as_it_does_anywhere() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("no-such-host.invalid", 443)


async def test_asyncio_reaches_loopback(wire_server: WireServer) -> None:
    wire_server.script(Reply.json({"ok": True}))
    reader, writer = await asyncio.open_connection("localhost", int(wire_server.url.rpartition(":")[2]))
    writer.write(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()


def test_the_environment_is_nobodys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    theirs = {
        "ANYFAST_API_KEY": "sk-x",
        "ANYFAST_BASE_URL": "https://gateway.example",
        "OPENAI_BASE_URL": "https://gateway.example",
        "SOME_API_KEY": "sk-y",
        "https_proxy": "http://192.0.2.1:3128",
        "XDG_DATA_HOME": "/home/me/.local/share",
        "PYTHONSTARTUP": "/home/me/.pythonrc",
    }
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)

    environ = environment.clean_environ(tmp_path)

    assert {name: environ[name] for name in theirs if name in environ} == {
        "XDG_DATA_HOME": str(tmp_path / ".local/share")
    }
    assert environ["HOME"] == str(tmp_path)
    assert environ["ANYFAST_HOME"].startswith(str(tmp_path))


def test_this_test_runs_in_such_an_environment() -> None:
    assert Path.home() != environment.ROOT.parent
    assert "home" in Path.home().name
    assert Path(os.environ["ANYFAST_HOME"]).is_relative_to(Path.home())
    assert not any(name.endswith("_API_KEY") for name in os.environ)


SKIPS = {
    "mark": "@pytest.mark.skip\ndef test_a(): pass\n",
    "call": "def test_a(): pytest.skip('no')\n",
    "import": "def test_a(): pytest.importorskip('no_such_module')\n",
    "fixture": "@pytest.fixture\ndef f(): pytest.skip('no')\ndef test_a(f): pass\n",
    "module": "pytest.importorskip('no_such_module')\ndef test_a(): pass\n",
}


REFUSED = ("FAILED", "ERROR")
SWALLOWED = (
    "import socket\ndef test_a():\n    try:\n        socket.getaddrinfo('example.org', 80)\n"
    "    except Exception:\n        pass\n"
)


def test_a_skip_fails_and_swallowing_the_refusal_does_not_help(tmp_path: Path) -> None:
    for name, source in SKIPS.items():
        (tmp_path / f"test_{name}.py").write_text(f"import pytest\n{source}")
    (tmp_path / "test_swallowed.py").write_text(SWALLOWED)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--continue-on-collection-errors"]
    environ = dict(os.environ) | {"PYTHONPATH": f"{environment.ROOT}{os.pathsep}{environment.OFFLINE}"}
    done = subprocess.run(
        [*command, "-p", "tests.conftest", str(tmp_path)],
        cwd=tmp_path, env=environ, capture_output=True, text=True,
    )  # fmt: skip
    said = done.stdout.splitlines()

    assert done.returncode == 1
    for name in SKIPS:
        (line,) = [
            line for line in said if line.startswith(("FAILED", "ERROR")) and f"test_{name}.py" in line
        ]
        assert "proves nothing, so it fails" in line, line
    assert "skipped" not in said[-1]
    assert any(line.startswith("ERROR") and "test_swallowed.py" in line for line in said)
    assert "reached for the network: ['socket.getaddrinfo example.org']" in done.stdout


class TestWireServer:
    def test_it_says_what_was_written_and_keeps_what_came(self, wire_server: WireServer) -> None:
        wire_server.script(Reply.json({"a": 1}, status=429, headers={"Retry-After": "7"}))
        status, headers, body = _post(wire_server, "/v1/x?y=z", b'{"q": 2}', {"Authorization": "Bearer k"})

        assert (status, headers["Retry-After"], body) == (429, "7", b'{"a": 1}')
        (request,) = wire_server.requests
        assert (request.method, request.path, request.json()) == ("POST", "/v1/x?y=z", {"q": 2})
        assert request.headers["Authorization"] == "Bearer k"
        assert request.answered.wait(1)
        assert not request.gone.is_set()

    def test_a_stream_ends_properly_unless_cut(self, wire_server: WireServer) -> None:
        wire_server.script(Reply.sse(*events([{"i": 1}]), Pause(0.01), "x", done=True))
        assert _post(wire_server)[2] == b'data: {"i": 1}\n\ndata: x\n\ndata: [DONE]\n\n'

    @pytest.mark.parametrize(
        ("act", "error"), [(CUT, http.client.IncompleteRead), (RESET, ConnectionResetError)]
    )
    def test_cut_and_reset(self, wire_server: WireServer, act: object, error: type[Exception]) -> None:
        wire_server.script(Reply.sse("x", act))
        with pytest.raises(error):
            _post(wire_server)
        assert not wire_server.requests[0].answered.is_set()
        assert not wire_server.requests[0].gone.is_set()

    def test_a_lie_about_the_size(self, wire_server: WireServer) -> None:
        wire_server.script(Reply(body=(b"12345", CUT), declared_size=10))
        with pytest.raises(http.client.IncompleteRead):
            _post(wire_server)

    def test_the_client_that_leaves_is_noticed(self, wire_server: WireServer) -> None:
        wire_server.script(Reply.sse("x", HANG))
        connection = _connection(wire_server)
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.readline() == b"data: x\n"
        response.close()
        connection.close()

        assert wire_server.requests[0].gone.wait(5)

    def test_a_gate_opens_when_the_test_says(self, wire_server: WireServer) -> None:
        gate = Gate()
        wire_server.script(Reply(body=(b"a", gate, b"b")))
        connection = _connection(wire_server)
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.read(1) == b"a"
        assert not wire_server.wait_for_requests(1)[0].answered.is_set()
        gate.opened.set()
        assert response.read() == b"b"
        connection.close()

    def test_beyond_the_script_it_says_so(self, wire_server: WireServer) -> None:
        status, _, body = _post(wire_server, "/v1/more")
        assert status == 500
        assert b"no reply is scripted for /v1/more" in body

    def test_it_closes_while_a_client_hangs(self) -> None:
        with WireServer() as server:
            server.script(Reply.sse(HANG))
            connection = _connection(server)
            connection.request("GET", "/")
            server.wait_for_requests(1)
        connection.close()


def _connection(server: WireServer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)


def _post(
    server: WireServer, path: str = "/", body: bytes = b"{}", headers: dict[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = _connection(server)
    try:
        connection.request("POST", path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


@pytest.mark.kernel
class TestKernel:
    def test_a_run_holds_what_a_person_sees(self, kernel: Callable[..., Kernel], tmp_path: Path) -> None:
        k = kernel(ANYFAST_BASE_URL="simulator")
        run = k.execute(
            "import os\nfrom IPython.display import clear_output, display\n"
            "print('gone')\nclear_output(wait=True)\n"
            "h = display('first', display_id=True)\nh.update('second')\nos.environ['ANYFAST_BASE_URL']"
        )

        assert run.status == "ok"
        assert run.text == "'second'\n'simulator'\n"
        assert k.execute("os.getcwd()").text == f"{str(tmp_path)!r}\n"

    def test_an_error_is_an_error(self, kernel: Callable[..., Kernel]) -> None:
        run = kernel().execute("1/0")
        assert run.status == "error"
        assert "ZeroDivisionError" in run.text

    def test_an_interrupt_ends_a_cell_and_all_get_replies(self, kernel: Callable[..., Kernel]) -> None:
        k = kernel()
        first = k.send("import time\nprint('begun')\ntime.sleep(60)")
        second = k.send("1")
        k.wait_for(first, "begun")
        k.interrupt()

        runs = k.collect(first, second, timeout_s=10)
        assert runs[0].status == "error"
        assert runs[1].status in {"ok", "aborted"}  # ok, if it came after the queue was emptied

    def test_a_kernel_cannot_reach_the_network(self, kernel: Callable[..., Kernel]) -> None:
        run = kernel().execute("import socket; socket.create_connection(('192.0.2.1', 80), 1)")
        assert "NetworkBlocked" in run.text
