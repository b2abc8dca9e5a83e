"""An IPython in this process that leaves nothing behind."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.magics import extension
from anyfast_nb.session import session


@contextmanager
def bare_shell() -> Iterator[InteractiveShell]:
    """A shell without a history."""
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    try:
        yield shell
    finally:
        InteractiveShell.clear_instance()
        atexit.unregister(shell.atexit_operations)  # each would collect all garbage at the end of the run


@contextmanager
def extended_shell() -> Iterator[InteractiveShell]:
    """A shell with the extension, and the session of the kernel that it stands for."""
    with bare_shell() as shell:
        extension.load(shell)
        try:
            yield shell
        finally:
            extension.unload(shell)
            if session.cache_info().currsize:
                io_loop().run(session().gateway.close())
                session().gateway.ledger.close()
            session.cache_clear()
