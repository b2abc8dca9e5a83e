"""A real PostgreSQL for tests: a server of our own on loopback, in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

_PASSWORD = "owner-of-the-test"
_PATIENCE_S = 60.0


class Postgres:
    """A server; `database` makes an empty database in it.

    Args:
        programs: the folder of ``initdb`` and ``postgres``.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="anyfast-postgres-"))
        self._made = 0
        self.port = 0

    def __enter__(self) -> Self:
        try:
            self._init()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        process: subprocess.Popen[bytes] | None = getattr(self, "_process", None)
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)  # fast shutdown
            process.wait(_PATIENCE_S)
        shutil.rmtree(self._folder, ignore_errors=True)

    def database(self) -> str:
        """An empty database; the URL of its owner, a superuser."""
        self._made += 1
        name = f"ledger_{os.getpid()}_{self._made}"
        self.run("postgres", f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database that `database` made, and whoever is still connected to it."""
        name = url.rpartition("/")[2]
        self.run("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def url(self, database: str, *, user: str = "owner", password: str = _PASSWORD) -> str:
        """The address of a database for somebody."""
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"postgresql+psycopg://{who}@127.0.0.1:{self.port}/{database}"

    def run(self, database: str, *statements: str) -> list[Any]:
        """Carry out statements as the owner; the rows of the last one."""
        import psycopg

        where = self.url(database).replace("+psycopg", "")
        with psycopg.connect(where, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    # --- details --------------------------------------------------------------------------

    def _init(self) -> None:
        words = self._folder / "password"
        words.write_text(_PASSWORD)
        self._give(self._folder, words)
        self._call(
            "initdb", "--pgdata", str(self._folder / "data"), "--username", "owner", "--pwfile", str(words),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
        )  # fmt: skip

    def _start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",  # the machine may die; a test's rows may then go with it
            "max_connections": "120",
            "shared_buffers": "32MB",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(
            self._command("postgres", "-D", str(self._folder / "data"), *words),
            stdout=log, stderr=log, cwd=self._folder, env=_environ(),
        )  # fmt: skip
        log.close()
        self._wait()

    def _wait(self) -> None:
        import psycopg

        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self.run("postgres", "SELECT 1")
            except psycopg.OperationalError:
                told = (self._folder / "log").read_text()
                assert self._process.poll() is None, f"PostgreSQL did not start:\n{told}"
                assert time.monotonic() < deadline, f"PostgreSQL does not answer:\n{told}"
                time.sleep(0.05)
            else:
                return

    def _call(self, program: str, *words: str) -> None:
        done = subprocess.run(
            self._command(program, *words), capture_output=True, text=True, cwd=self._folder, env=_environ()
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def _command(self, program: str, *words: str) -> Sequence[str]:
        return [*_as_nobody(), str(self._programs / program), *words]

    def _give(self, *paths: Path) -> None:
        if os.geteuid() == 0:
            who = pwd.getpwnam("postgres")
            for path in paths:
                os.chown(path, who.pw_uid, who.pw_gid)


def _as_nobody() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    who = pwd.getpwnam("postgres")
    return ["setpriv", "--pdeathsig=INT", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"]


def _environ() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
