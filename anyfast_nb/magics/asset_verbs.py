"""`%anyfast assets`: what AnyFast keeps for generations to name."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from anyfast_nb.errors import AnyFastError, InputError, Interrupted, LedgerError
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.magics.job_options import ASSET_ACTIONS, job_options
from anyfast_nb.magics.media_options import several
from anyfast_nb.magics.options import check_name, split
from anyfast_nb.magics.variables import Variables
from anyfast_nb.render.notice import notice, table

if TYPE_CHECKING:
    import argparse

    from anyfast_nb.assets.assets import Assets
    from anyfast_nb.ledger.assets import StoredAsset
    from anyfast_nb.magics.verbs import Show
    from anyfast_nb.media.item import MediaItem
    from anyfast_nb.session import Session
    from anyfast_nb.wire.assets import Asset, AssetGroup

T = TypeVar("T")

_TICK_S: Final = 1.0
_SHORT: Final = 60
_PIXELS: Final = 96
_AT_ONCE: Final = 4
_MOST_PICTURES: Final = 60
_GROUP_ID: Final = re.compile(r"group-\d{6,}\S*")


def assets(session: Session, shell: Any, line: str, *, show: Show) -> None:
    """Add, list or remove assets and their groups.

    Raises:
        InputError: a wrong word or option.
        AnyFastError: refused, or an asset that cannot be used.
        Interrupted: the user stopped waiting; an asset that was made stays.
    """
    options = job_options("assets")
    found = options.read(split(line))
    check_name(found.to)
    found.group = None if found.group is None else _id(shell, found.group)
    action, *words = found.words or ["list"]
    session.gateway.connection.check()
    if action == "add":
        _add(session, shell, words, found)
        return
    words = [_id(shell, Variables(session, shell).text(word)) for word in words]
    if action == "list":
        _list(session, words, found, show)
    elif action == "rm":
        _remove(session, words, show)
    elif action == "groups":
        _groups(session, shell, words, found, show)
    else:
        raise _unknown_action(action)


def _unknown_action(action: str) -> InputError:
    import difflib

    near = difflib.get_close_matches(action, ASSET_ACTIONS, n=1, cutoff=0.5)
    meant = f"Did you mean `%anyfast assets {near[0]}`? " if near else ""
    return InputError(
        f"%anyfast assets {action}: there is no such action",
        field="action",
        hint=f"{meant}There are {', '.join(ASSET_ACTIONS)}.",
    )


def _core(session: Session) -> Assets:
    from anyfast_nb.assets.assets import Assets

    return Assets(session.gateway)


# --- adding -------------------------------------------------------------------------------


def _add(session: Session, shell: Any, words: Sequence[str], found: argparse.Namespace) -> None:
    if not words:
        raise InputError(
            "%anyfast assets add: nothing to add", field="medium", hint="Give a URL, a path or a variable."
        )
    variables = Variables(session, shell)
    media = [(word, one) for word in words for one in several(variables.medium(word, kind="asset"))]
    if found.name and len(media) > 1:
        raise InputError(
            f"--name {found.name} is one name for {len(media)} media",
            field="name",
            hint="Add them one by one.",
        )
    made = []
    for word, medium in media:
        made.append(_added(session, shell, word, medium, found))
        if found.to:  # what is there already is not lost if the next one fails
            shell.user_ns[found.to] = made[0] if len(made) == 1 else list(made)


def _added(session: Session, shell: Any, word: str, medium: Any, found: argparse.Namespace) -> Asset:
    """One asset, usable; tells how far it is, and what it became."""
    from anyfast_nb.render.live import open_output

    view = open_output()
    stage = Stage(word if "://" not in word and len(word) < _SHORT else "the medium")  # a URL may be signed

    def draw(passed_s: float) -> None:
        view.draw(notice(f"{stage.told} · {passed_s:.0f} s"), stage.told)

    draw(0)
    try:
        asset, reused = io_loop().run(_with_clock(_made(session, medium, found, stage), draw))
    except Interrupted:
        view.settle(notice(f"{stage.told}: stopped"), {})
        where = "`%anyfast assets list` shows it if it was made"
        raise Interrupted(f"stopped; {stage.told}. {where}") from None
    except AnyFastError:
        view.settle(notice(f"{stage.told}: failed"), {})
        raise
    how = " · uploaded before, the same file: nothing was sent" if reused else ""
    told = f"{asset.reference} · {asset.type} · {asset.name} · {asset.raw_status}{how}"
    view.settle(notice(told), {})
    return asset


@dataclass(slots=True)
class Stage:
    """How far one asset is."""

    label: str
    id: str = ""

    @property
    def told(self) -> str:
        """In words."""
        return f"asset {self.id} is processed" if self.id else f"{self.label} is sent"


async def _with_clock(work: Coroutine[Any, Any, T], draw: Callable[[float], None]) -> T:
    """Do some work, and tell each second how many have passed."""

    async def clock() -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(_TICK_S)
            draw(time.monotonic() - began)

    ticking = asyncio.create_task(clock())
    try:
        return await work
    finally:
        ticking.cancel()


async def _made(session: Session, medium: Any, found: argparse.Namespace, stage: Stage) -> tuple[Asset, bool]:
    """An asset of a medium, and whether it was there before."""
    from anyfast_nb.client.assets import item_of

    core = _core(session)
    item = await asyncio.to_thread(item_of, medium, found.type)
    before = await _before(session, item, found.type)
    group = await _group(core, found.group)
    if item.data is not None:
        asset = await core.ensure(item, asset_type=found.type, group=group, name=found.name)
        return asset, before is not None and before.asset_id == asset.id
    made = await core.create(item=item, asset_type=found.type, group=group, name=found.name)
    stage.id = made.id
    return await core.wait(made), False


async def _before(session: Session, item: MediaItem, kind: str | None) -> StoredAsset | None:
    """The asset that this file was made before, by its content."""
    if item.data is None:
        return None
    transport = await session.gateway.connection.transport()
    endpoint = transport.endpoint
    with suppress(LedgerError):  # of that, the ledger tells by itself
        return session.gateway.ledger.asset(
            base_url=endpoint.base_url,
            key_mark=endpoint.api_key.mark(),
            sha256=item.sha256,
            asset_type=kind or item.kind.value.capitalize(),
        )
    return None


def _id(shell: Any, word: str) -> str:
    """The id of the asset or group in a variable; any other word as it is."""
    from anyfast_nb.wire.assets import Asset, AssetGroup

    value = shell.user_ns.get(word)
    return value.id if isinstance(value, Asset | AssetGroup) else word


async def _group(core: Assets, word: str | None) -> str | None:
    """A group's id, found by its name unless it is one."""
    if word is None or _GROUP_ID.fullmatch(word):
        return word
    import difflib

    every = await core.groups()
    named = [group.id for group in every if word in {group.name, group.id}]
    if named:
        return named[0]
    near = difflib.get_close_matches(word, [group.name for group in every], n=2, cutoff=0.6)
    hint = f"`%anyfast assets groups add {word!r}` makes it."
    if near:
        hint = f"Did you mean {' or '.join(near)}?"
    raise InputError(f"--group {word}: there is no such group", field="group", hint=hint)


# --- listing and removing -----------------------------------------------------------------


def _list(session: Session, words: Sequence[str], found: argparse.Namespace, show: Show) -> None:
    _no_words("list", words)
    every, groups = io_loop().run(_listed(_core(session), found))
    if not every:
        show(notice("No asset fits." if found.name or found.group else "This key has no assets."))
        return
    names = {group.id: group.name for group in groups}
    rows = [
        (one.id, one.name, one.type, names.get(one.group_id, one.group_id), _state(one), _when(one))
        for one in every
    ]
    pictures = io_loop().run(_small_copies(session, every)) if found.pictures else []
    show(
        table(
            rows,
            columns=("id", "name", "type", "group", "status", "made"),
            caption=f"{len(rows)} asset{'s' if len(rows) != 1 else ''} at {session.destination()}",
            pictures=pictures,
        )
    )


async def _listed(core: Assets, found: argparse.Namespace) -> tuple[list[Asset], list[AssetGroup]]:
    group = await _group(core, found.group)
    every = await core.list(group=group, name=found.name)
    return [one for one in every if found.type in {None, one.type}], await core.groups()


async def _small_copies(session: Session, every: Sequence[Asset]) -> list[tuple[str, bytes] | None]:
    """A small copy of each picture, fetched by its link; None for what is none, or does not come."""
    from tempfile import TemporaryDirectory

    from anyfast_nb.http.download import download
    from anyfast_nb.media.frames import thumbnail

    origin = (await session.gateway.connection.transport()).endpoint.base_url
    few = asyncio.Semaphore(_AT_ONCE)
    with TemporaryDirectory(prefix="anyfast-") as folder:

        async def one(asset: Asset) -> tuple[str, bytes] | None:
            if asset.type != "Image" or not asset.url:
                return None
            target = Path(folder) / f"{asset.id}.jpeg"
            try:
                async with few:
                    await download(asset.url, to=target, kind="image", own_origin=origin)
            except AnyFastError:
                return None
            small = await asyncio.to_thread(thumbnail, target, longest=_PIXELS)
            return None if small is None else (small.media_type, small.data)

        copies = await asyncio.gather(*map(one, every[:_MOST_PICTURES]))
    return [*copies, *[None] * (len(every) - len(copies))]


def _state(asset: Asset) -> str:
    return asset.raw_status + (f": {asset.error}" if asset.error else "")


def _when(one: Asset | AssetGroup) -> str:
    return "" if one.created_at is None else f"{one.created_at.astimezone():%Y-%m-%d %H:%M}"


def _remove(session: Session, words: Sequence[str], show: Show) -> None:
    if not words:
        raise InputError(
            "%anyfast assets rm: no asset is named", field="id", hint="`%anyfast assets list` shows the ids."
        )
    core = _core(session)
    for word in words:
        io_loop().run(core.delete(word))
        show(notice(f"asset {word.removeprefix('asset://')} is deleted"))


def _groups(
    session: Session, shell: Any, words: Sequence[str], found: argparse.Namespace, show: Show
) -> None:
    core = _core(session)
    action, *names = words or ["list"]
    if action == "add" and len(names) == 1:
        group = io_loop().run(core.create_group(names[0]))
        if found.to:
            shell.user_ns[found.to] = group
        show(notice(f"group {group.id} · {group.name}"))
    elif action == "rm" and names:
        for name in names:
            io_loop().run(_delete_group(core, name))
            show(notice(f"group {name} is deleted"))
    elif action == "rename" and len(names) == 2:
        io_loop().run(_rename_group(core, *names))
        show(notice(f"group {names[0]} is called {names[1]} now"))
    elif action == "list" and not names:
        every = io_loop().run(core.groups(name=found.name))
        rows = [(group.id, group.name, group.about, _when(group)) for group in every]
        show(table(rows, columns=("id", "name", "about", "made")) if rows else notice("There are no groups."))
    else:
        raise InputError(
            f"%anyfast assets groups {' '.join(words)}: that is not understood",
            field="action",
            hint='Write %anyfast assets groups, groups add "NAME", groups rename NAME NEW, or groups rm ID.',
        )


async def _delete_group(core: Assets, name: str) -> None:
    group_id = await _group(core, name)
    assert group_id is not None
    await core.delete_group(group_id)


async def _rename_group(core: Assets, name: str, to: str) -> None:
    group_id = await _group(core, name)
    assert group_id is not None
    await core.update_group(group_id, name=to)


def _no_words(action: str, words: Sequence[str]) -> None:
    if words:
        raise InputError(
            f"%anyfast assets {action}: {words[0]!r} is one word too many",
            hint=f"%anyfast assets {action} --name {words[0]}",
        )
