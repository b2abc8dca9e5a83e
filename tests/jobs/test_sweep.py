"""Sweeps: every combination once, a few at a time, within bounds, and one failure stops nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import anyfast_nb as af
from anyfast_nb.client.faces import AsyncClient, Client
from anyfast_nb.errors import (
    AnyFastError,
    AuthenticationError,
    InputError,
    Interrupted,
    ModerationError,
    StatusError,
)
from anyfast_nb.jobs.grid import cells_of, label_of, plain
from anyfast_nb.jobs.sweep import Sweep, sweep_of
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.wire.pixels import output_pixels, video_tokens
from tests.client.conftest import press_ctrl_c
from tests.conftest import Simulator
from tests.jobs.conftest import (
    MakeClient,
    Time,
    created,
    film_reply,
    link,
    png,
    posts,
    refused,
    succeeded,
    task,
)
from tests.wire_server import HANG, RESET, Gate, Reply, WireServer

SMALL: dict[str, Any] = {"duration": 4, "resolution": "480p", "ratio": "16:9"}
OF_ONE = video_tokens(*output_pixels("480p", "16:9"), 4)


def made(server: WireServer, film: bytes, number: int) -> list[Reply]:
    return [created(f"asyntask_{number}"), succeeded(link(server, f"{number}.mp4")), film_reply(film)]


def failing(number: int) -> list[Reply]:
    return [created(f"asyntask_{number}"), task("FAILURE", "100%", fail_reason="upstream timeout")]


def varied(cells: list[Any]) -> list[dict[str, Any]]:
    return [dict(cell.values) for cell in cells]


# --- the grid ---------------------------------------------------------------------------------


def test_every_combination_of_what_is_a_list() -> None:
    cells, shape = cells_of(["a", "b"], {"ratio": ("16:9", "9:16"), "seed": range(2), "duration": 4}, most=8)
    assert shape == (2, 2, 2)
    assert varied(cells)[:3] == [
        {"prompt": "a", "ratio": "16:9", "seed": 0},
        {"prompt": "a", "ratio": "16:9", "seed": 1},
        {"prompt": "a", "ratio": "9:16", "seed": 0},
    ]
    assert (cells[7].prompt, dict(cells[7].options)) == ("b", {"ratio": "9:16", "seed": 1, "duration": 4})
    assert [cell.index for cell in cells] == list(range(8))


def test_lists_by_nature_vary_as_lists_of_lists() -> None:
    cells, shape = cells_of("a", {"images": ["1.png", "2.png"], "seed": [1, 1]}, most=24)
    assert shape == (2,)
    assert [cell.options["images"] for cell in cells] == [["1.png", "2.png"]] * 2
    cells, shape = cells_of("a", {"images": [["1.png"], ["2.png", "3.png"]], "videos": []}, most=24)
    assert shape == (2,)
    assert [cell.options["images"] for cell in cells] == [["1.png"], ["2.png", "3.png"]]
    cells, shape = cells_of("a", {}, most=1)
    assert (varied(cells), shape) == ([{}], ())


def test_too_many_or_none_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"that makes 12 jobs \(3 seed × 4 ratio\), and most is 11"
    ) as caught:
        cells_of("a", {"seed": [1, 2, 3], "ratio": ["16:9"] * 4}, most=11)
    assert caught.value.field == "most"
    assert "most=12" in str(caught.value)
    with pytest.raises(InputError, match="seed is an empty list") as caught:
        cells_of("a", {"seed": []}, most=24)
    assert caught.value.field == "seed"


def test_labels_name_media_and_no_address() -> None:
    signed = "https://tos.example/a/cat.png?X-Tos-Signature=5ec2e7"
    assert label_of(signed) == plain(signed) == "cat.png"
    assert label_of("data:image/png;base64,AAAA") == plain("data:image/png;base64,AAAA") == "data"
    assert label_of(Path("pictures/cat.png")) == plain(Path("pictures/cat.png")) == "cat.png"
    assert label_of(["a.png", signed]) == "a.png + cat.png"
    assert label_of([]) == "none"
    assert label_of("x " * 80) == "x " * 29 + "x…"
    assert (label_of(None), plain(None), label_of(2.5), plain(2.5)) == ("None", None, "2.5", 2.5)
    assert label_of(object()) == plain(object()) == "object"


# --- bounds, before anything is sent ----------------------------------------------------------


def test_tokens_are_estimated_before_anything_is_sent(
    wire_server: WireServer, client: MakeClient, folder: Path
) -> None:
    with pytest.raises(InputError) as caught:
        client().sweep("a", seed=[1, 2, 3], most_tokens=2 * OF_ONE, **SMALL)
    assert caught.value.field == "most_tokens"
    assert f"3 jobs take about {3 * OF_ONE:,} tokens, and most_tokens is {2 * OF_ONE:,}" in str(caught.value)
    assert f"most_tokens={3 * OF_ONE}" in str(caught.value)
    with pytest.raises(InputError, match="of 2 of 2 jobs nobody knows the tokens") as caught:
        client().sweep("a", kind="kling", duration=[5, 10], most_tokens=10**9)
    assert caught.value.field == "most_tokens"
    with pytest.raises(InputError, match="that makes 25 jobs"):
        client().sweep("a", seed=list(range(25)), **SMALL)
    assert wire_server.requests == []


@pytest.mark.parametrize(
    ("options", "field", "said"),
    [
        ({"duration": [4, 99]}, "duration", "duration=99: duration is 99"),
        ({"lenght": 4}, "lenght", "knows no argument"),
        ({"kind": "sora"}, "kind", "kind is 'sora'"),
        ({"at_once": 0}, "at_once", "at_once is 0"),
        ({"most": True}, "most", "most is True"),
        ({"most_tokens": -1}, "most_tokens", "most_tokens is -1"),
        ({"name": "a:b"}, "name", "name is 'a:b'"),
        ({"videos": "a.mp4"}, "videos", "must be a list"),
    ],
)
def test_a_wrong_argument_is_found_before_anything_is_sent(
    wire_server: WireServer, client: MakeClient, folder: Path, options: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        client().sweep("a", **{"seed": [1, 2], **options})
    assert caught.value.field == field
    assert said in str(caught.value)
    assert wire_server.requests == []


def test_no_more_than_so_many_at_once(wire_server: WireServer, client: MakeClient, folder: Path) -> None:
    gates = [Gate() for _ in range(5)]
    for gate in gates:
        wire_server.script(Reply(400, body=(gate, b'{"error": {"message": "no"}}')))
    errors: list[AnyFastError] = []

    def run() -> None:
        try:
            client().sweep("a", seed=list(range(5)), at_once=2)
        except AnyFastError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    for number, gate in enumerate(gates):
        wire_server.wait_for_requests(min(5, number + 2))
        assert len(wire_server.requests) == min(5, number + 2)  # each that ends lets one more begin
        gate.opened.set()
    thread.join()
    assert len(errors) == 1
    assert str(errors[0]).startswith("nothing was made: ")


# --- running ----------------------------------------------------------------------------------


def test_one_failure_does_not_stop_the_rest(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(*made(wire_server, film, 0), *failing(1), refused("no"), *made(wire_server, film, 3))
    seen: list[int] = []
    swept = client().sweep("A kite", seed=[1, 2, 3, 4], at_once=1, **SMALL)
    assert [cell.status for cell in swept.cells] == ["succeeded", "failed", "failed", "succeeded"]
    assert [cell.values["seed"] for cell in swept.failed] == [2, 3]
    assert not swept.done
    assert swept.tokens == 2 * 108_900
    assert swept.estimate == 4 * OF_ONE
    table = swept.frame()
    assert list(table.columns) == ["seed", "status", "path", "tokens", "error", "job"]
    assert table["tokens"].isna().tolist() == [False, True, True, False]
    assert "upstream timeout" in table["error"][1]
    assert Path(table["path"][3]).read_bytes() == film

    assert swept.run() is swept  # what failed stays as it is until somebody says so
    assert len(posts(wire_server)) == 4
    wire_server.script(*made(wire_server, film, 4), *failing(5))
    swept.retry(on_change=lambda one: seen.append(len(one.failed)))
    assert [cell.values["seed"] for cell in swept.failed] == [3]
    assert [request.json()["seed"] for request in posts(wire_server)] == [1, 2, 3, 4, 2, 3]
    assert 0 in seen
    assert repr(swept) == (
        "<Sweep seedance of seed: 3 of 4 made · 1 failed: retry() makes them anew · 326,700 tokens>"
    )


def test_members_that_are_alike_are_each_made(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    for number in range(3):
        wire_server.script(*made(wire_server, film, number))
    swept = client().sweep("A kite", seed=[7, 7, 7], at_once=1, name="three")
    assert len({job.id for job in swept.jobs if job is not None}) == 3
    asked = len(wire_server.requests)
    again = client().sweep("A kite", seed=[7, 7, 7], name="three")  # in another kernel
    assert len(wire_server.requests) == asked
    assert [job.id for job in again.jobs if job] == [job.id for job in swept.jobs if job]


def test_what_stands_in_doubt_is_not_sent_again_by_itself(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(Reply(body=(RESET,)), *made(wire_server, film, 1))
    swept = client().sweep("A kite", seed=[1, 2], at_once=1)
    assert [cell.status for cell in swept.cells] == ["submit_unknown", "succeeded"]
    assert "1 in doubt" in repr(swept)
    swept.run()
    swept.retry()
    assert len(posts(wire_server)) == 2
    wire_server.script(*made(wire_server, film, 2))
    swept.retry(doubtful=True)
    assert swept.done
    assert len(posts(wire_server)) == 3
    assert swept[0].job is not None
    assert swept[0].job.row.take == 2


def test_a_key_that_is_refused_stops_the_rest(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(*made(wire_server, film, 0), refused("no such key", status=401, code=""))
    with pytest.raises(AuthenticationError, match="the sweep stopped with 1 of 3 made: ") as caught:
        client().sweep("A kite", seed=[1, 2, 3], at_once=1)
    assert len(posts(wire_server)) == 2
    swept = caught.value.partial
    assert isinstance(swept, Sweep)
    assert [cell.status for cell in swept.cells] == ["succeeded", "failed", "not asked for"]


def test_an_interrupt_keeps_what_there_is_and_the_rest_goes_on(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(*made(wire_server, film, 0), created("asyntask_1"), Reply(body=(b"{", HANG)))

    def interrupt() -> None:
        wire_server.wait_for_requests(5)
        press_ctrl_c()

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(Interrupted, match="1 of 3 are made") as caught:
        client().sweep("A kite", seed=[1, 2, 3], at_once=1)
    swept = caught.value.partial
    assert isinstance(swept, Sweep)
    assert swept.failed == []
    wire_server.script(succeeded(link(wire_server)), film_reply(film), *made(wire_server, film, 2))
    assert swept.run().done
    assert len(posts(wire_server)) == 3


def test_a_callback_that_fails_ends_it_as_it_would_a_job(
    wire_server: WireServer, client: MakeClient, folder: Path
) -> None:
    wire_server.script(created(), created())

    def fail(_: Sweep) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        af.sweep("A kite", seed=[1, 2], at_once=1, client=client(), on_change=fail)


def test_inside_its_own_callback_it_cannot_be_run(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(created(), created())
    mine = client()
    for make in (lambda: mine.storyboard(["One"]), lambda: sweep_of("A kite", desk=mine.desk())):
        thing: Any = make()
        with pytest.raises(InputError, match="inside its own on_change"):
            thing.run(on_change=lambda one: one.run())
    assert len(posts(wire_server)) == 2


def test_it_can_be_awaited(
    wire_server: WireServer, async_client: Callable[[], AsyncClient], film: bytes, folder: Path
) -> None:
    async def swept() -> Sweep:
        async with async_client() as mine:
            found = await mine.sweep(["One", "Two"], at_once=1)
            return await found.retry_async()

    wire_server.script(*made(wire_server, film, 0), *made(wire_server, film, 1))
    found = asyncio.run(swept())
    assert found.done
    assert [cell.values for cell in found.cells] == [{"prompt": "One"}, {"prompt": "Two"}]


def test_pictures_too(wire_server: WireServer, client: MakeClient, folder: Path) -> None:
    one = Reply.json({"data": [{"url": link(wire_server, "a.png")}], "usage": {"output_tokens": 4096}})
    picture = Reply(body=(png(),), content_type="image/png")
    wire_server.script(one, picture, refused("no"), one, picture)
    swept = client().sweep("A kite", kind="seedream", size=["2K", "3K", "2048x2048"], at_once=1)
    assert [cell.status for cell in swept.cells] == ["succeeded", "failed", "succeeded"]
    assert swept.tokens == 2 * 4096
    assert swept[0].path is not None
    assert swept[0].path.read_bytes() == png()
    shown = swept._repr_mimebundle_()
    assert shown["text/html"].count("<img ") == 2
    assert "size=2K · 1 picture" in shown["text/html"]


# --- how it shows itself ----------------------------------------------------------------------


def test_two_arguments_make_a_table(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(*made(wire_server, film, 0), *failing(1), *made(wire_server, film, 2), *failing(3))
    swept = client().sweep(["<b>One", "Two"], ratio=["16:9", "9:16"], at_once=1)
    shown = swept._repr_mimebundle_()
    page = shown["text/html"]
    assert page.count("<tr>") == 3
    assert "<th>ratio=16:9</th><th>ratio=9:16</th>" in page
    assert "<th>prompt=&lt;b&gt;One</th>" in page
    assert "<b>One" not in page
    assert page.count("<img ") == 2
    assert page.count("upstream timeout") == 2
    assert shown["text/plain"].splitlines()[0].startswith("Sweep · seedance · 2 of 4 made · 2 failed")
    assert len(shown["text/plain"].splitlines()) == 5
    assert "prompt=Two, ratio=9:16 · failed" in shown["text/plain"]


def test_one_argument_makes_a_row_and_alike_columns_stay_apart(
    wire_server: WireServer, client: MakeClient, film: bytes, folder: Path
) -> None:
    wire_server.script(*[reply for number in range(2) for reply in made(wire_server, film, number)])
    page = client().sweep("One", seed=[1, 2], at_once=1)._repr_mimebundle_()["text/html"]
    assert "<table" not in page
    assert "seed=1 · " in page
    assert page.count('<a href="anyfast_media/seedance-') == 2  # a click plays it
    wire_server.script(*[reply for number in range(6) for reply in made(wire_server, film, number)])
    swept = client().sweep(["One", "Two"], seed=[1, 1, 2], at_once=1)
    page = swept._repr_mimebundle_()["text/html"]
    assert page.count("<tr>") == 3
    assert page.count("<th>seed=1</th>") == 2


# --- with the built-in AnyFast ----------------------------------------------------------------


@pytest.fixture
def studio(simulator: Simulator, folder: Path, time: Time) -> Iterator[Client]:
    with Client(api_key=simulator.key, base_url=simulator.base_url) as made_client:
        made_client.pace = time.pace()
        yield made_client


def test_a_grid_of_the_built_in_anyfast(studio: Client) -> None:
    swept = studio.sweep(
        ["A red kite", "A red kite sim:moderated"], ratio=["16:9", "9:16"], most_tokens=4 * OF_ONE + 2000,
        duration=4, resolution="480p",
    )  # fmt: skip
    assert [cell.status for cell in swept.cells] == ["succeeded", "succeeded", "failed", "failed"]
    assert all(isinstance(cell.error, ModerationError) for cell in swept.failed)
    assert [job.status for job in swept.jobs if job][:2] == [JobStatus.SUCCEEDED] * 2
    assert [cell.tokens for cell in swept.cells[:2]] == [
        video_tokens(*output_pixels("480p", ratio), 4) for ratio in ("16:9", "9:16")
    ]
    with pytest.raises(StatusError, match="nothing was made: "):
        studio.sweep(["sim:fails a", "sim:fails b"], **SMALL)
