"""The options of `%seedance`, `%kling` and `%seedream`, and the arguments they stand for.

An option is named as its argument is, and as the wire is: `--first-frame` is `first_frame`. What may
be given several times stands in the singular: `--image` is `images`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from typing import Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.magics.options import Options, field_value, given

KINDS: Final = ("seedance", "kling", "seedream")
_MEDIUM: Final = "URL|PATH|NAME"


@dataclass(frozen=True, slots=True)
class Grammar:
    """How the options of one magic become arguments.

    Attributes:
        one: arguments that take one medium, each with its option.
        many: arguments that take several, each with its option.
        plain: arguments that are named as their options are, with the type of their value.
        flags: arguments that are True where the option stands.
        texts: arguments whose value is text in which variables are put in.
    """

    one: dict[str, str] = field(default_factory=dict)
    many: dict[str, str] = field(default_factory=dict)
    plain: dict[str, type] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def spoken(self) -> dict[str, str]:
        """Each argument with the option that sets it."""
        named = {name: option(name) for name in (*self.plain, *self.flags, *self.texts)}
        return named | self.one | self.many


def option(argument: str) -> str:
    """`first_frame` is written `--first-frame`."""
    return f"--{argument.replace('_', '-')}"


GRAMMARS: Final = {
    "seedance": Grammar(
        one={"first_frame": "--first-frame", "last_frame": "--last-frame"},
        many={"images": "--image", "videos": "--video", "audios": "--audio"},
        plain={"duration": int, "ratio": str, "resolution": str, "seed": int},
        flags=("web_search", "watermark", "return_last_frame"),
    ),
    "kling": Grammar(
        one={"image_tail": "--image-tail"},
        many={"images": "--image"},
        plain={"duration": int, "mode": str, "aspect_ratio": str, "cfg_scale": float},
        texts=("negative_prompt",),
    ),
    "seedream": Grammar(
        many={"images": "--image"},
        plain={
            "size": str,
            "count": int,
            "response_format": str,
            "output_format": str,
            "guidance_scale": float,
            "seed": int,
        },
        flags=("watermark", "web_search"),
    ),
}
_METAVARS: Final = {int: "N", float: "X", str: "WORD"}
_ALSO: Final = {"aspect_ratio": ("--ratio",), "output_format": ("--format",)}


def generation_options(kind: str) -> Options:
    """The options of one of the three magics."""
    options = Options(kind, prog=f"%{kind}")
    add = options.add_argument
    grammar = GRAMMARS[kind]
    add("-m", "--model", metavar="MODEL")
    for argument, name in grammar.one.items():
        add(name, dest=argument, metavar=_MEDIUM)
    for argument, name in grammar.many.items():
        add(name, dest=argument, action="append", default=[], metavar=_MEDIUM)
    for argument, kind_of in grammar.plain.items():
        names = (option(argument), *_ALSO.get(argument, ()))
        add(*names, dest=argument, type=kind_of, metavar=_METAVARS[kind_of])
    for argument in grammar.texts:
        add(option(argument), dest=argument, metavar="TEXT")
    for argument in grammar.flags:
        add(option(argument), dest=argument, action="store_true")
    add("--extra", action="append", default=[], metavar="FIELD=VALUE")
    add("--to", metavar="VAR")
    for name in ("--downscale", "--no-strict", "--no-vars", "--dry-run", "--yes"):
        add(name, action="store_true")
    (_picture_options if kind == "seedream" else _film_options)(options)
    return options


def _film_options(options: Options) -> None:
    add = options.add_argument
    add("--take", type=int, metavar="N")
    for name in ("--sound", "--silent", "--wait", "--no-wait", "--embed"):
        add(name, action="store_true")
    if options.verb == "kling":
        add("--camera-control", metavar="JSON")


def _picture_options(options: Options) -> None:
    options.add_argument("--no-stream", action="store_true")


def plain_arguments(kind: str, found: argparse.Namespace) -> dict[str, Any]:
    """The arguments that options give, media and texts left out.

    Raises:
        InputError: options that contradict each other, or a value that cannot be read.
    """
    grammar = GRAMMARS[kind]
    arguments = given(found, "model", *grammar.plain)
    arguments |= {name: True for name in grammar.flags if getattr(found, name)}
    if found.downscale:
        arguments["downscale"] = True
    if found.no_strict:
        arguments["strict"] = False
    if found.extra:
        arguments["extra"] = dict(field_value(word) for word in found.extra)
    if kind == "seedream":
        return arguments | ({"stream": False} if found.no_stream else {})
    for this, other in (("--sound", "--silent"), ("--wait", "--no-wait")):
        if getattr(found, _dest(this)) and getattr(found, _dest(other)):
            raise InputError(f"{this} and {other} exclude each other", field=_dest(this), hint="Give one.")
    if found.sound or found.silent:
        arguments["sound" if kind == "kling" else "audio"] = bool(found.sound)
    if kind == "kling" and found.camera_control is not None:
        arguments["camera_control"] = _object("camera_control", found.camera_control)
    return arguments


def _dest(name: str) -> str:
    return name.removeprefix("--").replace("-", "_")


def _object(argument: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError(
            f"{option(argument)} is no JSON object",
            field=argument,
            hint=f"{option(argument)} " + '\'{"type": "simple", "config": {"zoom": 5}}\'',
        )
    return found
