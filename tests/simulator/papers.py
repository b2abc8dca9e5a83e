"""Small documents of every kind, made by hand so that no writer hides a reader's mistake."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

WORD_NS = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
SHEET_NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SLIDE_NS = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
CORE = (
    '<cp:coreProperties xmlns:cp="urn:cp" xmlns:dc="urn:dc"><dc:title>{title}</dc:title>'
    "<dc:creator>{author}</dc:creator></cp:coreProperties>"
)

REPORT = (
    (
        "1 Introduction",
        "The lighthouse on the northern cape was built in 1873.",
        "It is made of granite and stands forty metres tall.",
    ),
    (
        "2 Keepers",
        "Eleven keepers lived in the tower until it became automatic.",
        "The last keeper was Marta Lindqvist, who left in 1964.",
    ),
    ("3 Light", "The lamp turns once in twelve seconds.", "Its light is seen from thirty kilometres away."),
)


def pdf(pages: Sequence[Sequence[str]], *, title: str = "", author: str = "") -> bytes:
    """A PDF of text in Helvetica, one line under the other."""
    objects: list[bytes] = []
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects.append(b"<< /Type /Catalog /Pages 2 0 R >>")
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for index, lines in enumerate(pages):
        shown = " T* ".join(f"({line}) Tj" for line in lines)
        stream = f"BT /F1 12 Tf 14 TL 72 720 Td {shown} ET".encode("latin-1")
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> "
            + f"/Contents {5 + 2 * index} 0 R >>".encode()
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream")
    objects.append(f"<< /Title ({title}) /Author ({author}) >>".encode())
    out, starts = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, io.SEEK_END)
    for number, data in enumerate(objects, start=1):
        starts.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + data + b"\nendobj\n")
    table = out.tell()
    rows = "".join(f"{start:010d} 00000 n \n" for start in starts)
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{rows}".encode())
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>"
    out.write(f"trailer\n{trailer}\nstartxref\n{table}\n%%EOF\n".encode())
    return out.getvalue()


def report() -> bytes:
    """The report on the lighthouse: three pages, a heading on each."""
    return pdf(REPORT, title="The Northern Light", author="A. Writer")


def archive(**members: str) -> bytes:
    """A zip archive; ``__`` in a name is a slash, a ``_xml`` at its end the ending."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in members.items():
            opened.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return out.getvalue()


def docx(paragraphs: Sequence[tuple[str, str]], *, title: str = "", author: str = "") -> bytes:
    """A Word file: (style, text) for each paragraph."""
    told = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{escape(text)}</w:t></w:r></w:p>'
        for style, text in paragraphs
    )
    return archive(
        word__document_xml=f"<w:document {WORD_NS}><w:body>{told}</w:body></w:document>",
        docProps__core_xml=CORE.format(title=title, author=author),
        docProps__app_xml="<Properties><Pages>7</Pages></Properties>",
    )


def xlsx(rows: Sequence[Sequence[str | float]]) -> bytes:
    """A workbook of one sheet; texts are shared, as a spreadsheet program writes them."""
    texts = [cell for row in rows for cell in row if isinstance(cell, str)]
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = "".join(
            f'<c r="{chr(65 + at)}{number}" t="s"><v>{texts.index(cell)}</v></c>'
            if isinstance(cell, str)
            else f'<c r="{chr(65 + at)}{number}"><v>{cell}</v></c>'
            for at, cell in enumerate(row)
        )
        lines.append(f'<row r="{number}">{cells}</row>')
    return archive(
        xl__workbook_xml=f'<workbook {SHEET_NS}><sheets><sheet name="Sales"/></sheets></workbook>',
        xl__sharedStrings_xml=f"<sst {SHEET_NS}>"
        + "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
        + "</sst>",
        xl__worksheets__sheet1_xml=f"<worksheet {SHEET_NS}>{''.join(lines)}</worksheet>",
    )


def pptx(slides: Sequence[Sequence[str]]) -> bytes:
    """Slides of text."""
    members = {
        f"ppt__slides__slide{number}_xml": f"<sld {SLIDE_NS}>"
        + "".join(f"<a:p><a:r><a:t>{escape(text)}</a:t></a:r></a:p>" for text in slide)
        + "</sld>"
        for number, slide in enumerate(slides, start=1)
    }
    return archive(ppt__presentation_xml="<p/>", **members)
