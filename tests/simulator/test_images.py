from __future__ import annotations

import base64
import io
import json
from typing import Any

import httpx
import pytest

from anyfast_nb.simulator.config import MIB, Config, Profile
from anyfast_nb.simulator.images.families import LISTED, family_of, preset_pixels
from anyfast_nb.simulator.images.reading import ImageRequest, read_image_request
from anyfast_nb.simulator.problems import Refusal
from tests.simulator.calls import Clock, timed
from tests.simulator.conftest import KEY, connect, data_uri, two_coloured

PATH = "/v1/images/generations"
THREE = "doubao-seedream-3-0-t2i-250415"
FOUR = "doubao-seedream-4-0-250828"
FOUR_FIVE = "doubao-seedream-4-5-251128"
FIVE = "doubao-seedream-5-0-260128"
LITE = "seedream-5-0-lite-260128"
PRO = "doubao-seedream-5-0-pro-260628"
PICTURE = data_uri(two_coloured(), "image/png")
WEB = "https://example.com/a.png"
GROUP: dict[str, Any] = {"sequential_image_generation": "auto"}


def asking(model: str = FOUR, prompt: Any = "a red kite", **more: Any) -> dict[str, Any]:
    return {"model": model, "prompt": prompt} | more


def group(most: int, **more: Any) -> dict[str, Any]:
    return GROUP | {"sequential_image_generation_options": {"max_images": most}} | more


def asked(
    model: str = FOUR, prompt: str = "a red kite", *, strict: bool = False, **more: Any
) -> ImageRequest:
    return read_image_request(asking(model, prompt, **more), strict=strict, watermark=False)


MAX = "sequential_image_generation_options.max_images"
WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    # name, body, the path in param, words of the rule
    ("no model", {"prompt": "x"}, "model", "required"),
    ("a chat model", asking("doubao-seed-2.0-pro"), "model", "Seedream"),
    ("no prompt", {"model": FOUR}, "prompt", "required"),
    ("empty prompt", asking(prompt=" "), "prompt", "empty"),
    ("prompt a list", asking(prompt=["x"]), "prompt", "string"),
    ("image a number", asking(image=3), "image", "string or an array"),
    ("image from a path", asking(image="photo.png"), "image", "http"),
    ("no images", asking(image=[]), "image", "at least 1"),
    ("image an object", asking(image=[WEB, {"url": WEB}]), "image[1]", "string"),
    ("an asset", asking(image=["asset://x"]), "image[0]", "http"),
    ("fifteen images", asking(image=[WEB] * 15), "image", "at most 14"),
    ("eleven for pro", asking(PRO, image=[WEB] * 11), "image", "at most 10"),
    ("image for 3.0", asking(THREE, image=WEB), "image", "words only"),
    ("both spellings", asking(image=WEB, image_urls=[WEB]), "image_urls", "together"),
    ("older spelling a string", asking(image_urls=WEB), "image_urls", "array"),
    ("size a number", asking(size=2048), "size", "string"),
    ("size word", asking(size="huge"), "size", "1K, 2K, 4K or WIDTHxHEIGHT"),
    ("1K for 4.5", asking(FOUR_FIVE, size="1K"), "size", "2K, 4K or"),
    ("3K for 4.0", asking(size="3K"), "size", "1K, 2K, 4K"),
    ("1K for 5.0", asking(FIVE, size="1K"), "size", "2K, 3K, 4K"),
    ("4K for pro", asking(PRO, size="4K"), "size", "1K, 2K or"),
    ("preset for 3.0", asking(THREE, size="1K"), "size", "WIDTHxHEIGHT for Seedream 3.0"),
    ("too small", asking(size="1024x1023"), "size", "between 1048576 and 16777216"),
    ("too large", asking(size="4097x4096"), "size", "between 1048576 and 16777216"),
    ("too small for 4.5", asking(FOUR_FIVE, size="2048x1024"), "size", "between 3686400"),
    ("too narrow", asking(size="512x9000"), "size", "1/16 to 16"),
    ("mode", asking(sequential_image_generation="yes"), "sequential_image_generation", "auto, disabled"),
    ("group for 3.0", asking(THREE, **GROUP), "sequential_image_generation", "left out"),
    (
        "group for pro",
        asking(PRO, sequential_image_generation="disabled"),
        "sequential_image_generation",
        "left out",
    ),
    ("no pictures", asking(**group(0)), MAX, "at least 1"),
    ("sixteen pictures", asking(**group(16)), MAX, "at most 15"),
    ("half a picture", asking(**group(1.5)), MAX, "integer"),  # type: ignore[arg-type]
    ("too many together", asking(image=[WEB] * 10, **group(6)), MAX, "at most 15 together"),
    ("stream", asking(stream=1), "stream", "true or false"),
    ("stream of 3.0", asking(THREE, stream=True), "stream", "does not stream"),
    ("stream of pro", asking(PRO, stream=True), "stream", "does not stream"),
    ("response_format", asking(response_format="file"), "response_format", "url, b64_json"),
    ("watermark", asking(watermark="yes"), "watermark", "true or false"),
    ("seed", asking(seed=-2), "seed", "between -1 and 2147483647"),
    ("large seed", asking(seed=2**31), "seed", "between -1 and 2147483647"),
    ("output_format of 4.0", asking(output_format="png"), "output_format", "left out"),
    ("output_format", asking(FIVE, output_format="webp"), "output_format", "png, jpeg"),
    ("guidance of 4.0", asking(guidance_scale=3), "guidance_scale", "left out"),
    ("guidance", asking(THREE, guidance_scale=0.5), "guidance_scale", "between 1 and 10"),
    ("tools of 4.0", asking(tools=[{"type": "web_search"}]), "tools", "left out"),
    ("tools", asking(FIVE, tools=[{"type": "function"}]), "tools[0].type", "web_search"),
    ("optimize", asking(optimize_prompt_options={"mode": "x"}), "optimize_prompt_options.mode", "standard"),
    ("logo", asking(logo_info={"position": "left"}), "logo_info.position", "integer"),
    ("n", asking(n=0), "n", "at least 1"),
]


@pytest.mark.parametrize(("given", "path", "rule"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_broken_rule_is_a_400_that_names_path_and_range(
    given: dict[str, Any], path: str, rule: str
) -> None:
    with pytest.raises(Refusal) as caught:
        read_image_request(given, strict=False, watermark=False)
    error = caught.value.error
    assert caught.value.status == 400
    assert error["param"] == path
    assert rule in error["message"]


@pytest.mark.parametrize(
    "given",
    [
        asking(),
        asking(image=WEB, size="1K"),
        asking(image=[WEB] * 14),
        asking(image_urls=[WEB, WEB]),
        asking(image=[WEB] * 10, **group(5)),
        asking(FIVE, size="3K", output_format="png", tools=[{"type": "web_search"}], stream=True),
        asking(LITE, size="2848x1600"),
        asking(PRO, size="1K", output_format="jpeg", image=[WEB] * 10),
        asking(THREE, size="512x512", guidance_scale=2.5, seed=-1),
        asking(FOUR_FIVE, size="2560x1440", watermark=True, n=1, user="u"),
        asking(size=None, image=None, tools=None, watermark=None, seed=None, logo_info=None),
    ],
)
def test_what_the_rules_allow_passes(given: dict[str, Any]) -> None:
    assert read_image_request(given, strict=True, watermark=False).width


def test_only_a_strict_server_holds_to_the_list_of_sizes_and_fields() -> None:
    assert asked(FIVE, size="2560x1440").size == "2560x1440"
    with pytest.raises(Refusal, match="2848x1600"):
        asked(FIVE, size="2560x1440", strict=True)
    assert [asked(FIVE, size=size, strict=True).size for size in LISTED] == list(LISTED)
    with pytest.raises(Refusal, match="no field of this endpoint"):
        asked(quality="hd", strict=True)
    assert asked(quality="hd").count == 1


def test_a_reference_is_under_ten_megabytes() -> None:
    url = data_uri(b"", "image/png") + base64.b64encode(bytes(3)).decode() * (10 * MIB // 3 + 1)
    with pytest.raises(Refusal, match="under 10 MB") as caught:
        asked(image=[WEB, url])
    assert caught.value.error["param"] == "image[1]"


@pytest.mark.parametrize(
    ("word", "prompt", "pixels"),
    [
        ("2K", "a kite", (2048, 2048)),
        ("1K", "a kite, 16:9", (1360, 768)),
        ("4K", "a 1:1 kite", (4096, 4096)),
        ("2K", "a 9:16 poster", (1536, 2720)),
        ("2K", "at 10:15 in the morning", (2048, 2048)),
    ],
)
def test_a_preset_is_a_square_or_the_shape_the_prompt_names(
    word: str, prompt: str, pixels: tuple[int, int]
) -> None:
    assert preset_pixels(word, prompt) == pixels


@pytest.mark.parametrize(
    ("prompt", "more", "count"),
    [
        ("a kite", {}, 1),
        ("three pictures of a kite", {}, 1),
        ("a kite", GROUP, 1),
        ("three pictures of a kite", GROUP, 3),
        ("a kite", group(4), 4),
        ("2 different versions of 5 kites", group(4), 2),
        ("nine frames", group(4), 4),
        ("画4张风筝", group(6), 4),
        ("99 images", GROUP, 15),
        ("2 cats on 3 chairs", group(4), 4),
    ],
)
def test_a_group_has_as_many_as_the_prompt_names(prompt: str, more: dict[str, Any], count: int) -> None:
    assert asked(prompt=prompt, **more).count == count


def test_families_are_told_by_the_id() -> None:
    names = {
        FOUR: "4.0",
        FOUR_FIVE: "4.5",
        "doubao-seedream-4-5": "4.5",
        FIVE: "5.0",
        LITE: "5.0",
        PRO: "5.0-pro",
    }
    assert {model: family_of(model).name for model in names} == names
    assert family_of(THREE).name == "3.0"


# --- pictures ----------------------------------------------------------------------------------------------


async def created(
    client: httpx.AsyncClient, model: str = THREE, prompt: str = "a red kite", **more: Any
) -> Any:
    given = ({"size": "512x512"} if model == THREE else {"size": "1024x1024"}) | more
    reply = await client.post(PATH, json=asking(model, prompt, **given))
    assert reply.status_code == 200, reply.text
    return reply.json()


async def image_bytes(client: httpx.AsyncClient, item: dict[str, Any]) -> bytes:
    if "b64_json" in item:
        return base64.b64decode(item["b64_json"])
    # The link itself is the key: it opens for somebody who has none.
    reply = await client.get(item["url"], headers={"authorization": ""})
    assert reply.status_code == 200
    return reply.content


def opened(data: bytes) -> Any:
    from PIL import Image

    image = Image.open(io.BytesIO(data))
    image.load()
    return image


async def test_a_plain_reply_has_the_documented_shape() -> None:
    async with connect(Config(key=KEY, speed=0), now=lambda: 1_775_029_815.5) as client:
        found = await created(client, FOUR, size="1280x1024")
        (item,) = found["data"]
        picture = opened(await image_bytes(client, item))
    assert (found["model"], found["created"], set(item)) == (FOUR, 1_775_029_815, {"url", "size"})
    assert item["size"] == "1280x1024"
    tokens = 1280 * 1024 // 256
    assert found["usage"] == {"generated_images": 1, "output_tokens": tokens, "total_tokens": tokens}
    assert (picture.size, picture.format) == ((1280, 1024), "JPEG")
    assert item["url"].startswith("http://127.0.0.1:8765/")
    assert ".jpeg?" in item["url"]


async def test_the_default_size_is_2048_squared() -> None:
    assert asked().size == "2048x2048"


@pytest.mark.parametrize("shape", ["png", "jpeg"])
async def test_the_format_can_be_chosen(client: httpx.AsyncClient, shape: str) -> None:
    (item,) = (await created(client, FIVE, output_format=shape, response_format="b64_json"))["data"]
    assert set(item) == {"b64_json", "size"}
    picture = opened(await image_bytes(client, item))
    assert (picture.format, picture.size) == (shape.upper(), (1024, 1024))


async def test_the_same_seed_is_the_same_picture_however_it_is_sent(client: httpx.AsyncClient) -> None:
    async def data(**more: Any) -> bytes:
        return await image_bytes(client, (await created(client, **more))["data"][0])

    first = await data(seed=7)
    assert await data(seed=7, response_format="b64_json") == first
    assert await data(seed=8) != first
    assert await data(seed=7, prompt="a blue boat") != first
    assert await data() == await data(seed=None)


async def test_a_watermark_is_drawn_when_asked_for(client: httpx.AsyncClient) -> None:
    from PIL import ImageChops

    found = [
        opened(await image_bytes(client, (await created(client, seed=7, watermark=mark))["data"][0]))
        for mark in (False, True)
    ]
    assert ImageChops.difference(*(image.convert("RGB") for image in found)).getbbox() is not None


async def test_a_group_gives_several_pictures(client: httpx.AsyncClient) -> None:
    found = await created(client, FOUR, **group(3))
    assert len({item["url"] for item in found["data"]}) == 3
    assert found["usage"]["generated_images"] == 3
    assert found["usage"]["output_tokens"] == 3 * 4096
    first, second = [await image_bytes(client, item) for item in found["data"][:2]]
    assert first != second


@pytest.mark.parametrize("name", ["image", "image_urls"])
async def test_references_are_looked_at(client: httpx.AsyncClient, name: str) -> None:
    async def data(given: Any) -> bytes:
        found = await created(client, FOUR, seed=7, **({name: given} if given else {}))
        assert found["usage"].get("input_images") == (len(given) if given else None)
        return await image_bytes(client, found["data"][0])

    other = data_uri(two_coloured("green", "white"), "image/png")
    pictures = [await data(given) for given in (None, [PICTURE], [other], [PICTURE, other])]
    assert len(set(pictures)) == 4
    # A placeholder stands for what lies elsewhere.
    assert await data([WEB]) not in pictures


async def test_one_result_is_the_reference_of_the_next(client: httpx.AsyncClient) -> None:
    (item,) = (await created(client))["data"]
    here = await created(client, FOUR, seed=7, image=item["url"])
    elsewhere = await created(client, FOUR, seed=7, image=item["url"].replace("/files/", "/nothing/"))
    assert await image_bytes(client, here["data"][0]) != await image_bytes(client, elsewhere["data"][0])


@pytest.mark.parametrize("data", ["data:image/png;base64,!!!", data_uri(b"no picture", "image/png")])
async def test_a_reference_that_is_no_picture_is_refused(client: httpx.AsyncClient, data: str) -> None:
    reply = await client.post(PATH, json=asking(image=[PICTURE, data]))
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "image[1]")


async def test_the_older_profiles_tell_less() -> None:
    usages = {Profile.FLAT: {"prompt_tokens", "completion_tokens", "total_tokens", "output_tokens"}}
    usages[Profile.OLDEST] = {"total_tokens"}
    for profile, keys in usages.items():
        async with connect(Config(key=KEY, speed=0, profile=profile)) as client:
            found = await created(client, FOUR)
        assert set(found) == {"created", "data", "usage"}
        assert set(found["data"][0]) == {"url"}
        assert set(found["usage"]) == keys
        assert found["usage"]["total_tokens"] == 4096


async def test_without_a_word_the_older_profiles_draw_a_watermark() -> None:
    async def data(profile: Profile, **more: Any) -> bytes:
        async with connect(Config(key=KEY, speed=0, profile=profile)) as client:
            return await image_bytes(client, (await created(client, seed=7, **more))["data"][0])

    assert await data(Profile.OLDEST) == await data(Profile.CURRENT, watermark=True)
    assert await data(Profile.OLDEST, watermark=False) == await data(Profile.CURRENT)


async def test_pictures_take_their_time() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with connect(Config(key=KEY, speed=2), sleep=sleep) as client:
        await created(client, FOUR, **group(4))
    assert sum(slept) == 6


# --- what does not pass review ----------------------------------------------------------------------------


def error_of(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["code"]


async def test_one_of_a_group_can_fail(client: httpx.AsyncClient) -> None:
    found = await created(client, FOUR, "a kite sim:fail-item=2", **group(3))
    assert [set(item) for item in found["data"]] == [{"url", "size"}, {"error"}, {"url", "size"}]
    assert found["data"][1]["error"]["code"] == "OutputImageSensitiveContentDetected"
    assert found["usage"]["generated_images"] == 2


async def test_all_can_fail(client: httpx.AsyncClient) -> None:
    for prompt, more in (
        ("sim:moderated", {}),
        ("sim:moderation", {}),
        ("sim:moderation", group(3)),
        ("sim:fail-item=1", {}),
    ):
        reply = await client.post(PATH, json=asking(prompt=prompt, **more))
        assert error_of(reply) == (400, "OutputImageSensitiveContentDetected")
        assert reply.json()["error"]["type"] == "invalid_request_error"


async def test_what_is_sent_can_be_refused(client: httpx.AsyncClient) -> None:
    reply = await client.post(PATH, json=asking(prompt="sim:bad-words"))
    assert error_of(reply) == (400, "InputTextSensitiveContentDetected")
    given = asking(prompt="sim:real-person=2", image=[PICTURE, PICTURE])
    reply = await client.post(PATH, json=given)
    assert error_of(reply) == (400, "InputImageSensitiveContentDetected.PrivacyInformation")
    assert reply.json()["error"]["param"] == "image[1]"
    assert "image[1]" in reply.json()["error"]["message"]


async def test_the_usual_words_work(client: httpx.AsyncClient) -> None:
    given = asking(prompt="sim:503x1 kite")
    statuses = [(await client.post(PATH, json=given)).status_code for _ in range(2)]
    assert statuses == [503, 200]
    assert (await client.post(PATH, json=asking(prompt="sim:429/8"))).headers["retry-after"] == "8"
    page = await client.post(PATH, json=asking(prompt="sim:html"))
    assert page.headers["content-type"].startswith("text/html")
    cut = await client.post(PATH, json=asking(prompt="sim:cut"))
    with pytest.raises(json.JSONDecodeError):
        cut.json()


# --- streams -----------------------------------------------------------------------------------------------


async def streamed(
    client: httpx.AsyncClient, prompt: str = "a red kite", **more: Any
) -> list[tuple[str, Any]]:
    given = {"size": "1024x1024", "stream": True} | group(3) | more
    reply = await client.post(PATH, json=asking(FOUR, prompt, **given))
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in reply.text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            name = lines[0].removeprefix("event: image_generation.") if len(lines) > 1 else ""
            data = lines[-1].removeprefix("data: ")
            found.append((name, data if data == "[DONE]" else json.loads(data)))
    return found


async def test_pictures_come_one_by_one(client: httpx.AsyncClient) -> None:
    found = await streamed(client)
    assert [name for name, _ in found] == ["partial_succeeded"] * 3 + ["completed", ""]
    assert found[-1][1] == "[DONE]"
    assert [event["image_index"] for _, event in found[:3]] == [0, 1, 2]
    for name, event in found[:3]:
        assert event["type"] == f"image_generation.{name}"
        assert set(event) == {"type", "model", "created", "image_index", "url", "size"}
    plain = await created(client, FOUR, **group(3))
    assert found[3][1]["usage"] == plain["usage"]
    first = [await image_bytes(client, item) for item in (found[0][1], plain["data"][0])]
    assert first[0] == first[1]


async def test_a_failed_picture_does_not_end_the_stream(client: httpx.AsyncClient) -> None:
    found = await streamed(client, "a kite sim:fail-item=2", response_format="b64_json")
    assert [name for name, _ in found] == [
        "partial_succeeded", "partial_failed", "partial_succeeded", "completed", "",
    ]  # fmt: skip
    assert set(found[1][1]) == {"type", "model", "created", "image_index", "error"}
    assert found[3][1]["usage"]["generated_images"] == 2
    assert opened(await image_bytes(client, found[2][1])).size == (1024, 1024)
    none = await streamed(client, "sim:moderation")
    assert [name for name, _ in none] == ["partial_failed"] * 3 + ["completed", ""]
    assert none[3][1]["usage"] == {"generated_images": 0, "output_tokens": 0, "total_tokens": 0}


async def test_streams_end_as_asked(client: httpx.AsyncClient) -> None:
    assert [name for name, _ in await streamed(client, "sim:cut=2")] == ["partial_succeeded"] * 2
    *before, (name, last) = await streamed(client, "sim:error-midstream=1")
    assert (len(before), name, set(last["error"])) == (1, "", {"message", "type", "code"})


async def test_a_refusal_is_json_even_for_a_stream(client: httpx.AsyncClient) -> None:
    reply = await client.post(PATH, json=asking(stream=True, size="huge"))
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "size")


async def test_the_headers_come_with_the_first_picture() -> None:
    order: list[str] = []

    async def sleep(seconds: float) -> None:
        order.append("wait")

    from anyfast_nb.simulator.app import build

    app = build(Config(key=KEY), sleep=sleep)
    raw = json.dumps(asking(stream=True, **group(2))).encode()
    first = [{"type": "http.request", "body": raw, "more_body": False}]

    async def receive() -> dict[str, Any]:
        import asyncio

        return first.pop() if first else await asyncio.Event().wait()  # type: ignore[return-value]

    async def send(message: dict[str, Any]) -> None:
        order.append(message["type"].rpartition(".")[2])

    given = {"host": "localhost", "authorization": f"Bearer {KEY}", "content-type": "application/json"}
    scope = {
        "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "http_version": "1.1", "scheme": "http", "server": ("localhost", 80), "client": ("127.0.0.1", 1),
        "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    assert order[:3] == ["wait", "start", "body"]


async def test_a_link_works_24_hours_twice_as_long_as_that_of_a_film() -> None:
    clock = Clock()
    async with timed(clock, speed=0) as client:
        link = (await created(client, FOUR, "a kite", size="1K"))["data"][0]["url"]
        assert "X-Tos-Expires=86400" in link
        clock.at += 24 * 3600 - 1
        assert (await client.head(link)).status_code == 200
        clock.at += 3
        assert (await client.get(link)).status_code == 403


async def test_an_endless_prompt_is_refused(client: httpx.AsyncClient) -> None:
    reply = await client.post(PATH, json=asking(prompt="w" * 20_001))
    assert error_of(reply) == (400, "invalid_parameter")
    assert reply.json()["error"]["param"] == "prompt"
