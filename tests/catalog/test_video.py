from __future__ import annotations

import json
from importlib.resources import files

import pytest

from anyfast_nb import catalog
from anyfast_nb.catalog.video import (
    kling_families,
    kling_family,
    output_sizes,
    seedance_families,
    seedance_family,
)


def test_every_family_has_a_source_and_makes_sense() -> None:
    for family in (*seedance_families(), *kling_families()):
        assert family.sources
        assert all(family.sources)
        assert family.match
    for one in seedance_families():
        assert 0 < one.duration_min < one.duration_max
        assert not set(one.disputed) & set(one.resolutions)
        assert {"16:9", "adaptive"} <= set(one.ratios)
    data = json.loads(files("anyfast_nb.catalog").joinpath("video.json").read_text("utf-8"))
    assert data["pixels"]["source"]


def test_every_video_model_of_the_catalogue_has_a_family() -> None:
    ids = [model.id for model in catalog.models() if "video generation" in model.abilities]
    assert len(ids) == 22
    for name in ids:
        assert (kling_family if name.startswith("kling") else seedance_family)(name), name


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("seedance", "Seedance 2.0"),
        ("Seedance-2.0", "Seedance 2.0"),
        ("seedance-2.0-nsfw", "Seedance 2.0"),
        ("doubao-seedance-2-0-260128", "Seedance 2.0"),
        ("seedance-fast", "Seedance 2.0 Fast and Mini"),
        ("seedance-2.0-fast-nsfw", "Seedance 2.0 Fast and Mini"),
        ("seedance-2.0-mini", "Seedance 2.0 Fast and Mini"),
        ("seedance-2.0-ultra", "Seedance 2.0 Ultra"),
        ("seedance-2.5", "Seedance 2.5"),
        ("doubao-seedance-1-5-pro-251215", "Seedance 1.5"),
        ("doubao-seedance-1-0-lite-i2v-250428", "Seedance 1.0"),
    ],
)
def test_the_family_of_a_seedance(model: str, family: str) -> None:
    found = seedance_family(model)
    assert found is not None
    assert found.name == family


@pytest.mark.parametrize("model", ["seedance-3", "seedance-4.0-fast", "gpt-4o", "", "doubao-seed-2.0-pro"])
def test_a_model_nobody_documents_has_no_family(model: str) -> None:
    assert seedance_family(model) is None
    assert kling_family(model) is None


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("kling-v1", "Kling 1"),
        ("kling-v1-6", "Kling 1"),
        ("kling-v2-master", "Kling 2"),
        ("kling-v2-1", "Kling 2.1"),
        ("kling-v2-1-master", "Kling 2"),
        ("kling-v2-5-turbo", "Kling 2"),
        ("kling-v2-6", "Kling 2.6"),
        ("kling-v3", "Kling 3"),
        ("kling-3.0-turbo", "Kling 3"),
    ],
)
def test_the_family_of_a_kling(model: str, family: str) -> None:
    found = kling_family(model)
    assert found is not None
    assert found.name == family


def test_eighteen_sizes_near_their_ratios() -> None:
    sizes = output_sizes()
    assert len(sizes) == 18
    for (_, ratio), (width, height) in sizes.items():
        across, down = map(int, ratio.split(":"))
        assert width / height == pytest.approx(across / down, rel=0.04)


def test_video_models_never_take_a_chat_models_alias() -> None:
    chat = [m for m in catalog.models() if "chat" in m.abilities]
    video = [m for m in catalog.models() if "video generation" in m.abilities]
    assert not {a for m in chat for a in m.aliases} & {a for m in video for a in m.aliases}
    assert catalog.resolve("kling") == "kling-v3"
    assert catalog.resolve("seedance") == "seedance"


def test_names_of_one_ability_alone() -> None:
    video = catalog.names(ability="video generation")
    assert {"seedance", "kling", "kling-v3", "seedance-ultra"} <= set(video)
    assert not {"pro", "doubao-seed-2.0-pro"} & set(video)
    assert not {"seedance", "kling"} & set(catalog.names(ability="chat"))
    assert set(video) < set(catalog.names())
    assert catalog.names(ability="dance") == []
