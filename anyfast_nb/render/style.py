"""One quiet look for every output: JupyterLab's own colours, with fallbacks that read on light and dark.

Sites that strip style sheets show the same elements unstyled: nothing depends on the sheet.
"""

from __future__ import annotations

QUIET_COLOUR = "var(--jp-ui-font-color2,#7a7a7a)"
LINE_COLOUR = "var(--jp-border-color2,#8885)"

# The class is repeated to outweigh JupyterLab's own rules for HTML outputs.
_SHEET = f"""
.anyfast pre{{margin:0 0 1em!important;padding:.6em .9em!important;border-radius:4px;\
border:1px solid {LINE_COLOUR}!important;background:var(--jp-cell-editor-background,#8881)!important;\
font-family:var(--jp-code-font-family,monospace)!important;font-size:var(--jp-code-font-size,.9em)}}
.anyfast pre.plain{{margin:0 0 .6em!important;padding:0!important;\
border:none!important;background:none!important}}
.anyfast .highlight pre{{white-space:pre!important;overflow-x:auto}}
.anyfast table{{margin:0 0 1em!important}}
.anyfast.anyfast.anyfast :is(td,th){{text-align:left;vertical-align:top}}
.anyfast-wide{{container-type:inline-size;margin:0 0 1em}}
.anyfast .anyfast-wide table{{margin:0 0 .4em!important}}
.anyfast-wide::-webkit-scrollbar{{height:8px}}
.anyfast-wide::-webkit-scrollbar-thumb{{background:#8889;border-radius:4px}}
@container (max-width:760px){{.anyfast .anyfast-bar{{display:none}}\
.anyfast.anyfast.anyfast .anyfast-wide :is(td,th){{padding:.35em .45em}}}}
.anyfast blockquote{{margin:0 0 1em;padding:0 1em;border-left:3px solid {LINE_COLOUR};color:{QUIET_COLOUR}}}
.anyfast li>p:last-child,.anyfast blockquote>:last-child{{margin-bottom:.2em}}
.anyfast details{{margin:0 0 .8em;padding-left:.8em;border-left:2px solid {LINE_COLOUR};color:{QUIET_COLOUR}}}
.anyfast :is(p,li,summary){{overflow-wrap:anywhere}}
.anyfast summary{{cursor:pointer}}
.anyfast summary~*{{margin-top:.5em}}
.anyfast-note{{margin-bottom:.5em}}
.anyfast-note,.anyfast-foot{{color:{QUIET_COLOUR};font-variant-numeric:tabular-nums}}
.anyfast-job{{line-height:1.45}}
.anyfast .anyfast-facts{{display:grid;grid-template-columns:max-content 1fr;gap:.15em 1.2em;margin:.3em 0}}
.anyfast .anyfast-facts dt{{color:{QUIET_COLOUR};font-weight:normal;margin:0}}
.anyfast .anyfast-facts dd{{margin:0;overflow-wrap:anywhere}}
.anyfast .anyfast-prompt{{margin:.35em 0;max-width:640px;overflow-wrap:anywhere}}
.anyfast .anyfast-why{{margin:.35em 0;padding-left:.7em;max-width:640px;overflow-wrap:anywhere;\
border-left:3px solid var(--jp-error-color1,#c0504d)}}
.anyfast .k{{color:var(--jp-mirror-editor-keyword-color,#2e8b57);font-weight:bold}}
.anyfast .s{{color:var(--jp-mirror-editor-string-color,#c0504d)}}
.anyfast .c{{color:var(--jp-mirror-editor-comment-color,#5f8f8f);font-style:italic}}
.anyfast .m{{color:var(--jp-mirror-editor-number-color,#2e8b57)}}
.anyfast .nf{{color:var(--jp-mirror-editor-def-color,#4a7fd6)}}
.anyfast .nb{{color:var(--jp-mirror-editor-builtin-color,#2e8b57)}}
.anyfast .gd{{color:var(--jp-error-color1,#c0504d)}}
.anyfast .gi{{color:var(--jp-success-color1,#2e8b57)}}
.jp-OutputArea-child:has(.anyfast-whole)+* .anyfast-tail{{display:none}}
"""
STYLE = f"<style>{_SHEET.strip()}</style>\n"


def page(inner: str, *, name: str = "", style: bool = False) -> str:
    """One output's HTML.

    Args:
        inner: safe HTML.
        name: a second class of the outer element.
        style: whether the sheet goes with it; one per page is enough.
    """
    sheet = STYLE if style else ""
    return f'{sheet}<div class="{f"anyfast {name}".rstrip()}">{inner}</div>'


def quiet(inner: str, *, name: str = "anyfast-foot") -> str:
    """A small line beside the answer."""
    return f'<div class="{name}"><small>{inner}</small></div>\n'


def wide(table: str) -> str:
    """A table that scrolls in its own box where the page is too narrow, with a bar that says so."""
    return f'<div class="anyfast-wide" style="overflow-x:auto">{table}</div>\n'
