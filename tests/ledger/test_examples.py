from __future__ import annotations

import doctest

import pytest

from anyfast_nb.ledger import frames, store


@pytest.mark.parametrize("module", [frames, store])
def test_the_examples_run(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0
