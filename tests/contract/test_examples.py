"""The vendor's own examples: the built-in AnyFast answers each, and the README's line sends it."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from IPython.core.interactiveshell import InteractiveShell

import anyfast_nb as af
from anyfast_nb.client.faces import Client
from anyfast_nb.http.transport import Transport
from anyfast_nb.session import session
from tests.conftest import Simulator
from tests.environment import ROOT
from tests.media.conftest import encode_clip
from tests.shells import extended_shell
from tests.simulator.papers import pdf

EXAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "examples.json").read_text("utf-8"))
NAMES = [example["name"] for example in EXAMPLES]
_ROW = re.compile(r"^\| (\d+) \| ([^|]+?) \| ([^|]+?) \| ([^|]*?) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One line of the README's table."""

    name: str
    python: str
    magic: str


def code(cell: str) -> str:
    found = re.fullmatch(r"`(.+)`", cell.strip())
    return found[1] if found else ""


EVERY = [
    Row(name, code(python), code(magic))
    for _, name, python, magic in _ROW.findall((ROOT / "README.md").read_text("utf-8"))
]
ROWS, SNIPPETS = EVERY[:21], EVERY[21:]
POEM = {"model": "doubao-seed-2.0-pro", "messages": [{"role": "user", "content": "Write a short poem"}]}
GATEWAY = "https://www.anyfast.ai/v1"


class Examples:
    """The examples with their placeholders filled from files and from earlier replies."""

    def __init__(self, folder: Path) -> None:
        from PIL import Image

        picture = io.BytesIO()
        Image.new("RGB", (320, 320), "teal").save(picture, format="PNG")
        self.files = {
            "photo.png": picture.getvalue(),
            "clip.mp4": encode_clip(folder / "made.mp4", "mp4", 15, faststart=True).read_bytes(),
            "document.pdf": pdf([["Boats of Oslo.", "Ada builds them."]]),
        }
        for name, data in self.files.items():
            (folder / name).write_bytes(data)
        words = ("{BASE64_IMAGE}", "{BASE64_VIDEO}", "{BASE64_PDF}")
        encoded = (base64.b64encode(data).decode() for data in self.files.values())
        self.known = dict(zip(words, encoded, strict=True))

    def body(self, example: Mapping[str, Any]) -> Any:
        return json.loads(self.filled(json.dumps(example["body"])))

    def filled(self, text: str) -> str:
        for placeholder, value in self.known.items():
            text = text.replace(placeholder, value)
        return text

    def learn(self, example: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
        """Remember what later examples need of a reply."""
        if example["name"] == "asset group":
            self.known["group-20260427160000-xxxxx"] = reply["Id"]
        elif example["name"] == "asset":
            self.known["asset-20260427160000-xxxxx"] = reply["Id"]
        elif example["name"] == "film from an asset":
            self.known["asynxxxx"] = reply["id"]


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examples:
    monkeypatch.chdir(tmp_path)
    return Examples(tmp_path)


# --- the built-in AnyFast answers each of them ------------------------------------------------


def test_all_of_them_are_here() -> None:
    assert len(EXAMPLES) == 21
    assert [row.name for row in ROWS] == NAMES
    assert [row.name for row in SNIPPETS] == ["snippet: a streamed poem", "snippet: the base URL"]


def test_the_built_in_anyfast_answers_every_example(simulator: Simulator, examples: Examples) -> None:
    headers = {"Authorization": f"Bearer {simulator.key}"}
    host = simulator.base_url.removesuffix("/v1")
    with httpx.Client(headers=headers, timeout=60, trust_env=False) as http:
        for example in EXAMPLES:
            url = host + examples.filled(example["path"])
            body = examples.body(example)
            reply = http.request(example["method"], url, json=body if body is not None else None)
            assert reply.status_code == 200, (example["name"], reply.text[:500])
            examples.learn(example, reply.json())
            check_shape(example, reply.json())


def check_shape(example: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
    """The reply has the form that the vendor's pages show."""
    path, name = example["path"], example["name"]
    if path == "/v1/chat/completions":
        assert reply["object"] == "chat.completion"
        assert reply["choices"][0]["message"]["role"] == "assistant"
        assert reply["choices"][0]["message"]["content"]
        assert reply["usage"]["total_tokens"] > 0
    elif path == "/v1/responses":
        assert reply["object"] == "response"
        assert reply["id"].startswith("resp_")
        assert reply["status"] == ("incomplete" if name == "responses: every parameter" else "completed")
        assert any(item["type"] == "message" for item in reply["output"])
        assert reply["usage"]["total_tokens"] > 0
    elif path.startswith("/volc/asset/"):
        assert re.fullmatch(r"(group|asset)-\d{14}-\w{5}", reply["Id"])
    elif example["method"] == "POST":
        assert reply["id"].startswith("asyn")
        assert reply["task_id"] == reply["id"]
    else:
        assert reply["data"]["status"] == "SUCCESS"
        assert reply["data"]["data"]["content"]["video_url"]


# --- the README's lines send each of them ------------------------------------------------------


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any]]:
    """Every request that leaves: method, path, body."""
    found: list[tuple[str, str, Any]] = []
    once = Transport._once

    async def recorded(self: Transport, call: Any, *rest: Any, **more: Any) -> Any:
        found.append((call.method, call.path, call.body))
        return await once(self, call, *rest, **more)

    monkeypatch.setattr(Transport, "_once", recorded)
    return found


def same(sent_body: Any, example: Mapping[str, Any], examples: Examples) -> None:
    """What was sent is the example; chats stream unless they are told not to."""
    body = examples.body(example)
    if body is None:
        assert sent_body is None
        return
    sent_body = dict(sent_body)
    if body.pop("stream", None) is False:  # the server's default: it may be left out
        assert not sent_body.pop("stream", False)
    else:
        sent_body.pop("stream", None)
        sent_body.pop("stream_options", None)
    assert sent_body == body, example["name"]


def test_the_python_lines_send_the_examples(
    simulator: Simulator, examples: Examples, sent: list[tuple[str, str, Any]]
) -> None:
    with Client(base_url=simulator.base_url, api_key=simulator.key) as client:
        names: dict[str, Any] = {"client": client}
        for example, row in zip(EXAMPLES, ROWS, strict=True):
            del sent[:]
            exec(row.python, names)
            for name, word in (
                ("group", "group-20260427160000-xxxxx"), ("asset", "asset-20260427160000-xxxxx"),
            ):  # fmt: skip
                if name in names:
                    examples.known[word] = names[name].id
            if "job" in names:
                examples.known["asynxxxx"] = names["job"].task_id
            method, path, body = sent[0]
            assert (method, path) == (example["method"], examples.filled(example["path"])), row.name
            same(body, example, examples)


@pytest.fixture
def shell(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("ANYFAST_BASE_URL", simulator.base_url)
    monkeypatch.setenv("ANYFAST_API_KEY", simulator.key)
    with extended_shell() as shell:
        yield shell


def test_the_magic_lines_send_the_examples(
    shell: InteractiveShell, examples: Examples, sent: list[tuple[str, str, Any]]
) -> None:
    for example, row in zip(EXAMPLES, ROWS, strict=True):
        del sent[:]
        # One film is waited for, where its state is asked for; the others need not be rendered.
        session().configure(wait=example["method"] == "GET")
        result = shell.run_cell(row.magic)
        assert result.success, row.name
        for name, word in (("group", "group-20260427160000-xxxxx"), ("asset", "asset-20260427160000-xxxxx")):
            if name in shell.user_ns:
                examples.known[word] = shell.user_ns[name].id
        if "job" in shell.user_ns:
            examples.known["asynxxxx"] = shell.user_ns["job"].task_id
        method, path, body = sent[0]
        assert (method, path) == (example["method"], examples.filled(example["path"])), row.name
        same(body, example, examples)
        asked_again = sent[1:] and not example["path"].startswith("/volc/") and method != "GET"
        assert not asked_again, row.name


# --- and the two snippets of Python --------------------------------------------------------------


def test_the_python_lines_do_what_the_snippets_do(
    simulator: Simulator, sent: list[tuple[str, str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    poem, base = SNIPPETS
    with Client(base_url=simulator.base_url, api_key=simulator.key) as client:
        exec(poem.python, {"client": client})
    (asked,) = sent
    streamed = {"stream": True, "stream_options": {"include_usage": True}}
    assert asked == ("POST", "/v1/chat/completions", POEM | streamed)
    assert "TextDelta" in capsys.readouterr().out
    names: dict[str, Any] = {"af": af}
    exec(base.python, names)
    with names["client"] as made, openai.OpenAI(api_key="YOUR_API_KEY", base_url=GATEWAY) as theirs:
        assert f"{theirs.base_url}" == f"{GATEWAY}/"
        assert repr(made) == f"Client(base_url={GATEWAY.removesuffix('/v1')!r})"


def test_the_magic_lines_do_what_the_snippets_do(
    shell: InteractiveShell, sent: list[tuple[str, str, Any]]
) -> None:
    poem, base = SNIPPETS
    assert shell.run_cell(poem.magic).success
    ((method, path, body),) = sent
    assert (method, path) == ("POST", "/v1/chat/completions")
    assert {name: body[name] for name in POEM} == POEM
    assert body["stream"] is True
    assert shell.run_cell(base.magic).success
    assert session().gateway.settings().base_url == GATEWAY.removesuffix("/v1")
