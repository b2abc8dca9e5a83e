"""Prices and costs: exact sums, days in UTC, families, the file and what is wrong with it."""

from __future__ import annotations

import doctest
import math
import multiprocessing
import os
import stat
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import anyfast_nb as af
from anyfast_nb.errors import ConfigError, InputError
from anyfast_nb.ledger.prices import book as prices_room
from anyfast_nb.ledger.prices import file as price_file
from anyfast_nb.ledger.prices import repricing
from anyfast_nb.ledger.prices import table as price_table
from anyfast_nb.ledger.prices.book import Cost, Price, Prices, PriceTable, doubt, prices_path, set_line
from anyfast_nb.ledger.prices.file import HEADER, KEYS
from anyfast_nb.wire.values import Usage

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOKENS = st.integers(0, 10**9)
MONEY = st.decimals(0, 10**6, places=6)


def price(**values: Any) -> Price:
    """A price that a test changes where it matters."""
    numbers = {name: Decimal(value) if isinstance(value, str) and name in price_file.FIELDS else value
               for name, value in values.items()}  # fmt: skip
    return Price(**({"model": "m", "currency": "USD"} | numbers))


def chat(table: PriceTable, usage: Usage, **changes: Any) -> Cost | None:
    return table.cost(**({"kind": "chat", "models": ["m"], "at": NOON, "usage": usage} | changes))


@pytest.mark.parametrize("module", [price_table, prices_room, repricing])
def test_the_examples_run(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0


# --- sums ---------------------------------------------------------------------------------


@given(read=TOKENS, part=st.floats(0, 1), written=TOKENS, prices=st.tuples(MONEY, MONEY, MONEY))
def test_a_chat_costs_the_sum_of_its_parts_rounded_once(
    read: int, part: float, written: int, prices: tuple[Decimal, Decimal, Decimal]
) -> None:
    cached = int(read * part)
    table = PriceTable([price(input=prices[0], cached=prices[1], output=prices[2])])
    found = chat(table, Usage(read, written, cached))
    exact = sum(
        Fraction(count) * Fraction(one) / 10**6
        for count, one in zip((read - cached, cached, written), prices, strict=True)
    )
    assert found is not None
    assert found.nano == round(exact * 10**9)  # of a Fraction: half to even
    assert abs(Fraction(found.amount) - exact) <= Fraction(1, 2 * 10**9)


@given(read=TOKENS, cached=TOKENS, written=TOKENS, prices=st.tuples(MONEY, MONEY, MONEY), more=TOKENS)
def test_a_bound_is_never_below_the_cost_and_grows(
    read: int, cached: int, written: int, prices: tuple[Decimal, Decimal, Decimal], more: int
) -> None:
    table = PriceTable([price(input=prices[0], cached=prices[1], output=prices[2])])

    def bound(read: int, written: int) -> int:
        found = table.bound(kind="chat", models=["m"], at=NOON, input_tokens=read, output_tokens=written)
        assert found is not None
        return found.nano

    cost = chat(table, Usage(read, written, min(cached, read)))
    assert cost is not None
    assert cost.nano <= bound(read, written) <= bound(read + more, written + more)


@given(seconds=st.floats(0, 10**3), second=MONEY, tokens=st.none() | TOKENS, token=st.none() | MONEY)
def test_the_bound_of_a_film_holds_whichever_way_it_is_counted(
    seconds: float, second: Decimal, tokens: int | None, token: Decimal | None
) -> None:
    table = PriceTable([price(video_second=second, video_token=token)])
    told = {"kind": "seedance", "models": ["m"], "at": NOON, "video_s": seconds}
    cost = table.cost(**told, usage=Usage(output_tokens=tokens))
    bound = table.bound(**told, output_tokens=tokens)
    if token is not None and tokens is None:
        assert bound is None  # the server may count tokens after all
    else:
        assert cost is not None
        assert bound is not None
        assert cost.nano <= bound.nano


@pytest.mark.parametrize(
    ("tokens", "nano", "at_most"),
    [(1, 0, 1), (2, 1, 1), (3, 2, 2), (5, 2, 3), (7, 4, 4), (0, 0, 0)],
)
def test_halves_are_rounded_to_even_and_bounds_up(tokens: int, nano: int, at_most: int) -> None:
    table = PriceTable([price(input="0.0005", output="0.0005")])  # half a billionth a token
    found = chat(table, Usage(tokens, 0))
    bound = table.bound(kind="chat", models=["m"], at=NOON, input_tokens=tokens, output_tokens=0)
    assert found is not None
    assert bound is not None
    assert (found.nano, bound.nano) == (nano, at_most)


def test_a_caller_with_a_coarse_decimal_context_gets_the_same() -> None:
    table = PriceTable([price(input="123456.789012", output="0.000001")])
    with localcontext() as context:
        context.prec = 3
        found = chat(table, Usage(987_654_321, 1))
        assert found is not None
        assert found.nano == round(Fraction("123456.789012") * 987_654_321 * 1000 + Fraction(1, 1000))
        assert str(found.amount) == "121932631.124487121"
    assert str(found) == "121,932,631.124487121 USD"


@pytest.mark.parametrize(
    ("nano", "text"), [(0, "0"), (1, "0.000000001"), (1_200_000, "0.0012"), (5 * 10**9, "5")]
)
def test_a_cost_is_shown_with_all_its_digits(nano: int, text: str) -> None:
    assert str(Cost(nano, "CNY")) == f"{text} CNY"
    assert Cost(nano, "CNY").amount == Decimal(text)


FULL = {"input": "2", "output": "3"}


@pytest.mark.parametrize(
    ("values", "usage"),
    [
        (FULL, Usage(None, 5)),
        (FULL, Usage(5, None)),
        ({"input": "2"}, Usage(5, 5)),
        ({"output": "3"}, Usage(5, 5)),
        (FULL | {"cached": "1"}, Usage(5, 5)),  # how many are cached is not known
        (FULL | {"cached": "1"}, Usage(5, 5, 6)),  # more than there are
        (FULL, Usage(-1, 5)),
        (FULL, Usage()),
        ({"input": "999999999", "output": "3"}, Usage(10**12, 1)),  # more than the ledger holds
    ],
)
def test_what_is_unknown_makes_the_cost_unknown(values: dict[str, str], usage: Usage) -> None:
    assert chat(PriceTable([price(**values)]), usage) is None


@pytest.mark.parametrize(
    ("values", "usage", "nano"),
    [
        ({"input": "2"}, Usage(5, 0), 10_000),  # nothing written: no price for it is needed
        ({"output": "3"}, Usage(0, 5), 15_000),
        (FULL | {"cached": "1"}, Usage(0, 5), 15_000),
        (FULL | {"cached": "0"}, Usage(5, 0, 5), 0),
        (FULL, Usage(5, 0, 5), 10_000),  # cached costs as input
        ({"input": "2", "output": "0"}, Usage(5, 5), 10_000),
        (FULL, Usage(1, 5, None, 4), 17_000),  # reasoning is a part of the output
    ],
)
def test_only_what_is_needed_must_be_known(values: dict[str, str], usage: Usage, nano: int) -> None:
    found = chat(PriceTable([price(**values)]), usage)
    assert found is not None
    assert found.nano == nano


@pytest.mark.parametrize(
    ("kind", "values", "told", "nano"),
    [
        ("responses", FULL, {"usage": Usage(1, 1)}, 5_000),
        ("seedream", {"image": "0.03"}, {"images": 4}, 120_000_000),
        ("seedream", {"image": "0.03"}, {"usage": Usage(output_tokens=9)}, None),
        ("seedream", {"image": "0.3", "output": "3"}, {"images": 1, "usage": Usage(0, 9)}, 300_000_000),
        ("seedream", {"output": "3"}, {"images": 4, "usage": Usage(output_tokens=9)}, 27_000),
        ("seedream", {"input": "3"}, {"images": 0}, 0),
        ("seedream", {"input": "3"}, {"images": 1}, None),
        ("seedance", {"video_token": "7"}, {"usage": Usage(output_tokens=108_900)}, 762_300_000),
        ("seedance", {"video_token": "7"}, {"video_s": 5.0}, None),
        ("seedance", {"video_second": "0.1"}, {"video_s": 5.04, "usage": Usage(0, 9)}, 504_000_000),
        ("seedance", {"video_second": "0.1", "video_token": "7"}, {"video_s": 5.0}, 500_000_000),
        (
            "seedance", {"video_second": "0.1", "video_token": "7"},
            {"video_s": 5.0, "usage": Usage(output_tokens=10**6)}, 7_000_000_000,
        ),
        ("kling", {"video_second": "0.1"}, {"video_s": 10}, 1_000_000_000),
        ("kling", {"video_second": "0.1"}, {"video_s": math.nan}, None),
        ("kling", {"video_second": "0.1"}, {}, None),
        ("kling", FULL, {"video_s": 10.0}, None),
        ("kling", FULL, {"video_s": 0.0}, 0),
        ("asset", {"image": "1", "video_second": "1"}, {"images": 1}, None),
        ("of tomorrow", FULL, {"usage": Usage(1, 1)}, None),
    ],
)  # fmt: skip
def test_each_kind_costs_by_what_it_makes(
    kind: str, values: dict[str, str], told: dict[str, Any], nano: int | None
) -> None:
    found = PriceTable([price(**values)]).cost(kind=kind, models=["m"], at=NOON, **told)
    assert (None if found is None else found.nano) == nano


def test_bounds_of_pictures_and_of_what_has_none() -> None:
    table = PriceTable([price(image="0.03", **FULL)])
    told: dict[str, Any] = {"models": ["m"], "at": NOON}
    found = table.bound(kind="seedream", images=4, **told)
    assert found is not None
    assert str(found) == "0.12 USD"
    assert found.version == table.prices[0].version
    assert table.bound(kind="chat", input_tokens=5, **told) is None
    assert table.bound(kind="asset", images=4, **told) is None
    assert table.bound(kind="chat", models=["n"], at=NOON, input_tokens=5, output_tokens=5) is None


def test_what_can_be_priced_at_all() -> None:
    table = PriceTable([price(**FULL)])
    assert table.can_price(kind="chat", models=["m"], at=NOON)
    assert not table.can_price(kind="seedance", models=["m"], at=NOON)
    assert not table.can_price(kind="chat", models=["n"], at=NOON)
    assert not PriceTable().can_price(kind="chat", models=["m"], at=NOON)


# --- which price --------------------------------------------------------------------------


def test_a_price_begins_at_midnight_in_utc() -> None:
    old, new = price(input="1"), price(input="2", valid_from=date(2026, 11, 21))
    table = PriceTable([new, old])
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    assert table.price("m", at=midnight) == new
    assert table.price("m", at=midnight - timedelta(microseconds=1)) == old
    shanghai = timezone(timedelta(hours=8))
    assert table.price("m", at=datetime(2026, 11, 21, 7, 59, tzinfo=shanghai)) == old
    assert table.price("m", at=datetime(2026, 11, 21, 8, 0, tzinfo=shanghai)) == new


def test_before_the_first_day_there_is_no_price() -> None:
    assert PriceTable([price(input="1", valid_from=date(2026, 11, 22))]).price("m", at=NOON) is None


def test_of_two_of_one_day_the_later_counts() -> None:
    first, second = price(input="1"), price(input="2")
    assert PriceTable([first, second]).price("m", at=NOON) == second


def test_a_models_own_price_counts_before_its_families() -> None:
    any_, family, near, own = (price(model=name, input="1") for name in ("*", "do*", "doubao-*", "doubao-x"))
    later = price(model="*", input="9", valid_from=date(2026, 1, 1))
    table = PriceTable([later, own, near, family, any_])
    assert table.price("doubao-x", at=NOON) == own
    assert table.price("doubao-y", at=NOON) == near
    assert table.price("dog", at=NOON) == family
    assert table.price("cat", at=NOON) == later
    # The server's name of it may be a longer one: what was asked for is priced exactly.
    found = table.cost(kind="chat", models=["doubao-x-251128", "doubao-x"], at=NOON, usage=Usage(1, 0))
    assert found is not None
    assert found.version == own.version


def test_an_alias_is_its_model(tmp_path: Path) -> None:
    prices = Prices(tmp_path / "prices.toml")
    assert prices.set("lite", currency="usd", input=1).model == "doubao-seed-2.0-lite"
    for name in ("lite", "doubao-seed-2.0-lite"):
        found = prices.table().price(name, at=NOON)
        assert found is not None
        assert found.currency == "USD"
    assert chat(prices.table(), Usage(1, 0), models=[None, "", "lite"]) is not None


def test_the_version_is_of_what_counts() -> None:
    one = price(input="0.50", note="a")
    assert len(one.version) == 12
    assert int(one.version, 16) >= 0
    assert one.version == price(input="0.5", note="b").version
    changed = [
        price(input="0.51"), price(output="0.5"), price(input="0.5", currency="CNY"),
        price(input="0.5", model="n"), price(input="0.5", valid_from=date(2026, 1, 1)),
    ]  # fmt: skip
    assert len({one.version, *(other.version for other in changed)}) == 6


# --- the file -----------------------------------------------------------------------------


def test_the_place_of_the_file(tmp_path: Path) -> None:
    assert prices_path(tmp_path, environ={}) == tmp_path / "prices.toml"
    assert prices_path(tmp_path, environ={"ANYFAST_PRICES": "/else/p.toml"}) == Path("/else/p.toml")
    assert prices_path() == Path(os.environ["ANYFAST_HOME"]) / "prices.toml"


def test_a_new_file_explains_itself_and_invents_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "prices.toml"
    Prices(path).set("m", currency="USD", input="0.5")
    assert price_file.read(HEADER, path=path) == []
    assert path.read_text().startswith(HEADER)
    assert all(f"# {key} = " in HEADER for key in KEYS)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sorted(one.name for one in path.parent.iterdir()) == ["prices.toml", "prices.toml.lock"]


OLD = (
    b"# mine \xe2\x80\xa6\r\n[[price]] # why\r\n  model='a'\r\n\tcurrency = \"USD\"\r\ninput=1_0.50\r\n\n#end"
)


@pytest.mark.parametrize("old", [OLD, b"", b"\xef\xbb\xbf# saved by an editor with a mark\n", b"\n\n"])
def test_what_stands_there_stays_byte_for_byte(tmp_path: Path, old: bytes) -> None:
    path = tmp_path / "prices.toml"
    path.write_bytes(old)
    path.chmod(0o644)
    before = len(Prices(path).table().prices)
    Prices(path).set("b", currency="USD", output=2, note='say "…" \\ 价')
    assert path.read_bytes().startswith(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    found = Prices(path).table().prices
    assert len(found) == before + 1
    assert (found[-1].model, found[-1].output, found[-1].note) == ("b", Decimal(2), 'say "…" \\ 价')


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "shared" / "p.toml", tmp_path / "prices.toml"
    real.parent.mkdir()
    real.touch()
    link.symlink_to(real)
    Prices(link).set("m", currency="USD", input=1)
    assert link.is_symlink()
    assert "[[price]]" in real.read_text()


@given(
    numbers=st.dictionaries(st.sampled_from(price_file.FIELDS), st.decimals(0, 10**8, places=9), min_size=1),
    day=st.none() | st.dates(),
    model=st.from_regex(r"[A-Za-z0-9._:/\-]{1,20}\*?", fullmatch=True),
    note=st.text().filter(lambda text: text == text.strip() and text.isprintable()),
)
def test_a_price_comes_back_from_the_file(
    numbers: dict[str, Decimal], day: date | None, model: str, note: str
) -> None:
    made = price_file.made({"model": model, "currency": "CNY", "valid_from": day, "note": note, **numbers})
    (found,) = price_file.read(price_file.block(made), path=Path("p"))
    assert (found, found.version, found.note) == (made, made.version, made.note)


def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prices = Prices(tmp_path / "prices.toml")
    assert prices.table().prices == ()
    prices.set("m", currency="USD", input=1)
    first = prices.table()
    assert len(first.prices) == 1
    with monkeypatch.context() as patch:
        patch.setattr(price_file, "read", lambda *_, **__: pytest.fail("nothing has changed"))
        assert prices.table() is first
    Prices(prices.path).set("m", currency="USD", input=2)
    assert len(prices.table().prices) == 2
    prices.path.unlink()
    assert prices.table().prices == ()


HEAD = "# mine\n\n[[price]]\nmodel = 'a'\ncurrency = 'USD'\ninput = 1\n\n[[price]]\nmodel = 'b'\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (HEAD + "currency = 'USD'\ninptu = 3\n", 11, "Did you mean input?"),
        (HEAD + "currency = 'USD'\ninput = -3\n", 11, "no price is below 0"),
        (HEAD + "currency = 'USD'\ninput = nan\n", 11, "no number"),
        (HEAD + "currency = 'USD'\ninput = inf\n", 11, "no number"),
        (HEAD + "currency = 'USD'\ninput = true\n", 11, "no number"),
        (HEAD + "currency = 'USD'\ninput = '3'\n", 11, "without quotes"),
        (HEAD + "currency = 'USD'\ninput = 1e-999999999\n", 11, "at most 12 digits"),
        (HEAD + "currency = 'USD'\ninput = 1e999999999\n", 11, "below 1,000,000,000"),
        (HEAD + "currency = 'USD'\noutput =\n", 11, "is not TOML"),
        (HEAD + "currency = 'USD'\n", 8, "at least one of"),
        (HEAD + "currency = 'dollar'\ninput = 3\n", 10, "Three letters"),
        (HEAD + "input = 3\n", 8, "names no currency"),
        (
            HEAD + "currency = 'USD'\ninput = 3\nvalid_from = 2026-01-01T00:00:00Z\n",
            12,
            "Give a day, such as",
        ),
        (HEAD + "currency = 'USD'\ninput = 3\nvalid_from = '1 May'\n", 12, "Give a day, such"),
        (HEAD + "currency = 'USD'\ninput = 3\nnote = 'a\\n'\nmodel = 'b'\n", 13, "is not TOML"),
        ("[[price]]\nmodel = 'a*b'\n", 2, "a * may stand at its end alone"),
        ("[price]\nmodel = 'a'\n", 1, "two brackets"),
        ("price = 3\n", 1, "two brackets"),
        ("\n[[prices]]\nmodel = 'a'\n", 2, "Did you mean [[price]]?"),
        ("model = 'a'\n", 1, "[[price]] blocks alone"),
    ],
)
def test_a_broken_file_names_the_line_and_what_to_do(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        Prices(path).table()
    assert f"{path}, line {line}," in caught.value.message
    assert says in str(caught.value)
    with pytest.raises(ConfigError):
        Prices(path).set("m", currency="USD", input=1)
    assert path.read_text() == text


def test_a_file_that_is_no_text_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_bytes(b"# one\n# \xff\n")
    with pytest.raises(ConfigError, match="line 2, is not UTF-8"):
        Prices(path).table()


def test_a_folder_in_the_files_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Prices(tmp_path).table()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot be written.*\n.*ANYFAST_PRICES"):
        Prices(tmp_path / "file" / "prices.toml").set("m", currency="USD", input=1)


def test_a_list_in_one_line_is_read_and_not_added_to(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text("price = [{model = 'm', currency = 'USD', input = 1}]\n")
    assert len(Prices(path).table().prices) == 1
    with pytest.raises(ConfigError, match=r"not written in \[\[price\]\] blocks"):
        Prices(path).set("m", currency="USD", input=1)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"input": "…"}, "input"),
        ({"input": "1 USD"}, "input"),
        ({"input": "1,5"}, "input"),
        ({"input": "1e3"}, "input"),
        ({"output": -0.5}, "output"),
        ({"image": math.inf}, "image"),
        ({"image": True}, "image"),
        ({"video_second": "0.0000000000001"}, "video_second"),
        ({"video_token": 10**9}, "video_token"),
        ({"currency": "US", "input": 1}, "currency"),
        ({"currency": "", "input": 1}, "currency"),
        ({"model": "", "input": 1}, "model"),
        ({"model": "a b", "input": 1}, "model"),
        ({"model": 'a"', "input": 1}, "model"),
        ({"input": 1, "valid_from": "tomorrow"}, "valid_from"),
        ({"input": 1, "valid_from": NOON}, "valid_from"),
        ({"input": 1, "note": "two\nlines"}, "note"),
        ({}, "input"),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_written(
    tmp_path: Path, values: dict[str, Any], field: str
) -> None:
    path = tmp_path / "prices.toml"
    with pytest.raises(InputError) as caught:
        Prices(path).set(**({"model": "m", "currency": "USD"} | values))
    assert caught.value.field == field
    assert caught.value.hint
    assert not path.exists()


def _set_many(path: Path, name: str, count: int) -> None:
    for number in range(count):
        Prices(path).set(f"{name}-{number}", currency="USD", input=number)


def test_two_processes_set_prices_at_once(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_set_many, args=(path, name, 20)) for name in ("a", "b")]
    for one in both:
        one.start()
    for one in both:
        one.join()
        assert one.exitcode == 0
    found = [price.model for price in Prices(path).table().prices]
    assert sorted(found) == sorted(f"{name}-{number}" for name in "ab" for number in range(20))
    assert path.read_text().count(HEADER) == 1


# --- for people ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "kind", "line"),
    [
        ("lite", "chat", "%anyfast prices set doubao-seed-2.0-lite input=… output=… currency=USD"),
        ("m", "responses", "%anyfast prices set m input=… output=… currency=USD"),
        ("m", "seedream", "%anyfast prices set m image=… currency=USD"),
        ("m", "seedance", "%anyfast prices set m video_second=… currency=USD"),
        ("kling", "kling", "%anyfast prices set kling-v3 video_second=… currency=USD"),
    ],
)
def test_the_line_that_sets_a_price(model: str, kind: str, line: str) -> None:
    assert set_line(model, kind) == line


def test_a_model_the_catalogue_does_not_know_is_said_to_be_so() -> None:
    assert doubt("lite") == doubt("doubao-seed-2.0-lite") == doubt("doubao-seed*") == ""
    assert "Did you mean doubao-seed-2.0-lite" in doubt("doubao-seed-2.0-lit")
    assert "does not know gpt-of-tomorrow" in doubt("gpt-of-tomorrow")
    assert "does not know nothing-like-it" in doubt("nothing-like-it*")


def test_prices_from_python() -> None:
    made = af.ledger.set_price("lite", currency="CNY", input=0.1, valid_from=date(2026, 11, 1))
    assert made.input == Decimal("0.1")
    with pytest.warns(UserWarning, match="does not know mine"):
        af.ledger.set_price("mine", currency="USD", image="0.03", note="by hand")
    with pytest.raises(InputError, match="inptu"):
        af.ledger.set_price("lite", currency="CNY", inptu=1)
    frame = af.ledger.price_list()
    assert list(frame.model) == ["doubao-seed-2.0-lite", "mine"]
    assert str(frame.valid_from.dtype) == "datetime64[us, UTC]"
    assert {str(frame[name].dtype) for name in price_file.FIELDS} == {"Float64"}
    assert frame.input.isna().tolist() == [False, True]
    assert frame.valid_from.isna().tolist() == [False, True]
    assert frame.note.isna().tolist() == [True, False]


def test_the_list_of_no_prices_has_the_same_types() -> None:
    empty = af.ledger.price_list()
    af.ledger.set_price("lite", currency="CNY", input=1)
    assert len(empty) == 0
    assert (empty.dtypes == af.ledger.price_list().dtypes).all()
