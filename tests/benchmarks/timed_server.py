"""A gateway that streams a known text at a known pace, for measuring; the model's name says what.

`python timed_server.py FOLDER` prints its address. Model `c8000-r1000-k0` is 8,000 characters at
1,000 pieces a second after 0 pieces of thought. When the last byte is written, `FOLDER/ended.json` says so.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))
sys.path.insert(0, str(HERE))

from browser_driver import note_end, pieces  # noqa: E402


def frames(model: str) -> tuple[list[bytes], float]:
    """The events of one answer, and how many a second."""
    chars, per_s, thoughts = (int(number) for number in re.findall(r"\d+", model))
    deltas = [{"reasoning_content": piece} for piece in pieces(thoughts * 4)[:thoughts]]
    deltas += [{"content": piece} for piece in pieces(chars)]
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    bodies = [json.dumps({"id": "timed", "model": model, "choices": [choice]}) for choice in choices]
    return [f"data: {body}\n\n".encode() for body in bodies], float(per_s)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request and close."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    body = json.loads(await reader.readexactly(int(length[1]) if length else 0) or b"{}")
    if "model" not in body:  # a question for the models it serves
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        return
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    events, per_s = frames(body["model"])
    now = asyncio.get_running_loop().time
    start = now()
    for number, event in enumerate(events):
        if (pause := start + number / per_s - now()) > 0.001:
            await asyncio.sleep(pause)
        writer.write(event)
        await writer.drain()
    writer.write(b"data: [DONE]\n\n")
    await writer.drain()
    note_end()
    writer.close()


async def main() -> None:
    """Listen on a free port of this machine until the process is ended."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    import os

    os.chdir(sys.argv[1])
    asyncio.run(main())
