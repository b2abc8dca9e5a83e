"""Tables: read from the question, or made for it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from statistics import fmean

from anyfast_nb.simulator.teacher.lesson import Draft, Lesson

_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_WANTS_TABLE = re.compile(r"\btable\b|\btabulate\b|表格|列表对比", re.IGNORECASE)
_POWERS = re.compile(r"squares?|cubes?|powers?|平方|立方", re.IGNORECASE)
_UP_TO = re.compile(r"\b(?:to|up to|first|through)\s+(\d{1,2})\b|(?:到|前)\s*(\d{1,2})")
_TIMES_TABLE = re.compile(r"\b(?:multiplication|times)\b|乘法", re.IGNORECASE)
_PLANETS = (
    ("Mercury", "水星", 0.39, 4_879, 0),
    ("Venus", "金星", 0.72, 12_104, 0),
    ("Earth", "地球", 1.0, 12_756, 1),
    ("Mars", "火星", 1.52, 6_792, 2),
    ("Jupiter", "木星", 5.2, 142_984, 95),
    ("Saturn", "土星", 9.58, 120_536, 274),
    ("Uranus", "天王星", 19.2, 51_118, 28),
    ("Neptune", "海王星", 30.1, 49_528, 16),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table found in a text."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, index: int) -> list[float] | None:
        """The numbers of a column, None if it holds anything else."""
        cells = [row[index].strip() for row in self.rows]
        numbers = [_number(cell) for cell in cells if cell]
        found = [number for number in numbers if number is not None]
        return found if found and len(found) == len(numbers) else None


def read_pasted(lesson: Lesson) -> Draft | None:
    """Describe a table that stands in the question: size, columns, sums and means."""
    table = find_table(lesson.prompt)
    return None if table is None else describe_table(table, lesson)


def describe_table(table: Table, lesson: Lesson) -> Draft:
    """Size and columns of a table, and sum, mean and range of each column of numbers."""
    rows, columns = len(table.rows), len(table.names)
    names = ", ".join(f"`{name}`" for name in table.names)
    lead = lesson.say(
        f"The table you sent has {rows} rows and {columns} columns: {names}.",
        f"你发来的表格有 {rows} 行、{columns} 列：{names}。",
    )
    lines = [_summary_line(table, index) for index in range(columns)]
    found = [line for line in lines if line]
    reasoning = lesson.say(
        f"There is a table in the question. I count {rows} rows and {columns} columns.\n"
        f"{len(found)} columns hold numbers; I add those up.",
        f"题目里有表格：{rows} 行、{columns} 列。\n其中 {len(found)} 列是数字，我求和与平均。",
    )
    if not found:
        none = lesson.say("No column holds only numbers.", "没有纯数字的列。")
        return Draft(f"{lead}\n\n{none}", reasoning=reasoning)
    head = lesson.say("| column | sum | mean | smallest | largest |", "| 列 | 总和 | 平均 | 最小 | 最大 |")
    return Draft("\n".join([lead, "", head, "|---|---:|---:|---:|---:|", *found]), reasoning=reasoning)


def find_table(text: str) -> Table | None:
    """The first Markdown, CSV or aligned table of at least two columns and one row."""
    lines = text.splitlines()
    return _markdown(lines) or _separated(lines) or _aligned(lines)


def make_table(lesson: Lesson) -> Draft | None:
    """A Markdown table for a question that wants one."""
    if not _WANTS_TABLE.search(lesson.prompt):
        return None
    if re.search(r"planet|行星", lesson.prompt, re.IGNORECASE):
        lead, table = _planets(lesson)
    elif _POWERS.search(lesson.prompt):
        lead, table = _powers(lesson)
    elif _TIMES_TABLE.search(lesson.prompt):
        lead, table = _times(lesson)
    else:
        lead, table = _of_request(lesson)
    reasoning = lesson.say(f"A table is wanted. {lead}", f"需要一个表格。{lead}")
    return Draft(f"{lead}\n\n{table}", reasoning=reasoning)


def _summary_line(table: Table, index: int) -> str:
    numbers = table.column(index)
    if numbers is None:
        return ""
    figures = (sum(numbers), fmean(numbers), min(numbers), max(numbers))
    return f"| `{table.names[index]}` | " + " | ".join(f"{figure:.10g}" for figure in figures) + " |"


def _number(cell: str) -> float | None:
    try:
        return float(cell.replace(",", "").removesuffix("%").lstrip("$€£¥"))
    except ValueError:
        return None


def _markdown(lines: list[str]) -> Table | None:
    for at in range(1, len(lines)):
        if "|" not in lines[at] or not _RULE.match(lines[at]):
            continue
        names = _cells(lines[at - 1])
        rows = []
        for line in lines[at + 1 :]:
            if "|" not in line:
                break
            rows.append(_cells(line))
        return _table(names, rows)
    return None


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))


def _separated(lines: list[str]) -> Table | None:
    """CSV, with commas, semicolons or tabs: at least two rows under a header of the same width."""
    for mark in ("\t", ";", ","):
        best: list[tuple[str, ...]] = []
        run: list[tuple[str, ...]] = []
        for line in [*lines, ""]:
            cells = _csv_cells(line, mark)
            if len(cells) > 1 and (not run or len(cells) == len(run[0])):
                run.append(cells)
                continue
            best = max(best, run, key=len)
            run = [cells] if len(cells) > 1 else []
        table = _table(best[0], best[1:]) if len(best) > 2 else None
        if table and any(table.column(index) for index in range(len(table.names))):
            return table
    return None


def _csv_cells(line: str, mark: str) -> tuple[str, ...]:
    if mark not in line:
        return ()
    try:
        return tuple(cell.strip() for cell in next(csv.reader(io.StringIO(line), delimiter=mark)))
    except (csv.Error, StopIteration):
        return ()


def _aligned(lines: list[str]) -> Table | None:
    """A printed data frame: rows begin with an index that the header lacks."""
    for at, line in enumerate(lines[:-1]):
        names = tuple(line.split())
        if len(names) < 1 or not line.startswith(" "):
            continue
        rows = []
        for row in lines[at + 1 :]:
            cells = tuple(row.split())
            if len(cells) != len(names) + 1 or not cells[0].isdigit():
                break
            rows.append(cells[1:])
        if len(rows) > 1:
            return _table(names, rows)
    return None


def _table(names: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table | None:
    whole = tuple(row for row in rows if len(row) == len(names))
    named = tuple(name or f"column {index}" for index, name in enumerate(names, start=1))
    if any(re.search(r"[=(){}\[\]]", name) for name in names):
        return None  # lines of code with commas in them
    return Table(named, whole) if (whole and len(named) > 1) or (whole and rows) else None


def _up_to(prompt: str, default: int) -> int:
    found = _UP_TO.search(prompt)
    return max(1, int(found[1] or found[2])) if found else default


def _grid(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def _planets(lesson: Lesson) -> tuple[str, str]:
    head = lesson.say("planet,distance (au),diameter (km),known moons", "行星,距离 (au),直径 (km),已知卫星")
    rows = [(lesson.say(name, chinese), *rest) for name, chinese, *rest in _PLANETS]
    lead = lesson.say("The eight planets, from the Sun outwards:", "八大行星，由近到远：")
    return lead, _grid(tuple(head.split(",")), [tuple(row) for row in rows])


def _powers(lesson: Lesson) -> tuple[str, str]:
    top = _up_to(lesson.prompt, 5)
    rows: list[tuple[object, ...]] = [(n, n**2, n**3) for n in range(1, top + 1)]
    lead = lesson.say(f"Squares and cubes of 1 to {top}:", f"1 到 {top} 的平方和立方：")
    return lead, _grid(("n", "n²", "n³"), rows)


def _times(lesson: Lesson) -> tuple[str, str]:
    top = min(12, _up_to(lesson.prompt, 5))
    rows: list[tuple[object, ...]] = [(n, *(n * m for m in range(1, top + 1))) for n in range(1, top + 1)]
    lead = lesson.say(f"The multiplication table up to {top}:", f"{top} 以内的乘法表：")
    return lead, _grid(("×", *(str(n) for n in range(1, top + 1))), rows)


def _of_request(lesson: Lesson) -> tuple[str, str]:
    request = lesson.request
    rows: list[tuple[object, ...]] = [
        (lesson.say("model", "模型"), f"`{request.model}`"),
        (lesson.say("messages", "消息数"), len(request.messages)),
        (lesson.say("characters in the question", "问题字数"), len(lesson.prompt)),
        (lesson.say("words in the question", "问题词数"), len(lesson.prompt.split())),
        (lesson.say("streamed", "流式"), lesson.say(*(("yes", "是") if request.stream else ("no", "否")))),
    ]
    lead = lesson.say(
        "I know no facts for that table, so here is one about your request:",
        "我没有这个表格所需的资料，所以用你的请求做一个表格：",
    )
    return lead, _grid((lesson.say("what", "项目"), lesson.say("value", "值")), rows)
