"""Pictures: one request, each a file at once, whatever else breaks off."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.client.faces import AsyncClient
from anyfast_nb.errors import (
    AnyFastError,
    BadRequestError,
    Billed,
    ConfigError,
    InputError,
    ModerationError,
    ServerError,
    WireCut,
)
from anyfast_nb.jobs.pictures import Picture, Pictures
from anyfast_nb.settings import home
from tests.jobs.conftest import (
    KEY,
    SECRETS,
    MakeClient,
    everything_on_disk,
    ledger_rows,
    link,
    names,
    picture_reply,
    png,
    posts,
    refused,
)
from tests.wire_server import CUT, RESET, Reply, WireServer

PROMPT = "A red kite over a green hill"
USAGE = {"generated_images": 1, "output_tokens": 16384, "total_tokens": 16384}
EXPIRED = Reply(status=403, body=(b"<Error/>",), content_type="text/xml")


def whole(*items: dict[str, Any], **fields: Any) -> Reply:
    body = {"model": "doubao-seedream-5-0-260128", "created": 1775029815, "data": list(items), "usage": USAGE}
    return Reply.json(body | fields)


def event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": f"image_generation.{kind}", "model": "served", "created": 1757396757} | fields)


def failed(
    message: str = "did not pass", code: str = "OutputImageSensitiveContentDetected"
) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def b64(colour: str = "red") -> str:
    return base64.b64encode(png(colour)).decode()


def test_a_picture_is_downloaded_at_once(wire_server: WireServer, client: MakeClient, folder: Path) -> None:
    wire_server.script(whole({"url": link(wire_server, "a.jpeg"), "size": "2048x2048"}), picture_reply(png()))
    pictures = client().seedream(PROMPT, size="2K")

    assert isinstance(pictures, Pictures)
    assert len(pictures) == 1
    picture = pictures[0]
    assert isinstance(picture, Picture)
    assert picture.path is not None
    assert picture.path.read_bytes() == png()
    assert picture.size == (400, 400)  # what came counts, not what was said
    assert picture.image.getpixel((5, 5)) == (255, 0, 0)
    assert not picture.failed
    assert (pictures.model, pictures.usage.output_tokens) == ("doubao-seedream-5-0-260128", 16384)
    assert names(folder) == [".gitignore", "seedream-T.json", "seedream-T.png"]  # by its content
    sent = wire_server.requests[0].json()
    assert "stream" not in sent
    assert sent["watermark"] is False
    row = ledger_rows()[0]
    assert (row["kind"], row["status"], row["output_tokens"]) == ("seedream", "ok", 16384)
    assert row["request_hash"] == pictures.request_hash


def test_base64_is_decoded_and_kept_nowhere_else(
    wire_server: WireServer, client: MakeClient, folder: Path
) -> None:
    wire_server.script(whole({"b64_json": b64()}))
    pictures = client().seedream(f"{PROMPT} {KEY}", response_format="b64_json", images=[png("blue")])
    assert pictures.paths[0].read_bytes() == png()
    on_disk = everything_on_disk(home(), folder)
    assert PROMPT.encode() in on_disk
    seen = repr(pictures) + str(pictures.request) + json.dumps(pictures._repr_mimebundle_())
    for secret in (*SECRETS, b64()[20:80], b64("blue")[20:80]):
        assert secret.encode() not in on_disk
        assert secret not in seen.replace(pictures.prompt, "") or secret in b64()


def test_a_group_streams_and_what_failed_in_it_stays_as_failed(
    wire_server: WireServer, client: MakeClient, folder: Path
) -> None:
    wire_server.script(
        Reply.sse(
            event("partial_succeeded", image_index=0, url=link(wire_server, "0.jpeg"), size="2496x1664"),
            event("partial_failed", image_index=1, **failed("no. 2 did not pass")),
            event("partial_succeeded", image_index=2, b64_json=b64("blue")),
            event("completed", usage=USAGE | {"generated_images": 2}),
            done=True,
        ),
        picture_reply(png("green")),
    )
    told: list[int] = []
    pictures = client().seedream(
        PROMPT, model="doubao-seedream-4-5-251128", count=3, on_picture=lambda one: told.append(one.index)
    )
    assert wire_server.requests[0].json()["stream"] is True
    assert [picture.failed for picture in pictures] == [False, True, False]
    assert pictures[1].error == "no. 2 did not pass"
    assert pictures[1].error_code == "OutputImageSensitiveContentDetected"
    assert [picture.index for picture in pictures.made] == [0, 2]
    assert sorted(told) == [0, 1, 2]
    assert names(folder) == [".gitignore", "seedream-T-1.png", "seedream-T-3.png", "seedream-T.json"]
    assert [path.name[-6:] for path in pictures.save(folder / "kept")] == ["-1.png", "-3.png"]
    with pytest.raises(AnyFastError, match="picture 1 failed"):
        pictures[1].save("x.png")
    sidecar = json.loads((pictures.paths[0].parent / f"{pictures.paths[0].stem[:-2]}.json").read_text())
    assert [one["error"] for one in sidecar["files"]] == ["", "no. 2 did not pass", ""]
    assert ledger_rows()[0]["status"] == "ok"


@pytest.mark.parametrize(
    ("options", "streams"),
    [
        ({}, False),
        ({"count": 1}, False),
        ({"count": 2, "model": "doubao-seedream-4-0-250828"}, True),
        ({"count": 2, "model": "doubao-seedream-4-0-250828", "stream": False}, False),
        ({"count": 2, "model": "some-other-model"}, False),
        ({"stream": True, "model": "doubao-seedream-4-0-250828"}, True),
    ],
)
def test_a_stream_is_asked_for_where_it_helps_and_works(
    wire_server: WireServer, client: MakeClient, options: dict[str, Any], streams: bool
) -> None:
    wire_server.script(whole({"b64_json": b64()}))  # a server that ignores `stream` is answered too
    pictures = client().seedream(PROMPT, **options)
    assert wire_server.requests[0].json().get("stream", False) is streams
    assert len(pictures.made) == 1


def test_all_failed_is_a_failure(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(whole(failed(), failed("second")))
    with pytest.raises(ModerationError, match="did not pass") as caught:
        client().seedream(PROMPT)
    assert caught.value.billed is Billed.NO
    assert isinstance(caught.value.partial, Pictures)
    assert len(caught.value.partial.failed) == 2
    assert ledger_rows()[0]["status"] == "error"


def test_a_refusal_names_the_argument(wire_server: WireServer, client: MakeClient) -> None:
    wire_server.script(refused("'image[1]' is too small", code="InputImageSensitiveContentDetected"))
    with pytest.raises(ModerationError, match=r"image\[1\] \(images\[1\]\)"):
        client().seedream(PROMPT, images=[png("red"), png("blue")])
    wire_server.script(refused("size is wrong"))
    with pytest.raises(BadRequestError, match="size is wrong"):
        client().seedream(PROMPT)
    assert [row["status"] for row in ledger_rows()] == ["error", "error"]


LOST = {
    "reset": Reply(body=(RESET,)),
    "cut": Reply(body=(b'{"data": [{"url": "htt', CUT)),
    "500": Reply.json({"error": {"message": "x"}}, status=500),
    "no picture": Reply.json({"model": "m", "data": [], "usage": USAGE}),
    "a stream that ends before it began": Reply.sse(CUT),
}


@pytest.mark.parametrize("name", LOST)
def test_a_lost_reply_is_never_asked_for_again(
    wire_server: WireServer, client: MakeClient, name: str
) -> None:
    wire_server.script(LOST[name], whole({"b64_json": b64()}))
    with pytest.raises(AnyFastError) as caught:
        client().seedream(PROMPT, stream=name.startswith("a stream"), model="doubao-seedream-4-5-251128")
    assert len(wire_server.requests) == 1
    row = ledger_rows()[0]
    assert row["status"] == "submit_unknown"
    assert caught.value.billed is Billed.MAYBE
    for part in ("may be billed", "look in the console", row["id"], row["request_hash"][:16]):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "end",
    [(CUT,), ('{"error": {"code": "InternalServiceError", "message": "broke"}}',), ("not json",), ()],
    ids=["cut", "an error", "nonsense", "a clean end too soon"],
)
def test_what_had_come_before_a_stream_broke_off_is_kept(
    wire_server: WireServer, client: MakeClient, folder: Path, end: tuple[Any, ...]
) -> None:
    first = event("partial_succeeded", image_index=0, url=link(wire_server, "0.jpeg"))
    wire_server.script(Reply.sse(first, *end), picture_reply(png()))
    with pytest.raises((WireCut, ServerError)) as caught:
        client().seedream(PROMPT, count=3, model="doubao-seedream-4-5-251128")
    pictures = caught.value.partial
    assert isinstance(pictures, Pictures)
    assert [path.read_bytes() for path in pictures.paths] == [png()]
    assert "1 of the pictures had come" in str(caught.value)
    assert ledger_rows()[0]["status"] == "truncated"
    assert len(posts(wire_server)) == 1
    assert "seedream-T.json" in names(folder)


def test_a_stream_that_breaks_off_after_its_last_word_is_whole(
    wire_server: WireServer, client: MakeClient
) -> None:
    first = event("partial_succeeded", image_index=0, b64_json=b64())
    wire_server.script(Reply.sse(first, event("completed", usage=USAGE), CUT))
    assert len(client().seedream(PROMPT, count=2, model="doubao-seedream-4-5-251128").made) == 1


def test_a_picture_that_was_made_and_did_not_come_can_be_fetched_again(
    wire_server: WireServer, client: MakeClient
) -> None:
    items = [{"url": link(wire_server, "0.jpeg")}, {"b64_json": b64()}]
    wire_server.script(whole(*items), EXPIRED)
    pictures = client().seedream(PROMPT)
    assert [picture.failed for picture in pictures] == [True, False]
    assert "not on this disk" in pictures[0].error
    wire_server.script(picture_reply(png("green")))
    assert pictures.fetch() is pictures
    assert [picture.failed for picture in pictures] == [False, False]
    assert len(posts(wire_server)) == 1

    wire_server.script(whole(items[0]), EXPIRED)
    with pytest.raises(ConfigError, match="no picture is on this disk") as caught:
        client().seedream(PROMPT)
    assert caught.value.billed is Billed.YES
    wire_server.script(picture_reply(png("green")))
    lost = caught.value.partial
    assert isinstance(lost, Pictures)
    assert lost.fetch().made


def test_what_is_no_picture_gets_no_name(wire_server: WireServer, client: MakeClient, folder: Path) -> None:
    page = Reply(body=(b"<html>sign in</html>",), content_type="text/html")
    nonsense = base64.b64encode(b"no picture").decode()
    wire_server.script(whole({"url": link(wire_server)}, {"b64_json": nonsense}, {"b64_json": "%%"}), page)
    with pytest.raises(ConfigError):
        client().seedream(PROMPT)
    assert [name for name in names(folder) if not name.startswith(".")] == ["seedream-T.json"]


def test_wrong_arguments_are_refused_before_anything_is_sent(
    wire_server: WireServer, client: MakeClient
) -> None:
    for options in ({"size": "9K"}, {"count": 99}, {"images": [b"text"]}, {"images": png()}, {"sise": "2K"}):
        with pytest.raises(InputError):
            client().seedream(PROMPT, **options)  # type: ignore[arg-type]
    assert wire_server.requests == []


async def test_pictures_are_awaited(wire_server: WireServer, async_client: Callable[[], AsyncClient]) -> None:
    wire_server.script(whole({"b64_json": b64()}))
    async with async_client() as client:
        assert len(await client.seedream(PROMPT)) == 1


def test_a_picture_of_one_wish_is_a_medium_of_the_next(wire_server: WireServer, client: MakeClient) -> None:
    mine = client()
    wire_server.script(whole({"b64_json": b64()}), Reply.json({"id": "asyntask_1", "status": ""}))
    pictures = mine.seedream(PROMPT)
    job = mine.seedance("It rises", first_frame=pictures[0])
    sent = wire_server.requests[1].json()["content"][1]
    assert sent["image_url"]["url"] == f"data:image/png;base64,{b64()}"
    assert job.mode == "first_frame"


def test_what_the_caller_s_function_raises_is_raised_once_all_is_kept(
    wire_server: WireServer, client: MakeClient, folder: Path
) -> None:
    address = link(wire_server, "a.png")
    wire_server.script(
        Reply.json({"model": "m", "created": 1, "data": [{"url": address}, {"url": address}]}),
        picture_reply(png()),
        picture_reply(png()),
    )

    def mine(_: object) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine") as caught:
        client().seedream("A cat", on_picture=mine)
    kept = [name for name in names(folder) if name.endswith(".png")]
    assert len(kept) == 2
    assert "kept" in "".join(caught.value.__notes__)
    assert [row["status"] for row in ledger_rows()] == ["ok"]


def test_a_function_that_is_none_is_refused_before_anything_is_sent(
    wire_server: WireServer, client: MakeClient
) -> None:
    with pytest.raises(InputError, match="on_picture"):
        client().seedream("A cat", on_picture=5)  # type: ignore[arg-type]
    assert wire_server.requests == []
