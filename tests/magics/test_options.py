"""Lines to words and options."""

from __future__ import annotations

import pytest

from anyfast_nb.errors import InputError
from anyfast_nb.magics.guide import VERBS, guide
from anyfast_nb.magics.options import Options, chat_options, line_prompt, split


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('-m pro "a b"', ["-m", "pro", "a b"]),
        ("--image {{ fig }} x", ["--image", "{{ fig }}", "x"]),
        ('--image {{d["a b"]}}', ["--image", '{{d["a b"]}}']),
        ('"it\'s {{x}}" # no comment', ["it's {{x}}", "#", "no", "comment"]),
        (r'"\{{x}}"', [r"\{{x}}"]),
        ("\"it said '-b' twice\"", ["it said '-b' twice"]),
        ("", []),
    ],
)
def test_split(line: str, words: list[str]) -> None:
    assert split(line) == words


@pytest.mark.parametrize("prompt", ["-m is what?", "-hello", "-5+3?", "--- heading", "- a list"])
def test_a_quoted_prompt_may_begin_with_a_dash(prompt: str) -> None:
    line = f'"{prompt}" --system "-be brief-" -m pro'
    found = chat_options().read(split(line))
    assert (line_prompt(found.words, line), found.system, found.model) == (prompt, "-be brief-", "pro")


def test_a_verb_takes_no_word_too_many() -> None:
    assert Options("code").read_words(["2"], most=1) == ["2"]
    with pytest.raises(InputError, match="'now' is one word too many"):
        Options("usage").read_words(["now"])


def test_an_open_quote_is_told() -> None:
    with pytest.raises(InputError, match="quote is not closed"):
        split("it's")


def test_options_of_chat() -> None:
    line = "-m pro --system 'be brief' --temperature 0.2 --top-p 0.5 --max-tokens 9 --stop a --stop b --fps 2"
    found = chat_options().read(split(line))
    assert (found.model, found.system, found.temperature, found.top_p) == ("pro", "be brief", 0.2, 0.5)
    assert (found.max_tokens, found.stop, found.fps) == (9, ["a", "b"], 2.0)


@pytest.mark.parametrize(
    ("line", "near"),
    [("--temprature 1", "--temperature"), ("--imge x", "--image"), ("--max-token 3", "--max-tokens")],
)
def test_an_unknown_option_is_refused_with_the_nearest(line: str, near: str) -> None:
    with pytest.raises(InputError) as caught:
        chat_options().read(split(line))
    assert f"Did you mean {near}?" in str(caught.value)


def test_an_abbreviation_is_not_guessed() -> None:
    with pytest.raises(InputError):
        chat_options().read(["--temp", "1"])


def test_a_value_of_the_wrong_kind_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="--temperature"):
        chat_options().read(["--temperature", "warm"])


@pytest.mark.parametrize("line", ["hello world", "why?", "is it so?"])
def test_an_unquoted_prompt_gets_the_quoted_one_back(line: str) -> None:
    with pytest.raises(InputError) as caught:
        line_prompt(split(line), line)
    assert f'%anyfast chat "{line}"' in str(caught.value)


def test_a_quoted_prompt_is_one_word() -> None:
    assert line_prompt(split('"why is it?"'), '"why is it?"') == "why is it?"


def test_every_option_of_chat_is_in_its_help() -> None:
    missing = [name for name in chat_options().names() if name not in guide("chat") and name != "--help"]
    assert not missing


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help(verb: str) -> None:
    assert f"%anyfast {verb}" in guide(verb)
    assert verb in guide("")
