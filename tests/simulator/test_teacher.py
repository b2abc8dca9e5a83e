from __future__ import annotations

import contextlib
import io
import json
import re
from typing import Any

import pytest

from anyfast_nb.simulator.teacher.coding import SNIPPETS
from tests.simulator.conftest import asked, image_part, taught, two_coloured, video_part


def said(prompt: Any, **more: Any) -> str:
    return taught(prompt, **more).content


def talk(*turns: str, system: str = "", **more: Any) -> str:
    """The answer to the last of some turns, user and assistant by turns."""
    roles = ("user", "assistant")
    listed = [{"role": roles[index % 2], "content": text} for index, text in enumerate(turns)]
    if system:
        listed.insert(0, {"role": "system", "content": system})
    return said(turns[-1], messages=listed, **more)


# --- the same, and honest -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "prompt", ["Hello!", "what is 2+2?", "a poem about rain", "plugh", "你好", "列出三个建议"]
)
def test_an_answer_says_that_it_is_simulated(prompt: str) -> None:
    assert re.search("simulat|模拟", said(prompt), re.IGNORECASE)


@pytest.mark.parametrize("prompt", ["A poem about the sea", "Five tips for sleep", "Hi"])
def test_the_same_request_and_seed_give_the_same_answer_streamed_or_not(prompt: str) -> None:
    first = taught(prompt, seed=1)
    assert taught(prompt, seed=1) == first
    assert taught(prompt, seed=1, stream=True, stream_options={"include_usage": True}) == first
    assert len({said(prompt, seed=seed) for seed in range(12)}) > 1


# --- sums -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "result"),
    [
        ("what is 17*23+4", "395"),
        ("17 * 23 + 4 =", "395"),
        ("What is seventeen times twenty-three plus four?", "395"),
        ("Calculate (2+3)^3 - 7.5", "117.5"),
        ("How much is 15% of 240?", "36"),
        ("what is two hundred and six divided by 4", "51.5"),
        ("what's the square root of 144?", "12"),
        ("Compute 1,000,000 / 8", "125000"),
        ("what is -3 + 10", "7"),
        ("what is 10 / 4 / 5", "0.5"),
        ("what is the sum of 12 and 30?", "42"),
        ("计算 12 乘以 3 加 4", "40"),
        ("17 × 23 + 4 等于多少？", "395"),
        ("what is 2^100", str(2**100)),
    ],
)
def test_sums_are_right_and_shown_in_steps(prompt: str, result: str) -> None:
    draft = taught(prompt)
    assert f"**{result}**" in draft.content
    assert result in draft.reasoning
    assert len(draft.reasoning.splitlines()) >= 3


def test_what_has_no_exact_decimal_is_marked_as_rounded() -> None:
    assert "≈ **0.3333333333**" in said("what is 1/3")


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("what is 5/0", "division by zero"),
        ("what is 9^9^9", "beyond a thousand digits"),
        ("计算 5/0", "除数为零"),
    ],
)
def test_a_sum_that_cannot_be_done_says_why(prompt: str, words: str) -> None:
    assert words in said(prompt)


@pytest.mark.parametrize(
    "prompt", ["Is 2026-11-21 a Saturday?", "Python 3.11.4-2", "call 555-1234", "my cat is 3"]
)
def test_dates_versions_and_numbers_are_no_sums(prompt: str) -> None:
    assert "Step by step" not in said(prompt)
    assert "= **" not in said(prompt)


# --- code, tables, maths, words ---------------------------------------------------------------------


def code_of(answer: str) -> tuple[str, str]:
    found = re.search(r"```(\w+)\n(.*?)\n```", answer, re.DOTALL)
    assert found is not None, answer
    return found[1], found[2]


@pytest.mark.parametrize(
    "task",
    [
        "fibonacci numbers",
        "primes",
        "factorial",
        "a palindrome",
        "reversing text",
        "fizzbuzz",
        "sorting",
        "the gcd",
        "counting words: count words",
        "the mean",
        "hello world",
        "juggling 3 balls",
        "import of class def",
    ],
)
def test_python_in_an_answer_runs_and_gives_what_its_comment_says(task: str) -> None:
    language, code = code_of(said(f"Write a Python function for {task}"))
    assert language == "python"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "answer", "exec"), {"__name__": "answer"})
    assert printed.getvalue().strip()
    promised = re.search(r"^print\(\w+\(.*\)\)  # (.+)$", code, re.MULTILINE)
    if promised:
        assert printed.getvalue().strip() == promised[1]


def test_there_is_a_snippet_in_other_languages() -> None:
    assert code_of(said("write me a SQL query, please: code"))[0] == "sql"
    assert code_of(said("write a function in JavaScript"))[0] == "javascript"
    assert {"python", "sql", "javascript"} == {snippet.language for snippet in SNIPPETS}


def test_a_table_is_a_markdown_table_with_right_numbers() -> None:
    answer = said("Make a table of the squares and cubes of 1 to 4")
    assert "|---|---:|---:|" in answer
    assert "| 4 | 16 | 64 |" in answer
    assert "| 5 |" not in answer
    assert "| Neptune | 30.1 |" in said("a table of the planets please")
    assert "| 3 | 3 | 6 | 9 |" in said("the multiplication table up to 3 as a table")


@pytest.mark.parametrize(
    ("prompt", "formula"),
    [
        ("derivative of 3x^2 + 2x - 5", "= 6x + 2"),
        ("Differentiate x^3 - x", "= 3x^{2} - 1"),
        ("what is the integral of 6x^2", "= 2x^{3} + C"),
        ("integrate -x", "= -\\frac{1}{2}x^{2} + C"),
        ("Derive the quadratic formula", "x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}"),
        ("Show Bayes' theorem", "P(A \\mid B)"),
        ("推导求根公式", "\\sqrt{b^2 - 4ac}"),
    ],
)
def test_maths_is_latex(prompt: str, formula: str) -> None:
    answer = said(prompt)
    assert formula in answer
    assert answer.count("$$") % 2 == 0
    assert answer.count("$$") >= 2
    assert answer.count("$") % 2 == 0


def test_lists_have_the_length_asked_for() -> None:
    assert re.findall(r"^\d+\. ", said("Give me five tips for tidy notebooks"), re.MULTILINE) == [
        f"{number}. " for number in range(1, 6)
    ]
    assert "tidy notebooks" in said("Give me five tips for tidy notebooks")


def test_poems_hold_their_topic_and_four_lines() -> None:
    verse = said("Write a short poem about the sea").split("\n\n")[0]
    assert len(verse.splitlines()) == 4
    assert "the sea" in verse


def test_a_summary_counts_what_was_sent() -> None:
    text = "Rivers carve valleys. Rivers carry sand to the sea. The sea keeps the sand."
    answer = said(f"Summarise this:\n{text}")
    assert "14 words in 3 sentences" in answer
    assert "Rivers carve valleys." in answer


def test_what_nothing_fits_is_restated_with_what_came() -> None:
    answer = said("Plugh, xyzzy.", temperature=0.5)
    assert "“Plugh, xyzzy.”" in answer
    assert "messages: 1 (1 user)" in answer
    assert "13 characters" in answer
    assert "`temperature`" in answer


# --- the conversation -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turns", "words"),
    [
        (("My name is Ada and I like sums.", "Hello", "What is my name?"), "Your name is **Ada**"),
        (("I am called Grace Hopper", "Hi", "thanks", "ok", "what's my name?"), "**Grace Hopper**"),
        (("Hello", "Hi", "What is my name?"), "have not told me your name"),
        (("What is 2+2?", "4", "And 3+3?", "6", "What did I ask first?"), "“What is 2+2?”"),
        (("What is 2+2?", "4", "And 3+3?", "6", "What did I just ask?"), "“And 3+3?”"),
        (("My favourite colour is green.", "ok", "What is my favourite colour?"), "**green**"),
        (("Remember the number 42.", "ok", "What did I ask you to remember?"), "number 42"),
        (("a", "b", "c", "d", "How many messages are there?"), "5 messages; 3 of them"),
        (("One", "ok", "Two", "ok", "Summarise our conversation"), "2. “Two”"),
        (("我叫小明", "你好", "我叫什么？"), "小明"),
        (("What did I ask first?",), "Nothing was said before"),
    ],
)
def test_it_remembers_what_is_sent_along(turns: tuple[str, ...], words: str) -> None:
    assert words in talk(*turns)


def test_it_says_back_what_it_is_told() -> None:
    assert "Nice to meet you, Ada" in said("My name is Ada")
    assert "Noted" in said("Remember the number 42.")


# --- manner -----------------------------------------------------------------------------------------


def test_the_system_prompt_shows_in_the_answer() -> None:
    assert talk("what is 2+3", system="Answer in French.").startswith("Voici ma réponse")
    assert talk("what is 2+3*4", system="Answer in one sentence.") == "2 + 3 × 4 = **14**. *(simulated)*"
    assert "\n\n" not in talk("table of squares of 1 to 3", system="Be brief.")
    assert talk("Hello", system="Write in ALL CAPS").split("*")[0].isupper()
    assert talk("Hello", system="Always start with 'Ahoy!'").startswith("Ahoy! ")
    assert talk("Hello", system='End every answer with "Over."').endswith("Over.")
    assert "你好" in talk("Hello", system="Answer in Chinese.")
    system = [{"role": "system", "content": "You are a pirate."}, {"role": "user", "content": "Hello"}]
    assert "You are a pirate." in taught(messages=system).reasoning


@pytest.mark.parametrize(
    "prompt",
    ["写一个斐波那契函数的代码", "写一首关于春天的诗", "列出三个学习建议", "什么是递归", "随便说说吧"],
)
def test_a_chinese_question_gets_a_chinese_answer(prompt: str) -> None:
    assert re.search("[\u4e00-\u9fff]", said(prompt).split("*")[0])


# --- pasted things -------------------------------------------------------------------------------------

CSV = "What does this say?\ncity,sun,rain\nOslo,4,2\nRome,9,1\nBonn,5,3"
MARKDOWN = (
    "Look:\n| city | sun | rain |\n|---|---:|---:|\n| Oslo | 4 | 2 |\n| Rome | 9 | 1 |\n| Bonn | 5 | 3 |"
)
FRAME = "Explain\n   city  sun  rain\n0  Oslo    4     2\n1  Rome    9     1\n2  Bonn    5     3"


@pytest.mark.parametrize("prompt", [CSV, CSV.replace(",", ";"), CSV.replace(",", "\t"), MARKDOWN, FRAME])
def test_a_pasted_table_is_measured(prompt: str) -> None:
    answer = said(prompt)
    assert "3 rows and 3 columns: `city`, `sun`, `rain`" in answer
    assert "| `sun` | 18 | 6 | 4 | 9 |" in answer
    assert "`city` |" not in answer


@pytest.mark.parametrize(
    "prompt", ["Well, hello\nSo, what\nAh, why", "a, b = 1, 2\nc, d = 3, 4\ne, f = 5, 6"]
)
def test_prose_and_code_with_commas_are_no_table(prompt: str) -> None:
    assert "rows and" not in said(prompt)


def test_a_long_question_is_measured_whole_and_searched_at_its_ends() -> None:
    rows = "\n".join(f"{n},{n}" for n in range(3_000))
    assert "3000 rows and 2 columns" in said(f"a,b\n{rows}")
    assert "**395**" in said("plugh " * 5_000 + "\nWhat is 17*23+4?")
    assert "30000 characters" in said("plugh " * 5_000)


TRACEBACK = """Explain this error
Traceback (most recent call last):
  File "/home/ada/sums.py", line 12, in <module>
    print(mean([]))
  File "/home/ada/sums.py", line 4, in mean
    return sum(values) / len(values)
ZeroDivisionError: division by zero"""
IPYTHON = """---------------------------------------------------------------------------
NameError                                 Traceback (most recent call last)
Cell In[3], line 2
      1 y = 1
----> 2 print(x)

NameError: name 'x' is not defined"""


def test_a_traceback_is_named_with_its_line() -> None:
    answer = said(TRACEBACK)
    assert "**ZeroDivisionError**" in answer
    assert "line 4 of sums.py" in answer
    assert "return sum(values) / len(values)" in answer
    assert "/home/ada" not in answer
    answer = said(IPYTHON)
    assert "**NameError**" in answer
    assert "line 2 of Cell In[3]" in answer
    assert "print(x)" in answer


# --- pictures and clips -----------------------------------------------------------------------------------


def test_a_picture_is_described_as_measured() -> None:
    answer = said([image_part(two_coloured(size=(64, 48))), {"type": "text", "text": "What is this?"}])
    assert "64 × 48 pixels (PNG" in answer
    assert "red 50%" in answer
    assert "blue 50%" in answer
    assert "left half is mostly red, the right half blue" in answer
    assert "What is this?" in answer


def test_a_clip_is_described_as_measured_at_the_given_fps(clip: bytes) -> None:
    answer = said([video_part(clip, fps=2)])
    assert "5.0 s long, 160 × 120 pixels, 24 frames per second (h264, no sound" in answer
    assert "At fps 2 a model looks at 10 of its frames" in answer
    assert "0.0–2.5 s red, 2.5–5.0 s blue" in answer
    assert "looks at 5 of its frames" in said([video_part(clip)])
    assert "looks at 1 of its frames" in said([video_part(clip, fps=0.2)])


def test_media_out_of_reach_or_broken_is_described_not_refused(clip: bytes) -> None:
    far = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png?X-Signature=secret"}}
    assert "`https://example.com/cat.png`: not reachable" in said([far])
    assert "secret" not in said([far])
    assert "no readable picture" in said([image_part(b"not a picture")])
    broken = {"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%"}}
    assert "does not hold valid base64" in said([broken])
    assert "header states 5.0 s" in said([video_part(clip[: len(clip) * 46 // 100])])
    assert "no clip in a known format" in said([video_part(two_coloured())])


def test_several_pictures_are_numbered_and_earlier_ones_remembered() -> None:
    two = [image_part(two_coloured()), image_part(two_coloured("green", "green"))]
    answer = said(two)
    assert "**1.**" in answer
    assert "**2.** The picture" in answer
    later = [
        {"role": "user", "content": two[:1]},
        {"role": "assistant", "content": "A picture."},
        {"role": "user", "content": "Which colours are in the picture?"},
    ]
    assert "red 50%" in said(messages=later, prompt="")


def test_a_chinese_question_about_a_picture() -> None:
    answer = said([image_part(two_coloured()), {"type": "text", "text": "这张图里有什么？"}])
    assert "64 × 48 像素" in answer
    assert "红色 50%" in answer


# --- JSON ---------------------------------------------------------------------------------------------------


def test_json_form_gives_json() -> None:
    found = json.loads(said("what is 2+3", response_format={"type": "json_object"}))
    assert found["simulated"] is True
    assert "5" in found["answer"]
    keyed = json.loads(
        said("Give JSON with keys city and temperature for Oslo", response_format={"type": "json_object"})
    )
    assert set(keyed) == {"city", "temperature", "simulated"}


def test_json_schema_form_fits_the_schema() -> None:
    import jsonschema

    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
        "required": ["city", "days"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "trip", "schema": schema}}
    found = json.loads(said("A trip to Rome for 3 days", response_format=form))
    jsonschema.validate(found, schema)
    assert found == {"city": "Rome", "days": 3}


def test_the_digest_leaves_streaming_out() -> None:
    assert asked("x").digest() == asked("x", stream=True).digest()
    assert asked("x").digest() != asked("x", seed=2).digest()
