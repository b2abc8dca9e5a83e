from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.ledger import Ledger
from anyfast_nb.ledger.guard import plain_url, scrub
from anyfast_nb.wire.values import Status
from tests.ledger.conftest import request_row, rows_of

SECRETS = [
    ("use sk-sim-demo please", "sim-demo"),
    ("key=sk-Ab3dEf6hIj9lMn2pQr5t.", "Ab3dEf6hIj9lMn2pQr5t"),
    ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
    ("see https://host.cn/x.png?X-Tos-Signature=5ec2e7 now", "5ec2e7"),
    ("https://anna:geheim@host.cn/v1 fails", "geheim"),
    ("postgresql://anna:geheim@db/ledger", "geheim"),
    ("look: data:image/png;base64,iVBORw0KGgo=", "iVBORw0KGgo"),
    ("data:image/svg+xml;charset=utf-8,%3Csvg", "%3Csvg"),
]


def _on_disk(folder: Path) -> bytes:
    return b"".join(item.read_bytes() for item in folder.rglob("*") if item.is_file())


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_no_secret_reaches_the_disk(path: Path, text: str, secret: str) -> None:
    ledger = Ledger(path)
    row = request_row(base_url=text, model=text, title=text, notebook=text, cell=text, thread=text, kind=text)
    ledger.begin(row)
    ledger.settle(row.id, status=Status.ERROR, model=text, error=text, request_id=text)
    in_journal = _on_disk(path.parent)
    rows = rows_of(ledger)
    in_file = _on_disk(path.parent)
    ledger.close()

    assert secret not in repr(rows)
    assert secret.encode() not in in_journal + in_file


@pytest.mark.parametrize(
    "text",
    [
        "A task-oriented risk-assessment-of-disk-failures",
        "What does sk-learn do?",
        "Compare https://docs.python.org/3/library/re.html with the data: rows, columns",
    ],
)
def test_plain_prose_stays(text: str) -> None:
    assert scrub(text, limit=200) == text


def test_a_secret_at_the_cut_does_not_survive_in_part() -> None:
    text = "x" * 70 + " sk-Ab3dEf6hIj9lMn2pQr5t"
    assert scrub(text, limit=80) == "x" * 70 + " sk-…"


@given(st.text(st.characters(exclude_categories=[]), max_size=300), st.integers(0, 200))
def test_any_text_can_be_stored_and_keeps_its_limit(text: str, limit: int) -> None:
    kept = scrub(text, limit=limit)
    assert len(kept) <= limit
    assert kept.encode("utf-8").decode("utf-8") == kept


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://www.anyfast.ai/v1/", "https://www.anyfast.ai/v1"),
        ("https://anna:geheim@host:8443/v1?token=5ec2e7#x", "https://host:8443/v1"),
        ("http://[::1]:8765/v1", "http://[::1]:8765/v1"),
        ("simulator", "simulator"),
        ("https://anna:ge@heim@host/v1", "https://host/v1"),
        ("https://host?mail=anna@host.cn", "https://host"),
        ("http://[broken", "http://[broken"),
    ],
)
def test_a_base_url_is_kept_without_credentials_and_query(url: str, kept: str) -> None:
    assert plain_url(url) == kept
