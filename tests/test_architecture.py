"""The package keeps the rules of the house, and the walker that says so finds planted faults."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests import architecture

PACKAGE = Path(__file__).resolve().parent.parent / "anyfast_nb"
HEAVY = {"pandas", "numpy", "httpx", "ipywidgets", "av", "PIL", "starlette", "uvicorn", "mistune"}
HEAVY |= {"sqlalchemy", "matplotlib", "nest_asyncio", "keyring"}
IPYTHON_BRINGS = {"IPython", "pygments", "ssl"}
LOAD = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
shell.extension_manager.load_extension("anyfast_nb")
print(*sorted({name.split(".")[0] for name in set(sys.modules) - before}))
"""


def test_the_house_is_in_order() -> None:
    found = architecture.violations(PACKAGE)
    assert not found, "\n" + "\n".join(map(str, found))


def test_every_room_has_a_floor() -> None:
    known = set().union(*architecture.FLOORS) | {"render", architecture.SIMULATOR}
    rooms = {module.room for module in architecture.read(PACKAGE).values()}
    assert rooms <= known


def test_every_exception_is_used() -> None:
    modules = architecture.read(PACKAGE)
    found = {(one.source, one.target) for m in modules.values() for one in architecture.imports(m, modules)}
    assert set(architecture.EXCEPTIONS) <= found


def test_importing_the_package_is_light() -> None:
    code = "import sys, anyfast_nb; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "anyfast_nb" in done.stdout.split()
    assert not (HEAVY | IPYTHON_BRINGS) & set(done.stdout.split())


def test_loading_the_extension_is_light() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    assert "anyfast_nb" in done.stdout.split()
    assert not HEAVY & set(done.stdout.split())


# --- the walker itself: a check that cannot fail checks nothing -----------------------------------


def plant(folder: Path, **files: str) -> list[str]:
    """Violations of a small package made of these files (`http__sse` is http/sse.py)."""
    package = folder / "anyfast_nb"
    for name, source in files.items():
        path = (
            package.joinpath(*name.split("__")).with_suffix(".py")
            if name != "door"
            else package / "__init__.py"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        for parent in [path.parent, *path.parent.parents]:
            if parent == folder:
                break
            if not (parent / "__init__.py").exists():
                (parent / "__init__.py").write_text('"""A package."""\n')
        path.write_text('"""A module."""\n' + dedent(source))
    return [str(one) for one in architecture.violations(package)]


FINE = {
    "down": {
        "magics__cell": "from anyfast_nb import session\n",
        "session": "from anyfast_nb.http import sse\n",
        "http__sse": "",
    },
    "down, relative": {"http__sse": "from ..errors import Oops\n", "errors": ""},
    "within a room": {"http__sse": "from anyfast_nb.http import lines\n", "http__lines": ""},
    "types only": {
        "wire__chat": """
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                import pandas
                from anyfast_nb.session import Session
            """,
        "session": "",
    },
    "the named exception": {
        "wire__values": "def show():\n    '''Show.'''\n    from anyfast_nb.render.answer import bundle\n",
        "render__answer": "",
    },
    "the launcher, lazily": {
        "session": "def start():\n    '''Start.'''\n    from anyfast_nb.simulator.launcher import ensure\n",
        "simulator__launcher": "",
    },
    "pandas where frames are made": {"ledger__frames": "import pandas as pd\n"},
    "pandas inside a function": {"magics__cell": "def f():\n    '''F.'''\n    import pandas\n"},
    "private needs no docstring": {"http__sse": "def _f():\n    pass\nclass _C:\n    pass\n"},
    "400 lines": {"http__sse": "x = 1\n" * 399},
    "50 lines of code under a long docstring": {
        "http__sse": "def f():\n    '''F.\n" + "    more\n" * 40 + "    '''\n" + "    x = 1\n" * 49
    },
}


@pytest.mark.parametrize("files", FINE.values(), ids=FINE.keys())
def test_what_is_allowed_passes(tmp_path: Path, files: dict[str, str]) -> None:
    assert plant(tmp_path, **files) == []


LAZY = "def f():\n    '''F.'''\n    "
FAULTS = {
    "up": ({"http__sse": "from anyfast_nb.session import Session\n", "session": ""}, "imports go down only"),
    "up, inside a function": (
        {"http__sse": LAZY + "from anyfast_nb import session\n", "session": ""},
        "go down only",
    ),
    "up, relative": ({"http__sse": "from ..session import Session\n", "session": ""}, "imports go down only"),
    "up, by name": (
        {"http__sse": LAZY + "__import__('anyfast_nb.session')\n", "session": ""},
        "imports go down only",
    ),
    "up, in the else of a type check": (
        {"http__sse": "if TYPE_CHECKING:\n    pass\nelse:\n    import anyfast_nb.session\n", "session": ""},
        "imports go down only",
    ),
    "through the front door": ({"wire__chat": "import anyfast_nb\n"}, "imports go down only"),
    "sideways": (
        {"http__sse": "from anyfast_nb.ledger import store\n", "ledger__store": ""},
        "imports go down only",
    ),
    "a room nobody wrote down": (
        {"cellar": "from anyfast_nb import errors\n", "errors": ""},
        "no floor is written",
    ),
    "render from below": (
        {"client": "from anyfast_nb.render import answer\n", "render__answer": ""},
        "by faces only",
    ),
    "render upward": (
        {"render__answer": "from anyfast_nb.ledger import store\n", "ledger__store": ""},
        "may import",
    ),
    "the exception, eagerly": (
        {"wire__values": "from anyfast_nb.render.answer import bundle\n", "render__answer": ""},
        "allowed inside a function only",
    ),
    "the simulator reads the wire": (
        {"simulator__app": "from anyfast_nb.wire import chat\n", "wire__chat": ""},
        "shares no code",
    ),
    "the simulator's inside": (
        {"session": LAZY + "from anyfast_nb.simulator import app\n", "simulator__app": ""},
        "only anyfast_nb.simulator.launcher",
    ),
    "the launcher, eagerly": (
        {"session": "from anyfast_nb.simulator.launcher import ensure\n", "simulator__launcher": ""},
        "inside functions only",
    ),
    "httpx elsewhere": ({"session": LAZY + "import httpx\n"}, "imports httpx, which belongs to"),
    "IPython below": (
        {"client": LAZY + "from IPython.display import display\n"},
        "imports IPython, which belongs",
    ),
    "widgets in a magic": ({"magics__cell": "import ipywidgets\n"}, "imports ipywidgets, which belongs to"),
    "mistune elsewhere": ({"magics__cell": LAZY + "import mistune\n"}, "imports mistune, which belongs to"),
    "starlette elsewhere": ({"http__app": "from starlette.routing import Route\n"}, "imports starlette"),
    "pandas at once": ({"magics__cell": "import pandas.api.types\n"}, "imports pandas outside a function"),
    "pandas in a class body": (
        {"wire__chat": "class _C:\n    import pandas\n"},
        "imports pandas outside a function",
    ),
    "PIL at once": ({"media__sniff": "from PIL import Image\n"}, "imports PIL outside a function"),
    "a cycle of two": (
        {"http__a": "from anyfast_nb.http import b\n", "http__b": "from anyfast_nb.http import a\n"},
        "anyfast_nb.http.a, anyfast_nb.http.b",
    ),
    "a cycle of three, one lazily": (
        {
            "wire__a": "import anyfast_nb.wire.b\n",
            "wire__b": LAZY + "import anyfast_nb.wire.c\n",
            "wire__c": "import anyfast_nb.wire.a\n",
        },
        "is in a cycle: anyfast_nb.wire.a, anyfast_nb.wire.b, anyfast_nb.wire.c",
    ),
    "a long module": ({"http__sse": "x = 1\n" * 400}, "has 401 lines, more than 400"),
    "a long function": ({"http__sse": "def _f():\n" + "    x = 1\n" * 50}, "_f has 51 lines, more than 50"),
    "a long method": (
        {"http__sse": "class _C:\n    async def f(self):\n" + "        x = 1\n" * 50},
        "f has 51 lines, more than 50",
    ),
    "utils": ({"http__utils": ""}, "`utils` does not say what is in it"),
    "common, as a package": ({"wire___common__things": ""}, "`_common` does not say"),
    "no docstring on a function": (
        {"http__sse": "def decode():\n    pass\n"},
        "decode is public and has no docstring",
    ),
    "no docstring on a class": (
        {"http__sse": "class Decoder:\n    pass\n"},
        "Decoder is public and has no docstring",
    ),
}


@pytest.mark.parametrize(("files", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_a_planted_fault_is_found(tmp_path: Path, files: dict[str, str], said: str) -> None:
    found = plant(tmp_path, **files)
    assert len(found) == 1, found
    assert said in found[0]


def test_a_missing_module_docstring_is_found(tmp_path: Path) -> None:
    plant(tmp_path, errors="")
    (tmp_path / "anyfast_nb/errors.py").write_text("x = 1\n")
    assert architecture.violations(tmp_path / "anyfast_nb") == [
        architecture.Violation("anyfast_nb.errors", "has no docstring")
    ]
