"""What the lessons play with: an AnyFast and a PostgreSQL on this machine, gone with the notebook.

    import rehearsal

    anyfast = rehearsal.anyfast()        # taken for the real one, so that budgets count; nothing is billed
    database = rehearsal.postgresql()    # an empty database, its owner's URL in `database.url`

Each runs below a keeper, a small process that holds the other end of a pipe. The pipe closes with the kernel,
however that ends: then the keeper ends the server and removes its folder.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

ADMIN_URL = "ANYFAST_LEDGER_ADMIN_URL"
PATIENCE_S = 60.0
LESSON = "lesson"
PLACES = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin")
NO_POSTGRESQL = f"""\
There is no PostgreSQL here. On Debian, `sudo apt-get install postgresql` brings its programs: run this again.
Or set {ADMIN_URL} to an empty database that somebody hosts for you, as its owner (with CREATEROLE)."""
NOT_EMPTY = f"""\
The database that {ADMIN_URL} names holds a ledger already, and this lesson would play with it.
Name an empty one; without the variable the lesson starts a server of its own."""


class Server:
    """A program below its keeper.

    Args:
        command: the program; without one the keeper keeps the folder.
        folder: removed when it has ended.
        user: who it runs as; by default, who runs this.
    """

    def __init__(self, command: Sequence[str], *, folder: Path, user: str = "") -> None:
        keeper = [sys.executable, str(Path(__file__).resolve()), str(folder), user, *command]
        self._complaint = ""
        self._told = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - open as long as the program runs
        self._keeper = subprocess.Popen(  # noqa: S603 - our own module, or PostgreSQL's programs
            keeper, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._told, text=True,
            start_new_session=True,  # the notebook's interrupt button is not meant for it
        )  # fmt: skip
        atexit.register(self.close)

    @property
    def runs(self) -> bool:
        """Has it not ended?"""
        return self._keeper.poll() is None

    def line(self) -> str:
        """The next line it prints; "" at its end."""
        assert self._keeper.stdout is not None
        return self._keeper.stdout.readline()

    def complaint(self) -> str:
        """The end of what it wrote to standard error."""
        if not self._told.closed:
            self._told.seek(0)
            self._complaint = self._told.read()[-2000:].strip()
        return self._complaint

    def close(self) -> None:
        """End it, and wait until it is gone."""
        atexit.unregister(self.close)
        if self._keeper.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._keeper.stdin.close()
        self._keeper.wait(PATIENCE_S)
        if self._keeper.stdout is not None:
            self._keeper.stdout.close()
        self.complaint()
        self._told.close()


class AnyFast:
    """An AnyFast that does not say it is simulated: ledgers take its replies for live ones.

    Attributes:
        base_url: where requests go.
        key: lets them in.
    """

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="anyfast-rehearsal-"))
        self.key = f"rehearsal-{secrets.token_hex(8)}"
        (folder / "key").write_text(self.key)
        speed = os.environ.get("ANYFAST_SIM_SPEED") or "10"
        command = [sys.executable, "-m", "anyfast_nb.simulator.cli", "--unmarked", "--port", "0"]
        command += ["--speed", speed, "--key-file", str(folder / "key")]
        self._server = Server(command, folder=folder)
        line = self._server.line()
        found = [word for word in line.split() if word.startswith("http://127.0.0.1:")]
        if not found:
            self._server.close()
            raise RuntimeError(f"anyfast-sim did not start: {self._server.complaint() or repr(line)}")
        self.base_url = found[0]

    def __repr__(self) -> str:
        return "An AnyFast on this machine: taken for the real one, free, gone with this notebook."

    def close(self) -> None:
        """End it."""
        self._server.close()


class Database:
    """An empty PostgreSQL database, and its owner's URL.

    Attributes:
        url: with the owner's password: not for showing.
        note: what it is, in words.
    """

    def __init__(self, url: str, note: str, server: Server | None = None) -> None:
        self.url, self.note, self._server = url, note, server

    def __repr__(self) -> str:
        return self.note

    def close(self) -> None:
        """End the throw-away server; or leave somebody else's database as empty as it was."""
        if self._server is not None:
            self._server.close()
        else:
            _empty(self.url)


def anyfast() -> AnyFast:
    """An AnyFast on a free port of this machine."""
    return AnyFast()


def folder() -> Path:
    """An empty folder that goes with the kernel."""
    made = Path(tempfile.mkdtemp(prefix="anyfast-lesson-"))
    Server([], folder=made)
    return made


def at_once(program: str, environments: Mapping[str, Mapping[str, str]]) -> str:
    """Run a Python program for several people at the same time, each with a name and an environment.

    Args:
        program: its text; ``sys.argv[1]`` is the name.
        environments: by name; nothing of this notebook's own ``ANYFAST_…`` is in them.

    Returns:
        What they printed, one after another.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("ANYFAST_")}
    running = [
        subprocess.Popen(  # noqa: S603 - the lesson's own program
            [sys.executable, "-c", program, name],
            env=own | dict(given), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for name, given in environments.items()
    ]  # fmt: skip
    return "".join(process.communicate()[0] for process in running)


def postgresql() -> Database:
    """The database that ``ANYFAST_LEDGER_ADMIN_URL`` names, if it is empty; else a server of its own.

    Raises:
        RuntimeError: there is neither, or the database holds a ledger.
    """
    if find_spec("psycopg") is None:
        raise RuntimeError("This lesson needs psycopg: %pip install 'anyfast-nb[postgres]' brings it.")
    if url := os.environ.get(ADMIN_URL, "").strip():
        if _query(url, "SELECT to_regnamespace('anyfast') IS NOT NULL")[0][0]:
            raise RuntimeError(NOT_EMPTY)
        return Database(url, f"The PostgreSQL that {ADMIN_URL} names.")
    return _throw_away(_programs())


# --- a PostgreSQL of one's own ------------------------------------------------------------------


def _programs() -> Path:
    """The folder of the server's programs, the newest one's first."""
    known = [Path(found).parent] if (found := shutil.which("initdb")) else []
    for place in PLACES:
        known += sorted(Path("/").glob(place.removeprefix("/")), reverse=True)
    for path in known:
        if (path / "initdb").exists() and (path / "postgres").exists():
            return path
    raise RuntimeError(NO_POSTGRESQL)


def _throw_away(programs: Path) -> Database:
    tries = 3  # somebody else may take the port in between
    for left in reversed(range(tries)):
        place, password = Path(tempfile.mkdtemp(prefix="anyfast-postgresql-")), secrets.token_urlsafe(24)
        try:
            user = _not_root(place)
            (place / "password").write_text(password)
            _initialise(programs, place, user)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        server, url = _started(programs, place, user, password)
        if _answers(server, url):
            _query(url, f"CREATE DATABASE {LESSON}")
            url = f"{url.rpartition('/')[0]}/{LESSON}"
            return Database(url, "A throw-away PostgreSQL on this machine, gone with this notebook.", server)
        server.close()
        if not left:
            raise RuntimeError(f"PostgreSQL did not start: {server.complaint()}")
    raise AssertionError("a try is left, or it was told")


def _not_root(place: Path) -> str:
    """Who runs it, where that cannot be who runs this: PostgreSQL refuses root."""
    if os.name != "posix" or os.geteuid() != 0:
        return ""
    shutil.chown(place, "postgres", "postgres")
    return "postgres"


def _initialise(programs: Path, place: Path, user: str) -> None:
    command = [str(programs / "initdb"), "--pgdata", str(place / "data"), "--username", "teacher"]
    command += ["--pwfile", str(place / "password"), "--auth", "scram-sha-256"]
    command += ["--encoding", "UTF8", "--no-locale", "--no-sync"]
    done = subprocess.run(  # noqa: S603
        command, check=False, capture_output=True, text=True, cwd=place, **_as(user)
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")


def _started(programs: Path, place: Path, user: str, password: str) -> tuple[Server, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "fsync": "off",  # nobody will miss these rows
    }
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = [str(programs / "postgres"), "-D", str(place / "data"), *words]
    url = f"postgresql+psycopg://teacher:{quote(password, safe='')}@127.0.0.1:{port}/postgres"
    return Server(command, folder=place, user=user), url


def _answers(server: Server, url: str) -> bool:
    import psycopg

    deadline = time.monotonic() + PATIENCE_S
    while server.runs and time.monotonic() < deadline:
        try:
            _query(url, "SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return True
    return False


def _as(user: str) -> dict[str, object]:
    return {"user": user, "group": user, "extra_groups": []} if user else {}


# --- somebody else's PostgreSQL -----------------------------------------------------------------


def _query(url: str, *statements: str) -> list[tuple[object, ...]]:
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def _empty(url: str) -> None:
    """Take out what the lesson put in: the schema, the students' roles and their group."""
    from anyfast_nb.ledger.classroom.classroom import Classroom
    from anyfast_nb.ledger.classroom.roles import SCHEMA, quoted

    if not _query(url, f"SELECT to_regnamespace('{SCHEMA}') IS NOT NULL")[0][0]:
        return
    room = Classroom(url)
    students = [quoted(member.name) for member in room.members()]
    database, group = quoted(room.database), quoted(room.group)
    _query(
        url,
        f"DROP SCHEMA {SCHEMA} CASCADE",
        f"REVOKE ALL ON DATABASE {database} FROM {group}",
        f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO PUBLIC",
        *(f"DROP ROLE {role}" for role in [*students, group]),
    )


# --- the keeper ---------------------------------------------------------------------------------


def keep(folder: str, user: str, *command: str) -> int:
    """Run a program until it ends or the pipe at standard input closes; then remove its folder."""
    try:
        if not command:
            sys.stdin.buffer.read()
            return 0
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=folder, **_as(user))  # noqa: S603
        threading.Thread(target=_end_with_the_pipe, args=[child], daemon=True).start()
        return child.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end_with_the_pipe(child: subprocess.Popen[bytes]) -> None:
    sys.stdin.buffer.read()
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(PATIENCE_S / 2)
        child.kill()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(keep(*sys.argv[1:]))
