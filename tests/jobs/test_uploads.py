"""A local clip for Seedance becomes an asset; and `client.assets` as a person uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anyfast_nb.client.faces import AsyncClient, Client
from anyfast_nb.errors import BadRequestError, Billed, InputError
from tests.assets.conftest import Store
from tests.jobs.conftest import KEY, NO_WAITS, Time, created, png
from tests.wire_server import Reply, Request

PROMPT = "Extend @video1"


class StoreAndStudio(Store):
    """An asset store that takes wishes for films as well."""

    def take(self, request: Request) -> Reply:
        if request.path.startswith("/volc/"):
            return super().take(request)
        self.requests.append(request)
        return created()


@pytest.fixture
def store() -> Iterator[StoreAndStudio]:
    with StoreAndStudio() as store:
        yield store


@pytest.fixture
def own(store: StoreAndStudio, time: Time, folder: Path) -> Iterator[Client]:
    with Client(api_key=KEY, base_url=store.url, policy=NO_WAITS) as client:
        client.pace = time.pace()
        yield client


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    import av
    from PIL import Image

    path = tmp_path / "dance.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 864, 496, "yuv420p"
        for _ in range(24 * 3):
            out.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (864, 496), "red"))))
        out.mux(stream.encode())
    return path


def wishes(store: StoreAndStudio) -> list[dict[str, Any]]:
    return [request.json() for request in store.requests if request.path == "/v1/video/generations"]


def test_a_local_clip_is_uploaded_once_and_named(own: Client, store: StoreAndStudio, clip: Path) -> None:
    first = own.seedance(PROMPT, videos=[clip])
    second = own.seedance(PROMPT, videos=[clip.read_bytes()])
    ids = [wish["content"][1]["video_url"]["url"] for wish in wishes(store)]
    assert ids[0] == ids[1]
    assert ids[0].startswith("asset://asset-")
    assert len(store.actions("CreateAsset")) == 1
    asset_id = ids[0].removeprefix("asset://")
    assert f"videos[0]: uploaded as asset {asset_id}" in first.notes
    assert f"videos[0]: uploaded as asset {asset_id} (reused)" in second.notes
    assert first.request["content"][1]["video_url"]["url"] == ids[0]
    assert first.mode == "extend"


def test_a_wrong_argument_is_told_before_anything_is_uploaded(
    own: Client, store: StoreAndStudio, clip: Path
) -> None:
    with pytest.raises(InputError, match="duration"):
        own.seedance(PROMPT, videos=[clip], duration=99)
    with pytest.raises(InputError, match=r"videos\[0\]"):
        own.seedance(PROMPT, videos=[png()])
    assert store.requests == []


def test_addresses_are_passed_on(own: Client, store: StoreAndStudio) -> None:
    own.seedance(PROMPT, videos=["https://example.com/a.mp4", "Asset://asset-9"])
    urls = [item["video_url"]["url"] for item in wishes(store)[0]["content"][1:]]
    assert urls == ["https://example.com/a.mp4", "asset://asset-9"]
    assert not store.actions("CreateAsset")


def test_assets_are_managed_and_are_media(own: Client, store: StoreAndStudio, clip: Path) -> None:
    assets = own.assets
    group = assets.create_group("hero", about="a cat")
    picture = assets.create(png(), group=group, name="face")
    assert (picture.type, picture.group_id) == ("Image", group.id)
    assert assets.wait(picture).usable
    assert assets.ensure(clip).type == "Video"
    assert assets.create("https://example.com/a.mp3", asset_type="audio", group=group.id).type == "Audio"
    assert {asset.id for asset in assets.list()} >= {picture.id}
    assert assets.get(picture.reference).id == picture.id
    assets.update(picture.id, name="another")
    assert assets.get(picture.id).name == "another"
    assets.update_group(group.id, name="villain")
    assert assets.get_group(group.id).name == "villain"
    assert "villain" in [one.name for one in assets.groups()]

    own.seedance("@image1 dances", images=[picture])
    assert wishes(store)[0]["content"][1]["image_url"]["url"] == picture.reference
    assets.delete(picture.id)
    assets.delete_group(group.id)
    assert store.actions("DeleteAsset") == ["DeleteAsset"]


def test_assets_and_groups_stand_for_their_ids(own: Client, store: StoreAndStudio) -> None:
    assets = own.assets
    group = assets.create_group("hero")
    picture = assets.create(png(), group=group)
    assert assets.get(picture).id == assets.get(picture.id).id == picture.id
    assert [one.id for one in assets.list(ids=[picture])] == [picture.id]
    assets.update(picture, name="another")
    assets.update_group(group, name="villain")
    assert assets.get_group(group).name == "villain"
    assets.delete(picture)
    assets.delete_group(group)
    assert store.assets == store.groups == {}


def test_an_upload_that_is_refused_says_which_argument_and_that_no_film_was_asked_for(
    own: Client, store: StoreAndStudio, clip: Path
) -> None:
    store.script(
        Reply.json({"Id": "group-1"}),
        Reply.json({"error": {"message": "[InvalidParameter.file] PixelCountTooSmall"}}, status=400),
    )
    with pytest.raises(
        BadRequestError, match=r"videos\[0\].*PixelCountTooSmall.*no film was asked for"
    ) as caught:
        own.seedance(PROMPT, videos=[clip])
    assert caught.value.billed is Billed.NO
    assert wishes(store) == []


async def test_assets_are_awaited(store: StoreAndStudio, time: Time, folder: Path) -> None:
    async with AsyncClient(api_key=KEY, base_url=store.url, policy=NO_WAITS) as client:
        client.pace = time.pace()
        assets = client.assets
        group = await assets.create_group("hero")
        made = await assets.create(png(), group=group)
        assert (await assets.wait(made)).usable
        assert (await assets.ensure(png("blue"))).usable
        assert (await assets.get(made.id)).id == made.id
        assert len(await assets.list(group=group)) == 1
        await assets.update(made.id, name="x")
        await assets.update_group(group.id, name="y")
        assert (await assets.get_group(group.id)).name == "y"
        assert await assets.groups(name="y")
        await assets.delete(made.id)
        await assets.delete_group(group.id)


def test_a_clip_counts_by_its_content_and_is_not_uploaded_for_a_film_that_is_there(
    own: Client, store: StoreAndStudio, clip: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved.mp4"
    moved.write_bytes(clip.read_bytes())
    first = own.seedance(PROMPT, videos=[clip], reuse=True)
    uploads = len(store.actions("CreateAsset"))
    assert uploads == 1
    before = len(store.requests)
    assert own.seedance(PROMPT, videos=[moved], reuse=True) is first
    own.assets.delete(first.request["content"][1]["video_url"]["url"])  # and it does not hang on the asset
    assert own.seedance(PROMPT, videos=[moved.read_bytes()], reuse=True) is first
    assert [request.path for request in store.requests[before:]] == ["/volc/asset/DeleteAsset"]
    assert len(wishes(store)) == 1
