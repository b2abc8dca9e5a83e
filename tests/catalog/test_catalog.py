from __future__ import annotations

import json
from importlib.resources import files

import pytest

from anyfast_nb import catalog

SEED_ENUM = [
    "doubao-seed-2.0-pro",
    "doubao-seed-2.0-code",
    "doubao-seed-2.0-lite",
    "doubao-seed-2.0-mini",
    "doubao-seed-1-8-251228",
    "doubao-seed-1-6-flash-250828",
    "doubao-seed-1-6-251015",
    "doubao-seed-1-6-lite-251015",
    "doubao-seed-1-6-vision-250815",
    "glm-4-7-251222",
]


def test_the_vendors_chat_models_are_known() -> None:
    ids = [model.id for model in catalog.models()]
    assert set(SEED_ENUM) <= set(ids)
    assert len(set(ids)) == len(ids)


def test_every_fact_has_a_source() -> None:
    assert all(model.sources and model.about and model.abilities for model in catalog.models())
    data = json.loads(files("anyfast_nb.catalog").joinpath("models.json").read_text("utf-8"))
    assert all(catalog.limit(name).source for name in data["limits"])


def test_aliases_lead_to_models() -> None:
    chat = {alias for model in catalog.models() if "chat" in model.abilities for alias in model.aliases}
    assert chat == {"pro", "lite", "mini", "code", "flash", "vision"}
    assert set(catalog.aliases().values()) <= {model.id for model in catalog.models()}
    assert not set(catalog.aliases()) & {model.id for model in catalog.models()}
    assert [catalog.resolve(name) for name in ("pro", "anything-else")] == [
        "doubao-seed-2.0-pro",
        "anything-else",
    ]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("temperature", 0, 2), ("top_p", 0, 1), ("fps", 0.2, 5), ("max_tokens", 1, None)],
)
def test_the_documented_ranges(name: str, low: float, high: float | None) -> None:
    assert (catalog.limit(name).min, catalog.limit(name).max) == (low, high)


def test_stop_and_body_have_their_limits() -> None:
    assert catalog.limit("stop").max_items == 4
    assert catalog.limit("body_bytes").value == 64_000_000


def test_completion_offers_aliases_first() -> None:
    names = catalog.names()
    assert names[: len(catalog.aliases())] == list(catalog.aliases())
    assert set(SEED_ENUM) <= set(names)


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("doubao-seed-2.0-por", "doubao-seed-2.0-pro"),
        ("Doubao-Seed-2.0-Lite", "doubao-seed-2.0-lite"),
        ("visoin", "vision"),
    ],
)
def test_did_you_mean(typed: str, nearest: str) -> None:
    near = catalog.close_to(typed)
    assert near[0] == nearest
    assert len(near) <= 3


def test_did_you_mean_among_what_the_server_lists() -> None:
    assert catalog.close_to("gpt4o", among=["GPT-4o", "claude"]) == ["GPT-4o"]
    assert catalog.close_to("zzzz") == []
    assert catalog.close_to("x", among=[]) == []


def test_every_doubao_chat_model_reads_documents_by_the_responses_api() -> None:
    able = {model.id for model in catalog.models() if "documents" in model.abilities}
    assert able == set(SEED_ENUM) - {"glm-4-7-251222"}
    assert all("seed 002" in " ".join(m.sources) for m in catalog.models() if m.id in SEED_ENUM)
    assert (catalog.limit("max_output_tokens").min, catalog.limit("document_bytes").value) == (1, 50_000_000)
