"""An IPython in this process, with the extension loaded; it leaves nothing behind."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager

from IPython.core.interactiveshell import InteractiveShell

from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.magics import extension
from anyfast_nb.session import session


@contextmanager
def extended_shell() -> Iterator[InteractiveShell]:
    """A shell of its own, and the session of the kernel that it stands for."""
    shell = InteractiveShell.instance()
    extension.load(shell)
    try:
        yield shell
    finally:
        extension.unload(shell)
        InteractiveShell.clear_instance()
        atexit.unregister(shell.atexit_operations)  # each would collect all garbage at the end of the run
        shell.history_manager.end_session()
        shell.history_manager.close()
        if session.cache_info().currsize:
            io_loop().run(session().gateway.close())
            session().gateway.ledger.close()
        session.cache_clear()
