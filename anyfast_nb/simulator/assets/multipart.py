"""Reading a ``multipart/form-data`` body: fields as text, the file as bytes."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser

from anyfast_nb.simulator.problems import bad_field

MOST_PARTS = 32
LONGEST_HEAD = 4096  # bytes of headers of one part; the parser takes long over long ones


def read_form(raw: bytes, *, content_type: str) -> tuple[dict[str, str], bytes | None]:
    """The fields and the part called ``file``.

    Args:
        raw: the whole body.
        content_type: the header with the boundary.

    Returns:
        The fields by name, and the file's bytes or None.

    Raises:
        Refusal: 400, it is no such body.
    """
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if not boundary:
        raise bad_field("Content-Type", "must name a boundary")
    fields: dict[str, str] = {}
    file: bytes | None = None
    for count, (disposition, data) in enumerate(_parts(raw, boundary.encode("latin-1", "replace"))):
        if count >= MOST_PARTS:
            raise bad_field("body", f"must hold at most {MOST_PARTS} parts")
        name = disposition.get_param("name", "", header="content-disposition")
        if name == "file":
            file = data
        else:
            fields[str(name)] = data.decode("utf-8", "replace")
    return fields, file


def _parts(raw: bytes, boundary: bytes) -> Iterator[tuple[Message, bytes]]:
    """Header and content of each part: everything between two boundaries, each on a line of its own."""
    mark = b"\r\n--" + boundary
    body = b"\r\n" + raw
    at = body.find(mark)
    while at >= 0:
        start = at + len(mark)
        if body[start : start + 2] == b"--":
            return
        end = body.find(mark, start)
        if end < 0:
            break
        head, gap, data = body[start:end].partition(b"\r\n\r\n")
        if not gap:
            raise bad_field("body", "has a part without headers")
        if len(head) > LONGEST_HEAD:
            raise bad_field("body", f"has a part with more than {LONGEST_HEAD} bytes of headers")
        yield BytesHeaderParser().parsebytes(head.strip()), data
        at = end
    raise bad_field("body", "is no multipart body: a boundary is missing")
