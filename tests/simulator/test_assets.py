from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from anyfast_nb.simulator.assets.multipart import read_form
from anyfast_nb.simulator.config import Config
from anyfast_nb.simulator.problems import Refusal
from tests.simulator.calls import (
    SEEDANCE,
    Clock,
    ark_error,
    audio,
    create,
    image,
    made,
    make_clip_of,
    png,
    png_uri,
    seedance,
    text,
    timed,
    video,
    wav,
    wav_uri,
)
from tests.simulator.conftest import KEY, connect, data_uri


class Assets:
    """The actions, short to write."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def ask(self, action: str, **body: Any) -> httpx.Response:
        return await self.client.post(f"/volc/asset/{action}", json=body)

    async def do(self, action: str, **body: Any) -> dict[str, Any]:
        reply = await self.ask(action, **body)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    async def group(self, name: str = "people", **more: Any) -> str:
        return str((await self.do("CreateAssetGroup", model="volc-asset", Name=name, **more))["Id"])

    async def add(
        self, group: str, name: str = "face", type: str = "Image", url: str = "", **more: Any
    ) -> str:
        body = {"GroupId": group, "Name": name, "AssetType": type, "URL": url or png_uri()} | more
        return str((await self.do("CreateAsset", **body))["Id"])


@pytest.fixture
async def assets() -> AsyncIterator[Assets]:
    async with connect(Config(key=KEY, speed=0)) as client:
        yield Assets(client)


def message(reply: httpx.Response) -> str:
    """The sentence of an error, which is all such an error has."""
    assert list(reply.json()["error"]) == ["message"]
    return str(reply.json()["error"]["message"])


# --- groups -----------------------------------------------------------------------------------------------


async def test_the_life_of_a_group() -> None:
    clock = Clock()
    async with timed(clock, speed=0) as client:
        assets = Assets(client)
        first = await assets.group("people", Description="of the film", GroupType="AIGC")
        second = await assets.group("places")
        assert first.startswith("group-20260427111506-")
        assert await assets.do("GetAssetGroup", Id=first) == {
            "Id": first,
            "Name": "people",
            "GroupType": "AIGC",
            "Description": "of the film",
            "ProjectName": "default",
            "CreateTime": "2026-04-27T11:15:06Z",
            "UpdateTime": "2026-04-27T11:15:06Z",
        }
        clock.at += 60
        assert await assets.do("UpdateAssetGroup", model="volc-asset", Id=first, Name="cast") == {"Id": first}
        listed = await assets.do("ListAssetGroups")
        assert [(row["Id"], row["Name"]) for row in listed["Items"]] == [(second, "places"), (first, "cast")]
        assert listed["Items"][1]["UpdateTime"] == "2026-04-27T11:16:06Z"
        only = await assets.do("ListAssetGroups", Filter={"GroupIds": [second]})
        assert [row["Id"] for row in only["Items"]] == [second]
        await assets.add(second)
        assert await assets.do("DeleteAssetGroup", Id=second) == {}
        assert (await assets.do("ListAssets"))["TotalCount"] == 0
        gone = await assets.ask("GetAssetGroup", Id=second)
    assert gone.status_code == 404
    assert (
        message(gone)
        == f"upstream_error: [NotFound.group_id] The specified asset_group {second} is not found."
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "[MissingParameter.Name] The required parameter Name is missing."),
        ({"Name": "x" * 65}, "64"),
        ({"Name": "x", "Description": "x" * 301}, "300"),
        ({"Name": "x", "GroupType": "LivenessFace"}, "validation session"),
        ({"Name": "x", "GroupType": "Zoo"}, "AIGC"),
        ({"Name": "x", "model": "seedance"}, "volc-asset"),
        ({"Name": 5}, "string"),
    ],
)
async def test_what_a_group_may_not_be(assets: Assets, body: dict[str, Any], words: str) -> None:
    reply = await assets.ask("CreateAssetGroup", **body)
    assert reply.status_code == 400
    assert words in message(reply)


# --- assets -----------------------------------------------------------------------------------------------


async def test_the_life_of_an_asset() -> None:
    clock = Clock()
    async with timed(clock) as client:
        assets = Assets(client)
        group = await assets.group()
        one = await assets.add(group, model="volc-asset")
        assert one.startswith("asset-20260427111506-")
        assert (await assets.do("GetAsset", Id=one))["Status"] == "Processing"
        clock.at += 3.1
        found = await assets.do("GetAsset", Id=one)
        url = found.pop("URL")
        assert found == {
            "Id": one,
            "Name": "face",
            "AssetType": "Image",
            "GroupId": group,
            "Status": "Active",
            "ProjectName": "default",
            "CreateTime": "2026-04-27T11:15:06Z",
            "UpdateTime": "2026-04-27T11:15:06Z",
        }
        reply = await client.get(url)
        assert (reply.content, reply.headers["content-type"]) == (png(), "image/png")
        assert await assets.do("UpdateAsset", Id=one, Name="nose") == {"Id": one}
        assert (await assets.do("GetAsset", Id=one))["Name"] == "nose"
        assert await assets.do("DeleteAsset", Id=one) == {}
        gone = await assets.ask("GetAsset", Id=one)
    assert gone.status_code == 404
    assert message(gone) == f"upstream_error: [NotFound.asset_id] The specified asset {one} is not found."


@pytest.mark.parametrize(
    ("type", "url"),
    [
        ("Image", png_uri()),
        ("Image", base64.b64encode(png()).decode()),
        ("Image", "https://example.com/face.png"),
        ("Image", data_uri(b"\0\0\0\x18ftypheic" + bytes(100), "image/heic")),
        ("Audio", wav_uri()),
        ("Video", "https://example.com/walk.mp4"),
    ],
)
async def test_what_may_be_an_asset(assets: Assets, type: str, url: str) -> None:
    one = await assets.add(await assets.group(), type=type, url=url)
    found = await assets.do("GetAsset", Id=one)
    assert found["Status"] == "Active"
    assert found["URL"].startswith("http")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"GroupId": None}, "[MissingParameter.GroupId]"),
        ({"Name": ""}, "Name must not be empty"),
        ({"AssetType": None}, "[MissingParameter.AssetType]"),
        ({"AssetType": "image"}, "Image, Video, Audio"),
        ({"URL": None}, "[MissingParameter.URL]"),
        ({"URL": "ftp://example.com/a.png"}, "http(s), a data URI or base64"),
        ({"URL": "not base64!"}, "base64"),
        ({"URL": base64.b64encode(b"no picture").decode()}, "format"),
        ({"URL": png_uri(299, 400)}, "PixelCountTooSmall"),
        ({"URL": png_uri(300, 800)}, "ratio"),
        ({"URL": wav_uri()}, "must be of type image"),
        ({"URL": png_uri(), "AssetType": "Video"}, "must be of type video"),
        ({"URL": wav_uri(1.0), "AssetType": "Audio"}, "2 to 15 s"),
        ({"model": "volc-assets"}, "volc-asset-video"),
    ],
)
async def test_what_may_not_be_an_asset(assets: Assets, more: dict[str, Any], words: str) -> None:
    body = {"GroupId": await assets.group(), "Name": "face", "AssetType": "Image", "URL": png_uri()} | more
    reply = await assets.ask("CreateAsset", **body)
    assert reply.status_code == 400
    assert words in message(reply)
    assert (await assets.client.get("/sim/requests")).json()["accepted"]["asset"] == 0


@pytest.mark.parametrize(
    ("size", "rate", "words"),
    [
        ((854, 480), 24, ""),
        ((640, 480), 24, "PixelCountTooSmall"),
        ((854, 480), 12, "24 to 60 frames"),
    ],
)
async def test_pixels_and_rate_of_a_clip(
    assets: Assets, tmp_path: Path, size: tuple[int, int], rate: int, words: str
) -> None:
    data = make_clip_of(tmp_path / "clip.mp4", width=size[0], height=size[1], rate=rate)
    group = await assets.group()
    body = {"GroupId": group, "Name": "walk", "AssetType": "Video", "URL": data_uri(data, "video/mp4")}
    reply = await assets.ask("CreateAsset", model="volc-asset-video", **body)
    assert reply.status_code == (400 if words else 200)
    assert not words or words in message(reply)


async def test_a_model_of_another_type_is_refused_strictly_only(assets: Assets) -> None:
    await assets.add(await assets.group(), model="volc-asset-video")
    async with connect(Config(key=KEY, speed=0, strict=True)) as client:
        strict = Assets(client)
        body = {"GroupId": await strict.group(), "Name": "a", "AssetType": "Image", "URL": png_uri()}
        reply = await strict.ask("CreateAsset", model="volc-asset-video", **body)
    assert "the one for Image" in message(reply)


async def test_a_name_is_used_once_in_a_group(assets: Assets) -> None:
    group, other = await assets.group(), await assets.group()
    await assets.add(group)
    again = await assets.ask("CreateAsset", GroupId=group, Name="face", AssetType="Image", URL=png_uri())
    assert again.status_code == 404
    assert "taken" in message(again)
    await assets.add(other)


async def test_a_new_name_is_not_one_that_is_taken(assets: Assets) -> None:
    group = await assets.group()
    await assets.add(group)
    form = {"GroupId": group, "Name": "other", "AssetType": "Image", "URL": png_uri()}
    other = (await assets.do("CreateAsset", **form))["Id"]
    assert (await assets.do("UpdateAsset", Id=other, Name="other"))["Id"] == other
    reply = await assets.ask("UpdateAsset", Id=other, Name="face")
    assert reply.status_code == 404
    assert "taken" in message(reply)
    assert (await assets.do("GetAsset", Id=other))["Name"] == "other"


async def test_a_group_that_is_not_there(assets: Assets) -> None:
    reply = await assets.ask("CreateAsset", GroupId="group-x", Name="a", AssetType="Image", URL=png_uri())
    assert reply.status_code == 404
    assert "[NotFound.group_id]" in message(reply)


# --- upload -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "type", "expected"),
    [(png(), "Image", "Image"), (png(), None, "Image"), (wav(), "Audio", "Audio")],
)
async def test_a_file_may_be_uploaded(assets: Assets, data: bytes, type: str | None, expected: str) -> None:
    form = {"model": "volc-asset", "GroupId": await assets.group(), "Name": "脸"} | (
        {"AssetType": type} if type else {}
    )
    reply = await assets.client.post("/volc/asset/CreateAsset", data=form, files={"file": ("a.bin", data)})
    assert reply.status_code == 200, reply.text
    found = await assets.do("GetAsset", Id=reply.json()["Id"])
    assert (found["Name"], found["AssetType"]) == ("脸", expected)
    assert (await assets.client.get(found["URL"])).content == data


async def test_an_upload_without_a_type_is_taken_for_a_picture(assets: Assets) -> None:
    form = {"GroupId": await assets.group(), "Name": "sound"}
    reply = await assets.client.post("/volc/asset/CreateAsset", data=form, files={"file": ("a.wav", wav())})
    assert (reply.status_code, "must be of type image" in message(reply)) == (400, True)


NASTY = b"\r\n--almost\r\n\r\n--\x00\xff\n\r" * 3


@pytest.mark.parametrize("data", [b"", b"x", NASTY, NASTY + b"\r\n", b"--boundary", bytes(range(256)) * 50])
def test_a_form_gives_back_every_byte(data: bytes) -> None:
    request = httpx.Request("POST", "http://x", data={"Name": "a\r\nb"}, files={"file": ("é.bin", data)})
    fields, file = read_form(request.read(), content_type=request.headers["content-type"])
    assert (fields, file) == ({"Name": "a\r\nb"}, data)


@pytest.mark.parametrize(
    ("raw", "content_type", "words"),
    [
        (b"", "multipart/form-data", "boundary"),
        (b"", "multipart/form-data; boundary=b", "boundary is missing"),
        (b"--b\r\nA: b\r\n\r\nx", "multipart/form-data; boundary=b", "boundary is missing"),
        (b"--b\r\nno headers\r\n--b--", "multipart/form-data; boundary=b", "without headers"),
        (
            b"--b\r\nA: b" + b"; a=b" * 1000 + b"\r\n\r\n--b--",
            "multipart/form-data; boundary=b",
            "4096 bytes",
        ),
        (b"--b\r\nA: b\r\n\r\n" * 40 + b"\r\n--b--", "multipart/form-data; boundary=b", "at most 32"),
    ],
)
def test_a_form_that_is_none(raw: bytes, content_type: str, words: str) -> None:
    raw = raw.replace(b"\r\n\r\n--b", b"\r\n\r\nx\r\n--b")
    with pytest.raises(Refusal, match=words):
        read_form(raw, content_type=content_type)


# --- lists ------------------------------------------------------------------------------------------------


async def test_lists_have_pages_and_filters(assets: Assets) -> None:
    people, places = await assets.group("people"), await assets.group("places", GroupType="AIGC")
    ids = [await assets.add(people, f"face {number}") for number in range(12)]
    town = await assets.add(places, "town", url="https://example.com/town.png")

    async def listed(filter: dict[str, Any], **more: Any) -> list[str]:
        return [row["Id"] for row in (await assets.do("ListAssets", Filter=filter, **more))["Items"]]

    first = await assets.do("ListAssets")
    assert (first["PageNumber"], first["PageSize"], first["TotalCount"]) == (1, 10, 13)
    assert [row["Id"] for row in first["Items"]] == [town, *ids[:2:-1]]
    assert await listed({}, PageNumber=2) == ids[2::-1]
    assert await listed({}, PageNumber=3) == []
    assert await listed({"GroupIds": [places]}) == [town]
    assert await listed({"Ids": [ids[4]]}) == [ids[4]]
    assert await listed({"Name": "FACE 1"}) == [ids[11], ids[10], ids[1]]
    assert await listed({"Statuses": ["Failed"]}) == []
    assert len(await listed({"Statuses": ["Active"]}, PageSize=100)) == 13
    # Groups made without a type are not found by one.
    assert await listed({"GroupType": "AIGC"}) == [town]
    assert "at most 100" in message(await assets.ask("ListAssets", PageSize=101))
    assert "array of strings" in message(await assets.ask("ListAssets", Filter={"Ids": "x"}))


# --- words in a Name --------------------------------------------------------------------------------------


async def test_an_asset_that_fails(assets: Assets) -> None:
    one = await assets.add(await assets.group(), "face sim:asset-failed")
    found = await assets.do("GetAsset", Id=one)
    assert (found["Status"], found["URL"]) == ("Failed", "")
    assert set(found["Error"]) == {"Code", "Message"}


async def test_an_asset_that_takes_long(assets: Assets) -> None:
    one = await assets.add(await assets.group(), "face sim:asset-polls=2")
    seen = [(await assets.do("GetAsset", Id=one))["Status"] for _ in range(3)]
    assert seen == ["Processing", "Processing", "Active"]
    clock = Clock()
    async with timed(clock, speed=2) as client:
        slow = Assets(client)
        one = await slow.add(await slow.group(), "face sim:asset-slow=60")
        clock.at += 31
        assert (await slow.do("GetAsset", Id=one))["Status"] == "Processing"
        clock.at += 1
        assert (await slow.do("GetAsset", Id=one))["Status"] == "Active"


async def test_an_asset_that_is_not_known_everywhere_yet(assets: Assets) -> None:
    one = await assets.add(await assets.group(), "face sim:asset-lag=2")
    assert (await assets.ask("GetAsset", Id=one)).status_code == 404
    assert (await assets.do("ListAssets"))["Items"] == []
    assert (await assets.do("GetAsset", Id=one))["Status"] == "Active"
    body = seedance(text(), image(f"asset://{one}"))
    for _ in range(2):
        error = ark_error(await assets.client.post(SEEDANCE, json=body))
        assert "invalid url scheme" in error["message"]
    await create(assets.client, body)


async def test_a_group_that_is_not_known_everywhere_yet(assets: Assets) -> None:
    group = await assets.group("people sim:asset-lag=1")
    body = {"GroupId": group, "Name": "face", "AssetType": "Image", "URL": png_uri()}
    assert (await assets.ask("CreateAsset", **body)).status_code == 404
    assert (await assets.ask("CreateAsset", **body)).status_code == 200


async def test_an_error_with_status_200_and_the_upstreams_envelope(assets: Assets) -> None:
    reply = await assets.do("CreateAssetGroup", Name="sim:asset-200")
    assert list(reply) == ["error"]
    assert (await assets.do("ListAssetGroups"))["TotalCount"] == 0
    reply = await assets.do("CreateAssetGroup", Name="sim:asset-envelope")
    assert set(reply) == {"ResponseMetadata", "Result"}
    assert reply["Result"]["Id"].startswith("group-")


async def test_statuses_by_name(assets: Assets) -> None:
    reply = await assets.ask("CreateAssetGroup", Name="sim:429x1/9")
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "9")
    assert (await assets.ask("CreateAssetGroup", Name="sim:429x1/9")).status_code == 200


# --- faces ------------------------------------------------------------------------------------------------


async def test_a_face_is_validated_in_a_session(assets: Assets) -> None:
    refused = await assets.ask("CreateVisualValidateSession")
    assert message(refused).endswith("[***.CallbackURL] The required parameter CallbackURL is missing.")
    session = await assets.do("CreateVisualValidateSession", CallbackURL="https://example.com/done")
    assert set(session) == {"BytedToken", "CallbackURL", "H5Link"}
    token = session["BytedToken"]
    assert await assets.do("GetVisualValidateResult", BytedToken=token) == {"GroupId": ""}
    group = (await assets.do("GetVisualValidateResult", BytedToken=token))["GroupId"]
    assert (await assets.do("ListAssetGroups"))["Items"] == []
    one = await assets.add(group)
    assert (await assets.ask("GetAsset", Id=one)).status_code == 404
    assert [row["Id"] for row in (await assets.do("ListAssets"))["Items"]] == [one]
    await create(assets.client, seedance(text(), image(f"asset://{one}")))


# --- in films ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["asset", "Asset"])
async def test_films_refer_to_assets(assets: Assets, scheme: str) -> None:
    one = await assets.add(await assets.group(), url=png_uri(320, 560))
    found = await made(assets.client, seedance(text("@image1"), image(f"{scheme}://{one}")))
    assert found["data"]["ratio"] == "9:16"


async def test_films_refer_to_assets_that_are_ready_and_of_the_type() -> None:
    clock = Clock()
    async with timed(clock) as client:
        assets = Assets(client)
        group = await assets.group()
        face = await assets.add(group)
        failed = await assets.add(group, "sim:asset-failed")

        async def refused(*content: dict[str, Any]) -> str:
            return str(ark_error(await client.post(SEEDANCE, json=seedance(*content)))["message"])

        assert "still processing and is not available yet" in await refused(image(f"asset://{face}"))
        clock.at += 10
        assert "of type video" in await refused(video(f"asset://{face}"))
        assert "of type audio" in await refused(image(), audio(f"asset://{face}"))
        assert "could not be processed" in await refused(image(f"asset://{failed}"))
        await create(client, seedance(image(f"asset://{face}")))
