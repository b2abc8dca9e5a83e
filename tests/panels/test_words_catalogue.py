"""One catalogue: every word in both languages, every key used, none missing."""

from __future__ import annotations

import ast
import json
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from anyfast_nb.panels.deck_words import exchange
from anyfast_nb.panels.words import catalogue, language, say
from anyfast_nb.session import session

PANELS = Path(__file__).parents[2] / "anyfast_nb" / "panels"
FILES = sorted((PANELS / "catalogue").glob("*.json"))
ROOMS = {file.stem for file in FILES}


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def constants() -> Iterator[str]:
    """Every text in the panels' code, less docstrings."""
    for file in sorted(PANELS.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def said() -> Iterator[tuple[str, set[str]]]:
    """Keys that stand in `say("…", name=…)`, with the names of their values."""
    for file in sorted(PANELS.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say" and node.args:
                key = node.args[0]
                if isinstance(key, ast.Constant):
                    yield str(key.value), {word.arg for word in node.keywords if word.arg}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_key_is_in_both_languages_with_the_same_names(file: Path) -> None:
    pairs = json.loads(file.read_text("utf-8"), object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), "a key stands twice"
    for key, words in ((key, dict(words)) for key, words in pairs):
        assert key.split(".")[0] == file.stem
        assert set(words) == {"en", "zh"}, key
        assert all(text.strip() for text in words.values()), key
        assert names(words["en"]) == names(words["zh"]), key


def test_every_key_that_is_said_exists_and_gets_its_values() -> None:
    known = catalogue()
    for key, values in said():
        assert key in known, key
        assert names(known[key]["en"]) == values, key


def patterns() -> Iterator[str]:
    """Keys that are put together, such as ``jobs.is_{status}``, as regular expressions."""
    for file in sorted(PANELS.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
                if str(parts[0]).partition(".")[0] in ROOMS and "." in str(parts[0]):
                    yield "".join(r"[\w.-]+" if part is None else re.escape(str(part)) for part in parts)


def test_no_key_is_there_for_nothing() -> None:
    used = {text for text in constants() if text.partition(".")[0] in ROOMS}
    made = re.compile("|".join(patterns()) or "(?!)")
    assert {key for key in catalogue() if key not in used and not made.fullmatch(key)} == set()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"ANYFAST_LANGUAGE": "zh"}, "zh"),
        ({"ANYFAST_LANGUAGE": "en", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "zh_TW.UTF-8"}, "zh"),
        ({"LC_ALL": "de_DE.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_settings_or_the_locales(
    environ: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANGUAGE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    session.cache_clear()
    assert language() == expected
    assert say("composer.send") == {"en": "Send", "zh": "发送"}[expected]
    session.cache_clear()


def test_the_front_ends_scripts_reach_nothing_outside() -> None:
    files = [*(PANELS / "front").glob("*.js"), *(PANELS / "front").glob("*.css")]
    assert len(files) >= 3
    for file in files:
        text = file.read_text("utf-8")
        assert "http:" not in text.replace("http://www.w3.org", "")
        assert "https:" not in text
        assert "eval(" not in text
        assert not [line for line in text.splitlines() if line.startswith("import ")]


@pytest.mark.kernel
def test_loading_the_extension_loads_no_widgets() -> None:
    import subprocess

    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance();"
        "s.run_line_magic('load_ext', 'anyfast_nb'); import anyfast_nb.panels;"
        "heavy = {'ipywidgets', 'anywidget', 'anyfast_nb.panels.board'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_label_comes_back_from_the_other_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several English words have one Chinese: the panel's own is meant."""
    there, back = [], []
    for room in ("chat", "image", "composer", "option"):
        words = [said["en"] for key, said in catalogue().items() if key.startswith(f"{room}.")]
        labels = [word for word in words if "{" not in word]
        monkeypatch.setenv("ANYFAST_LANGUAGE", "zh")
        chinese = [exchange(room)(word) for word in labels]
        monkeypatch.setenv("ANYFAST_LANGUAGE", "en")
        there += labels
        back += [exchange(room)(word) for word in chinese]
    assert len(there) > 60
    assert back == there
