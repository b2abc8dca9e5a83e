"""Finding the built-in AnyFast that runs for this user, or starting it.

The client side imports this module, and only this one, when it needs the
simulator. It is standard library only and leaves the server in a process of
its own: the kernel's CPU stays the kernel's, and the server outlives it.

Everything is in ``<home>/simulator/`` (mode 0700):

    state.json   pid, port, key and version of the running server (0600)
    key          the random key, kept so that what belongs to it stays found (0600)
    lock         held while a server is started or stopped (0600)
    log.txt      what the server complained about since its last start (0600)

It needs POSIX file locks: Linux, macOS, or Windows with WSL.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyfast_nb._version import __version__
from anyfast_nb.errors import SimulatorError
from anyfast_nb.simulator.handshake import proves
from anyfast_nb.simulator.state import State, read_state, write_private

IDLE_MINUTES = 30.0
PROBE_LIMIT_S = 2.0
END_LIMIT_S = 4.0
LOG_TAIL_CHARACTERS = 400
_ANSWER_LIMIT_BYTES = 8_192


@dataclass(frozen=True, slots=True)
class Running:
    """A built-in AnyFast that answers.

    Attributes:
        base_url: with ``/v1``.
        key: the key it lets in.
        started: whether this call started it.
        pid: its process.
    """

    base_url: str
    key: str
    started: bool
    pid: int

    def __repr__(self) -> str:
        return f"Running(base_url={self.base_url!r}, started={self.started}, pid={self.pid})"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """How the server shall run; None where nobody said."""

    speed: float | None
    tokens_per_second: float | None
    idle_minutes: float
    profile: str | None = None
    strict: bool | None = None
    link_hours: float | None = None

    def fits(self, health: Mapping[str, Any]) -> bool:
        """Whether a running server will do: one that is busy keeps the speed it has."""
        if health.get("version") != __version__:
            return False
        asked = {
            "speed": self.speed,
            "tokens_per_second": self.tokens_per_second,
            "profile": self.profile,
            "strict": self.strict,
            "link_s": None if self.link_hours is None else self.link_hours * 3600,
        }
        same = all(value is None or health.get(name) == value for name, value in asked.items())
        return same or bool(health.get("running"))


def ensure(
    home: Path,
    *,
    speed: float | None = None,
    tokens_per_second: float | None = None,
    idle_minutes: float = IDLE_MINUTES,
    timeout_s: float = 15.0,
    environ: Mapping[str, str] = os.environ,
) -> Running:
    """The built-in AnyFast of this user: the one that runs, else a new one.

    Safe to call from many processes at once: they get one server. Costs a
    millisecond or two when it runs already.

    Args:
        home: the package's state folder.
        speed: divides every simulated wait, 0 is no wait; ``ANYFAST_SIM_SPEED`` if not given.
        tokens_per_second: at speed 1; ``ANYFAST_SIM_TOKENS_PER_SECOND`` if not given.
        idle_minutes: after so long without a request it ends by itself; 0 never.
        timeout_s: the longest wait for a start.
        environ: where these variables are read, and ``ANYFAST_SIM_PROFILE``, ``ANYFAST_SIM_STRICT``
            and ``ANYFAST_SIM_LINK_HOURS``, which have no argument here.

    Returns:
        Its base URL and key.

    Raises:
        SimulatorError: it does not start; the message holds the end of its log.
    """
    wanted = _Wanted(
        speed=_from_environ(environ, "ANYFAST_SIM_SPEED") if speed is None else float(speed),
        tokens_per_second=_from_environ(environ, "ANYFAST_SIM_TOKENS_PER_SECOND")
        if tokens_per_second is None
        else float(tokens_per_second),
        idle_minutes=idle_minutes,
        profile=environ.get("ANYFAST_SIM_PROFILE", "").strip() or None,
        strict=_switch(environ, "ANYFAST_SIM_STRICT"),
        link_hours=_from_environ(environ, "ANYFAST_SIM_LINK_HOURS"),
    )
    folder = Path(home).absolute() / "simulator"
    found = _find(folder, wanted)
    if found is not None:
        return found
    deadline = time.monotonic() + timeout_s
    with _locked(folder, deadline=deadline):
        found = _find(folder, wanted)  # another process may have started it meanwhile
        if found is not None:
            return found
        _end(folder)
        return _start(folder, wanted, timeout_s=timeout_s)


def stop(home: Path, *, timeout_s: float = 15.0) -> bool:
    """End the built-in AnyFast of this user.

    Args:
        home: the package's state folder.
        timeout_s: the longest wait for another process that is starting or stopping it.

    Returns:
        Whether one ran.
    """
    folder = Path(home).absolute() / "simulator"
    if not (folder / "lock").exists():
        return False
    with _locked(folder, deadline=time.monotonic() + timeout_s):  # one that is being started is ended as well
        return _end(folder)


def _from_environ(environ: Mapping[str, str], name: str) -> float | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise SimulatorError(f"{name} is {text!r}.", hint="It must be a number, 0 or more.")
    return value


def _switch(environ: Mapping[str, str], name: str) -> bool | None:
    text = environ.get(name, "").strip().lower()
    if not text:
        return None
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False}
    if text not in words | {"off": False}:
        raise SimulatorError(f"{name} is {text!r}.", hint="It must be 1 or 0.")
    return words.get(text, False)


def _find(folder: Path, wanted: _Wanted) -> Running | None:
    """The running server, if there is one that answers, is ours, and will do."""
    state = read_state(folder / "state.json")
    health = _probe(state) if state is not None else None
    if state is None or health is None or health.get("status") != "ok" or not wanted.fits(health):
        return None
    return _running(state, started=False)


def _running(state: State, *, started: bool) -> Running:
    return Running(f"http://127.0.0.1:{state.port}/v1", key=state.key, started=started, pid=state.pid)


def _probe(state: State) -> Mapping[str, Any] | None:
    """What the server says of itself, None unless it proves that it holds the key of the state file.

    Another program may listen on that port by now: the key is not sent, a challenge is.
    """
    challenge = os.urandom(16).hex()
    request = (
        f"GET /healthz?challenge={challenge} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{state.port}\r\nConnection: close\r\n\r\n"
    )
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", state.port), timeout=PROBE_LIMIT_S) as connection:
            connection.sendall(request.encode())
            while len(answer) < _ANSWER_LIMIT_BYTES and (piece := connection.recv(4_096)):
                answer += piece
        found = json.loads(answer.partition(b"\r\n\r\n")[2])
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("pid") != state.pid:
        return None
    return found if proves(state.key, challenge, str(found.get("proof", ""))) else None


@contextlib.contextmanager
def _locked(folder: Path, *, deadline: float) -> Iterator[None]:
    """The one place where servers are started and ended; waits for its turn."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SimulatorError(
            f"The simulator's folder {folder} cannot be used: {error.strerror}.",
            hint="Set ANYFAST_HOME to a folder you own.",
        ) from error
    try:
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise SimulatorError("Another process is starting the simulator and does not finish.")
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(folder: Path, wanted: _Wanted, *, timeout_s: float) -> Running:
    import subprocess
    import threading

    state_path, log_path = folder / "state.json", folder / "log.txt"
    state_path.unlink(missing_ok=True)
    deadline = time.monotonic() + timeout_s
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
            _command(folder, wanted),
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # an interrupt of the kernel's group does not reach it
        )
    except OSError as error:
        raise SimulatorError(f"The simulator cannot be started: {error.strerror}.") from error
    finally:
        os.close(log)
    # Somebody must wait for the child, else it stays behind as a zombie of this process.
    threading.Thread(target=process.wait, name="anyfast-sim-reaper", daemon=True).start()
    while time.monotonic() < deadline:
        state = read_state(state_path)
        if state is not None and state.pid == process.pid and _probe(state) is not None:
            return _running(state, started=True)
        if process.returncode is not None:
            raise _failed(f"The simulator ended at once (exit code {process.returncode}).", log_path)
        time.sleep(0.01)
    process.kill()
    raise _failed(f"The simulator did not answer within {timeout_s:g} s.", log_path)


def _command(folder: Path, wanted: _Wanted) -> list[str]:
    command = [sys.executable, "-P", "-m", "anyfast_nb.simulator.cli", "--port", "0"]
    command += ["--key-file", str(_key_file(folder)), "--state-file", str(folder / "state.json")]
    command += ["--idle-minutes", str(wanted.idle_minutes)]
    if wanted.speed is not None:
        command += ["--speed", str(wanted.speed)]
    if wanted.tokens_per_second is not None:
        command += ["--tokens-per-second", str(wanted.tokens_per_second)]
    if wanted.profile is not None:
        command += ["--profile", wanted.profile]
    if wanted.strict is not None:
        command += ["--strict" if wanted.strict else "--lenient"]
    if wanted.link_hours is not None:
        command += ["--link-hours", str(wanted.link_hours)]
    return command


def _key_file(folder: Path) -> Path:
    path = folder / "key"
    if not path.exists():
        write_private(path, f"sk-sim-{os.urandom(24).hex()}")
    return path


def _environment() -> dict[str, str]:
    """The child needs no real key, and must find the package even where only the kernel's path has it."""
    environment = {name: value for name, value in os.environ.items() if name != "ANYFAST_API_KEY"}
    root = str(Path(__file__).resolve().parents[2])
    if not root.endswith(("site-packages", "dist-packages")):
        known = environment.get("PYTHONPATH", "")
        environment["PYTHONPATH"] = f"{root}{os.pathsep}{known}" if known else root
    return environment


def _end(folder: Path) -> bool:
    """End the server of the state file, if it proves to be ours; forget it in any case."""
    path = folder / "state.json"
    state = read_state(path)
    ours = state is not None and (_probe(state) is not None or _looks_ours(state.pid, path))
    if state is not None and ours:
        _end_process(state.pid)
    path.unlink(missing_ok=True)
    return ours


def _looks_ours(pid: int, path: Path) -> bool:
    """Whether a process that does not answer was started with this state file (Linux only)."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(path) in command


def _end_process(pid: int) -> None:
    for sig, limit_s in ((signal.SIGTERM, END_LIMIT_S), (signal.SIGKILL, 1.0)):
        with contextlib.suppress(OSError):
            os.kill(pid, sig)
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            if not _alive(pid):
                return
            time.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # A zombie of a process that does not wait for it counts as ended.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except (OSError, IndexError):
        return True


def _failed(what: str, log_path: Path) -> SimulatorError:
    try:
        log = " ".join(log_path.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        log = ""
    tail = log[-LOG_TAIL_CHARACTERS:]
    return SimulatorError(what, hint=f"Its log ends: {tail}" if tail else f"Its log {log_path} is empty.")
