from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from anyfast_nb.simulator import cli, server, triggers
from anyfast_nb.simulator.config import DEMO_KEY, MIB, REHEARSAL_KEY, Config, Profile

COMMAND = [sys.executable, "-m", "anyfast_nb.simulator.cli"]


@contextmanager
def started(
    *arguments: str, lines: int = 3, **environ: str
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A running ``anyfast-sim`` on a free port, and what it printed."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environ,
    )
    with process:
        assert process.stdout is not None
        try:
            yield process, [process.stdout.readline().rstrip("\n") for _ in range(lines)]
        finally:
            process.kill()


def url(printed: list[str]) -> str:
    return next(word for word in printed[0].split() if word.startswith("http://"))


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_and_ends_quietly_even_during_a_stream(sig: signal.Signals) -> None:
    with started() as (process, printed):
        assert url(printed).startswith("http://127.0.0.1:")
        assert printed[1:] == [f"key: {DEMO_KEY}", "Ctrl-C ends it."]
        body = {
            "model": "doubao-seed-2.0-pro",
            "messages": [{"role": "user", "content": "sim:hang"}],
            "stream": True,
        }
        client = httpx.Client(headers={"authorization": f"Bearer {DEMO_KEY}"}, trust_env=False)
        with client, client.stream("POST", f"{url(printed)}/chat/completions", json=body) as reply:
            assert reply.status_code == 200
            process.send_signal(sig)
            assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def status_of(link: str) -> int:
    """The status of a reply, 0 for none."""
    try:
        return httpx.get(link, timeout=60, trust_env=False).status_code
    except httpx.TransportError:
        return 0


def test_it_ends_quietly_while_films_are_made_and_leaves_no_folder(tmp_path: Path) -> None:
    film = {"model": "seedance-2.5", "duration": 30, "resolution": "1080p"}
    with started("--speed", "0", TMPDIR=str(tmp_path)) as (process, printed):
        path = f"{url(printed)}/video/generations"
        with httpx.Client(headers={"authorization": f"Bearer {DEMO_KEY}"}, trust_env=False) as client:

            def link(prompt: str) -> str:
                body = film | {"content": [{"type": "text", "text": prompt}]}
                task = client.post(path, json=body).json()["id"]
                return str(client.get(f"{path}/{task}").json()["data"]["result_url"])

            links = [link(f"A boat {number}") for number in range(3)]
            with ThreadPoolExecutor(3) as pool:
                replies = [pool.submit(status_of, each) for each in links]
                while not list(tmp_path.glob("anyfast-sim-*/?*.mp4*")):
                    assert process.poll() is None
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=30) == 0
                assert {reply.result() for reply in replies} <= {0, 503}
        assert list(tmp_path.iterdir()) == []
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("arguments", "environ"), [(["--key", "sk-sim-mine"], {}), ([], {"ANYFAST_SIM_KEY": "sk-sim-mine"})]
)
def test_a_key_of_ones_own_is_not_printed(arguments: list[str], environ: dict[str, str]) -> None:
    with started(*arguments, **environ) as (_, printed):
        assert "sk-sim-mine" not in "".join(printed)
        models = f"{url(printed)}/models"
        with httpx.Client(trust_env=False) as client:
            assert client.get(models, headers={"authorization": "Bearer sk-sim-mine"}).status_code == 200
            assert client.get(models, headers={"authorization": f"Bearer {DEMO_KEY}"}).status_code == 401


def test_all_addresses_are_answered_only_by_the_names_allowed() -> None:
    with started("--host", "0.0.0.0", lines=4) as (_, printed):
        assert "--allow-host NAME" in "".join(printed)
        assert url(printed).startswith("http://127.0.0.1:")
        with httpx.Client(trust_env=False) as client:
            asked = f"{url(printed)}/models"
            headers = {"authorization": f"Bearer {DEMO_KEY}", "host": "class.example"}
            assert client.get(asked, headers=headers).status_code == 421
    allowed = started("--host", "0.0.0.0", "--allow-host", "class.example")
    with allowed as (_, printed), httpx.Client(trust_env=False) as client:
        assert client.get(f"{url(printed)}/models", headers=headers).status_code == 200


async def test_no_reply_waits_for_an_acknowledgement() -> None:
    accepted: asyncio.Queue[int] = asyncio.Queue()

    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        accepted.put_nowait(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listening = server.listen("127.0.0.1", 0)
    async with await asyncio.start_server(connected, sock=listening):
        _, writer = await asyncio.open_connection(*listening.getsockname())
        assert await accepted.get() != 0
        writer.close()
        await writer.wait_closed()


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([*COMMAND, "--port", str(port)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert str(port) in done.stderr
    assert "in use" in done.stderr


def test_a_real_body_beyond_the_cap_is_refused_and_the_connection_lives_on() -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(65):
            yield bytes(MIB)

    with started("--speed", "0") as (_, printed):
        headers = {"authorization": f"Bearer {DEMO_KEY}", "content-type": "application/json"}
        with httpx.Client(headers=headers, trust_env=False) as client:
            assert client.post(f"{url(printed)}/chat/completions", content=pieces()).status_code == 413
            assert client.post(f"{url(printed)}/chat/completions", content=bytes(65 * MIB)).status_code == 413
            assert client.get(f"{url(printed)}/models").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--speed", "-1"], "0 or more"),
        (["--speed", "fast"], "--speed"),
        (["--tokens-per-second", "0"], "--speed 0"),
        (["--port", "70000"], "between 0 and 65535"),
        (["--port", "abc"], "between 0 and 65535, got 'abc'"),
        (["--profile", "future"], "current, flat, ark, oldest"),
        (["--link-hours", "0"], "more than 0"),
        (["--link-hours", "soon"], "a number"),
        (["--key", "two words"], "printable ASCII"),
        (["--key-file", "/nowhere/key"], "cannot be read"),
    ],
)
def test_wrong_options_are_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


def shown(option: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        cli.main([option])
    assert caught.value.code == 0
    return capsys.readouterr().out


def test_help_names_every_option_and_the_variables(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown("--help", capsys)
    for option in (
        "--tokens-per-second",
        "--profile",
        "--strict",
        "--lenient",
        "--link-hours",
        "--list-faults",
    ):
        assert option in text
    assert "ANYFAST_SIM_LINK_HOURS" in text


def test_the_list_of_faults_names_every_trigger_word(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown("--list-faults", capsys)
    words = {
        *("echo", "hostile", "html", "ping", "split", "slow", "echo-key", "long", "chunks", "reasoning"),
        *("rate", "moderated", "stuck", "after-drop", "asset-lag"),
    }
    words |= {ending.value for ending in triggers.Ending} - {"done"}
    assert {word for word in words if f"sim:{word}" not in text} == set()
    assert "sim:429x2/8" in text


@pytest.mark.parametrize(
    ("arguments", "environ", "expected"),
    [
        ([], {}, (Profile.CURRENT, False, 43_200.0, 1.0)),
        (
            ["--profile", "flat", "--strict", "--link-hours", "0.5", "--speed", "0"],
            {"ANYFAST_SIM_SPEED": "9"},
            (Profile.FLAT, True, 1_800.0, 0.0),
        ),
        (
            [],
            {
                "ANYFAST_SIM_PROFILE": "ark",
                "ANYFAST_SIM_STRICT": "yes",
                "ANYFAST_SIM_LINK_HOURS": "1",
                "ANYFAST_SIM_SPEED": "2",
            },
            (Profile.ARK, True, 3_600.0, 2.0),
        ),
        (["--lenient"], {"ANYFAST_SIM_STRICT": "1"}, (Profile.CURRENT, False, 43_200.0, 1.0)),
    ],
)
def test_options_win_over_variables(
    arguments: list[str],
    environ: dict[str, str],
    expected: tuple[object, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served: list[Config] = []

    def serve(listening: socket.socket, config: Config, _: server.Run) -> None:
        listening.close()
        served.append(config)

    monkeypatch.setattr(server, "serve", serve)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["--port", "0", *arguments]) == 0
    [config] = served
    assert (config.profile, config.strict, config.link_s, config.speed) == expected


@pytest.mark.parametrize("name", ["PROFILE", "STRICT", "SPEED", "LINK_HOURS", "TOKENS_PER_SECOND"])
def test_a_wrong_variable_is_told_as_a_wrong_option_is(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ANYFAST_SIM_{name}", "banana")
    with pytest.raises(SystemExit):
        cli.main(["--port", "0"])
    said = capsys.readouterr().err
    assert "banana" in said
    assert name.lower().replace("_", "-") in said.lower().replace("_", "-")


def test_the_key_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-sim-filed\n")
    with started("--key-file", str(tmp_path / "key")) as (_, printed):
        reply = httpx.get(
            f"{url(printed)}/models", headers={"authorization": "Bearer sk-sim-filed"}, trust_env=False
        )
        assert reply.status_code == 200


# --- taken for the real one -------------------------------------------------------------------


def test_unmarked_replies_do_not_say_what_they_are() -> None:
    with started("--unmarked", lines=4) as (_, printed):
        assert printed[1] == f"key: {REHEARSAL_KEY}"
        assert "count them as live" in printed[2]
        headers = {"authorization": f"Bearer {REHEARSAL_KEY}"}
        with httpx.Client(headers=headers, trust_env=False) as client:
            replies = [client.get(f"{url(printed)}/models"), client.get(f"{url(printed)}/nothing")]
        assert [reply.status_code for reply in replies] == [200, 404]
        assert not any("x-anyfast-simulated" in reply.headers for reply in replies)


def test_an_unmarked_server_has_no_key_that_gives_it_away() -> None:
    done = subprocess.run(
        [*COMMAND, "--unmarked", "--key", "sk-sim-x"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "sk-sim-" in done.stderr
