from __future__ import annotations

import pytest

from anyfast_nb.render.markdown import render_markdown
from anyfast_nb.render.maths import is_typesettable, tex_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("so $x^2$ is", "so <span>$x^2$</span> is"),
        ("设$x$为", "设<span>$x$</span>为"),
        (r"so \(a<b\) is", "so <span>$a&lt;b$</span> is"),
        (r"so \[a\] is", "so <span>$$a$$</span> is"),
        ("so $$a$$ is", "so <span>$$a$$</span> is"),
        ("**$x$**", "<strong><span>$x$</span></strong>"),
        ("$a_1 * b_2 * c$", "<span>$a_1 * b_2 * c$</span>"),
        ("$2 + 2 = 4$, $1,000$", "<span>$2 + 2 = 4$</span>, <span>$1,000$</span>"),
        (r"$\text{costs \$5}$", r"<span>\(\text{costs \$5}\)</span>"),
        ("the $n$-th", "the <span>$n$</span>-th"),
    ],
)
def test_maths_is_kept_for_the_typesetter(text: str, html: str) -> None:
    assert render_markdown(text) == f"<p>{html}</p>\n"


@pytest.mark.parametrize(
    "text",
    [
        "it costs $5 and $6",
        "between US$20–US$30",
        "$5, $6 or $7.50",
        "$HOME/bin:$PATH",
        "from $5 to 10$ each",
        "$20 million of sales, up 10$ a share",
        "$ x $",
        "a$b$c",
        r"\$5 and \$6",
        "$5",
        "$$",
        "$$$$",
        r"\(open",
        r"\[open",
        r"\ref{x} and \eqref{y}",
        r"so \begin{align} in a line",
        r"C:\(new)\[dir]",
    ],
)
def test_prose_never_becomes_maths(text: str) -> None:
    html = render_markdown(text)
    # A sign that could start maths stands in an element of its own: no typesetter reads across.
    bare = html.replace("<span>$</span>", "").replace("<span>\\</span>", "")
    assert "$" not in bare
    assert "\\" not in bare


def test_code_is_never_maths() -> None:
    assert render_markdown("`$x$`") == "<p><code>$x$</code></p>\n"
    assert "<span>$" not in render_markdown("```\n$x$ \\(y\\)\n```")


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("$$\na\n= b\n- c\n$$\n", "$$a\n= b\n- c$$"),
        ("\\[\na\n\\]\n", "$$a$$"),
        (
            "\\begin{align*}\na &= b\\\\\n\\end{align*}\n",
            "$$\\begin{align*}\na &amp;= b\\\\\n\\end{align*}$$",
        ),
    ],
)
@pytest.mark.parametrize("before", ["", "text\n\n", "text\n"])
def test_displayed_maths_may_look_like_markdown(text: str, tex: str, before: str) -> None:
    assert f"<p><span>{tex}</span></p>" in render_markdown(before + text)


def test_displayed_maths_stays_in_its_list_item() -> None:
    html = render_markdown("1. a\n   $$\n   x\n   $$\n2. b\n")
    assert html.count("<li>") == 2
    assert "<span>$$x$$</span>" in html


def test_maths_does_not_run_across_paragraphs() -> None:
    assert "<span>$$" not in render_markdown("$$\na\n\nb\n$$")


@pytest.mark.parametrize(
    "tex",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\href {https://evil.example}{x}",
        r"\url{https://evil.example}",
        r"\unicode{x41}",
        r"\style{color:red}{x}",
        r"\class{jp-Dialog}{x}",
        r"\cssId{main}{x}",
        r"\data{a=b}{x}",
        r"\bbox[red]{x}",
        r"\htmlStyle{color:red}{x}",
        r"\includegraphics{https://evil.example}",
        r"\require{html}",
        r"\def\x{\x\x}\x",
        r"\gdef\x{1}",
        r"\let\frac\href",
        r"\newcommand{\x}{y}",
        r"\renewcommand\frac{y}",
        r"\newenvironment{x}{}{}",
        r"\DeclareMathOperator{\x}{y}",
        r"\mmlToken{mi}[href=javascript:1]{x}",
        r"\csname href\endcsname",
        r"\begin{evil}x\end{evil}",
        r"\rule{900em}{900em}",
        r"\kern-900em",
        r"\raise900em{x}",
        r"\hspace{900em}",
        r"\hspace{-900em}",
        r"a \\[900em] b",
        r"\begin{array}{*{9999}{c}}x\end{array}",
        r"\genfrac{}{}{900em}{}{a}{b}",
        r"\enclose{box}[mathbackground=red]{x}",
        r"\label{main}",
        "{" * 60 + "}" * 60,
        "{x",
        "x}",
        "x" * 5_000,
    ],
)
def test_tex_that_does_more_than_typeset_is_shown_as_code(tex: str) -> None:
    assert not is_typesettable(tex)
    assert tex_html(tex, display=False).startswith("<code>$")


@pytest.mark.parametrize(
    "tex",
    [
        r"\frac{-b \pm \sqrt{b^2 - 4ac}}{2a}",
        r"\begin{pmatrix}1 & 0\\ 0 & 1\end{pmatrix}",
        r"\sum_{i=1}^{n} \hat{\beta}_i \quad \text{for all } i",
        r"\left\{ x \mid x > 0 \right\}",
        r"\operatorname{argmax}_\theta \mathbb{E}[\log p]",
        r"\overset{!}{=} \boxed{42}",
        r"\begin{aligned} a &= b \\[6pt] &= c \end{aligned}",
        r"a\hspace{1em}b \hspace{-.5em} \tag{1}",
        r"\{\}\{",
        r"\definiteintegral \letter",
    ],
)
def test_ordinary_tex_is_typeset(tex: str) -> None:
    assert is_typesettable(tex)
