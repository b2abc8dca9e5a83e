"""Errors pasted into the question: which exception, where, and what it means."""

from __future__ import annotations

import re

from anyfast_nb.simulator.teacher.lesson import Draft, Lesson

_LAST_LINE = re.compile(
    r"^[ \t]*((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Iteration|Exit)): ?(.*)$",
    re.MULTILINE,
)
_BARE_LINE = re.compile(r"^((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt))\s*$", re.MULTILINE)
_FRAME = re.compile(
    r"File \"?([^\"\n,]+)\"?(?:, line |:)(\d+)"
    r"|(Cell In\[\d+\])(?:, line |:)(\d+)|(<ipython-input-[^>]+>)[^\n]*?(\d+)"
)
_ARROW = re.compile(r"^-+>\s*(\d+)\s(.*)$", re.MULTILINE)
_SOURCE = re.compile(r"line \d+.*\n\s+([^\n]+)")

_MEANINGS: dict[str, tuple[str, str]] = {
    "ZeroDivisionError": (
        "something is divided by zero; check the divisor before dividing",
        "除数为零；相除之前请检查除数",
    ),
    "NameError": (
        "a name is used before anything was bound to it; run the cell that defines it, or check the spelling",
        "使用了未定义的名字；请先运行定义它的单元格，或检查拼写",
    ),
    "KeyError": (
        "the mapping has no such key; look at its keys, or use `.get()`",
        "字典里没有这个键；请查看有哪些键，或使用 `.get()`",
    ),
    "IndexError": (
        "the position lies beyond the end of the sequence; check its length",
        "下标超出范围；请检查长度",
    ),
    "TypeError": (
        "a value has the wrong type for this operation; look at the types on that line",
        "类型不适合这个操作；请检查该行的类型",
    ),
    "ValueError": (
        "the type is right, but the value is not acceptable; look at what is passed in",
        "类型正确但值不合适；请检查传入的值",
    ),
    "AttributeError": (
        "the object has no such attribute; check its type and the spelling",
        "对象没有这个属性；请检查类型和拼写",
    ),
    "ModuleNotFoundError": (
        "the package is not installed in this environment; `%pip install` it and restart the kernel",
        "当前环境没有安装这个包；请用 `%pip install` 安装并重启内核",
    ),
    "ImportError": (
        "the module exists but the name cannot be imported; check the versions",
        "模块存在但无法导入该名字；请检查版本",
    ),
    "FileNotFoundError": (
        "there is no file at that path; check the working folder with `%pwd`",
        "路径下没有文件；请用 `%pwd` 检查当前目录",
    ),
    "SyntaxError": (
        "Python cannot read the line; look for a missing bracket, quote or colon at or before it",
        "语法错误；请检查该行或上一行是否缺少括号、引号或冒号",
    ),
    "RecursionError": (
        "a function calls itself without end; check the case that should stop it",
        "函数无限递归；请检查终止条件",
    ),
    "AssertionError": ("a condition that was asserted does not hold", "断言的条件不成立"),
    "KeyboardInterrupt": ("the run was stopped by hand", "运行被手动停止"),
}
_OTHER = (
    "read its message: it says what the code that raised it expected",
    "请阅读错误信息，它说明了代码期望什么",
)


def explain(lesson: Lesson) -> Draft | None:
    """Name the exception, its line and its usual cause; None when the question holds no traceback."""
    text = lesson.prompt
    lines = _LAST_LINE.findall(text) or [(name, "") for name in _BARE_LINE.findall(text)]
    if not lines or not ("Traceback" in text or _ARROW.search(text) or _about_error(text)):
        return None
    name, message = lines[-1]
    short = name.rpartition(".")[2]
    where, code = _place(text)
    meaning = lesson.say(*_MEANINGS.get(short, _OTHER))
    said = f" (“{message.strip()[:200]}”)" if message.strip() else ""
    at = lesson.say(f" at {where}", f"，位置：{where}") if where else ""
    lead = lesson.say(
        f"This is a **{short}**{said}{at}: {meaning}.", f"这是 **{short}**{said}{at}：{meaning}。"
    )
    block = f"\n\n```python\n{code}\n```" if code else ""
    steps = lesson.say(
        f"There is a traceback; its last line names {short}.\nThe last frame is {where or 'not given'}.",
        f"这里有一个错误回溯，最后一行是 {short}。\n最后一帧是 {where or '未给出'}。",
    )
    return Draft(lead + block, reasoning=steps)


def _about_error(text: str) -> bool:
    return bool(
        re.search(r"\b(?:error|exception|explain|fix|why|wrong)\b|错误|报错|解释", text, re.IGNORECASE)
    )


def _place(text: str) -> tuple[str, str]:
    """The last frame as "line 3 of file", and the code there."""
    frames = [[group for group in m.groups() if group] for m in _FRAME.finditer(text)]
    arrows = _ARROW.findall(text)
    if arrows:
        number, code = arrows[-1]
        file = frames[-1][0] if frames else ""
    elif frames:
        file, number = frames[-1][0], frames[-1][1]
        sources = _SOURCE.findall(text)
        code = sources[-1] if sources else ""
    else:
        return "", ""
    file = re.split(r"[\\/]", file)[-1]
    return f"line {number}" + (f" of {file}" if file else ""), code.strip()
