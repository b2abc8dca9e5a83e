from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from anyfast_nb.assets import shared
from anyfast_nb.assets.assets import DEFAULT_GROUP, Assets
from anyfast_nb.errors import (
    Billed,
    InputError,
    LedgerError,
    ModerationError,
    NotFoundError,
    ProtocolError,
    ReadTimedOut,
    ServerError,
    StatusError,
    WireCut,
)
from anyfast_nb.ledger.assets import StoredAsset
from anyfast_nb.ledger.store import Ledger
from anyfast_nb.media.item import MediaItem
from anyfast_nb.media.sniff import Kind
from anyfast_nb.secret import Secret
from anyfast_nb.wire.assets import Asset, AssetStatus
from tests.assets.conftest import KEY, Open, Store, Time, rows
from tests.wire_server import CUT, HANG, Reply

URL = "https://pictures.example/a.png?X-Sig=s3cr3t"


def picture(content: bytes = b"\x89PNG picture", label: str = "hero.png") -> MediaItem:
    return MediaItem(Kind.IMAGE, data=content, media_type="image/png", size_bytes=len(content), label=label)


def clip(content: bytes = b"\x00\x00\x00\x10ftyp clip") -> MediaItem:
    return MediaItem(
        Kind.VIDEO, data=content, media_type="video/mp4", size_bytes=len(content), label="clip.mp4"
    )


def sound() -> MediaItem:
    return MediaItem(Kind.AUDIO, data=b"ID3 sound", media_type="audio/mpeg", size_bytes=9, label="sound.mp3")


def stored(
    asset_id: str, content: bytes, store: Store, *, age_s: float = 3600, key: str = KEY
) -> StoredAsset:
    return StoredAsset(
        asset_id=asset_id,
        group_id="group-1",
        sha256=hashlib.sha256(content).hexdigest(),
        asset_type="Image",
        base_url=store.url,
        key_mark=Secret(key).mark(),
        created_at=datetime.now(UTC) - timedelta(seconds=age_s),
    )


# --- groups -----------------------------------------------------------------------------------


async def test_groups_are_made_found_renamed_and_deleted(assets: Assets, store: Store) -> None:
    group = await assets.create_group("hero", about="a cat")
    assert (group.id, group.name, group.about) == ("group-1", "hero", "a cat")
    await assets.create_group("other")
    assert [one.name for one in await assets.groups()] == ["hero", "other"]
    assert [one.name for one in await assets.groups(name="HERO")] == ["hero"]
    await assets.update_group(group.id, name="villain")
    assert (await assets.get_group(group.id)).name == "villain"
    await assets.delete_group(group.id)
    with pytest.raises(NotFoundError, match="no group group-1"):
        await assets.get_group(group.id)


async def test_a_group_is_found_in_the_list_where_its_action_is_not_served(
    assets: Assets, store: Store
) -> None:
    store.quirks.no_group_action = True
    group = await assets.create_group("hero")
    assert (await assets.get_group(group.id)).name == "hero"
    store.script(Reply(body=(b"<html>front page</html>",), content_type="text/html"))
    assert (await assets.get_group(group.id)).name == "hero"


# --- creating ---------------------------------------------------------------------------------


async def test_a_url_becomes_an_asset_in_the_default_group(assets: Assets, store: Store) -> None:
    made = await assets.create(URL, name="hero of ours")
    assert made == Asset(
        id="asset-2", name="hero of ours", type="Image", group_id="group-1", created_at=made.created_at
    )
    assert made.reference == "asset://asset-2"
    assert store.actions() == ["ListAssetGroups", "CreateAssetGroup", "CreateAsset"]
    assert store.requests[2].json() == {
        "model": "volc-asset", "GroupId": "group-1", "Name": "hero of ours",
        "AssetType": "Image", "URL": URL,
    }  # fmt: skip
    assert store.groups["group-1"]["Name"] == DEFAULT_GROUP


async def test_the_default_group_is_made_once(open_assets: Open, store: Store) -> None:
    first = open_assets()
    await asyncio.gather(first.create(URL), first.create(URL), open_assets().create(URL))
    again = open_assets()
    await again.create(URL)
    assert len(store.actions("CreateAssetGroup")) == 1
    store.requests.clear()
    fresh = open_assets()
    await fresh.create(URL)
    await fresh.create(URL)
    assert store.actions("CreateAssetGroup") == []
    assert len(store.actions("ListAssetGroups")) == 1


async def test_one_gateway_makes_one_default_group_at_once(assets: Assets, store: Store) -> None:
    await asyncio.gather(*[assets.create(URL) for _ in range(5)])
    assert len(store.actions("CreateAssetGroup")) == 1
    assert len({asset["Name"] for asset in store.assets.values()}) == 5


async def test_a_picture_goes_inside_the_request_a_clip_and_a_sound_as_a_file(
    assets: Assets, store: Store
) -> None:
    group = await assets.create_group("mine")
    for item in (picture(), clip(), sound()):
        await assets.create(item=item, group=group)
    image, video, audio = (store.body(request) for request in store.requests[1:])
    assert image["URL"].startswith("data:image/png;base64,")
    assert (video["file"], video["AssetType"], video["model"]) == (clip().data, "Video", "volc-asset-video")
    assert (audio["file"], audio["AssetType"], audio["model"]) == (sound().data, "Audio", "volc-asset-audio")
    assert "URL" not in video
    assert (image["Name"], video["Name"]) == ("hero.png-000001", "clip.mp4-000002")


async def test_a_clip_by_its_url_goes_as_its_url(assets: Assets, store: Store) -> None:
    group = await assets.create_group("mine")
    await assets.create(item=MediaItem(Kind.VIDEO, address="https://x.example/clip.mp4"), group=group.id)
    sent = store.requests[1].json()
    assert (sent["URL"], sent["AssetType"]) == ("https://x.example/clip.mp4", "Video")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "url"),
        ({"url": URL, "item": picture()}, "item"),
        ({"url": "s3cr3t"}, "url"),
        ({"url": URL, "asset_type": "gif"}, "asset_type"),
        ({"url": URL, "group": "../x"}, "group"),
    ],
)
async def test_wrong_arguments_send_nothing(
    assets: Assets, store: Store, ledger: Ledger, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        await assets.create(**given)
    assert caught.value.field == field
    assert store.requests == []
    assert rows(ledger) == []


async def test_a_creation_is_a_row_in_the_ledger(assets: Assets, store: Store, ledger: Ledger) -> None:
    group = await assets.create_group("mine")
    await assets.create(item=clip(), group=group)
    store.script(Reply.json({"error": {"message": f"bad key {KEY}"}}, status=400))
    with pytest.raises(StatusError):
        await assets.create(URL, group=group)
    made, good, bad = rows(ledger)
    assert {row["kind"] for row in (made, good, bad)} == {"asset"}
    assert [row["status"] for row in (made, good, bad)] == ["ok", "ok", "error"]
    assert (good["model"], good["title"]) == ("volc-asset-video", "clip.mp4-000001")
    assert KEY not in str(bad)
    assert "s3cr3t" not in str(rows(ledger))


# --- quirks -----------------------------------------------------------------------------------


async def test_a_group_that_is_not_known_yet_is_waited_for(assets: Assets, store: Store, time: Time) -> None:
    group = await assets.create_group("mine")
    store.quirks.group_lag = 2
    made = await assets.create(URL, group=group)
    assert made.id in store.assets
    assert time.slept == [3.0, 4.0]
    assert len({request.json()["Name"] for request in store.requests[1:]}) == 1


async def test_a_group_that_stays_unknown_is_an_error(assets: Assets, store: Store, ledger: Ledger) -> None:
    with pytest.raises(NotFoundError) as caught:
        await assets.create(URL, group="group-404")
    assert len(store.actions("CreateAsset")) == 5
    assert caught.value.billed is Billed.NO
    assert rows(ledger)[0]["status"] == "error"


async def test_a_default_group_that_someone_deleted_is_made_anew(
    assets: Assets, store: Store, time: Time
) -> None:
    await assets.create(URL)
    store.groups.clear()
    made = await assets.create(URL)
    assert made.group_id in store.groups
    assert made.id in store.assets
    assert time.slept == []


@pytest.mark.parametrize(
    "doubt", [Reply(body=(b"{", CUT)), Reply.json({"error": "no"}, status=500), Reply.json({})]
)
async def test_after_a_doubt_an_asset_is_looked_for_never_made_twice(
    assets: Assets, store: Store, ledger: Ledger, doubt: Reply
) -> None:
    group = await assets.create_group("mine")
    answer = store.CreateAsset

    def doubtful(body: dict[str, Any]) -> Reply:
        answer(body)
        return doubt

    store.CreateAsset = doubtful  # type: ignore[method-assign]
    made = await assets.create(URL, group=group)
    assert list(store.assets) == [made.id]
    assert len(store.actions("CreateAsset")) == 1
    assert rows(ledger)[1]["status"] == "ok"


@pytest.mark.parametrize(
    ("doubt", "error"),
    [
        (Reply(body=(b"{", CUT)), WireCut),
        (Reply.json({"error": "no"}, status=500), ServerError),
        (Reply.json({}), ProtocolError),
    ],
)
async def test_a_doubt_that_stays_is_told_and_written_down(
    assets: Assets, store: Store, ledger: Ledger, time: Time, doubt: Reply, error: type[Exception]
) -> None:
    group = await assets.create_group("mine")
    store.script(doubt)
    with pytest.raises(error):
        await assets.create(URL, group=group)
    assert len(store.actions("CreateAsset")) == 1
    assert time.slept == [3.0, 4.0, 4.0, 4.0]
    assert rows(ledger)[1]["status"] == "submit_unknown"


async def test_a_name_that_may_be_taken_finds_no_asset_after_a_doubt(
    assets: Assets, store: Store, ledger: Ledger
) -> None:
    group = await assets.create_group("mine")
    await assets.create(URL, group=group, name="hero")
    store.script(Reply(body=(b"{", CUT)))
    with pytest.raises(WireCut):  # the older hero is another asset
        await assets.create(URL, group=group, name="hero")
    assert rows(ledger)[-1]["status"] == "submit_unknown"


async def test_lists_read_all_pages(assets: Assets, store: Store) -> None:
    group = await assets.create_group("mine")
    made = [(await assets.create(URL, group=group)).id for _ in range(7)]
    store.quirks.page_size = 3
    assert [asset.id for asset in await assets.list()] == made
    assert len(store.actions("ListAssets")) == 3


async def test_a_list_that_knows_one_page_only_ends(assets: Assets, store: Store) -> None:
    store.script(*[Reply.json({"TotalCount": 99, "Items": [{"Id": "asset-1"}]})] * 5)
    assert [asset.id for asset in await assets.list()] == ["asset-1"]
    assert len(store.requests) == 2


async def test_filters_that_a_deployment_ignores_count_all_the_same(assets: Assets, store: Store) -> None:
    one, two = await assets.create_group("one"), await assets.create_group("two")
    first, second = await assets.create(URL, group=one), await assets.create(URL, group=two, name="cat")
    store.quirks.ids_ignored = True
    store._asked = {first.id: 1}
    assert [asset.id for asset in await assets.list(ids=[first.reference])] == [first.id]
    assert [asset.id for asset in await assets.list(group=two)] == [second.id]
    assert [asset.id for asset in await assets.list(name="CAT")] == [second.id]
    assert [asset.id for asset in await assets.list(statuses=["active"])] == [first.id]


async def test_the_group_type_is_given_only_where_it_is_asked_for(assets: Assets, store: Store) -> None:
    await assets.list()
    assert store.requests[0].json()["Filter"] == {}
    store.quirks.wants_group_type = True
    await assets.list()
    assert [request.json()["Filter"] for request in store.requests[1:]] == [{}, {"GroupType": "AIGC"}]


async def test_an_asset_that_lists_alone_know_is_found(assets: Assets, store: Store) -> None:
    made = await assets.create(URL)
    store.quirks.hidden = True
    assert (await assets.get(made.id)).status is AssetStatus.ACTIVE
    store.quirks.ids_ignored = True
    assert (await assets.get(made.reference)).id == made.id
    with pytest.raises(NotFoundError, match="no asset asset-404"):
        await assets.get("asset-404")


@pytest.mark.parametrize("quirk", ["wrapped", "errors_in_200"])
async def test_wrapped_replies_and_errors_in_a_200_are_understood(
    assets: Assets, store: Store, quirk: str
) -> None:
    setattr(store.quirks, quirk, True)
    made = await assets.wait(await assets.create(URL))
    assert made.usable
    with pytest.raises(NotFoundError):
        await assets.get("asset-404")


async def test_update_and_delete(assets: Assets, store: Store) -> None:
    made = await assets.create(URL)
    other = await assets.create_group("other")
    await assets.update(made.reference, name="new", group=other)
    found = await assets.get(made.id)
    assert (found.name, found.group_id) == ("new", other.id)
    await assets.delete(made.reference)
    assert store.assets == {}
    with pytest.raises(NotFoundError):
        await assets.delete(made.id)


async def test_a_deletion_whose_reply_was_lost_is_done(assets: Assets, store: Store) -> None:
    made = await assets.create(URL)
    del store.assets[made.id]
    store.script(Reply(body=(b"{", CUT)))
    await assets.delete(made.id)
    assert len(store.actions("DeleteAsset")) == 2


# --- waiting ----------------------------------------------------------------------------------


async def test_an_asset_is_asked_for_until_it_is_active(assets: Assets, store: Store, time: Time) -> None:
    store.quirks.asset_lag, store.quirks.steps = 2, 4
    found = await assets.wait(await assets.create(URL))
    assert (found.usable, found.url[:20]) == (True, "https://store.exampl")
    assert time.slept == [3.0, 3.6, 4.32, 5.0, 5.0]


async def test_an_asset_that_never_comes_is_given_up_after_20_seconds(assets: Assets, time: Time) -> None:
    with pytest.raises(NotFoundError, match="unknown after 20 s"):
        await assets.wait("asset-404")
    assert 20 <= time.passed <= 26


async def test_an_asset_that_is_never_ready_is_given_up_at_the_deadline(
    assets: Assets, store: Store, time: Time
) -> None:
    store.quirks.steps = 10_000
    made = await assets.create(URL)
    with pytest.raises(ReadTimedOut, match=f"asset {made.id} is Processing after 300 s") as caught:
        await assets.wait(made)
    assert 295 <= time.passed <= 300
    assert caught.value.billed is Billed.NO
    assert all(3 <= pause <= 5 for pause in time.slept)


@pytest.mark.parametrize(("end", "error"), [("Failed", ModerationError), ("Inactive", StatusError)])
async def test_a_failed_asset_says_why(
    assets: Assets, store: Store, end: str, error: type[StatusError]
) -> None:
    store.quirks.end = end
    with pytest.raises(error, match="failed") as caught:
        await assets.wait(await assets.create(URL))
    assert KEY not in str(caught.value)
    assert caught.value.billed is Billed.NO


async def test_trouble_on_the_way_is_repeated(assets: Assets, store: Store) -> None:
    made = await assets.create(URL)
    store.script(Reply.json({}, status=502), Reply(body=(b"{", CUT)), Reply.json({}, status=429))
    assert (await assets.wait(made)).usable


# --- the same file once -----------------------------------------------------------------------


@pytest.mark.parametrize("item", [picture(), clip(), sound()], ids=["image", "video", "audio"])
async def test_a_file_is_uploaded_once(open_assets: Open, store: Store, item: MediaItem) -> None:
    first = await open_assets().ensure(item)
    assert first.usable
    assert first.type == item.kind.value.capitalize()
    again = await open_assets().ensure(item)
    assert again.id == first.id
    assert len(store.actions("CreateAsset")) == 1


async def test_another_file_key_or_type_is_uploaded(open_assets: Open, store: Store) -> None:
    assets = open_assets()
    ids = {
        (await assets.ensure(picture())).id,
        (await assets.ensure(picture(b"\x89PNG other"))).id,
        (await assets.ensure(picture(), asset_type="video")).id,
        (await open_assets(key="sk-live-another-key-0001").ensure(picture())).id,
    }
    assert len(ids) == 4


async def test_at_the_same_time_it_is_uploaded_once_too(assets: Assets, store: Store) -> None:
    found = await asyncio.gather(*[assets.ensure(picture()) for _ in range(4)])
    assert len({asset.id for asset in found}) == 1
    assert len(store.actions("CreateAsset")) == 1
    assert shared._LOCKS == {}


async def test_two_clients_at_the_same_time_upload_it_once(open_assets: Open, store: Store) -> None:
    first, second = open_assets(), open_assets()
    found = await asyncio.gather(first.ensure(picture()), second.ensure(picture()), first.ensure(picture()))
    assert len({asset.id for asset in found}) == 1
    assert len(store.actions("CreateAsset")) == 1
    assert len(store.actions("CreateAssetGroup")) == 1


async def test_another_kernel_that_uploads_it_is_waited_for(
    open_assets: Open, store: Store, ledger: Ledger, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = open_assets()
    endpoint = (await assets._calls.transport()).endpoint
    what = f"upload Image {picture().sha256}"
    async with shared.alone(what, endpoint=endpoint, beside=ledger.path, sleep=time.sleep):
        (lock,) = ledger.path.with_name("locks").iterdir()
    theirs = os.open(lock, os.O_RDWR)
    fcntl.flock(theirs, fcntl.LOCK_EX)
    tries, locked = [], shared._locked

    def watched(file: int) -> bool:
        tries.append(store.actions("CreateAsset"))
        if len(tries) == 5:
            os.close(theirs)
        return locked(file)

    monkeypatch.setattr(shared, "_locked", watched)
    await assets.ensure(picture())
    assert tries[:5] == [[]] * 5
    assert time.slept[:4] == [shared._LOOK_S] * 4
    assert len(store.actions("CreateAsset")) == 1


async def test_without_a_place_for_locks_it_is_uploaded_all_the_same(
    assets: Assets, store: Store, ledger: Ledger
) -> None:
    ledger.path.with_name("locks").write_text("no folder")
    assert (await assets.ensure(picture())).usable
    assert len(store.actions("CreateAsset")) == 1


@pytest.mark.parametrize("what", ["group", "asset"])
async def test_a_creation_that_is_interrupted_leaves_a_doubt(
    assets: Assets, store: Store, ledger: Ledger, what: str
) -> None:
    store.script(Reply(body=(HANG,)))
    work: Coroutine[Any, Any, Any]
    work = assets.create_group("mine") if what == "group" else assets.create(URL, group="group-1")
    task = asyncio.create_task(work)
    while not store.requests:
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(store.requests) == 1
    assert [row["status"] for row in rows(ledger)] == ["submit_unknown"]


@pytest.mark.parametrize("what", ["group", "asset"])
async def test_a_doubt_says_how_to_look(assets: Assets, store: Store, what: str) -> None:
    store.script(Reply(body=(b"{", CUT)))
    work: Coroutine[Any, Any, Any]
    work = assets.create_group("mine") if what == "group" else assets.create(URL, group="g", name="mine")
    with pytest.raises(WireCut, match="may be billed") as caught:
        await work
    verb = "groups" if what == "group" else "list"
    assert f"client.assets.{verb}(name='mine')" in str(caught.value)
    assert len(caught.value.lines()) <= 3


@pytest.mark.parametrize("field", ["ids", "statuses"])
async def test_one_text_is_no_list(assets: Assets, store: Store, field: str) -> None:
    several: dict[str, Any] = {field: "Active"}
    with pytest.raises(InputError, match="must be a list") as caught:
        await assets.list(**several)
    assert caught.value.field == field
    assert store.requests == []


async def test_an_asset_that_is_gone_is_made_anew(assets: Assets, store: Store, ledger: Ledger) -> None:
    ledger.keep_asset(stored("asset-404", b"\x89PNG picture", store))
    made = await assets.ensure(picture())
    assert made.id != "asset-404"
    assert (await assets.ensure(picture())).id == made.id
    assert len(store.actions("CreateAsset")) == 1


async def test_an_asset_that_was_deleted_here_is_made_anew_unasked(assets: Assets, store: Store) -> None:
    first = await assets.ensure(picture())
    await assets.delete(first.id)
    store.requests.clear()
    second = await assets.ensure(picture())
    assert second.id != first.id
    assert store.actions()[0] == "CreateAsset"


async def test_a_stored_asset_that_was_made_just_now_is_waited_for(
    assets: Assets, store: Store, ledger: Ledger, time: Time
) -> None:
    made = await assets.create(item=picture())
    ledger.keep_asset(stored(made.id, b"\x89PNG picture", store, age_s=1))
    store.quirks.asset_lag = 3
    assert (await assets.ensure(picture())).id == made.id
    assert time.slept


async def test_a_stored_asset_that_failed_is_made_anew(assets: Assets, store: Store, ledger: Ledger) -> None:
    first = await assets.ensure(picture())
    store.quirks.end = "Failed"
    with pytest.raises(ModerationError):
        await assets.ensure(picture())
    assert len(store.actions("CreateAsset")) == 2
    store.quirks.end = "Active"
    second = await assets.ensure(picture())
    assert second.id != first.id
    assert len(store.actions("CreateAsset")) == 3


async def test_a_wrong_question_forgets_nothing(assets: Assets, store: Store) -> None:
    first = await assets.ensure(picture())
    store.script(Reply.json({"error": {"message": "no such path", "code": "x"}}, status=400))
    with pytest.raises(StatusError):
        await assets.ensure(picture())
    assert (await assets.ensure(picture())).id == first.id


async def test_an_interrupted_wait_loses_nothing(assets: Assets, store: Store, time: Time) -> None:
    store.quirks.steps, time.most = 10, 3
    with pytest.raises(asyncio.CancelledError):
        await assets.ensure(picture())
    time.most = 99
    assert (await assets.ensure(picture())).usable
    assert len(store.actions("CreateAsset")) == 1


async def test_a_file_whose_asset_never_comes_is_sent_inside_the_request(
    assets: Assets, store: Store
) -> None:
    store.quirks.forms_are_lost = True
    made = await assets.ensure(clip())
    lost, inline = (
        store.body(request) for request in store.requests if request.path.endswith("/CreateAsset")
    )
    assert "file" in lost
    assert inline["URL"].startswith("data:video/mp4;base64,")
    assert (inline["AssetType"], made.usable) == ("Video", True)
    store.requests.clear()
    assert (await assets.ensure(clip())).id == made.id
    assert store.actions("CreateAsset") == []


async def test_a_url_is_made_an_asset_each_time_and_an_asset_is_waited_for(
    assets: Assets, store: Store
) -> None:
    item = MediaItem(Kind.IMAGE, address=URL)
    first, second = await assets.ensure(item), await assets.ensure(item)
    assert first.id != second.id
    known = await assets.ensure(MediaItem(Kind.IMAGE, address=first.reference))
    assert known.id == first.id
    assert len(store.actions("CreateAsset")) == 2


async def test_trouble_with_the_ledger_costs_an_upload_and_no_more(
    assets: Assets, store: Store, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trouble(**_: object) -> None:
        raise LedgerError("no disk")

    monkeypatch.setattr(ledger, "asset", trouble)
    assert (await assets.ensure(picture())).usable


async def test_a_document_is_no_asset(assets: Assets, store: Store) -> None:
    with pytest.raises(InputError) as caught:
        await assets.ensure(MediaItem(Kind.DOCUMENT, data=b"%PDF-", media_type="application/pdf"))
    assert caught.value.field == "asset_type"
    assert store.requests == []


# --- a person's face --------------------------------------------------------------------------


async def test_a_person_is_validated(assets: Assets, store: Store) -> None:
    session = await assets.validate_person("https://me.example/back")
    assert "s3cr3t" not in repr(session)
    assert await assets.validated_group("other") == ""
    assert await assets.validated_group(session) == "group-face"
    store.script(Reply.json({"error": {"code": "ValidateNotReady", "message": "not yet"}}, status=400))
    assert await assets.validated_group(session) == ""
    store.script(Reply.json({"error": {"code": "InvalidParameter", "message": "no"}}, status=400))
    with pytest.raises(StatusError):
        await assets.validated_group(session)


async def test_a_session_needs_a_page_to_come_back_to_and_is_not_begun_twice(
    assets: Assets, store: Store
) -> None:
    with pytest.raises(InputError) as caught:
        await assets.validate_person("")
    assert caught.value.field == "callback_url"
    assert store.requests == []
    store.script(Reply(body=(b"{", CUT)))
    with pytest.raises(WireCut):
        await assets.validate_person("https://me.example/back")
    assert len(store.requests) == 1
