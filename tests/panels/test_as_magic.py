"""What a panel copies: the magics' own parser, and Python, read in it what was asked for."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from anyfast_nb.magics.chat import _parameters, _prompt
from anyfast_nb.magics.film import Asked
from anyfast_nb.magics.options import chat_options, split
from anyfast_nb.magics.variables import Variables
from anyfast_nb.panels.as_magic import (
    Name,
    chat_cell,
    chat_python,
    film_line,
    film_python,
    picture_line,
    picture_python,
    quoted,
)
from anyfast_nb.session import Session

NAMES: dict[str, Any] = {"cat": "https://example.com/cat.png", "pics": {"a b": "asset://asset-1"}}
Call = tuple[str, str, dict[str, Any]]


def as_typed(cell: str) -> Call:
    """What a cell asks for: the verb, the prompt, the arguments; as IPython and the magics read it."""
    (statement,) = [
        one for one in ast.parse(TransformerManager().transform_cell(cell)).body if isinstance(one, ast.Expr)
    ]
    call = statement.value
    assert isinstance(call, ast.Call)
    if ast.unparse(call.func).startswith("af."):
        return as_called(ast.unparse(call))
    verb, line, *body = [ast.literal_eval(one) for one in call.args]
    shell: Any = SimpleNamespace(user_ns=NAMES)
    session = Session()
    if verb == "anyfast":
        options = chat_options().read(split(line.partition("chat")[2]))
        variables = Variables(session, shell, on=not options.no_vars)
        found = _parameters(options, variables)
        said_anyway = ([], {"downscale": False}, {"stream": True})
        found = {
            name: value for name, value in found.items() if value != [] and {name: value} not in said_anyway
        }
        return "chat", variables.text(_prompt(options, line, body[0])), plain(found)
    asked = Asked(session, shell, verb, line, *(body or [None]))
    arguments = dict(asked.arguments)
    if (asked.options.__dict__.get("take") or 1) > 1:
        arguments |= {"take": asked.options.take, "reuse": True}
    return verb, asked.prompt, plain(arguments)


def as_called(text: str) -> Call:
    """What a Python call asks for."""
    verb = text.removeprefix("af.").partition("(")[0]
    af = SimpleNamespace(**{verb: lambda prompt="", **options: (verb, prompt, plain(options))})
    found: Call = eval(text, {"af": af, **NAMES})
    return found


def plain(value: Any) -> Any:
    """Paths and sequences of one kind."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return value


def meant(value: Any) -> Any:
    """What an argument stands for."""
    if isinstance(value, Name):
        return eval(str(value), dict(NAMES))
    if isinstance(value, list | tuple):
        return [meant(one) for one in value]
    if isinstance(value, Mapping):
        return {key: meant(one) for key, one in value.items()}
    return str(Path(value)) if isinstance(value, Path) else value


LETTERS = st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t")
SIGNS = [
    "'",
    '"',
    "\\",
    "{{",
    "}}",
    "%",
    "%%",
    "$HOME",
    "?",
    "!ls",
    "--x",
    " '-b",
    ' "-b',
    "-",
    "\n",
    "#",
    ";",
    " ",
]
FIELDS = ["{{cat}}", "\\{{cat}}", '{{pics["a b"]}}', "中文，。", "🎹", ">>> ", "...: ", "In [1]: ", "@image1"]
TRICKY = st.sampled_from([*SIGNS, *FIELDS])
TEXTS = st.lists(st.one_of(TRICKY, st.text(LETTERS, max_size=6)), max_size=8).map("".join)
PROMPTS = TEXTS.map(str.strip)
WORDS = TEXTS.filter(bool)
PARTS = st.sampled_from(["dog", "my clip", "ça", "图片", "'s", '"', "-", "deadbeef", "a.b", "~x"])
FILES = st.lists(PARTS, min_size=1, max_size=3)
MEDIA = st.one_of(
    st.builds(lambda parts, end: Path(f"{'-'.join(parts)}{end}"), FILES, st.sampled_from([".png", ""])),
    st.sampled_from(["https://example.com/a.png?b=c&d='e'", "asset://asset-1"]),
    st.sampled_from([Name("cat"), Name("pics['a b']"), Name('pics["a b"]')]),
)
SHARED: dict[str, Any] = {
    "downscale": st.just(True),
    "strict": st.just(False),
    "extra": st.dictionaries(
        st.sampled_from(["a", "b"]), st.one_of(WORDS, st.integers(), st.none()), min_size=1
    ),
    "seed": st.integers(-1, 9),
    "watermark": st.just(True),
}
MANY = st.lists(MEDIA, min_size=2, max_size=3)
SEEDANCE = st.fixed_dictionaries(
    {},
    optional=SHARED
    | {
        "model": st.sampled_from(["seedance-fast", "seedance-2.5"]),
        "first_frame": MEDIA,
        "last_frame": MEDIA,
        "images": MANY,
        "videos": MANY,
        "audios": MANY,
        "duration": st.integers(-1, 15),
        "ratio": st.sampled_from(["16:9", "adaptive"]),
        "resolution": st.just("480p"),
        "audio": st.booleans(),
        "return_last_frame": st.just(True),
        "web_search": st.just(True),
    },
)
CAMERA = {"type": "simple", "config": {"zoom": -5}}
KLING = st.fixed_dictionaries(
    {},
    optional={name: SHARED[name] for name in ("downscale", "strict", "extra")}
    | {
        "negative_prompt": WORDS,
        "mode": st.just("pro"),
        "aspect_ratio": st.just("9:16"),
        "cfg_scale": st.floats(0, 1),
        "sound": st.booleans(),
        "camera_control": st.just(CAMERA),
        "images": MANY,
    },
)
SEEDREAM = st.fixed_dictionaries(
    {},
    optional=SHARED
    | {
        "images": MANY,
        "size": st.sampled_from(["2K", "2048x1024"]),
        "count": st.integers(1, 15),
        "output_format": st.just("png"),
        "guidance_scale": st.floats(1, 10),
        "stream": st.just(False),
        "web_search": st.just(True),
    },
)
CHAT = st.fixed_dictionaries(
    {},
    optional={
        "model": st.just("mini"),
        "system": WORDS,
        "temperature": st.floats(0, 2),
        "max_tokens": st.integers(1, 99),
        "stop": st.lists(WORDS, min_size=1, max_size=2),
        "images": MANY,
        "files": MANY,
        "reasoning": st.just("high"),
        "extra": SHARED["extra"],
        "stream": st.just(False),
        "downscale": st.just(True),
    },
)


@settings(max_examples=60)
@given(PROMPTS, SEEDANCE, st.integers(1, 3))
@example("say '-b'", {}, 1)
@example('it said "-b"', {"first_frame": Path("my cat.png")}, 1)
@example(">>> print(1)\nagain", {}, 1)
@example("a {{ b", {"extra": {"c": '{"d": {"e": 1}}'}}, 1)
def test_a_film_of_seedance_is_read_as_it_was_meant(prompt: str, options: dict[str, Any], take: int) -> None:
    asked = meant(options) | ({"take": take, "reuse": True} if take > 1 else {})
    assert as_called(film_python("seedance", prompt, options, take=take)) == ("seedance", prompt, asked)
    if prompt or {"first_frame", "images", "videos"} & set(options):  # else nothing is asked for
        assert as_typed(film_line("seedance", prompt, options, take=take)) == ("seedance", prompt, asked)


@settings(max_examples=60)
@given(PROMPTS.filter(bool), KLING)
@example("a", {"negative_prompt": "two\nlines"})
@example("a", {"negative_prompt": "-dash {{cat}} \"-b\" '-c'"})
def test_a_film_of_kling_is_read_as_it_was_meant(prompt: str, options: dict[str, Any]) -> None:
    asked = ("kling", prompt, meant(options))
    assert as_called(film_python("kling", prompt, options)) == asked
    assert as_typed(film_line("kling", prompt, options)) == asked


def test_klings_one_picture() -> None:
    line = film_line("kling", "a boat", {"image": Path("boat.png"), "image_tail": "https://example.com/b"})
    assert line == '%kling "a boat" --image boat.png --image-tail https://example.com/b'
    assert as_typed(line)[2] == {"image": "boat.png", "image_tail": "https://example.com/b"}


@settings(max_examples=60)
@given(PROMPTS.filter(bool), SEEDREAM)
def test_pictures_are_read_as_they_were_meant(prompt: str, options: dict[str, Any]) -> None:
    asked = ("seedream", prompt, meant(options))
    assert as_called(picture_python(prompt, options)) == asked
    assert as_typed(picture_line(prompt, options)) == asked


@settings(max_examples=60)
@given(PROMPTS.filter(bool), CHAT)
def test_a_chat_is_read_as_it_was_meant(prompt: str, options: dict[str, Any]) -> None:
    asked = ("chat", prompt, meant(options))
    assert as_called(chat_python(prompt, options)) == asked
    assert as_typed(chat_cell(prompt, options)) == asked


def test_how_it_looks() -> None:
    assert film_line(
        "seedance", "A cat plays", {"first_frame": Name("x"), "duration": 5, "audio": False}
    ) == ('%seedance "A cat plays" --first-frame x --duration 5 --silent')
    assert film_python("seedance", "…", {"first_frame": "x", "duration": 5}) == (
        'af.seedance("…", first_frame="x", duration=5)'
    )
    assert film_line("seedance", "one\ntwo", {"duration": 5}) == "%%seedance --duration 5\none\ntwo"
    assert chat_cell("Hello", {"model": "mini"}, thread="my thread") == (
        '%%anyfast chat --model mini --thread "my thread"\nHello'
    )
    assert picture_line("{{x}}", {}) == '%seedream "{{x}}" --no-vars'
    assert film_line("kling", "a", {"negative_prompt": "b\nc"}).startswith(
        "import anyfast_nb as af\n\naf.kling("
    )


@pytest.mark.parametrize("text", ["", "-1", "a b", "16:9", "it's", '"', "\\", "{{a b}}", " '-x"])
def test_one_word_stays_one(text: str) -> None:
    read = split(f"{quoted(text)} end")
    assert [read[0].removeprefix("\ue001"), *read[1:]] == [text, "end"]
