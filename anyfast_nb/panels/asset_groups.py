"""Making, renaming and deleting groups of assets: closed until somebody wants it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets

from anyfast_nb.errors import AnyFastError, InputError
from anyfast_nb.panels.panel import lines_of
from anyfast_nb.panels.words import say

if TYPE_CHECKING:
    from anyfast_nb.panels.asset_store import AssetStore
    from anyfast_nb.panels.errands import Errands


class GroupEditor:
    """A field for a name, and three buttons.

    Args:
        store: where groups are.
        errands: does the work.
        chosen: id and name of the group that is looked at; "" is none.
        done: called after each, with the group to look at; None leaves it.
        say_so: shows a note.

    Attributes:
        toggle: opens the box.
        box: the field and the buttons.
    """

    def __init__(
        self,
        *,
        store: AssetStore,
        errands: Errands,
        chosen: Callable[[], tuple[str, str]],
        done: Callable[[str | None], None],
        say_so: Callable[[str, Sequence[str]], None],
    ) -> None:
        self._store = store
        self._errands = errands
        self._chosen = chosen
        self._done = done
        self._say_so = say_so
        self.toggle = ipywidgets.ToggleButton(description=say("asset.edit"), layout={"width": "auto"})
        self.toggle.observe(lambda change: self._open(on=change["new"]), "value")
        self._name = ipywidgets.Text(
            description=say("asset.group_name"),
            placeholder=say("asset.group_hint"),
            layout={"width": "auto", "flex": "2 1 14em", "min_width": "12em"},
        )
        self._delete = self._button("asset.delete_group", self._deleted)
        self.box = ipywidgets.HBox([
            self._name,
            self._button("asset.create_group", self._created),
            self._button("asset.rename_group", self._renamed),
            self._delete,
        ])  # fmt: skip
        self.box.add_class("anyfast-bar")
        self.box.add_class("anyfast-fields")
        self._open(on=False)

    def calm(self) -> None:
        """Whoever pressed Delete once must press it twice again."""
        self._delete.description = say("asset.delete_group")
        self._delete.button_style = ""

    def _button(self, key: str, press: Callable[[], None]) -> Any:
        made = ipywidgets.Button(description=say(key), layout={"width": "auto"})

        def pressed(_: Any) -> None:
            try:
                press()
            except AnyFastError as error:
                self._say_so("group", lines_of(error))

        made.on_click(pressed)
        return made

    def _open(self, *, on: bool) -> None:
        self.box.layout.display = "flex" if on else "none"

    def _wanted(self) -> str:
        name = str(self._name.value).strip()
        if not name:
            raise InputError(say("asset.name_missing"), field="name")
        return name

    def _one(self) -> tuple[str, str]:
        group, name = self._chosen()
        if not group:
            raise InputError(say("asset.choose_group"), field="group")
        return group, name

    def _told(self, key: str, name: str, chosen: str | None) -> None:
        self._name.value = ""
        self.calm()
        self._say_so("group", [say(key, name=name)])
        self._done(chosen)

    def _created(self) -> None:
        name = self._wanted()
        self._errands.run(
            self._store.core.create_group(name),
            lambda made: self._told("asset.group_made", made.name, made.id),
            key="group",
        )

    def _renamed(self) -> None:
        (group, _), name = self._one(), self._wanted()
        self._errands.run(
            self._store.core.update_group(group, name=name),
            lambda _: self._told("asset.group_renamed", name, None),
            key="group",
        )

    def _deleted(self) -> None:
        group, name = self._one()
        if self._delete.description != say("asset.sure"):
            self._delete.description = say("asset.sure")
            self._delete.button_style = "danger"
            return
        self._errands.run(
            self._store.core.delete_group(group),
            lambda _: self._told("asset.group_deleted", name, ""),
            key="group",
        )
