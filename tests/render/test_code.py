from __future__ import annotations

import subprocess
import sys

import pytest

from anyfast_nb.render.code import MAX_COLOURED_CHARS, code_html


def test_colours_by_few_classes() -> None:
    html = code_html("def f(x):\n    return 'a' + str(1)  # why", "python")
    assert html == (
        '<div class="highlight"><pre><span class="k">def </span><span class="nf">f</span>(x):\n'
        '    <span class="k">return </span><span class="s">\'a\' </span>+ '
        '<span class="nb">str</span>(<span class="m">1</span>)  <span class="c"># why\n</span></pre></div>\n'
    )


@pytest.mark.parametrize(
    "language", ["", "no-such-language", "python<script>", "../../etc", "a" * 99, "{.python}"]
)
def test_an_unknown_language_is_plain(language: str) -> None:
    assert code_html("a < b", language) == '<div class="highlight"><pre>a &lt; b\n</pre></div>\n'


def test_very_long_code_is_plain() -> None:
    assert "<span" not in code_html("x = 1\n" * (MAX_COLOURED_CHARS // 6 + 1), "python")


def test_line_ends_and_blank_lines_are_kept() -> None:
    inner = code_html("\n\n  a\r\nb\r", "python").split("<pre>")[1]
    assert inner == "\n\n  a\nb\n</pre></div>\n"


def test_lexers_are_imported_for_a_named_language_only() -> None:
    code = (
        "import sys; from anyfast_nb.render.markdown import render_markdown;"
        "render_markdown('```\\na\\n```');"
        "print('pygments' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
