"""Text in pictures: a font for every character that has one, lines that fit, and a mask to draw with.

Pillow's own font writes Latin. For other scripts the system's fonts are looked through; what no font
here can write is named instead: "[12 Chinese characters]".
"""

from __future__ import annotations

import os
import sys
import unicodedata
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CHARACTERS = 600  # of a prompt: more would not fit in any picture
# Parts of file names, the best first. Few machines have more than two of them.
_WIDE_FONTS = (
    "notosanscjk", "notosanssc", "notosanshans", "sourcehansans", "pingfang", "hiragino sans gb",
    "hiraginosans", "stheiti", "msyh", "yahei", "wqy", "droidsansfallback", "simhei", "simsun",
    "yugoth", "meiryo", "malgun",
    "nanum", "applesdgothic", "notosansjp", "notosanskr", "notosanstc", "uming", "ukai", "dejavusans.",
    "notosans-regular", "notosansarabic", "notosanshebrew", "notosansdevanagari", "notosansthai", "arialuni",
    "segoeui", "liberationsans-regular", "freesans", "arial", "unifont",
)  # fmt: skip
_FONT_FILES = (".ttf", ".otf", ".ttc")
_SCRIPTS = {
    "CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean", "ARABIC": "Arabic",
    "HEBREW": "Hebrew", "DEVANAGARI": "Hindi", "THAI": "Thai", "CYRILLIC": "Cyrillic", "GREEK": "Greek",
}  # fmt: skip
_NEVER_WRITTEN = "\uffff"  # no font has it: its picture is the box for what is missing

_LIKE = {
    "–": "-",
    "—": "-",
    "×": "x",
    "→": ">",
    "−": "-",
    "ß": "ss",
    "…": "...",
    "ø": "o",
    "ł": "l",
    "æ": "ae",
}


class Face:
    """One font file (None: Pillow's own), in any size."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._sizes: dict[int, Any] = {}
        self._known: dict[str, bool] = {}

    def at(self, size: int) -> Any:
        """Pillow's font of that many pixels."""
        if size not in self._sizes:
            self._sizes[size] = (
                ImageFont.truetype(str(self.path), size) if self.path else ImageFont.load_default(size)
            )
        return self._sizes[size]

    def writes(self, character: str) -> bool:
        """Whether it has the character."""
        if character not in self._known:
            font = self.at(24)
            drawn, missing = _outline(font, character), _outline(font, _NEVER_WRITTEN)
            self._known[character] = character.isspace() or drawn not in {missing, b""}
        return self._known[character]


def _outline(font: Any, character: str) -> bytes:
    mask = font.getmask(character)
    return bytes(mask) if mask.size[0] else b""


class Letters:
    """The fonts of this machine, looked for when Pillow's own does not do."""

    def __init__(self, folders: tuple[Path, ...] | None = None) -> None:
        self.own = Face(None)
        self._found: list[Face] | None = None
        self._folders = folders

    def hand(self, text: str) -> Hand:
        """Who writes a text: one font for all of it if there is one, else several.

        Control characters become blanks; accents and characters that have no font are replaced.
        """
        kept = "".join(" " if _blank(char) else char for char in text[:MOST_CHARACTERS])
        kept = "".join(self._writable(char) for char in kept)
        tidy = " ".join("".join(self._named_where_missing(kept)).split())
        if all(self.own.writes(char) for char in tidy):
            return Hand(tidy, self, self.own)
        return Hand(tidy, self, next((face for face in self._others() if all(map(face.writes, tidy))), None))

    def face(self, character: str) -> Face | None:
        """The first font that has a character."""
        if self.own.writes(character):
            return self.own
        return next((face for face in self._others() if face.writes(character)), None)

    def _named_where_missing(self, text: str) -> Iterator[str]:
        scripts: list[str | None] = []
        for char in text:  # a blank or a sign belongs to what is before it
            missing = self.face(char) is None
            before = scripts[-1] if scripts else None
            if char == " " or (missing and before and not char.isalnum()):
                scripts.append(before)
            else:
                scripts.append(_script(char) if missing else None)
        for script, group in groupby(zip(text, scripts, strict=True), key=lambda pair: pair[1]):
            run = "".join(char for char, _ in group)
            yield run if script is None else _named(run, script)

    def _writable(self, character: str) -> str:
        if self.face(character) is not None or unicodedata.east_asian_width(character) in {"W", "F"}:
            return character
        plain = _LIKE.get(character) or unicodedata.normalize("NFKD", character)[0]
        return plain if all(map(self.own.writes, plain)) else character

    def _others(self) -> list[Face]:
        if self._found is None:
            found = [Face(path) for path in _font_files(self._folders)]
            self._found = [face for face in found if _readable(face)]
        return self._found


class Hand:
    """Writes one text with the fonts chosen for it."""

    def __init__(self, text: str, fonts: Letters, face: Face | None) -> None:
        self.text = text
        self._fonts, self._face = fonts, face

    def wrap(self, *, size: int, width: int, lines: int) -> list[str]:
        """Lines that fit into a width; the last one ends in … if something is left."""
        made, line = [], ""
        for piece in _pieces(self.text):
            if line and self.width(line + piece.rstrip(), size=size) > width:
                made.append(self._shortened(line.rstrip(), size, width))
                line = ""
                if len(made) == lines:
                    return [*made[:-1], self._shortened(made[-1] + " …", size, width)]
            line += piece if line else piece.lstrip()
        made.append(self._shortened(line.rstrip(), size, width))
        return [line for line in made if line]

    def width(self, line: str, *, size: int) -> float:
        """Pixels from the first to the last letter."""
        return float(sum(face.at(size).getlength(run) for run, face in self._runs(line)))

    def write(self, on: ImageDraw.ImageDraw, x: float, y: float, line: str, *, size: int, fill: Any) -> None:
        """One line with its base line at y."""
        for run, face in self._runs(line):
            font = face.at(size)
            on.text((x, y), run, font=font, fill=fill, anchor="ls")
            x += font.getlength(run)

    def _shortened(self, line: str, size: int, width: int) -> str:
        """A line that cannot be broken, cut to fit."""
        if self.width(line, size=size) <= width:
            return line
        keep = line.rstrip(" …")
        while keep and self.width(keep + "…", size=size) > width:
            keep = keep[:-1]
        return keep.rstrip() + "…"

    def _runs(self, line: str) -> Iterator[tuple[str, Face]]:
        if self._face is not None:
            yield line, self._face
            return
        for face, group in groupby(line, key=lambda char: self._fonts.face(char) or self._fonts.own):
            yield "".join(group), face


@lru_cache(maxsize=1)
def letters() -> Letters:
    """The fonts of this machine, looked for once."""
    return Letters()


def _readable(face: Face) -> bool:
    try:
        face.at(24)
    except (OSError, ValueError):
        return False
    return True


def _font_folders() -> tuple[Path, ...]:
    home = Path.home()
    if sys.platform == "win32":
        return (Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts",)
    if sys.platform == "darwin":
        return (Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts")
    return (
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".local/share/fonts",
        home / ".fonts",
    )


def _font_files(folders: tuple[Path, ...] | None) -> list[Path]:
    found: list[tuple[int, str, Path]] = []
    for folder in _font_folders() if folders is None else folders:
        for at, _, names in os.walk(folder):
            for name in names:
                rank = _rank(name)
                if rank is not None:
                    found.append((rank, name, Path(at) / name))
    return [path for _, _, path in sorted(found)[:12]]


def _rank(name: str) -> int | None:
    low = name.lower()
    if not low.endswith(_FONT_FILES) or any(word in low for word in ("bold", "italic", "oblique", "mono.")):
        return None
    return next((number for number, part in enumerate(_WIDE_FONTS) if part in low), None)


def _blank(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _script(character: str) -> str:
    return _SCRIPTS.get(unicodedata.name(character, "").partition(" ")[0], "")


def _named(run: str, script: str) -> str:
    """What stands for characters that no font here has; signs and emoji are left out."""
    count = sum(char.isalnum() for char in run)
    if not count:
        return " "
    return f" [{count} {script} character{'s' if count > 1 else ''}] ".replace("  ", " ")


def _pieces(text: str) -> Iterator[str]:
    """What may not be broken: a word with the blank after it, or one wide character."""
    word = ""
    for char in text:
        wide = unicodedata.east_asian_width(char) in {"W", "F"}
        if wide and word and not unicodedata.category(char).startswith("P"):
            yield word
            word = ""
        word += char
        if char == " ":
            yield word
            word = ""
    if word:
        yield word
