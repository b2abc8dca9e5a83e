"""A video's prompt: how long it is, and which media it names.

Source: seed 004 (parameters; referencing assets in prompts).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anyfast_nb import catalog
from anyfast_nb.errors import InputError
from anyfast_nb.wire.findings import Findings, shown
from anyfast_nb.wire.text import mended

# Ideographs, kana, hangul: what is written without spaces between the words, or counts by the sign.
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_BETWEEN = re.compile(r"[\s\u3000-\u303f\uff00-\uff0f\uff1a-\uff20]+")  # spaces, and full-width punctuation
# No \b: between @image1 and a Chinese character there is none.
_NAMED = re.compile(r"(?<![A-Za-z_.@])@(image|video|audio)(\d{1,9})(?![A-Za-z0-9_])", re.IGNORECASE)
_OLD_OPTION = re.compile(r"\s--(rs|rt|dur|fps|seed|cf|wm)\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Named:
    """A medium that a prompt names: ``@image2``."""

    kind: str
    number: int
    written: str


def clean(prompt: Any) -> str:
    """The prompt without spaces around it, fit to be sent.

    Raises:
        InputError: it is no text.
    """
    if not isinstance(prompt, str):
        raise InputError(
            f"prompt is {shown(prompt)}; it must be text", field="prompt", hint="Nothing was sent."
        )
    return mended(prompt).strip()


def measure(prompt: str) -> tuple[int, int]:
    """Characters of Chinese (Japanese, Korean), and words of everything else.

    Example:
        >>> measure("一只猫 plays the piano, 很慢")
        (5, 3)
    """
    words = _BETWEEN.split(_CJK.sub(" ", prompt))
    return len(_CJK.findall(prompt)), sum(any(map(str.isalnum, word)) for word in words)


def check_length(prompt: str, findings: Findings) -> None:
    """The documented length: 500 Chinese characters, or 1000 English words."""
    chars, words = measure(prompt)
    most_chars = catalog.limit("seedance_chinese_chars").value or 0
    most_words = catalog.limit("seedance_english_words").value or 0
    if chars > most_chars:
        findings.limit(
            "prompt",
            f"prompt has {chars} Chinese characters; allowed are {most_chars}",
            hint=f"Shorten it by {chars - most_chars}.",
        )
    if words > most_words:
        findings.limit(
            "prompt",
            f"prompt has {words} words; allowed are {most_words}",
            hint=f"Shorten it by {words - most_words}.",
        )
    if chars <= most_chars and words <= most_words and chars / most_chars + words / most_words > 1:
        findings.note(
            f"prompt mixes {chars} Chinese characters and {words} words; the limits ({most_chars} or "
            f"{most_words}) are documented for one language at a time"
        )


def named_media(prompt: str) -> list[Named]:
    """The media that a prompt names, in their order.

    Example:
        >>> [one.written for one in named_media("让@image1跳舞, as in @video2.")]
        ['@image1', '@video2']
    """
    return [
        Named(kind=match.group(1).lower(), number=int(match.group(2)), written=match.group())
        for match in _NAMED.finditer(prompt)
    ]


def check_named(prompt: str, counts: Mapping[str, int], findings: Findings) -> None:
    """Every medium that the prompt names is there; those that it does not name are noted.

    Args:
        prompt: the text.
        counts: kind -> how many items of it the request has.
        findings: what is wrong goes there.
    """
    named = named_media(prompt)
    for one in named:
        have = counts.get(one.kind, 0)
        if not 1 <= one.number <= have:
            things = f"{have} {one.kind}{'' if have == 1 else 's'}"
            findings.limit(
                "prompt",
                f"prompt names {one.written}, but the request has {things}, counted from 1",
                hint=f"Change prompt, or give {one.kind}s up to that number.",
            )
        elif one.written != one.written.lower():
            findings.note(f"prompt says {one.written}; the vendor writes {one.written.lower()}")


def note_unnamed(prompt: str, counts: Mapping[str, int], findings: Findings) -> None:
    """References that the prompt does not name: allowed, but perhaps forgotten."""
    used = {(one.kind, one.number) for one in named_media(prompt)}
    unused = [
        f"@{kind}{number}"
        for kind, count in counts.items()
        for number in range(1, count + 1)
        if (kind, number) not in used
    ]
    if prompt and unused:
        findings.note(f"prompt does not name {', '.join(unused)}")


def note_old_options(prompt: str, findings: Findings) -> None:
    """Options inside the text were for the first generation of models."""
    if match := _OLD_OPTION.search(prompt):
        findings.note(
            f"prompt holds --{match.group(1)}, an option of Seedance 1.x; later models read it as words"
        )
