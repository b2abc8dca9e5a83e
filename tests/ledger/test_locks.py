"""What takes SQLite's locks away, and rows with them: another library in this process, and a fork."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from anyfast_nb.ledger import Ledger
from tests.ledger.conftest import request_row, stored

ROOT = Path(__file__).parents[2]
# A kernel that writes, is disturbed, lets another program look, writes again, and is killed.
KERNEL = """
import os, signal, sqlite3, subprocess, sys
from anyfast_nb.ledger import Ledger, frame
from tests.ledger.conftest import request_row

path, LOOK = sys.argv[1], "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT 1 FROM "
LOOK += "requests').fetchall(); c.close()"
ledger = Ledger(path)

def write(title):
    ledger.begin(request_row(title=title))
    ledger.absorb()

def look():
    subprocess.run([sys.executable, "-c", LOOK, path], check=True)

write("first")
"""
END = """
os.kill(os.getpid(), signal.SIGKILL)
"""
DISTURBANCES = {
    "a frame through ADBC": (
        "from anyfast_nb.ledger.frames import scan; scan._WORTH, found = 0, scan._fast\n"
        "scan._fast = lambda *words: [came := found(*words), came is not None or sys.exit(7)][0]\n"
        "assert len(frame(path=path)) == 1"
    ),
    "a frame of this very file": "assert len(frame(source_files=path)) == 1",
    # Not ours, but in a kernel there may be any.
    "another library": (
        "import adbc_driver_sqlite.dbapi as other\n"
        "with other.connect(path) as c, c.cursor() as cursor: cursor.execute('SELECT id FROM requests')"
    ),
}


def run(code: str, path: Path) -> int:
    """Carry it out in a process of its own."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert not done.stderr, done.stderr
    return done.returncode


@pytest.mark.parametrize("what", DISTURBANCES)
def test_rows_outlive_a_kill_after_something_else_had_the_file_open(path: Path, what: str) -> None:
    code = f"{KERNEL}\n{DISTURBANCES[what]}\nlook()\nwrite('second')\nlook()\nwrite('third'){END}"
    assert run(code, path) < 0
    assert sorted(row["title"] for row in stored(path).values()) == ["first", "second", "third"]


def test_rows_of_a_forked_child_outlive_a_kill_when_its_parent_has_gone(path: Path) -> None:
    code = f"""{KERNEL}
child_may, parent_may = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    write("of the child")
    os.write(parent_may[1], b"x")
    os.read(child_may[0], 1)
    write("of the child alone")
    os.kill(os.getpid(), signal.SIGKILL)
os.read(parent_may[0], 1)
write("of the parent")
ledger.close()
look()
os.write(child_may[1], b"x")
sys.exit(os.waitpid(child, 0)[1] != signal.SIGKILL)
"""
    assert run(code, path) == 0
    titles = sorted(row["title"] for row in stored(path).values())
    assert titles == ["first", "of the child", "of the child alone", "of the parent"]


def test_a_child_forked_while_rows_are_taken_over_holds_up_no_other_kernel(path: Path) -> None:
    code = f"""{KERNEL}
put, ready = Ledger._put, os.pipe()

def forks(self, store, records):
    self.child = os.fork()
    if self.child == 0:
        os.write(ready[1], b"x")
        signal.pause()
    put(self, store, records)

Ledger._put = forks
write("second")
Ledger._put = put
os.read(ready[0], 1)
ledger.begin(request_row(title="third"))
other = "from anyfast_nb.ledger import Ledger; import sys; l = Ledger(sys.argv[1]); l._journal.merge("
other += "lambda found: None) or sys.exit('held up')"
done = subprocess.run([sys.executable, "-c", other, path])
os.kill(ledger.child, signal.SIGKILL)
os.waitpid(ledger.child, 0)
sys.exit(done.returncode)
"""
    assert run(code, path) == 0


def test_a_fork_waits_for_a_transaction_and_the_ledger_goes_on(path: Path) -> None:
    code = f"""{KERNEL}
import threading
inside, leave = threading.Event(), threading.Event()

def change():
    with ledger.transaction() as connection:
        inside.set()
        leave.wait(0.2)
        connection.exec_driver_sql("UPDATE requests SET title = 'changed'")

thread = threading.Thread(target=change)
thread.start()
inside.wait()
child = os.fork()
if child == 0:
    write("of the child")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
thread.join()
write("of the parent")
"""
    assert run(code, path) == 0
    titles = sorted(row["title"] for row in stored(path).values())
    assert titles == ["changed", "of the child", "of the parent"]


def test_the_copy_for_another_library_goes_with_its_reading(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(request_row())
        with ledger.readable() as place:
            assert place is not None
            copy = Path(place.removeprefix("file://").partition("?")[0])
            assert copy != path
            assert copy.stat().st_mode & 0o077 == 0
        assert not copy.parent.exists()
