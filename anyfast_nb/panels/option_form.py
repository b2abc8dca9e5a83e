"""The options of a film or of pictures as controls: those that can be, each with what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import ipywidgets

from anyfast_nb.errors import InputError
from anyfast_nb.panels.video_options import Choice, as_key
from anyfast_nb.panels.words import say
from anyfast_nb.render.inputs import wrong_html

_FLAGS: Final = {
    "audio": False,
    "sound": True,
    "return_last_frame": True,
    "watermark": True,
    "web_search": True,
}
_NUMBERS: Final[Mapping[str, type]] = {"seed": int, "cfg_scale": float, "guidance_scale": float}
_TEXTS: Final = ("negative_prompt",)
_EXACT: Final = "exact"  # a size that is written
_SECONDS: Final = {"duration"}


class Field(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """One option: a control, and a line below it that says what is wrong.

    Args:
        name: of the argument.
        changed: called when a person changed it.
    """

    def __init__(self, name: str, changed: Callable[[], None]) -> None:
        self.name = name
        self._changed = changed
        self._offering = False
        self.control = self._made(say(f"option.{name}"))
        self.exact = ipywidgets.Text(
            placeholder="2048x1152", description=say("option.exact"), continuous_update=False
        )
        self.exact.layout.display = "none"
        self._wrong = ipywidgets.HTML()
        self._wrong.layout.display = "none"
        super().__init__([self.control, *([self.exact] if name == "size" else []), self._wrong])
        self.add_class("anyfast-option")
        self.add_class(f"anyfast-option-{name.replace('_', '-')}")
        self.control.observe(self._on_value, "value")
        self.exact.observe(self._on_value, "value")

    def _made(self, label: str) -> Any:
        tip = say(f"option.{self.name}.tip")
        if self.name in _FLAGS:
            return ipywidgets.Checkbox(
                value=not _FLAGS[self.name], description=label, indent=False, tooltip=tip
            )
        if self.name in _NUMBERS or self.name in _TEXTS:
            return ipywidgets.Text(description=label, placeholder=tip, tooltip=tip, continuous_update=False)
        return ipywidgets.Dropdown(
            options=[(say("option.default"), "")], value="", description=label, tooltip=tip
        )

    def offer(self, choices: tuple[Choice, ...]) -> None:
        """Offer these values and no others; what was chosen stays if it is among them."""
        self.layout.display = "" if choices else "none"
        if not isinstance(self.control, ipywidgets.Dropdown):
            return
        options = [(say("option.default"), "")]
        for one in choices:
            label = _label(self.name, one.value)
            options.append(
                (say("option.doubtful", value=label) if one.doubtful else label, as_key(one.value))
            )
        if self.name == "size":
            options.append((say("option.size.exact"), _EXACT))
        if tuple(options) == tuple(self.control.options):
            return
        before = self.control.value
        self._offering = True
        try:
            self.control.options = options
            self.control.value = before if before in [key for _, key in options] else ""
        finally:
            self._offering = False

    def value(self) -> Any:
        """What was chosen, None if nothing was.

        Raises:
            InputError: it is no number.
        """
        found = self.control.value
        if self.layout.display == "none":
            return None
        if self.name in _FLAGS:
            return _FLAGS[self.name] if found is _FLAGS[self.name] else None
        if self.name in _NUMBERS:
            return self._number(found.strip())
        if self.name in _TEXTS:
            return found.strip() or None
        if found == _EXACT:
            return self.exact.value.strip().replace("×", "x") or None
        return json.loads(found) if found else None

    def put(self, value: Any) -> None:
        """Choose a value, as a person would; None is the server's own choice."""
        if self.name in _FLAGS:
            self.control.value = (not _FLAGS[self.name]) if value is None else value
        elif self.name in _NUMBERS or self.name in _TEXTS:
            self.control.value = "" if value is None else str(value)
        else:
            key = "" if value is None else as_key(value)
            known = key in [one for _, one in self.control.options]
            self.control.value = key if known else _EXACT if self.name == "size" else ""
            if not known and self.name == "size":
                self.exact.value = str(value)

    def say_wrong(self, lines: Iterable[str] = ()) -> None:
        """What is wrong with it; nothing takes it back."""
        html = wrong_html(list(lines))
        self._wrong.value = html
        self._wrong.layout.display = "" if html else "none"

    def _number(self, text: str) -> Any:
        if not text:
            return None
        try:
            return _NUMBERS[self.name](text)
        except ValueError:
            raise InputError(say("option.no_number", value=text[:40]), field=self.name) from None

    def _on_value(self, _: Any) -> None:
        self.exact.layout.display = "" if self.name == "size" and self.control.value == _EXACT else "none"
        if not self._offering:
            self._changed()


class OptionForm(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets has no types
    """All options of a family.

    Args:
        names: of the arguments, in their order.
        changed: called when a person changed one.
    """

    def __init__(self, names: Iterable[str], changed: Callable[[], None]) -> None:
        self.fields = {name: Field(name, changed) for name in names}
        super().__init__(list(self.fields.values()))
        self.add_class("anyfast-bar")
        self.add_class("anyfast-options")

    def offer(self, offered: Mapping[str, tuple[Choice, ...]]) -> None:
        """Show what can be chosen, and nothing else."""
        for name, field in self.fields.items():
            field.offer(offered.get(name, ()))

    def values(self) -> dict[str, Any]:
        """The arguments that were chosen.

        Raises:
            InputError: one is no number.
        """
        found = {name: field.value() for name, field in self.fields.items()}
        return {name: value for name, value in found.items() if value is not None}

    def put(self, values: Mapping[str, Any]) -> None:
        """Choose these, and nothing else."""
        for name, field in self.fields.items():
            field.put(values.get(name))

    def say_wrong(self, name: str = "", lines: Iterable[str] = ()) -> bool:
        """Say what is wrong beside one option, and nothing beside the others; is there such an option?"""
        shown = name in self.fields and self.fields[name].layout.display != "none"
        for own, field in self.fields.items():
            field.say_wrong(lines if shown and own == name else ())
        return shown


def _label(name: str, value: Any) -> str:
    """A value as a person reads it."""
    if name in _SECONDS:
        return say("option.auto") if value == -1 else say("option.seconds", n=value)
    if name == "camera_control":
        if value["type"] != "simple":
            return say(f"option.camera.{value['type']}")
        ((move, far),) = value["config"].items()
        return say(f"option.move.{move}.{'more' if far > 0 else 'less'}")
    if name == "count":
        return say("option.pictures", n=value)
    return "×".join(value.split("x")) if name == "size" else str(value)
