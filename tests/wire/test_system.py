from __future__ import annotations

from typing import Any

import pytest

from anyfast_nb.wire.estimate import about_tokens
from anyfast_nb.wire.system import ServedModel, read_models


def test_the_list_of_models_is_read() -> None:
    body = {
        "data": [
            {"id": "a", "owned_by": "ark", "supported_endpoint_types": ["openai"]},
            {"id": "b"},
            {"object": "model"},
            None,
        ]
    }
    assert read_models(body) == [ServedModel("a", "ark", ("openai",)), ServedModel("b", "", ())]


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": "abc"}, {"data": 5}, {"data": {}}])
def test_no_list_is_no_model(body: dict[str, Any]) -> None:
    assert read_models(body) == []


def test_odd_entries_do_no_harm() -> None:
    assert read_models({"data": [{"id": 7, "supported_endpoint_types": 5}]}) == [ServedModel("7", "", ())]


def test_tokens_are_estimated_by_script() -> None:
    assert about_tokens("") == 0
    assert about_tokens("word" * 10) == 10
    assert about_tokens("北京") == 2
    assert about_tokens("a北") == 2
