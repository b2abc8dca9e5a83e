from __future__ import annotations

import gc
import re
import time
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyfast_nb.render.markdown import render_markdown

ALLOWED = {
    "a": {"href", "target", "rel"},
    "td": {"style"},
    "th": {"style"},
    "ol": {"start"},
    "div": {"class"},
    "span": {"class"},
    "pre": {"class"},
    **{
        tag: set()
        for tag in ("p", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "del", "code", "ul", "li")
    },
    **{tag: set() for tag in ("blockquote", "hr", "br", "table", "thead", "tbody", "tr")},
}
VALUES = {
    "href": re.compile(r"(https?://|mailto:)[^\s<>]+", re.IGNORECASE),
    "target": re.compile("_blank"),
    "rel": re.compile("noopener noreferrer"),
    "style": re.compile("text-align:(left|right|center)"),
    "start": re.compile(r"\d{1,9}"),
    "class": re.compile("highlight|plain|k|c|s|m|nf|nb|gd|gi"),
}


class Reader(HTMLParser):
    """Reads HTML as a browser does, and keeps what is not allowed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ALLOWED.get(tag, ()) or not VALUES[name].fullmatch(value or ""):
                self.faults.append(f"<{tag} {name}={value!r}>")
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"<!{decl}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"<?{data}")


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    if reader.open:
        reader.faults.append(f"left open: {reader.open}")
    return reader


PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg/onload=alert(1)>",
    "<iframe src=//evil.example></iframe>",
    "<style>*{background:url(//evil.example)}</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0>",
    "<form action=//evil.example><button>go</button></form>",
    "<a href='javascript:alert(1)' onclick=alert(1)>x</a>",
    "<math><mi xlink:href=javascript:alert(1)>x</mi></math>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?php echo 1 ?>",
    "<div style=position:fixed id=main class=jp-Dialog>x</div>",
    "[x](javascript:alert(1))",
    "[x](JAVA&#x53;CRIPT:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x) [y](file:///etc/passwd) [z](//evil.example) [w](/api/shutdown) [v](#top)",
    '[x](https://ok.example/"onmouseover="alert(1))',
    '[x](https://ok.example "title" onclick=alert(1))',
    "<javascript:alert(1)> <https://ok.example/'onx='>",
    "![x](https://evil.example/p.png) ![y](//evil.example/q.png) ![z](data:image/png;base64,AAAA)",
    "[![x](https://evil.example/p.png)](https://ok.example)",
    "[a [b](https://b.example) c](https://c.example)",
    "[x][r]\n\n[r]: javascript:alert(1)\n",
    '```html" onload="alert(1)\n<script>\n```',
    "```<script>\n<script>alert(1)</script>\n```",
    "~~~ class=x id=y\n</code></pre><script>alert(1)</script>\n~~~",
    "`<script>`",
    "# x {#id .class onclick=alert(1)}",
    "<h1 id=x>",
    "| <script> | ![i](https://evil.example) |\n|:--|--:|\n| [j](javascript:1) | <img src=x> |\n",
    "- [x] <script>alert(1)</script>\n- [ ] ![i](https://evil.example)\n",
    "$<img src=x onerror=alert(1)>$ $$</span><script>alert(1)</script>$$ \\(</span>\\) \\[<b>\\]",
    "&lt;script&gt; &#60;script&#62; &amp;lt;script&amp;gt;",
    "\x00<script\x00>",
    "<scr\n\nipt>",
    "https://ok.example/<script>",
    "~~<script>~~ **<img src=x>** *<b>*",
]


AROUND = [
    "{}",
    "> {}",
    "- {}",
    "1. a\n   {}",
    "**{}**",
    "| a |\n|---|\n| {} |",
    "*{}",
    "`{}",
    "[{}](https://ok.example)",
]
SEEDS = ["[", "*", "_", ">", "> ", "- ", "1. ", "`", "![", "[](", "[a](<", "<a ", "<!--", "a*", "*a_", "**a ",
         "~~a", "|", "\\", "$", "$a", "\\(", "\\[\n", "$$\n", "$$\na\n", "\\begin{align}\n", "{", "http://",
         "&amp;", "#", "=\n", "[a]: b\n", "> - ", "\n\t", "``` \n"]  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("around", AROUND)
def test_hostile_text_stays_text(payload: str, around: str) -> None:
    assert read(render_markdown(around.format(payload))).faults == []


_SIGNS = [*"[]()<>*_`~$\\|#>-+!&\"'=:;{}\n\t ", "  \n", "\n\n", "```", "$$", "](", "](javascript:"]
_BITS = st.sampled_from([*PAYLOADS, *_SIGNS, "| a |\n|---|\n", "a", "é", "你"])


@settings(deadline=None)
@given(st.lists(_BITS | st.text(max_size=8), max_size=30).map("".join))
def test_any_text_becomes_allowed_html(text: str) -> None:
    assert read(render_markdown(text)).faults == []


_MARKUP = "&<>*_`~$\\|[]#!:@"
_PROSE = st.characters(categories=["L", "N", "Zs", "P"], exclude_characters=_MARKUP)


@settings(deadline=None)
@given(st.text(alphabet=_PROSE, max_size=200))
def test_words_are_kept(text: str) -> None:
    shown = read(render_markdown(text)).text
    assert [word for word in re.findall(r"\w+", text) if word not in shown] == []


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# A *b*", "<h1>A <em>b</em></h1>\n"),
        ("a\n- b\n  - c\n", "<p>a</p>\n<ul>\n<li>b<ul>\n<li>c</li>\n</ul>\n</li>\n</ul>\n"),
        ("3. c\n4. d\n", '<ol start="3">\n<li>c</li>\n<li>d</li>\n</ol>\n'),
        ("~~gone~~ `a<b`", "<p><del>gone</del> <code>a&lt;b</code></p>\n"),
        ("- [x] done\n- [ ] open\n", "<ul>\n<li>☑ done</li>\n<li>☐ open</li>\n</ul>\n"),
        ("> said\n", "<blockquote>\n<p>said</p>\n</blockquote>\n"),
        ("a  \nb\\\nc", "<p>a<br />\nb<br />\nc</p>\n"),
        ("&copy; AT&amp;T &lt;b&gt;", "<p>© AT&amp;T &lt;b&gt;</p>\n"),
        ("<b>raw</b>", "<p>&lt;b&gt;raw&lt;/b&gt;</p>\n"),
        (
            "[t](https://ok.example/a_b 'title')",
            '<p><a href="https://ok.example/a_b" target="_blank" rel="noopener noreferrer">t</a></p>\n',
        ),
        ("[t](javascript:x)", "<p>t (javascript:x)</p>\n"),
        (
            "![a plot](https://pics.example/p.png)",
            (
                '<p><a href="https://pics.example/p.png" target="_blank" rel="noopener noreferrer">'
                "image: a plot (pics.example)</a></p>\n"
            ),
        ),
        ("![a plot](data:image/png;base64,AAAA) ![](p.png)", "<p>image: a plot image</p>\n"),
    ],
)
def test_golden(text: str, html: str) -> None:
    assert render_markdown(text) == html


def test_an_image_in_a_link_gives_one_link() -> None:
    html = render_markdown("[![alt](https://pics.example/p.png)](https://ok.example)")
    assert html.count("<a ") == 1
    assert "image: alt (pics.example)" in html


def test_tables_keep_their_alignment_only() -> None:
    html = render_markdown("| a | b |\n|:--|--:|\n| 1 | 2 |\n")
    assert '<th style="text-align:left">a</th>' in html
    assert '<td style="text-align:right">2</td>' in html


@pytest.mark.parametrize("seed", SEEDS)
def test_32_kb_of_anything_takes_no_stack_and_no_square_time(seed: str) -> None:
    html, cost_s = _rendered(seed * (32_000 // len(seed)))
    _, eighth_s = _rendered(seed * (4_000 // len(seed)))
    # Eight times the text: linear work costs about 8 times as much, square work 64 times.
    assert cost_s < 32 * max(eighth_s, 0.01)
    assert read(html).faults == []


def _rendered(text: str) -> tuple[str, float]:
    gc.disable()  # what other tests left is not this text's cost
    try:
        start_s = time.process_time()
        html = render_markdown(text)
        return html, time.process_time() - start_s
    finally:
        gc.enable()


@pytest.mark.parametrize("depth", [10, 30, 200])
def test_deep_nesting_loses_nothing(depth: int) -> None:
    listed = "".join(f"{'  ' * level}- item{level}x\n" for level in range(depth))
    quoted = "".join(f"{'> ' * (level + 1)}item{level}x\n\n" for level in range(depth))
    for text in (listed, quoted):
        shown = unescape(render_markdown(text))
        assert [level for level in range(depth) if f"item{level}x" not in shown] == []


@pytest.mark.parametrize(
    ("text", "bold"),
    [
        ("**注意：**后面。这是**“重点”**内容，**结果（一）**是 5。", ["注意：", "“重点”", "结果（一）"]),
        ("**「重要」**です", ["「重要」"]),
        ("**bold** text, 2 ** 3", ["bold"]),
        ("`a：**b` 中", []),
    ],
)
def test_bold_beside_chinese_marks_is_bold(text: str, bold: list[str]) -> None:
    assert re.findall(r"<strong>(.*?)</strong>", render_markdown(text)) == bold
