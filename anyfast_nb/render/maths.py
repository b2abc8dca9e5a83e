r"""TeX in model text: found, judged, and left for the front end's typesetter.

Four forms count as maths: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, and the usual
`\begin{align}` environments. "It costs $5 and $6" does not: the signs must hug
what they enclose, and what follows must not be a letter or a digit.

TeX can do more than typeset: `\href` makes links, `\def` lives on in the next
answer, `\rule` can cover the page. An expression that uses any of this is
shown as code.
"""

from __future__ import annotations

import html
import re
from re import Match
from typing import TYPE_CHECKING

from anyfast_nb.render.escape import escape
from anyfast_nb.wire.text import without_controls

if TYPE_CHECKING:
    from mistune import BlockParser, BlockState, InlineParser, InlineState, Markdown

MAX_TEX_CHARS = 4_000
MAX_TEX_DEPTH = 40

_ENVIRONMENTS = (
    r"(?:equation|align|alignat|aligned|gather|gathered|multline|eqnarray|split|cases|dcases|rcases"
    r"|[pbvBV]?matrix|smallmatrix|array|subarray|CD)"
)
# The rules name what opens an expression; its end is looked for by functions, in linear time.
_INLINE = r"\\\(|\\\[|\$\$?"
_BLOCK = r"^ {0,3}(?P<tex_opener>\$\$|\\\[|\\begin\{(?P<tex_env>" + _ENVIRONMENTS + r"\*?)\})"
_CLOSERS = {r"\(": r"\)", r"\[": r"\]", "$$": "$$", "$": "$"}

# Macros that do more than typeset: nothing an answer needs.
_BARRED_MACROS = (
    *("href", "url", "includegraphics", "input", "include", "require"),  # reach out
    *(
        "style",
        "class",
        "cssId",
        "data",
        "bbox",
        "html(?:Id|Class|Style|Data)",
        "enclose",
        "mmlToken",
    ),  # attributes
    *(
        "[gex]?def",
        "let",
        "futurelet",
        "(?:re)?newcommand",
        "providecommand",
        "(?:re)?newenvironment",
        "newtheorem",
    ),
    *(
        "Declare[A-Za-z]+",
        "definecolor",
        "mathtoolsset",
        "(?:re)?newtagform",
        "usetagform",
        "global",
        "long",
    ),  # last
    *(
        "csname",
        "expandafter",
        "catcode",
        "char",
        "unicode",
        "special",
        "write",
        "immediate",
    ),  # build other macros
    *("toggle", "texttip", "mathtip", "tooltip"),  # act
    *("label", "ref", "eqref"),  # name elements of the page
    *(
        "rule",
        "Rule",
        "Space",
        "m?kern",
        "[hm]skip",
        "vspace",
        "raise(?:box)?",
        "lower",
        "move(?:left|right)",
    ),
    *(
        "scalebox",
        "smash",
        "(?:math)?[rlc]lap",
        "genfrac",
        "above(?:withdelims)?",
    ),  # cover what is beside them
)
_BARRED = re.compile(
    r"\\(?:" + "|".join(_BARRED_MACROS) + r")(?![A-Za-z])"
    r"|\\[hm]space\*?\s*\{\s*(?!-?\d?(?:\.\d{1,3})?\s*(?:em|ex|cm|mm|pt|mu|in|px)\s*\})"
    r"|\\begin\s*\{\s*(?!" + _ENVIRONMENTS + r"\*?\s*\})"
    r"|\\\\\s*\[\s*(?:-|\d{3})|\*\s*\{\s*\d{3}|\^\^"
)
# "$20 million, up 10$" begins like a price and goes on like a sentence.
_PRICE = re.compile(r"\d[\d.,]*\s*(?:[A-Za-z]{2,}\b(?![^\\^_=+]*[\\^_=+])|[-–(])")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_LINE_END = re.compile(r"[ \t]*(?:\n|$)")
_WORD_OR_DOLLAR = re.compile(r"[0-9A-Za-z$]")


def is_typesettable(tex: str) -> bool:
    r"""Whether TeX may go to the typesetter.

    Args:
        tex: the expression without its delimiters.

    Returns:
        False for macros that link, load, define or style, for long or deeply
        nested expressions, and for unbalanced braces.
    """
    return len(tex) <= MAX_TEX_CHARS and _depth(tex) <= MAX_TEX_DEPTH and not _BARRED.search(tex)


def _depth(tex: str) -> int:
    """The deepest level of braces; beyond every limit if they do not match."""
    depth = deepest = 0
    for sign in re.findall(r"(?<!\\)(?:\\\\)*([{}])", tex):
        depth += 1 if sign == "{" else -1
        deepest = max(deepest, depth)
        if depth < 0:
            break
    return deepest if depth == 0 else MAX_TEX_DEPTH + 1


def tex_html(tex: str, *, display: bool) -> str:
    """TeX as HTML: marked for the typesetter in an element of its own, or as code."""
    tex = without_controls(tex).strip()
    mark = "$$" if display else "$"
    if not is_typesettable(tex):
        return f"<code>{escape(mark + tex + mark)}</code>"
    # Inside dollars a dollar would end the expression, even an escaped one for some typesetters.
    before, after = (mark, mark) if "$" not in tex else (r"\[", r"\]") if display else (r"\(", r"\)")
    return f"<span>{before}{html.escape(tex, quote=False)}{after}</span>"


def maths(md: Markdown) -> None:
    """A mistune plug-in: the forms of maths above, before anything else reads their signs."""
    # By these names mistune knows which characters begin the rules, and may skip over all others.
    md.block.register("block_math", _BLOCK, _parse_block, before="list")
    for rules in (md.block.block_quote_rules, md.block.list_rules):
        md.block.insert_rule(rules, "block_math", before="list")
    md.inline.register("inline_math", _INLINE, _parse_inline, before="escape")


def _parse_block(_block: BlockParser, m: Match[str], state: BlockState) -> int | None:
    environment = m.group("tex_env")
    closer = rf"\end{{{environment}}}" if environment else _CLOSERS[m.group("tex_opener")]
    end = _find_end(state.src, m.end(), closer)
    if end is None or _BLANK_LINE.search(state.src, m.end(), end):
        return None
    rest_of_line = _LINE_END.match(state.src, end + len(closer))
    if rest_of_line is None:
        return None
    tex = state.src[m.start("tex_opener") : end + len(closer)] if environment else state.src[m.end() : end]
    state.append_token({"type": "block_math", "raw": tex})
    return rest_of_line.end()


def _parse_inline(_inline: InlineParser, m: Match[str], state: InlineState) -> int | None:
    opener = m.group()
    end = _find_end(state.src, m.end(), _CLOSERS[opener])
    if end is None:
        return None
    tex = state.src[m.end() : end]
    if opener == "$" and not _hugs(state.src, m.start(), end):
        return None
    state.append_token({"type": "inline_math", "raw": tex, "attrs": {"display": opener in ("$$", r"\[")}})
    return end + len(_CLOSERS[opener])


def _find_end(text: str, start: int, closer: str) -> int | None:
    """Where the closer stands, not as part of an escape; None if it does not, or encloses nothing."""
    limit, at = start + MAX_TEX_CHARS, start
    while (at := text.find(closer, at, limit)) >= 0:
        if _backslashes(text, start, at) % 2 == 0:
            return at if text[start:at].strip() else None
        at += 1
    return None


def _backslashes(text: str, start: int, at: int) -> int:
    return at - start - len(text[start:at].rstrip("\\"))


def _hugs(text: str, start: int, end: int) -> bool:
    """Whether single dollars at these places enclose maths, and are no prices or shell variables."""
    tex, before, after = text[start + 1 : end], text[start - 1 : start], text[end + 1 : end + 2]
    if tex[0].isspace() or tex[-1].isspace() or _PRICE.match(tex):
        return False
    return not _WORD_OR_DOLLAR.match(before) and not _WORD_OR_DOLLAR.match(after)
