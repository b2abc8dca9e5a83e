"""Errors in the words of the line: the rooms below speak of arguments, the person wrote options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from anyfast_nb.errors import AnyFastError, InputError, ModelNotFoundError
from anyfast_nb.magics.generation_options import GRAMMARS

_ITEM: Final = re.compile(r"\b(?P<name>images|videos|audios)\[(?P<index>\d+)\]")
_SET: Final = re.compile(r"\b(?P<name>[a-z_]+)=(?P<value>'[^']*'|\[?…\]?|[\w.:-]+)")
# --duration 5 (duration=5): on a line the option alone is enough.
_SAID_TWICE: Final = re.compile(r"(?<=\w)(?<!\s) \((?:[a-z_]+=[^\s,()]+(?:, )?)+\)(?= --|[.,;]|$)")
_AFTER_VERB: Final = re.compile(
    r"(?P<verb>(?:\b(?:Give|Make|[Ll]eave|[Ll]eave out|Use|Try|into|one of)|--[a-z-]+ (?:or|and)) )"
    r"(?P<name>[a-z_]+)\b"
)
_OTHER_WORDS: Final = (
    (re.compile(r",? or client\.job\('\w+'\)\.(?:adopt\('asyntask_…'\)|wait\(\)),?(?= goes| waits)"), ""),
    (re.compile(r"client\.job\('\w+'\)\.adopt\('asyntask_…'\), or (`[^`]*`),?"), r"\1"),
    (re.compile(r"(?<=`), or take=\d+,"), ""),
    (
        re.compile(r"client\.job\('(\w+)'\)\.adopt\('asyntask_…'\)"),
        r"`%anyfast resume \1 --task-id asyntask_…`",
    ),
    (
        re.compile(r"job\.wait\(\), or client\.job\('(\w+)'\)\.wait\(\) in another kernel"),
        r"`%anyfast resume \1`",
    ),
    (re.compile(r"client\.job\('(\w+)'\)\.wait\(\)"), r"`%anyfast resume \1`"),
    (re.compile(r"\bclient\.jobs\(status='submit_unknown'\)"), "`%anyfast jobs --status submit_unknown`"),
    (re.compile(r"\b(?:af\.ledger|client)\.jobs\(\)"), "`%anyfast jobs`"),
)
_WHOLE_WORDS: Final = {"strict=False": "--no-strict", "audio=False": "--silent", "audio=True": "--sound"}
_LONGEST_WORD: Final = 60


@contextmanager
def in_the_lines_words(
    kind: str, given: Mapping[str, list[str]] | None = None, *, model: str = ""
) -> Iterator[None]:
    """Tell an error that comes out of here in the words of a magic's line.

    Args:
        kind: the magic: seedance, kling, seedream.
        given: for each argument that takes several media, what stands on the line.
        model: that stands on the line.
    """
    try:
        yield
    except AnyFastError as error:
        if isinstance(error, ModelNotFoundError):
            with_near_models(error, model)
        speech = _Speech(kind, given or {}, job=_job_in(error))
        error.message, error.hint = speech.of(error.message), speech.of(error.hint)
        if isinstance(error, InputError):
            error.message = speech.naming(error.message, error.field)
            error.hint = speech.after_verbs(error.hint)
        raise


def with_near_models(error: ModelNotFoundError, model: str) -> ModelNotFoundError:
    """The error with models that are called nearly like the one that the gateway does not serve."""
    from anyfast_nb import catalog

    if model and "did you mean" not in str(error).lower() and (near := catalog.close_to(model)):
        error.hint = f"Did you mean {' or '.join(near)}? {error.hint}"
    return error


def _job_in(error: AnyFastError) -> str:
    """The short id of the job that an error is about, "" if it is about none."""
    return str(getattr(getattr(error.partial, "row", None), "short_id", ""))


class _Speech:
    def __init__(self, kind: str, given: Mapping[str, list[str]], *, job: str) -> None:
        self._given = given
        self._job = job
        many = {"image": "--image"} if kind == "kling" else {}
        self._names = (
            GRAMMARS[kind].spoken | many | {"model": "--model", "extra": "--extra", "take": "--take"}
        )
        if kind != "seedream":
            self._names |= {"sound": "--sound", "camera_control": "--camera-control"}

    def of(self, text: str) -> str:
        """What can be told from all other words by its form."""
        for pattern, words in _OTHER_WORDS:
            text = pattern.sub(words, text)
        if self._job:
            text = text.replace("job.wait()", f"`%anyfast resume {self._job}`")
        for python, words in _WHOLE_WORDS.items():
            text = text.replace(python, words)
        text = _SAID_TWICE.sub("", text)
        text = _ITEM.sub(self._item, text)
        text = _SET.sub(self._set, text)
        long = "|".join(name for name in self._names if "_" in name)
        return re.sub(rf"(?<![-./\w])(?:{long})(?![/\w])(?!\.\w)", lambda m: self._names[m[0]], text)

    def naming(self, message: str, field: str) -> str:
        """A message about one argument begins with its option, or holds it."""
        name = re.split(r"[.\[]", field, maxsplit=1)[0]
        spoken = self._names.get(name)
        if spoken is None or spoken in message:
            return message
        if re.match(rf"{re.escape(name)}\b", message):
            return spoken + message[len(name) :]
        if re.search(rf"\b(?:and|or|without) {re.escape(name)}\b", message):
            return re.sub(rf"\b(and|or|without) {re.escape(name)}\b", rf"\1 {spoken}", message)
        return f"{spoken}: {message}"

    def after_verbs(self, hint: str) -> str:
        """`Give images or videos` names arguments."""
        for _ in range(2):  # the second is found when the first has become an option
            hint = _AFTER_VERB.sub(lambda m: m["verb"] + self._names.get(m["name"], m["name"]), hint)
        return hint

    def _item(self, match: re.Match[str]) -> str:
        spoken = self._names.get(match["name"])
        if spoken is None:
            return match[0]
        words, index = self._given.get(match["name"], []), int(match["index"])
        word = words[index] if index < len(words) else ""
        if word and "://" not in word and not word.startswith("data:") and len(word) <= _LONGEST_WORD:
            return f"{spoken} {word}"
        return spoken if len(words) < 2 else f"{spoken} (the {_ordinal(index + 1)})"

    def _set(self, match: re.Match[str]) -> str:
        spoken = self._names.get(match["name"])
        if spoken is None:
            return match[0]
        value = match["value"].strip("'[]")
        return f"{spoken} {value}"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number if number < 20 else number % 10, "th")
    return f"{number}{ending}"
