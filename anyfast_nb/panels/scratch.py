"""A folder for a panel's small copies: posters, thumbnails, a chart."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from functools import cached_property
from pathlib import Path


class Scratch:
    """Made when it is first asked for; gone with the panel, whether that was closed or forgotten."""

    @cached_property
    def path(self) -> Path:
        """The folder."""
        folder = tempfile.mkdtemp(prefix="anyfast-panel-")
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    def close(self) -> None:
        """Remove it with what is in it, if it was ever made."""
        if "path" in vars(self):
            self._remove()
