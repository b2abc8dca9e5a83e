"""Documents are really read, and the teacher answers from what stands in them."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyfast_nb.simulator.looking.documents import read_document
from anyfast_nb.simulator.looking.fetching import bytes_of
from tests.simulator import papers
from tests.simulator.conftest import MODEL, data_uri

PATH = "/v1/responses"
MD = b"# Tea\n\nTea is a drink made of leaves. It is drunk warm.\n\n## Green\n\nGreen tea is not fermented.\n"


def part(data: bytes, name: str, mime: str = "application/octet-stream") -> dict[str, Any]:
    return {"type": "input_file", "file_data": data_uri(data, mime), "filename": name}


async def told(client: httpx.AsyncClient, prompt: str, *files: dict[str, Any]) -> str:
    content = [*files, {"type": "input_text", "text": prompt}]
    reply = await client.post(PATH, json={"model": MODEL, "input": [{"role": "user", "content": content}]})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["output"][-1]["content"][0]["text"])


# --- reading ---------------------------------------------------------------------------------------------


def test_a_pdf_is_read_page_by_page() -> None:
    read = read_document(papers.report(), name="light.pdf")
    assert (read.kind, read.pages, read.title, read.author) == ("PDF", 3, "The Northern Light", "A. Writer")
    assert read.headings == ("1 Introduction", "2 Keepers", "3 Light")
    assert "Marta Lindqvist" in read.sections[1].text
    assert read.size_bytes == len(papers.report())


def test_a_pdf_without_numbers_finds_its_headings_by_their_shape() -> None:
    pages = [["Summary", "This is a long line of text under a heading, and it goes on."], ["More text here."]]
    assert read_document(papers.pdf(pages)).headings == ("Summary",)


def test_a_word_file_is_read() -> None:
    data = papers.docx(
        [("Heading1", "Aims"), ("Normal", "We want & need tea."), ("Heading1", "Means")], title="Plan"
    )
    read = read_document(data, name="plan.docx")
    assert (read.kind, read.title, read.pages, read.headings) == ("Word", "Plan", 7, ("Aims", "Means"))
    assert read.sections[0].text == "We want & need tea."


def test_a_workbook_is_read_as_a_table() -> None:
    read = read_document(papers.xlsx([["city", "sold"], ["Oslo", 12.5], ["Rome", 7.5]]), name="s.xlsx")
    assert (read.kind, read.names, read.rows) == (
        "spreadsheet",
        ("city", "sold"),
        (("Oslo", "12.5"), ("Rome", "7.5")),
    )
    assert (read.pages, read.page_word, read.headings) == (1, "sheet", ("Sales",))


def test_slides_are_read_in_the_order_of_their_numbers() -> None:
    read = read_document(papers.pptx([[f"Slide {n}", f"text {n}"] for n in range(1, 12)]), name="t.pptx")
    assert (read.pages, read.page_word) == (11, "slide")
    assert read.headings == tuple(f"Slide {n}" for n in range(1, 12))


@pytest.mark.parametrize(
    ("data", "name", "mime", "kind", "words"),
    [
        (MD, "tea.md", "", "Markdown", "Green tea is not fermented."),
        (b"plain words", "a.txt", "text/plain", "text", "plain words"),
        ("größer".encode("latin-1"), "a.txt", "", "text", "größer"),
        ("größer".encode("utf-16"), "a.txt", "", "text", "größer"),
        (b'{"a": "first", "b": [1, 2]}', "a.json", "", "JSON", "first"),
        (b"x;y\n1;2\n", "", "text/csv", "CSV", "1, 2"),
        (
            b"<html><title>T</title><script>bad()</script><h1>Head</h1><p>Seen&amp;read</p>",
            "",
            "",
            "HTML",
            "Seen&read",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_texts_are_read_by_their_kind(data: bytes, name: str, mime: str, kind: str, words: str) -> None:
    read = read_document(data, name=name, mime=mime)
    assert (read.kind, read.problem) == (kind, "")
    assert words in read.text
    assert "bad()" not in read.text


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (b"\0\1\2" * 50, "no text"),
        (b"%PDF-1.7 and nothing more", "no readable PDF"),
        (papers.pdf([[""]]), "no text"),
        (b"PK\x03\x04 broken", "no readable office file"),
        (papers.archive(a_xml="<a/>"), "no .docx"),
        (
            papers.archive(word__document_xml='<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
            "entities",
        ),
        (papers.archive(word__document_xml="<unclosed>"), "no readable office file"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, problem: str) -> None:
    read = read_document(data, name="a.bin")
    assert problem in read.problem
    assert read.text.strip() == ""


def test_a_locked_pdf_says_so() -> None:
    import io

    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(papers.report()))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    assert "password" in read_document(out.getvalue()).problem


def test_a_cut_pdf_never_raises() -> None:
    whole = papers.report()
    for end in range(0, len(whole), 97):
        read = read_document(whole[:end], name="cut.pdf")
        assert read.problem or read.pages


FILES = {
    "a.pdf": papers.report(),
    "a.docx": papers.docx([("Heading1", "Aims"), ("Normal", "We want tea.")]),
    "a.xlsx": papers.xlsx([["city", "sold"], ["Oslo", 12.5]]),
    "a.pptx": papers.pptx([["Aims", "tea"]]),
    "a.json": b'[{"a": 1}, {"b": [2, {"c": 3}]}]',
    "a.csv": b'a,b\n"1",2\n',
    "a.html": b"<html><h1>a</h1><p>b</p></html>",
}


@given(
    name=st.sampled_from(sorted(FILES)),
    at=st.floats(0, 1),
    gone=st.integers(0, 9),
    more=st.binary(max_size=4),
)
@settings(max_examples=300)
def test_whatever_a_file_holds_reading_it_never_raises(name: str, at: float, gone: int, more: bytes) -> None:
    data = FILES[name]
    place = int(at * len(data))
    read = read_document(data[:place] + more + data[place + gone :], name=name)
    assert read.problem or read.kind


# --- answering -------------------------------------------------------------------------------------------


async def test_a_summary_takes_a_sentence_of_each_section(client: httpx.AsyncClient) -> None:
    text = await told(
        client, "Summarize this document", part(papers.report(), "light.pdf", "application/pdf")
    )
    assert "`light.pdf` is a PDF file of " in text
    assert "3 pages" in text
    assert "- **1 Introduction**: The lighthouse on the northern cape was built in 1873." in text
    assert "- **2 Keepers**: Eleven keepers lived in the tower until it became automatic." in text
    assert "Its most frequent terms: " in text


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("How many pages does it have?", "has **3** pages"),
        ("How many words are in it?", "words ("),
        ("Which headings does it have?", "1. 1 Introduction\n2. 2 Keepers"),
        ("Who is the author?", "author: A. Writer"),
        ("Who was the last keeper?", "> The last keeper was Marta Lindqvist, who left in 1964."),
        ("What is this?", "It begins: “1 Introduction The lighthouse"),
        ("这个文档有多少页？", "共 **3** 页"),
    ],
)
async def test_questions_are_answered_from_the_document(
    client: httpx.AsyncClient, prompt: str, words: str
) -> None:
    assert words in await told(client, prompt, part(papers.report(), "light.pdf"))


async def test_one_sentence_is_one_sentence(client: httpx.AsyncClient) -> None:
    text = await told(client, "How many pages? Answer in one sentence.", part(papers.report(), "light.pdf"))
    assert text == "`light.pdf` has **3** pages. *(simulated)*"


@pytest.mark.parametrize(
    "file",
    [
        part(b"city,sold\nOslo,12.5\nRome,7.5\n", "s.csv", "text/csv"),
        part(papers.xlsx([["city", "sold"], ["Oslo", 12.5], ["Rome", 7.5]]), "s.xlsx"),
        part(b'[{"city": "Oslo", "sold": 12.5}, {"city": "Rome", "sold": 7.5}]', "s.json"),
    ],
    ids=["csv", "xlsx", "json"],
)
async def test_tables_are_added_up(client: httpx.AsyncClient, file: dict[str, Any]) -> None:
    text = await told(client, "What is in here?", file)
    assert "2 rows and 2 columns: `city`, `sold`" in text
    assert "| `sold` | 20 | 10 | 7.5 | 12.5 |" in text


async def test_several_documents_are_told_apart(client: httpx.AsyncClient) -> None:
    text = await told(client, "Summarize", part(papers.report(), "a.pdf"), part(MD, "b.md"))
    assert "You sent 2 documents." in text
    assert "**1.** `a.pdf`" in text
    assert "**2.** `b.md`" in text


async def test_an_earlier_document_is_remembered(client: httpx.AsyncClient) -> None:
    turns = [
        {"role": "user", "content": [part(papers.report(), "light.pdf")]},
        {"role": "assistant", "content": "I have read it."},
        {"role": "user", "content": "How many pages does the document have?"},
    ]
    reply = (await client.post(PATH, json={"model": MODEL, "input": turns})).json()
    assert "**3** pages" in reply["output"][-1]["content"][0]["text"]
    turns[-1] = {"role": "user", "content": "What is 2+3?"}
    reply = (await client.post(PATH, json={"model": MODEL, "input": turns})).json()
    assert "**5**" in reply["output"][-1]["content"][0]["text"]


async def test_a_document_costs_the_tokens_of_its_text(client: httpx.AsyncClient) -> None:
    def asked(data: bytes) -> dict[str, Any]:
        return {"model": MODEL, "input": [{"role": "user", "content": [part(data, "a.txt")]}]}

    small, large = [
        (await client.post(PATH, json=asked(b"word" * size))).json()["usage"]["input_tokens"]
        for size in (10, 510)
    ]
    assert large - small == 500


# --- by address ------------------------------------------------------------------------------------------


@pytest.fixture
def served() -> Iterator[str]:
    """The address of a server on loopback that gives the report."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/away"):
                self.send_response(302)
                self.send_header("location", "/light.pdf")
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(papers.report())

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def test_a_document_on_this_machine_is_read(client: httpx.AsyncClient, served: str) -> None:
    text = await told(
        client, "How many pages?", {"type": "input_file", "file_url": f"{served}/light.pdf?sig=abc"}
    )
    assert "`light.pdf` has **3** pages" in text
    text = await told(client, "How many pages?", {"type": "input_file", "file_url": f"{served}/away"})
    assert "was not read" in text


async def test_a_document_elsewhere_is_said_to_be_unread(client: httpx.AsyncClient) -> None:
    url = "https://example.com/document.pdf?X-Signature=secret"
    text = await told(client, "Summarize this document", {"type": "input_file", "file_url": url})
    assert "`https://example.com/document.pdf` was not read: it is not reachable from here" in text
    assert "secret" not in text


async def test_a_broken_document_is_answered_not_refused(client: httpx.AsyncClient) -> None:
    text = await told(client, "Summarize", part(b"%PDF-1.7 broken", "broken.pdf"))
    assert "`broken.pdf` (15 bytes) could not be read: it is no readable PDF" in text


def test_only_this_machine_is_asked(served: str) -> None:
    assert bytes_of(f"{served}/a", limit_bytes=100_000) == papers.report()
    assert bytes_of(f"{served}/a", limit_bytes=100) is None
    for url in (
        "http://example.com/a",
        "http://127.0.0.1.example.com/a",
        "http://[bad/",
        "file:///etc/passwd",
    ):
        assert bytes_of(url, limit_bytes=100) is None
    assert bytes_of("http://127.0.0.1:9/a", limit_bytes=100) is None
