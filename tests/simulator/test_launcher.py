from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from anyfast_nb.errors import SimulatorError
from anyfast_nb.simulator import launcher
from anyfast_nb.simulator.handshake import proof
from anyfast_nb.simulator.state import State, read_state, remove_state, write_state

ENSURE = """
import os, sys
from pathlib import Path
from anyfast_nb.simulator.launcher import ensure
found = ensure(Path(sys.argv[1]), speed=0)
print(found.pid, found.started, found.base_url, found.key)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A state folder whose simulator is ended with the test."""
    yield tmp_path / "state"
    launcher.stop(tmp_path / "state")


def state_file(home: Path) -> Path:
    return home / "simulator" / "state.json"


def asks(found: launcher.Running) -> int:
    """The status of a request to a running simulator."""
    reply = httpx.get(
        f"{found.base_url}/models", headers={"authorization": f"Bearer {found.key}"}, trust_env=False
    )
    return reply.status_code


def eventually(true: Callable[[], bool], *, within_s: float = 10.0) -> bool:
    """Whether something that another process does comes true in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return true()


def running(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_second_call_finds_what_the_first_started(home: Path) -> None:
    first = launcher.ensure(home, speed=0)
    second = launcher.ensure(home)
    assert (first.started, second.started) == (True, False)
    assert (first.pid, first.base_url, first.key) == (second.pid, second.base_url, second.key)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", first.base_url)
    assert re.fullmatch(r"sk-sim-[0-9a-f]{48}", first.key)
    assert asks(second) == 200
    assert first.key not in repr(first)


def test_only_its_owner_reads_what_it_keeps(home: Path) -> None:
    old = os.umask(0)
    try:
        found = launcher.ensure(home, speed=0)
    finally:
        os.umask(old)
    folder = home / "simulator"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == dict.fromkeys(
        ("state.json", "key", "lock", "log.txt"), 0o600
    )
    command = (
        Path(f"/proc/{found.pid}/cmdline").read_bytes() + Path(f"/proc/{found.pid}/environ").read_bytes()
    )
    assert found.key.encode() not in command


def test_eight_at_once_get_one_server(home: Path) -> None:
    command = [sys.executable, "-c", ENSURE, str(home)]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    lines = [starter.communicate(timeout=60)[0].split() for starter in starters]
    assert [starter.returncode for starter in starters] == [0] * 8
    assert len({(pid, url, key) for pid, _, url, key in lines}) == 1
    assert sorted(started for _, started, _, _ in lines) == ["False"] * 7 + ["True"]


def test_one_that_is_being_started_is_ended_as_well(home: Path) -> None:
    def is_starting() -> bool:
        lock = home / "simulator" / "lock"
        if not lock.exists():
            return False
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return read_state(home / "simulator" / "state.json") is not None

    starting = threading.Thread(target=launcher.ensure, args=(home,))
    starting.start()
    assert eventually(is_starting)
    assert launcher.stop(home)
    starting.join()
    assert read_state(home / "simulator" / "state.json") is None


def test_it_outlives_the_process_that_started_it_and_an_interrupt_of_its_group(home: Path) -> None:
    code = ENSURE + "import time, signal\nsys.stdout.flush(); time.sleep(60)"
    starter = subprocess.Popen(
        [sys.executable, "-c", code, str(home)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline().split()[0])
    os.killpg(starter.pid, signal.SIGINT)
    starter.wait(timeout=20)
    starter.stdout.close()
    found = launcher.ensure(home)
    assert (found.pid, found.started) == (pid, False)


def test_a_killed_server_is_replaced_in_the_same_folder_with_the_same_key(home: Path) -> None:
    first = launcher.ensure(home, speed=0)
    os.kill(first.pid, signal.SIGKILL)
    assert eventually(lambda: not running(first.pid))
    second = launcher.ensure(home, speed=0)
    assert second.started
    assert second.pid != first.pid
    assert second.key == first.key
    assert asks(second) == 200


def test_another_version_is_restarted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = launcher.ensure(home, speed=0)
    monkeypatch.setattr(launcher, "__version__", "0.0.0+other")
    second = launcher.ensure(home, speed=0)
    assert second.started
    assert not running(first.pid)


def test_another_speed_restarts_it_only_when_it_is_idle(home: Path) -> None:
    first = launcher.ensure(home, speed=1)
    busy = httpx.Client(
        base_url=first.base_url, headers={"authorization": f"Bearer {first.key}"}, trust_env=False
    )
    hanging = {
        "model": "doubao-seed-2.0-pro",
        "messages": [{"role": "user", "content": "sim:hang"}],
        "stream": True,
    }
    with busy, busy.stream("POST", "/chat/completions", json=hanging) as reply:
        assert reply.status_code == 200
        assert launcher.ensure(home, speed=0).pid == first.pid
    assert eventually(lambda: launcher.ensure(home, speed=0).pid != first.pid)
    assert launcher.ensure(home).started is False


def test_speed_comes_from_the_environment(home: Path) -> None:
    environ = {"ANYFAST_SIM_SPEED": "0", "ANYFAST_SIM_TOKENS_PER_SECOND": "7"}
    found = launcher.ensure(home, environ=environ)
    command = Path(f"/proc/{found.pid}/cmdline").read_text().split("\0")
    assert command[command.index("--speed") + 1] == "0.0"
    assert command[command.index("--tokens-per-second") + 1] == "7.0"


def test_the_shapes_come_from_the_environment_and_another_wish_is_another_server(home: Path) -> None:
    environ = {
        "ANYFAST_SIM_PROFILE": "flat",
        "ANYFAST_SIM_STRICT": "1",
        "ANYFAST_SIM_LINK_HOURS": "0.1",
        "ANYFAST_SIM_SPEED": "0",
    }
    first = launcher.ensure(home, environ=environ)
    command = Path(f"/proc/{first.pid}/cmdline").read_text().split("\0")
    assert "--strict" in command
    assert command[command.index("--profile") + 1] == "flat"
    assert command[command.index("--link-hours") + 1] == "0.1"
    assert launcher.ensure(home, environ=environ).pid == first.pid
    assert launcher.ensure(home, environ=environ | {"ANYFAST_SIM_PROFILE": "current"}).pid != first.pid


@pytest.mark.parametrize(
    "wrong",
    [{"ANYFAST_SIM_STRICT": "maybe"}, {"ANYFAST_SIM_LINK_HOURS": "-1"}, {"ANYFAST_SIM_PROFILE": "new"}],
)
def test_a_wrong_variable_is_named(home: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(SimulatorError) as caught:
        launcher.ensure(home, environ=wrong)
    assert next(iter(wrong.values())) in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("word", ["fast", "-1", "inf", "nan"])
def test_a_wrong_speed_is_named(home: Path, word: str) -> None:
    with pytest.raises(SimulatorError, match="ANYFAST_SIM_SPEED"):
        launcher.ensure(home, environ={"ANYFAST_SIM_SPEED": word})


def test_it_ends_when_idle_and_comes_back(home: Path) -> None:
    first = launcher.ensure(home, speed=0, idle_minutes=0.4 / 60)
    assert eventually(lambda: not running(first.pid))
    assert eventually(lambda: not state_file(home).exists())
    second = launcher.ensure(home, speed=0)
    assert (second.started, second.key) == (True, first.key)


def test_a_server_that_nobody_finds_any_more_ends(home: Path) -> None:
    first = launcher.ensure(home, speed=0)
    state_file(home).write_text("{broken")
    second = launcher.ensure(home, speed=0)
    assert (second.started, second.key) == (True, first.key)
    assert eventually(lambda: not running(first.pid))
    assert running(second.pid)


def test_a_running_request_keeps_it_alive(home: Path) -> None:
    found = launcher.ensure(home, speed=0, idle_minutes=0.4 / 60)
    client = httpx.Client(
        base_url=found.base_url, headers={"authorization": f"Bearer {found.key}"}, trust_env=False
    )
    asked = {
        "model": "doubao-seed-2.0-pro",
        "stream": True,
        "messages": [{"role": "user", "content": "sim:hang sim:ping"}],
    }
    with client, client.stream("POST", "/chat/completions", json=asked) as reply:
        pings = 0
        for piece in reply.iter_raw():
            pings += piece.count(b"PING")
            if pings > 6:  # one each 0.2 s: three times the idle time
                break
        assert running(found.pid)
    assert eventually(lambda: not running(found.pid))


def test_stop_ends_it_and_says_whether_it_ran(home: Path) -> None:
    found = launcher.ensure(home, speed=0)
    assert launcher.stop(home) is True
    assert not running(found.pid)
    assert not state_file(home).exists()
    assert launcher.stop(home) is False


# --- strangers ----------------------------------------------------------------------------------------


class Stranger:
    """Something else that listens on the port of the state file; it keeps what it is sent."""

    def __init__(self, answer: Callable[[str], dict[str, Any]]) -> None:
        self.heard = b""
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                asked = connection.recv(65_536)
                self.heard += asked
                challenge = asked.partition(b"challenge=")[2].partition(b" ")[0].decode()
                body = json.dumps(self._answer(challenge)).encode()
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + body)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.mark.parametrize("guess", ["", "sk-sim-guess"])
def test_a_stranger_on_its_port_gets_no_key_and_is_left_alone(home: Path, guess: str) -> None:
    key = "sk-sim-secret"

    def answer(challenge: str) -> dict[str, Any]:
        return {
            "status": "ok",
            "pid": os.getpid(),
            "version": launcher.__version__,
            "proof": proof(guess, challenge),
        }

    stranger = Stranger(answer)
    try:
        state_file(home).parent.mkdir(parents=True)
        write_state(state_file(home), State(os.getpid(), stranger.port, key, launcher.__version__))
        found = launcher.ensure(home, speed=0)
    finally:
        stranger.close()
    assert found.started
    assert not found.base_url.endswith(f":{stranger.port}/v1")
    assert b"challenge=" in stranger.heard
    assert key.encode() not in stranger.heard


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"pid": 1}', '{"pid": -1, "port": 80, "key": "k", "version": "1"}']
)
def test_a_broken_state_file_is_no_server(home: Path, text: str) -> None:
    state_file(home).parent.mkdir(parents=True)
    state_file(home).write_text(text)
    assert read_state(state_file(home)) is None
    assert launcher.ensure(home, speed=0).started


def test_a_state_file_of_another_process_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_state(path, State(pid=7, port=80, key="k", version="1"))
    remove_state(path, pid=8)
    assert read_state(path) == State(pid=7, port=80, key="k", version="1")
    remove_state(path, pid=7)
    assert not path.exists()


# --- what goes wrong -------------------------------------------------------------------------------------


def test_a_server_that_does_not_start_is_an_error_with_the_end_of_its_log(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys; print('no such luck', file=sys.stderr); sys.exit(3)"
    monkeypatch.setattr(launcher, "_command", lambda *_: [sys.executable, "-c", code])
    with pytest.raises(SimulatorError, match=r"exit code 3") as caught:
        launcher.ensure(home)
    assert "no such luck" in str(caught.value)
    assert len(caught.value.lines()) <= 3


def test_a_server_that_does_not_answer_in_time_is_ended(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    monkeypatch.setattr(launcher, "_command", lambda *_: [sys.executable, "-c", code])
    with pytest.raises(SimulatorError, match="did not answer within"):
        launcher.ensure(home, timeout_s=0.5)
    pid = int((home / "simulator" / "log.txt").read_text())
    assert eventually(lambda: not running(pid))


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SimulatorError, match="ANYFAST_HOME"):
        launcher.ensure(tmp_path / "file")


# --- cost ------------------------------------------------------------------------------------------------


def test_at_rest_it_takes_at_most_100_mb(home: Path) -> None:
    found = launcher.ensure(home, speed=0)
    assert asks(found) == 200
    status = Path(f"/proc/{found.pid}/status").read_text()
    resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert resident is not None
    assert int(resident[1]) <= 100_000
    loaded = Path(f"/proc/{found.pid}/maps").read_text()
    assert not re.search(r"/(av|PIL|numpy|pandas)/", loaded)


def test_importing_the_launcher_brings_no_server_in() -> None:
    code = "import sys; import anyfast_nb.simulator.launcher; print(*sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {
        "starlette",
        "uvicorn",
        "httpx",
        "av",
        "PIL",
        "pandas",
        "asyncio",
        "subprocess",
        "http.client",
        "ssl",
    }
    assert not heavy & set(printed)
