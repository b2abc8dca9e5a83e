from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anyfast_nb.errors import ProtocolError
from anyfast_nb.http.sse import CHAT_LINE_BYTES, IMAGE_LINE_BYTES, Decoder, ServerSentEvent, adecode, decode


def reference(stream: bytes) -> list[ServerSentEvent]:
    """The HTML standard's algorithm on a whole stream, as plainly as it is written there."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = re.split("\r\n|\n|\r", text)[:-1]  # what follows the last line end is no line
    events: list[ServerSentEvent] = []
    data, event_type, last_id = "", "", ""
    for line in lines:
        if line == "":
            if data:
                events.append(ServerSentEvent(event_type or "message", data[:-1], last_id))
            data, event_type = "", ""
            continue
        if line[0] == ":":
            continue
        field, value = line, ""
        if ":" in line:
            field, value = line.split(":", 1)
            value = value[1:] if value[:1] == " " else value
        if field == "event":
            event_type = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            last_id = value
    return events


def pieces(stream: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for begin, end in itertools.pairwise(places):
        yield stream[begin:end]


CORPUS = {
    "plain": b"data: a\n\ndata: b\n\n",
    "bom": b"\xef\xbb\xbfdata: a\n\n",
    "only one bom goes": b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n",
    "a bom later is data": b"data: \xef\xbb\xbfa\n\n",
    "crlf": b"data: a\r\ndata: b\r\n\r\n",
    "cr": b"data: a\rdata: b\r\r",
    "all line ends": b"data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\r\n\r",
    "comments": b": PING\n\n:\n\ndata: a\n: in between\ndata: b\n\n",
    "id stays, NUL is ignored": b"id: 1\ndata: a\n\ndata: b\n\nid: 2\x003\ndata: c\n\nid\ndata: d\n\n",
    "id without data": b"id: 7\n\ndata: a\n\n",
    "retry and unknown fields": b"retry: 10\nfoo: bar\ndata: a\nDATA: x\n data: y\n\n",
    "event names": b"event: add\ndata: 1\n\ndata: 2\n\nevent: gone\n\ndata: 3\n\n",
    "many lines of data": b"data: a\ndata:\ndata: b\ndata\n\n",
    "no space, two spaces, colons": b"data:a\ndata:  b\ndata:c:d\ndata: : e\n\n",
    "a field alone": b"data\n\nevent\ndata: a\n\n",
    "utf-8": "data: Zürich 北京 😀\n\n".encode(),
    "broken utf-8": b"data: \xe5\x8c\n\ndata: \xff\xfe\xf0\x9f\n\ndata: \xc3(\n\n",
    "ends without a blank line": b"data: a\n\ndata: b\n",
    "ends within a line": b"data: a\n\ndata: b",
    "ends with a cr": b"data: a\n\r",
    "nothing": b"",
    "a lone bom": b"\xef\xbb\xbf",
    "half a bom": b"\xef\xbbdata: a\n\ndata: b\n\n",
}


@pytest.mark.parametrize("stream", CORPUS.values(), ids=CORPUS)
def test_the_standards_cases_whole_bytewise_and_at_every_split(stream: bytes) -> None:
    expected = reference(stream)
    assert list(decode([stream])) == expected
    assert list(decode(stream[i : i + 1] for i in range(len(stream)))) == expected
    for first in range(len(stream) + 1):
        for second in range(first, len(stream) + 1):
            assert list(decode([stream[:first], stream[first:second], stream[second:]])) == expected


def test_the_reference_itself_says_what_the_standard_says() -> None:
    # Examples of the standard, 9.2.6: what they dispatch is printed there.
    assert [event.data for event in reference(b"data: YHOO\ndata: +2\ndata: 10\n\n")] == ["YHOO\n+2\n10"]
    stream = b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"
    assert [(e.data, e.id) for e in reference(stream)] == [
        ("first event", "1"),
        ("second event", ""),
        (" third event", ""),
    ]
    assert [e.data for e in reference(b"data\n\ndata\ndata\n\ndata:\n")] == ["", "\n"]


fragments = st.sampled_from(
    [
        b"data",
        b"event",
        b"id",
        b"retry",
        b":",
        b" ",
        b"\r",
        b"\n",
        b"\r\n",
        b"\n\n",
        b"a",
        b"\x00",
        b"\xef\xbb\xbf",
        b"\xe5\x8c\x97",
        b"\xe5",
        b"\xff",
        b"data: x\n\n",
        b": PING\n\n",
        b"[DONE]",
    ]
)
streams = st.lists(fragments, max_size=60).map(b"".join) | st.binary(max_size=80)
cuts = st.lists(st.integers(0, 10_000), max_size=12)


@given(streams, cuts)
@example(b"\xef\xbb\xbfdata: a\r\n\r\n", [1, 2, 3, 11, 12, 13])
def test_any_split_of_any_stream_gives_the_standards_events(stream: bytes, cuts: list[int]) -> None:
    assert list(decode(pieces(stream, cuts))) == reference(stream)


@given(streams, cuts)
def test_the_asynchronous_decoder_is_the_same(stream: bytes, cuts: list[int]) -> None:
    async def source() -> AsyncIterator[bytes]:
        for piece in pieces(stream, cuts):
            yield piece

    async def collect() -> list[ServerSentEvent]:
        return [event async for event in adecode(source())]

    assert asyncio.run(collect()) == reference(stream)


def test_an_event_is_given_as_soon_as_its_blank_line_ends() -> None:
    for end in (b"\n\n", b"\r\r", b"\r\n\r\n", b"\r\n\r"):
        assert [event.data for event in Decoder().feed(b"data: a" + end)] == ["a"], end


def test_a_line_as_long_as_the_bound_passes_and_a_longer_one_does_not() -> None:
    fits = b"data:" + b"x" * (CHAT_LINE_BYTES - 5)
    (event,) = decode([fits, b"\n\n"])
    assert len(event.data) == CHAT_LINE_BYTES - 5
    with pytest.raises(ProtocolError, match="more than 1,000,000 bytes"):
        list(decode([fits + b"x", b"\n\n"]))


def test_the_bound_holds_before_the_line_ends_and_for_comments() -> None:
    def endless(start: bytes) -> Iterator[bytes]:
        yield start
        while True:
            yield b"x" * 65_536

    for start in (b"data: ", b": ", b"id: ", b""):
        with pytest.raises(ProtocolError):
            list(decode(endless(start)))


@pytest.mark.parametrize("line", [b"data: 0123456789\n", b"data:\n", b"data\n"])
def test_long_data_over_many_lines_is_bounded_too(line: bytes) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield line * 1000

    with pytest.raises(ProtocolError):
        list(decode(endless()))


def test_events_before_a_line_that_is_too_long_are_given() -> None:
    events = decode([b"data: a\n\n" + b"x" * 200], max_line_bytes=100)
    assert next(events).data == "a"
    with pytest.raises(ProtocolError):
        next(events)


def test_the_bound_of_images_is_their_own() -> None:
    chunk = b"x" * 1_000_000
    parts = [b"data: ", *[chunk] * 3, b"\n\n"]
    (event,) = decode(parts, max_line_bytes=IMAGE_LINE_BYTES)
    assert len(event.data) == 3_000_000


def test_feeding_single_bytes_reads_each_of_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from anyfast_nb.http import sse

    looked_at = 0
    line_end = sse._LINE_END

    class Counting:
        def search(self, text: bytearray, begin: int) -> re.Match[bytes] | None:
            nonlocal looked_at
            looked_at += len(text) - begin
            return line_end.search(text, begin)

    monkeypatch.setattr(sse, "_LINE_END", Counting())
    stream = b"data: " + b"x" * 20_000 + b"\n\n"
    assert len(list(decode(stream[i : i + 1] for i in range(len(stream))))) == 1
    assert looked_at <= 3 * len(stream)
