from __future__ import annotations

import csv
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyfast_nb.errors import ConfigError, InputError
from anyfast_nb.ledger import by_day, by_model, frame, to_csv, to_parquet
from anyfast_nb.ledger.frames import export
from tests.ledger.made import many, record, write

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", '=HYPERLINK("http://x","y")']


def read(path: Path, encoding: str = "utf-8") -> list[list[str]]:
    with path.open(newline="", encoding=encoding) as file:
        return list(csv.reader(file))


def test_a_text_that_begins_like_a_formula_stays_a_text(path: Path, tmp_path: Path) -> None:
    rows = [record(number, title=text, thread=text, duration_s=0.5) for number, text in enumerate(FORMULAS)]
    write(path, [*rows, record(99, title="plain = 1", cost_nano=-5, currency="USD")])
    table = frame(path=path, columns=["title", "thread", "duration_s", "cost_nano", "error"])
    head, *lines = read(to_csv(table, tmp_path / "out.csv"))

    assert head == list(table.columns)
    assert [line[0] for line in lines] == [*(f"'{text}" for text in FORMULAS), "plain = 1"]
    assert [line[1] for line in lines] == [*(f"'{text}" for text in FORMULAS), ""]
    assert {line[2] for line in lines} == {"0.5", ""}
    assert lines[-1][3] == "-5"  # a number is no formula
    assert {line[4] for line in lines} == {""}


def test_neither_does_a_heading_nor_a_category_nor_an_object(tmp_path: Path) -> None:
    table = pd.DataFrame({
        "=cmd": [-1.5, 2.0],
        "words": pd.Categorical(["@a", None]),
        "things": ["-x", 3],
        "yes": [True, False],
    })  # fmt: skip
    table.index = pd.Index(["+one", "two"], name="=name")
    assert read(to_csv(table, tmp_path / "out.csv")) == [
        ["'=name", "'=cmd", "words", "things", "yes"],
        ["'+one", "-1.5", "'@a", "'-x", "True"],
        ["two", "2.0", "", "3", "False"],
    ]


@given(texts=st.lists(st.none() | st.text(max_size=12), min_size=1, max_size=5))
@settings(max_examples=60)
def test_any_text_comes_back_and_none_begins_a_formula(
    texts: list[str | None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("csv") / "out.csv"
    storable = [text if text is None else text.encode("utf-8", "replace").decode() for text in texts]
    table = pd.DataFrame({"title": pd.array(storable, dtype="string"), "row": range(len(texts))})
    _, *lines = read(to_csv(table, path))
    for text, (cell, _) in zip(storable, lines, strict=True):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert cell in {text or "", f"'{text}"}


def test_times_are_iso_8601_in_utc_and_days_are_days(path: Path, tmp_path: Path) -> None:
    write(path, [record()])
    table = frame(path=path, columns=["time"])
    here = table.assign(time=table["time"].dt.tz_convert("Asia/Shanghai"), none=pd.NaT)
    for name, some in {"utc": table, "here": here}.items():
        assert read(to_csv(some, tmp_path / f"{name}.csv"))[1][0] == "2026-11-01T12:00:00.000000Z"
    days = read(to_csv(by_day(path=path, tz="UTC"), tmp_path / "days.csv"))
    assert (days[0][0], days[1][0]) == ("day", "2026-11-01")


def test_excel_gets_a_mark_by_which_it_knows_utf_8(path: Path, tmp_path: Path) -> None:
    write(path, [record(title="你好")])
    table = frame(path=path)
    plain = to_csv(table, tmp_path / "plain.csv")
    marked = table.anyfast.to_csv(tmp_path / "excel.csv", excel=True)
    assert not plain.read_bytes().startswith(b"\xef\xbb\xbf")
    assert marked.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read(marked, "utf-8-sig") == read(plain)
    assert "你好" in read(plain)[1]


def test_parquet_keeps_the_types(path: Path, tmp_path: Path) -> None:
    write(path, many(200))
    for number, table in enumerate([frame(path=path, columns="all"), by_day(path=path), by_model(path=path)]):
        back = pd.read_parquet(to_parquet(table, tmp_path / f"{number}.parquet"))
        # Of a category without words it cannot tell that they would be words.
        pd.testing.assert_frame_equal(back, table, check_categorical=False)
        for name in table.select_dtypes("category"):
            assert back[name].cat.categories.tolist() == table[name].cat.categories.tolist()
        assert [str(dtype) for dtype in back.dtypes] == [str(dtype) for dtype in table.dtypes]
    some = frame(path=path, columns="all", status="ok")
    back = pd.read_parquet(some[some["cost"] > 0].anyfast.to_parquet(tmp_path / "some.parquet"))
    assert list(back.columns) == list(some.columns)
    pd.testing.assert_frame_equal(back.anyfast.by_model(), some[some["cost"] > 0].anyfast.by_model())


@pytest.mark.parametrize("write_file", [to_csv, to_parquet])
def test_a_file_that_is_there_stays_unless_it_may_go(
    write_file: Callable[..., Path], path: Path, tmp_path: Path
) -> None:
    table = frame(path=path)
    target = tmp_path / "out"
    target.write_text("precious")
    with pytest.raises(InputError, match="is there already") as caught:
        write_file(table, target)
    assert "overwrite=True" in caught.value.hint
    assert target.read_text() == "precious"
    assert write_file(table, str(target), overwrite=True) == target
    assert target.read_bytes() != b"precious"
    with pytest.raises(InputError, match="no folder"):
        write_file(table, tmp_path / "nowhere" / "out")
    assert [item.name for item in tmp_path.iterdir()] == ["out"]


def test_what_broke_off_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")

    def full(self: pd.DataFrame, made: Path, **_: Any) -> None:
        Path(made).write_text("half")
        raise OSError("no space left")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(OSError, match="no space"):
        to_csv(pd.DataFrame({"a": [1]}), target, overwrite=True)
    assert target.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["out.csv"]


def test_without_pyarrow_the_error_says_the_line_that_helps(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = frame(path=path)
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pyarrow") as caught:
        to_parquet(table, tmp_path / "out.parquet")
    assert 'pip install "anyfast-nb[fast]"' in caught.value.hint
    assert not list(tmp_path.glob("*.parquet"))


def test_a_file_has_the_rights_that_new_files_have(path: Path, tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    made = to_csv(frame(path=path), tmp_path / "out.csv")
    assert stat.S_IMODE(made.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)
