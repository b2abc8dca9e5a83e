"""Sums: found in words or signs, worked out exactly, each step shown."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

from anyfast_nb.simulator.teacher.lesson import Draft, Lesson

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS: dict[str, int] = {
    **{word: value for value, word in enumerate(_ONES)},
    **{word: 10 * value for value, word in enumerate(_TENS, start=2)},
}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_NUMBER_WORD = "|".join([*_WORDS, *_SCALES])
_SPELLED = re.compile(rf"\b(?:{_NUMBER_WORD})(?:[\s-]+(?:and[\s-]+)?(?:{_NUMBER_WORD}))*\b")

# What people write -> what Python reads; in this order.
_REWRITES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(found), put)
    for found, put in (
        (r"(?<=\d),(?=\d{3}\b)", ""),
        (r"[×✕·]|(?<=[\d)])\s*x\s*(?=[\d(])", "*"),
        (r"÷|除以", "/"),
        ("−|–|减去?", "-"),
        ("加上?", "+"),
        ("乘以?", "*"),
        (r"\bto the power of\b|\braised to\b|\^|的?次方", "**"),
        (r"\bmultiplied by\b|\btimes\b", "*"),
        (r"\bdivided by\b|\bover\b(?=\s*[\d(])", "/"),
        (r"\bplus\b", "+"),
        (r"\bminus\b", "-"),
        (r"\bsquared\b|的平方|²", "**2"),
        (r"\bcubed\b|的立方|³", "**3"),
        (r"\bmod(?:ulo)?\b", "%"),
        (r"(\d+(?:\.\d+)?)\s*(?:%|percent)\s*of\s*(\d+(?:\.\d+)?)", r"(\1/100*\2)"),
        (r"\bthe square root of\s*(\d+(?:\.\d+)?)|√\s*(\d+(?:\.\d+)?)", r"(\1\2)**0.5"),
        (r"\bsum of\s+(-?\d+(?:\.\d+)?)\s+and\s+(-?\d+(?:\.\d+)?)", r"(\1+\2)"),
        (r"\bproduct of\s+(-?\d+(?:\.\d+)?)\s+and\s+(-?\d+(?:\.\d+)?)", r"(\1*\2)"),
    )
)
_EXPRESSION = re.compile(r"[-+(]*\s*\d[\d\s.+\-*/%()]*[\d)]")
_ASKED = re.compile(
    r"what(?:'s| is| are)|how much|calculat|comput|evaluat|work out|result|solve|equals?\b"
    r"|=\s*\??\s*$|add\b|sum\b"
    r"|多少|计算|等于|是几",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d+(?:\.\d+){2,}")

_OPERATORS: dict[type[ast.operator], tuple[str, Callable[[Fraction, Fraction], Fraction]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("−", operator.sub),
    ast.Mult: ("×", operator.mul),
    ast.Div: ("÷", operator.truediv),
    ast.FloorDiv: ("//", lambda a, b: Fraction(a // b)),
    ast.Mod: ("mod", operator.mod),
}
_LARGEST_BITS = 4_000


class _NoSum(Exception):
    """A text that only looks like a sum."""


class _Unworkable(Exception):
    """An expression that cannot be worked out; its text says why."""


def calculate(lesson: Lesson) -> Draft | None:
    """Work a sum out, with its steps; None when the question holds none."""
    expression = find_expression(lesson.prompt)
    if not expression:
        return None
    steps: list[str] = []
    try:
        value = _value(ast.parse(expression, mode="eval").body, steps)
    except (SyntaxError, RecursionError, ValueError, _NoSum):
        return None
    except (_Unworkable, ZeroDivisionError) as error:
        return _impossible(lesson, expression, error)
    return _solution(lesson, _pretty(expression), show(value), steps) if steps else None


def find_expression(prompt: str) -> str:
    """The longest sum in a text, as Python writes it, or ""."""
    text = prompt.strip().lower()
    if not text or _DATE.search(text):
        return ""
    text = _SPELLED.sub(lambda m: str(_spelled(m[0])), text)
    for found, put in _REWRITES:
        text = found.sub(put, text)
    candidates = [m[0].strip() for m in _EXPRESSION.finditer(text)]
    candidates = [c for c in candidates if re.search(r"\d\s*\)*\s*[-+*/%]", c)]
    if not candidates:
        return ""
    best = max(candidates, key=len)
    bare = not re.search(r"[a-z\u3400-\u9fff]", text.replace(best, ""))
    return best if bare or _ASKED.search(prompt) else ""


def show(value: Fraction) -> str:
    """An exact number where it is short, else ten digits."""
    if value.denominator == 1:
        return str(value.numerator)
    as_decimal = f"{float(value):.10g}"
    return as_decimal if Fraction(as_decimal) == value else f"≈ {as_decimal}"


def _solution(lesson: Lesson, written: str, result: str, steps: list[str]) -> Draft:
    sign = "" if result.startswith("≈") else "= "
    answer = f"{written} {sign}**{result}**" if sign else f"{written} ≈ **{result[2:]}**"
    numbered = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))
    heading = lesson.say("Step by step:", "步骤：")
    content = answer + lesson.say(".", "。")
    if len(steps) > 1:
        content += f"\n\n{heading}\n\n{numbered}"
    opening = lesson.say(
        f"The question holds a sum: {written}. Powers first, then products, then sums.",
        f"题目里有一个算式：{written}。先乘方，再乘除，后加减。",
    )
    return Draft(
        content, reasoning="\n".join([opening, *steps, lesson.say("That is the result.", "这就是结果。")])
    )


def _impossible(lesson: Lesson, expression: str, error: Exception) -> Draft:
    why = lesson.say("division by zero has no value", "除数为零，没有意义")
    if isinstance(error, _Unworkable):
        why = str(error)
    written = _pretty(expression)
    content = lesson.say(f"{written} cannot be worked out: {why}.", f"{written} 无法计算：{why}。")
    return Draft(content, reasoning=lesson.say(f"I look at {written}: {why}.", f"我看了 {written}：{why}。"))


def _value(node: ast.expr, steps: list[str]) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand, steps)
        return -value if isinstance(node.op, ast.USub) else value
    if not isinstance(node, ast.BinOp):
        raise _NoSum
    left, right = _value(node.left, steps), _value(node.right, steps)
    if isinstance(node.op, ast.Pow):
        sign, value = "^", _power(left, right)
    else:
        sign, work = _OPERATORS[type(node.op)]
        value = work(left, right)
    if value.numerator.bit_length() > _LARGEST_BITS:
        raise _Unworkable("the number grows beyond a thousand digits")
    result = show(value)
    steps.append(f"{show(left)} {sign} {show(right)} {result if result.startswith('≈') else '= ' + result}")
    return value


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator == 1:
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if abs(exponent) * size > _LARGEST_BITS:
            raise _Unworkable("the number grows beyond a thousand digits")
        return base**exponent.numerator
    if base < 0:
        raise _Unworkable("a root of a negative number is not real")
    root = round(float(base) ** float(exponent), 12)
    return Fraction(str(root))


def _spelled(words: str) -> int:
    total = current = 0
    for word in re.split(r"[\s-]+", words):
        if word in _WORDS:
            current += _WORDS[word]
        elif word == "hundred":
            current = max(1, current) * 100
        elif word in _SCALES:
            total, current = total + max(1, current) * _SCALES[word], 0
    return total + current


def _pretty(expression: str) -> str:
    spaced = re.sub(r"\s*(\*\*|//|[-+*/%])\s*", r" \1 ", re.sub(r"\s+", " ", expression)).strip()
    spaced = re.sub(r"(^|\()\s*([-+]) ", r"\1\2", spaced)
    return spaced.replace("**", "^").replace("*", "×").replace(" / ", " ÷ ").replace(" - ", " − ")
