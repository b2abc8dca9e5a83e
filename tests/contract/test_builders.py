"""What a builder lets through without a word, a strict server takes: over many combinations of arguments."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from anyfast_nb.errors import InputError
from anyfast_nb.simulator.config import Config
from anyfast_nb.wire.generation import Generation
from anyfast_nb.wire.kling import build_kling
from anyfast_nb.wire.seedance import build_seedance
from tests.simulator.conftest import KEY, connect, data_uri, two_coloured

PNG = data_uri(two_coloured(size=(400, 400)), "image/png")
WEB = "https://pictures.example/a.png"
COMBINATIONS = 150

SEEDANCE: dict[str, tuple[Any, ...]] = {
    "model": (
        "seedance", "seedance-fast", "seedance-2.0", "seedance-2.0-mini", "seedance-2.0-ultra",
        "seedance-2.5",
        "doubao-seedance-1-5-pro-251215", "doubao-seedance-1-0-pro-250528",
        "doubao-seedance-1-0-lite-t2v-250428", "doubao-seedance-1-0-lite-i2v-250428",
    ),
    "first_frame": (PNG, WEB),
    "last_frame": (PNG, WEB),
    "images": ([], [PNG], [WEB] * 2, [WEB] * 9, [WEB] * 10),
    "videos": ([], ["https://clips.example/a.mp4"], ["https://clips.example/a.mp4"] * 4),
    "audios": ([], ["https://sounds.example/a.mp3"], ["https://sounds.example/a.mp3"] * 3),
    "duration": (-1, 0, 2, 4, 5, 12, 15, 16, 30, 31, "5"),
    "ratio": ("16:9", "4:3", "1:1", "21:9", "adaptive", "ADAPTIVE", "2:1"),
    "resolution": ("480p", "720p", "1080p", "2k", "2K", "4k"),
    "audio": (True, False),
    "watermark": (True, False),
    "return_last_frame": (True, False),
    "web_search": (True, False),
    "seed": (-2, -1, 0, 42, 2**32 - 1, 2**32),
}  # fmt: skip
KLING: dict[str, tuple[Any, ...]] = {
    "model": ("kling-v1", "kling-v1-6", "kling-v2-master", "kling-v2-5-turbo", "kling-v2-6", "kling-v3"),
    "image": (PNG, WEB),
    "image_tail": (PNG, WEB),
    "images": ([WEB], [PNG] * 2, [WEB] * 4, [WEB] * 5),
    "negative_prompt": ("blur", "x" * 2500, "x" * 2501),
    "duration": (2, 3, 5, 10, "10", 15, 16),
    "mode": ("std", "pro", "4k"),
    "aspect_ratio": ("16:9", "9:16", "1:1", "4:3"),
    "cfg_scale": (0, 0.5, 1, 1.1),
    "sound": (True, False),
    "camera_control": (
        {"type": "simple", "config": {"zoom": 5}}, {"type": "simple", "config": {"zoom": 5, "pan": 1}},
        {"type": "down_back"}, {"type": "simple"},
    ),
}  # fmt: skip
PROMPTS = ("A cat", "", "@image1 and @video1", "@Audio1 sings", "cat --rs 720p", "词" * 501, "word " * 1001)


@pytest.mark.parametrize(
    ("build", "choices", "seldom"),
    [
        (build_seedance, SEEDANCE, ("first_frame", "last_frame", "images", "videos", "audios")),
        (build_kling, KLING, ("image", "image_tail", "images", "camera_control")),
    ],
    ids=["seedance", "kling"],
)
async def test_a_strict_server_takes_what_a_builder_lets_through(
    build: Callable[..., Generation], choices: dict[str, tuple[Any, ...]], seldom: tuple[str, ...]
) -> None:
    draw, taken, named = random.Random(7), 0, set()
    async with connect(Config(key=KEY, speed=0, strict=True)) as server:
        for _ in range(COMBINATIONS):
            likely = {name: 0.25 if name in seldom else 0.35 for name in choices}
            given = {name: draw.choice(choices[name]) for name in choices if draw.random() < likely[name]}
            prompt = draw.choice(PROMPTS)
            try:
                made = build(prompt, **given)
            except InputError as refused:
                named.add(refused.field.partition("[")[0].partition(".")[0])
                continue
            if made.notes:  # it said that the server may refuse it
                continue
            reply = await server.post(made.path, json=made.body)
            assert reply.status_code == 200, (
                prompt,
                {name: str(given[name])[:40] for name in given},
                reply.text,
            )
            taken += 1
    assert taken > COMBINATIONS / 20
    assert named <= {"prompt", *choices}  # arguments, each of them
