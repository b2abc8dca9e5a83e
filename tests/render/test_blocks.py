from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyfast_nb.render.blocks import MAX_OPEN_CODE_CHARS, Block, LineSplitter, Splitter
from anyfast_nb.render.document import Document, text_html
from anyfast_nb.render.markdown import render_markdown

LINES = ["Text.", "more text", "# Head", "- item", "  - inner", "  continued", "1. one", "", "",
         "2) two", "> said", "```python", "```", "~~~", "    code", "| a | b |", "|---|---|", "| 1 | 2 |",
         "$$", "x = 1", r"\[", r"\]", "---", "===", "", "<div>", "<!-- open", "-->", "<pre>", "</pre>",
         "[r]: https://x.example", "`span", "**bold", "- [x] done", "\ttab", "+ plus", "9. nine",
         "`````", "text```", "\u00a0", "* star", "a\rb"]  # fmt: skip
DOCUMENTS = st.lists(st.sampled_from(LINES), max_size=40).map("\n".join)


def split(text: str, sizes: list[int]) -> tuple[list[Block], Block]:
    splitter, blocks, at = Splitter(), [], 0
    for size in [*sizes, len(text)]:
        blocks += splitter.feed(text[at : at + size])
        at += size
    return blocks, splitter.tail


@settings(deadline=None)
@given(DOCUMENTS | st.text(), st.lists(st.integers(0, 9), max_size=60))
def test_nothing_is_lost_and_chunks_do_not_matter(text: str, sizes: list[int]) -> None:
    blocks, tail = split(text, sizes)
    assert "".join(block.text for block in blocks) + tail.text == text
    whole, whole_tail = split(text, [])
    assert (blocks, tail) == (whole, whole_tail)


@settings(deadline=None)
@given(DOCUMENTS)
def test_blocks_rendered_one_by_one_are_the_text_rendered_whole(text: str) -> None:
    assert text_html(text) == render_markdown(text)


def test_a_quote_that_a_list_ends_keeps_its_place() -> None:
    html = render_markdown("> said\n* star\n\n# Head")
    assert html.index("said") < html.index("star") < html.index("Head")


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("One.\n\nTwo.\n\nThr", ["One.\n\n", "Two.\n\n"]),
        ("One.\ntwo.\n", []),
        ("- a\n\n- b\n\n  c\n\nText", ["- a\n\n- b\n\n  c\n\n"]),
        ("- a\n\n-", []),  # a list may go on
        ("1. a\n\n2", []),
        ("- a\n\nT", ["- a\n\n"]),
        ("```\na\n\nb\n", []),
        ("```\na\n\nb\n```\n\nc", ["```\na\n\nb\n```\n\n"]),
        ("````\n```\n\nb\n````\n\nc", ["````\n```\n\nb\n````\n\n"]),
        ("| a |\n|---|\n| 1 |\n", []),
        ("| a |\n|---|\n| 1 |\n\nT", ["| a |\n|---|\n| 1 |\n\n"]),
        ("$$\nx\n$$\n\nT", ["$$\nx\n$$\n\n"]),
        ("    code\n\n    code\n\nT", ["    code\n\n    code\n\n"]),
        ("<!-- a\n\nb -->\n\nT", ["<!-- a\n\nb -->\n\n"]),
        ("A.\n\n\n\nB", ["A.\n\n\n\n"]),
    ],
)
def test_where_it_cuts(text: str, blocks: list[str]) -> None:
    assert [block.text for block in split(text, [])[0]] == blocks


def test_a_long_code_block_is_cut_and_each_piece_shows_as_code() -> None:
    code = "x = 1  # set x\n" * (4 * MAX_OPEN_CODE_CHARS // 15)
    text = f"Look:\n\n```python\n{code}```\n\nDone."
    blocks, tail = split(text, [7] * 500)
    assert len(tail.text) < MAX_OPEN_CODE_CHARS
    assert max(len(block.text) for block in blocks) <= MAX_OPEN_CODE_CHARS + 15
    pieces = [render_markdown(block.source) for block in blocks[1:]]
    assert all(piece.startswith('<div class="highlight">') and piece.count("<pre>") == 1 for piece in pieces)
    assert sum(piece.count("# set x") for piece in pieces) == code.count("\n")
    assert text_html(text) == render_markdown(text)


def test_an_open_code_block_is_shown_as_code() -> None:
    document = Document()
    document.feed("```python\ndef f(")
    assert document.tail_html().startswith('<div class="highlight"><pre><span class="k">def </span>')


def test_links_by_name_work_though_their_definition_comes_last() -> None:
    text = "See [the page][1].\n\nMore.\n\n[1]: https://ok.example\n"
    assert 'href="https://ok.example"' in text_html(text)


def test_plain_text_is_cut_at_lines() -> None:
    splitter = LineSplitter()
    assert splitter.feed("a\nb") == [Block("a\n")]
    assert splitter.feed("\n\nc") == [Block("b\n\n")]
    assert splitter.tail == Block("c")
    assert text_html("*a*\n<b>", plain=True) == '<pre class="plain">*a*\n&lt;b&gt;</pre>\n'
