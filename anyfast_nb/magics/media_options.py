"""What stands behind `--image`, `--first-frame` and their like: anything that can be a medium."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.magics.generation_options import GRAMMARS

if TYPE_CHECKING:
    from anyfast_nb.magics.variables import Variables
    from anyfast_nb.session import Session

_JOB: Final = re.compile(r"(?P<id>[0-9a-f]{8}|[0-9a-f]{32}|asyntask_\w+)(?P<frame>\.last_frame)?")


def media_arguments(
    kind: str, found: argparse.Namespace, variables: Variables, session: Session
) -> dict[str, Any]:
    """The media of a line as arguments, read from the user's names.

    Args:
        kind: the magic.
        found: its options.
        variables: the user's names.
        session: whose ledger knows earlier jobs.

    Raises:
        InputError: there is no such file, variable or job.
        AnyFastError: a variable that had to be waited for failed.
    """
    grammar = GRAMMARS[kind]
    arguments: dict[str, Any] = {}
    for name, option in grammar.one.items():
        if (word := getattr(found, name)) is not None:
            arguments[name] = _single(_medium(word, option, variables, session), word, option)
    for name, option in grammar.many.items():
        each = [several(_medium(word, option, variables, session)) for word in getattr(found, name)]
        if media := [one for group in each for one in group]:
            arguments[name] = media
    if kind == "kling" and len(arguments.get("images", ())) == 1:  # one begins the film, several make it
        arguments["image"] = arguments.pop("images")[0]
    return arguments


def given_words(kind: str, found: argparse.Namespace) -> dict[str, list[str]]:
    """What was written for each argument that takes several."""
    return {name: getattr(found, name) for name in GRAMMARS[kind].many}


def _medium(word: str, option: str, variables: Variables, session: Session) -> Any:
    match = _JOB.fullmatch(word)
    if match is not None and not variables.names(word):
        job = _job(match, session)
        if job is not None:
            return job
    return variables.medium(word, kind=option.removeprefix("--"))


def _job(match: re.Match[str], session: Session) -> Any:
    """An earlier job by its id, or its last frame; None if it is none."""
    if session.gateway.ledger.job(match["id"]) is None:
        return None
    job = session.desk.job(match["id"])
    return job.last_frame if match["frame"] else job


def several(value: Any) -> Sequence[Any]:
    """All pictures of a group; one medium of all else."""
    from anyfast_nb.jobs.pictures import Pictures

    if isinstance(value, Pictures):
        return value.made
    return list(value) if isinstance(value, list | tuple) else [value]


def _single(value: Any, word: str, option: str) -> Any:
    """One medium: a group of pictures that holds one stands for it."""
    media = several(value)
    if len(media) == 1:
        return media[0]
    argument = option.removeprefix("--").replace("-", "_")
    if not media:
        raise InputError(f"{option} {word} holds no picture", field=argument, hint="Nothing was sent.")
    raise InputError(
        f"{option} {word} holds {len(media)} media, and one is wanted",
        field=argument,
        hint=f"Say which: {option} {word}[0]",
    )
