"""The asset panel: groups, uploads with their checks, and every asset with what can be done with it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from anyfast_nb.errors import AnyFastError, InputError
from anyfast_nb.panels.asset_groups import GroupEditor
from anyfast_nb.panels.asset_store import AssetStore, Checked
from anyfast_nb.panels.board import Board
from anyfast_nb.panels.composer import Attached, Composer
from anyfast_nb.panels.errands import drawn
from anyfast_nb.panels.memos import Memos, in_a_row, press_button
from anyfast_nb.panels.panel import Panel, lines_of
from anyfast_nb.panels.words import say
from anyfast_nb.render.shelf import Shelved, button, caption_html, card_html, shelf_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyfast_nb.render.publish import Bundle
    from anyfast_nb.session import Session
    from anyfast_nb.wire.assets import Asset, AssetGroup

_ACCEPT: Final = "image/*,video/*,audio/*"
_TYPES: Final = ("Image", "Video", "Audio")
_PAGE: Final = 60
_LOOK_S: Final = 2.0
_FIELD: Final = {"width": "auto", "flex": "1 1 15em", "min_width": "13em"}


class AssetPanel(Panel):
    """Pictures, clips and sounds that AnyFast keeps, to be named in generations.

    Args:
        session: of the kernel.

    Example:
        >>> import anyfast_nb as af
        >>> af.AssetPanel()  # doctest: +SKIP
    """

    def __init__(self, *, session: Session | None = None) -> None:
        super().__init__(session=session)
        self._store = AssetStore(self.session)
        self._assets: dict[str, Asset] = {}
        self._names: dict[str, str] = {}  # of groups, by id
        self._known = False
        self._chosen = {"group": "", "type": "", "search": ""}
        self._offering = False
        self._sure = ""
        self._most = _PAGE
        self._checks: dict[int, Checked | None] = {}  # by what is attached; None was refused
        self._sending: set[str] = set()
        self._numbers = count(1)
        self._composer: Composer | None = None
        self._build()
        self.refresh()

    # --- what is in it --------------------------------------------------------------------

    def _build(self) -> None:
        field = ipywidgets.Layout(**_FIELD)
        self._group = ipywidgets.Dropdown(
            options=self._group_options(),
            value=self._chosen["group"],
            description=say("asset.group"),
            layout=field,
        )
        types = [(say("asset.every_type"), ""), *((say(f"asset.{one.lower()}"), one) for one in _TYPES)]
        self._type = ipywidgets.Dropdown(
            options=types, value=self._chosen["type"], description=say("asset.type"), layout=field
        )
        self._search = ipywidgets.Text(
            value=self._chosen["search"],
            description=say("asset.search"),
            placeholder=say("asset.search_hint"),
            layout=field,
        )
        for name, widget in (("group", self._group), ("type", self._type), ("search", self._search)):
            widget.observe(self.guarded(self._filtered(name)), "value")
        bar = in_a_row([self._group, self._type, self._search])
        act = self.guarded(self._act)
        self._memos = Memos("asset", on_act=act)
        self._groups = GroupEditor(
            store=self._store, errands=self._errands, chosen=self._chosen_group, done=self._group_done,
            say_so=self._memos.put,
        )  # fmt: skip
        acts = in_a_row(
            [self._groups.toggle, press_button("asset.refresh", self.guarded(lambda _: self.refresh()))]
        )
        composer = self._new_composer()
        shelf = Board(label=say("asset.list_label"), height="32em", on_act=act, text_of=self._text_of)
        shelf.add_class("anyfast-shelf")
        self._shelf = shelf
        self.children = [bar, acts, self._groups.box, composer, self._memos.board, shelf]
        self._draw()

    def _new_composer(self) -> Composer:
        """A composer with what the last one had."""
        kept = [] if self._composer is None else self._composer.attached
        self._composer = composer = Composer(
            on_submit=self.guarded(self._submit),
            on_attached=self.guarded(self._attached),
            folder=lambda: self.session.settings.home / "uploads",
            accept=_ACCEPT,
            rows=1,
            words={
                "label": "asset.add_label", "placeholder": "asset.add_placeholder", "hint": "asset.add_hint",
                "send": "asset.add_send",
            },
        )  # fmt: skip
        for one in kept:
            composer.attach(one)
        return composer

    @property
    def _field(self) -> Composer:
        assert self._composer is not None
        return self._composer

    def relabel(self) -> None:
        """Say everything anew, in the language of the settings; what was chosen stays."""
        self._checks.clear()  # what is attached is checked once more, and told in that language
        self._build()

    # --- asking ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask for all assets and groups; gives back at once."""
        self._errands.run(self._store.listed(), self._listed, key="list")

    def _listed(self, found: tuple[list[Asset], list[AssetGroup]]) -> None:
        every, groups = found
        ordered = sorted(every, key=lambda one: (one.created_at is not None, one.created_at), reverse=True)
        self._assets = {one.id: one for one in ordered}
        self._names = {one.id: one.name for one in sorted(groups, key=lambda one: one.name.lower())}
        self._known = True
        self._offer_groups()
        self._draw()
        self.keep(now=not self._waits())
        if self._waits():
            self._errands.watch("pending", wanted=self._waits, look=self._look, gap_s=_LOOK_S)

    def _waits(self) -> bool:
        """May something change by itself?"""
        return bool(self._sending) or any(not one.status.ends for one in self._assets.values())

    async def _look(self) -> bool:
        before = self._assets
        try:
            self._listed(await self._store.listed())
        except AnyFastError:
            return False  # told by the next press of Refresh; a passing trouble is none of the reader's
        return before != self._assets

    # --- adding ---------------------------------------------------------------------------

    def _attached(self) -> None:
        """Check what was attached just now, before anything is sent."""
        there = {id(one): one for one in self._field.attached}
        for gone in [key for key in self._checks if key not in there]:
            self._checks.pop(gone)
            self._memos.drop(f"check-{gone}")
        for key, one in there.items():
            if key not in self._checks:
                self._checks[key] = None
                self._check(key, one)

    def _check(self, key: int, one: Attached) -> None:
        note = f"check-{key}"
        self._memos.put(note, [say("asset.checking", name=one.name)], kind="going", away=False)

        def fits(checked: Checked) -> None:
            if key in self._checks:
                self._checks[key] = checked
                told = "asset.reused" if checked.before else "asset.fits"
                about = {"about": checked.about, "reference": checked.before}
                self._memos.put(note, [say(told, name=one.name, **about), *checked.item.notes], away=False)

        def refused(error: BaseException) -> None:
            if key in self._checks:
                lines = [say("asset.refused", name=one.name), *lines_of(error)]
                self._memos.put(note, lines, kind="trouble", away=False)

        self._errands.run(self._store.checked(one.value), fits, failed=refused)

    def _submit(self, text: str, attached: Sequence[Attached]) -> None:
        name = text.strip()
        if not attached:
            if not name.lower().startswith(("http://", "https://")):
                raise InputError(say("asset.nothing_added"), field="medium")
            self._field.clear()
            self._upload(name.partition("?")[0][-60:], name, "")
            return
        if name and len(attached) > 1:
            raise InputError(say("asset.one_name", count=len(attached)), field="name")
        for one in attached:
            checked = self._checks.get(id(one))
            self._upload(one.name, checked.item if checked else one.value, name)
        self._field.clear()

    def _upload(self, label: str, medium: Any, name: str) -> None:
        note = f"send-{next(self._numbers)}"
        self._sending.add(note)
        self._memos.put(note, [say("asset.sending", name=label)], kind="going", away=False)
        self._shelf.announce(say("asset.sending", name=label))

        async def sent() -> tuple[Asset, bool]:
            checked = await self._store.checked(medium)
            return await self._store.added(checked.item, group=self._chosen["group"], name=name)

        def made(found: tuple[Asset, bool]) -> None:
            asset, before = found
            self._sending.discard(note)
            told = say("asset.made_before" if before else "asset.made", name=label, reference=asset.reference)
            self._memos.put(note, [told])
            self.refresh()

        def failed(error: BaseException) -> None:
            self._sending.discard(note)
            lines = lines_of(error)
            self._memos.put(note, [say("asset.failed", name=label), *lines], kind="trouble")
            self.refresh()

        self._errands.run(sent(), made, failed=failed)
        self._errands.watch("pending", wanted=self._waits, look=self._look, gap_s=_LOOK_S)

    # --- groups ---------------------------------------------------------------------------

    def _chosen_group(self) -> tuple[str, str]:
        group = self._chosen["group"]
        return group, self._names.get(group, group)

    def _group_done(self, chosen: str | None) -> None:
        """A group was made, renamed or deleted; `chosen` is looked at from now on."""
        if chosen is not None:
            self._chosen["group"] = chosen
        self.refresh()

    def _group_options(self) -> list[tuple[str, str]]:
        return [
            (say("asset.every_group"), ""),
            *((name or group, group) for group, name in self._names.items()),
        ]

    def _offer_groups(self) -> None:
        if self._known and self._chosen["group"] not in self._names:
            self._chosen["group"] = ""
        wanted, options = self._chosen["group"], self._group_options()
        self._offering = True  # new options choose the first of them
        try:
            if list(self._group.options) != options:
                self._group.options = options
            self._group.value = wanted
        finally:
            self._offering = False

    # --- what is shown --------------------------------------------------------------------

    def _filtered(self, name: str) -> Callable[[Any], None]:
        def chosen(change: Any) -> None:
            if self._offering:
                return
            self._chosen[name] = change["new"]
            self._most, self._sure = _PAGE, ""
            self._groups.calm()
            self._draw()
            self.keep()

        return chosen

    def _fitting(self) -> list[Asset]:
        group, kind, words = self._chosen["group"], self._chosen["type"], self._chosen["search"].lower()
        return [
            one
            for one in self._assets.values()
            if (not group or one.group_id == group)
            and (not kind or one.type == kind)
            and (words in one.name.lower() or words in one.id.lower())
        ]

    def _draw(self) -> None:
        fitting = self._fitting()
        shown = fitting[: self._most]
        pieces = {"head": caption_html(self._caption(len(fitting)), copies=say("asset.as_magic"))}
        for one in shown:
            pieces[f"asset-{one.id}"] = card_html(self._shelved(one), say=say)
        if len(fitting) > len(shown):
            pieces["more"] = button("more:", say("asset.more"))
        drawn(self._shelf, pieces)
        for one in shown:
            if one.usable and self._store.known_small(one.id) is None:
                self._fetch(one)

    def _fetch(self, one: Asset) -> None:
        if one.type == "Image":
            self._errands.run(self._store.small(one), lambda _: self._redraw(one.id), failed=lambda _: None)

    def _redraw(self, id: str) -> None:
        name = f"asset-{id}"
        if id in self._assets and name in self._shelf.pieces:
            self._shelf.put(name, card_html(self._shelved(self._assets[id]), say=say))

    def _shelved(self, asset: Asset) -> Shelved:
        small = self._store.known_small(asset.id)
        return Shelved(
            asset,
            group=self._names.get(asset.group_id, "" if asset.group_id else say("asset.no_group")),
            picture="" if small is None else self._shelf.medium(small),
            sure=self._sure == f"delete:{asset.id}",
        )

    def _caption(self, fitting: int) -> str:
        if not self._known:
            return say("asset.loading")
        if not self._assets:
            return say("asset.none")
        if not fitting:
            return say("asset.none_fits")
        simulated = self.session.gateway.connection.simulated()
        every, place = len(self._assets), say("asset.built_in") if simulated else self.session.destination()
        key = "asset.count_one" if every == 1 else "asset.count" if fitting == every else "asset.count_some"
        return say(key, count=fitting, all=every, place=place)

    def tell(self, error: BaseException) -> None:
        """Show in the panel what went wrong."""
        self._memos.put("trouble", lines_of(error), kind="trouble")

    # --- what a person presses ------------------------------------------------------------

    def _act(self, act: str) -> None:
        verb, _, name = act.partition(":")
        sure, self._sure = self._sure == act, ""
        if verb == "away":
            self._memos.drop(name)
        elif verb == "more":
            self._most += _PAGE
        elif verb == "use" and name in self._assets:
            self._use(self._assets[name])
        elif verb == "delete" and name in self._assets:
            if sure:
                self._delete(self._assets[name])
            else:
                self._sure = act
                self._shelf.announce(say("asset.sure"))
        self._draw()

    def _use(self, asset: Asset) -> None:
        where = self.session.panels.hand("video", asset)
        self._memos.put("used", [say("asset.used", name=asset.name or asset.id), where])

    def _delete(self, asset: Asset) -> None:
        def gone(_: None) -> None:
            self._assets.pop(asset.id, None)
            self._memos.put("deleted", [say("asset.deleted", name=asset.name or asset.id)])
            self._draw()
            self.keep(now=True)

        self._errands.run(self._store.core.delete(asset.id), gone)

    def _text_of(self, key: str) -> str:
        kind, _, name = key.partition(":")
        return f"asset://{name}" if kind == "asset" else self.as_magic()

    # --- what stays -----------------------------------------------------------------------

    def as_magic(self) -> str:
        """The line that lists what is shown."""
        words = ["%anyfast assets list"]
        group, name = self._chosen_group()
        words += ["--group", shlex.quote(name)] if group else []
        words += ["--name", shlex.quote(self._chosen["search"])] if self._chosen["search"] else []
        words += ["--type", self._chosen["type"]] if self._chosen["type"] else []
        return " ".join(words)

    def essence(self) -> Bundle:
        """The assets that are shown, as a table."""
        fitting = self._fitting()
        if not fitting:
            from anyfast_nb.render.notice import notice

            return notice(self._caption(0))
        rows = [self._shelved(one) for one in fitting]
        return shelf_bundle(rows, caption=self._caption(len(fitting)), say=say)

    def close(self) -> None:
        """Let go of it."""
        self._errands.close()
        self._field.close()
        self._store.close()
        super().close()
