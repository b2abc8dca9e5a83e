from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from anyfast_nb.ledger import store
from anyfast_nb.ledger.frames import accessor, export, totals
from anyfast_nb.ledger.frames import requests as frames


@pytest.mark.parametrize("module", [accessor, export, frames, store, totals])
def test_the_examples_run(module: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # some of them write a file
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0
