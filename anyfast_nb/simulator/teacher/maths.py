"""Mathematics in LaTeX: derivatives and integrals of polynomials, and some classics."""

from __future__ import annotations

import re
from fractions import Fraction

from anyfast_nb.simulator.teacher.lesson import Draft, Lesson

_DERIVATIVE = re.compile(r"\bderivative\b|\bdifferentiate\b|导数|求导", re.IGNORECASE)
_INTEGRAL = re.compile(r"\bintegra(?:l|te)\b|积分", re.IGNORECASE)
_TERM = re.compile(
    r"([+-]?\s*\d*(?:\.\d+)?)\s*\*?\s*x(?:\s*(?:\^|\*\*)\s*(\d+))?|([+-]?\s*\d+(?:\.\d+)?)(?![\d.]*\s*\*?\s*x)"
)
_POLYNOMIAL = re.compile(
    r"[+-]?\s*(?:\d+(?:\.\d+)?\s*\*?\s*)?x(?:\s*(?:\^|\*\*)\s*\d+)?(?:\s*[+-]\s*(?:\d+(?:\.\d+)?\s*\*?\s*)?(?:x(?:\s*(?:\^|\*\*)\s*\d+)?)?(?<=[\dx]))*"
)

Polynomial = dict[int, Fraction]

_COMPLETED_SQUARE = (
    "x^2 + \\frac{b}{a}x = -\\frac{c}{a}$$\n\n"
    "$$\\left(x + \\frac{b}{2a}\\right)^2 = \\frac{b^2 - 4ac}{4a^2}$$\n\n"
    "$$x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}"
)
_CLASSICS: tuple[tuple[re.Pattern[str], str, str, str], ...] = tuple(
    (re.compile(found, re.IGNORECASE), english, chinese, formula)
    for found, english, chinese, formula in (
        (
            r"quadratic|二次方程|求根公式",
            "Every equation $ax^2 + bx + c = 0$ with $a \\neq 0$ is solved by completing the square.",
            "对任意 $a \\neq 0$，方程 $ax^2 + bx + c = 0$ 可用配方法求解。",
            _COMPLETED_SQUARE,
        ),
        (
            r"pythagor|勾股",
            "In a right triangle with legs $a$, $b$ and hypotenuse $c$ the squares of the legs add up.",
            "直角三角形两直角边 $a$、$b$ 与斜边 $c$ 满足勾股定理。",
            "a^2 + b^2 = c^2",
        ),
        (
            r"euler|欧拉",
            "Euler's formula ties the exponential to the circle; at $x = \\pi$ it gives the famous identity.",
            "欧拉公式把指数函数和圆联系起来，取 $x = \\pi$ 得到著名的恒等式。",
            "e^{ix} = \\cos x + i \\sin x, \\qquad e^{i\\pi} + 1 = 0",
        ),
        (
            r"gaussian|normal distribution|正态|高斯",
            "The area under the bell curve $e^{-x^2}$ is $\\sqrt{\\pi}$.",
            "钟形曲线 $e^{-x^2}$ 下的面积是 $\\sqrt{\\pi}$。",
            "\\int_{-\\infty}^{\\infty} e^{-x^2}\\,dx = \\sqrt{\\pi}",
        ),
        (
            r"bayes|贝叶斯",
            "Bayes' rule turns $P(B \\mid A)$ into $P(A \\mid B)$.",
            "贝叶斯公式由 $P(B \\mid A)$ 求 $P(A \\mid B)$。",
            "P(A \\mid B) = \\frac{P(B \\mid A)\\,P(A)}{P(B)}",
        ),
        (
            r"geometric series|等比",
            "For $|q| < 1$ the geometric series has a finite sum.",
            "当 $|q| < 1$ 时，等比级数收敛。",
            "\\sum_{k=0}^{\\infty} q^k = \\frac{1}{1 - q}",
        ),
        (
            r"\b(?:derive|theorem|formula|equation|proof|prove|latex|maths?)\b|公式|定理|证明|推导|数学",
            "The sum of the first $n$ numbers follows by pairing the first with the last.",
            "首尾配对可得前 $n$ 个数之和。",
            "\\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}",
        ),
    )
)


def derive(lesson: Lesson) -> Draft | None:
    """A formula with its steps; None when the question is not about mathematics."""
    if _DERIVATIVE.search(lesson.prompt):
        return _calculus(lesson, integral=False)
    if _INTEGRAL.search(lesson.prompt) and not re.search("gauss|高斯", lesson.prompt, re.IGNORECASE):
        return _calculus(lesson, integral=True)
    for found, english, chinese, formula in _CLASSICS:
        if found.search(lesson.prompt):
            lead = lesson.say(english, chinese)
            steps = lesson.say(
                "I recall the formula and write it in LaTeX.", "我想起这个公式，用 LaTeX 写出。"
            )
            return Draft(f"{lead}\n\n$${formula}$$", reasoning=steps)
    return None


def read_polynomial(text: str) -> Polynomial:
    """The first polynomial in x of a text by its powers; x² if there is none."""
    match = max(_POLYNOMIAL.findall(text.replace("²", "^2").replace("³", "^3")), key=len, default="")
    found: Polynomial = {}
    for factor, power, constant in _TERM.findall(match):
        if constant:
            found[0] = found.get(0, Fraction(0)) + Fraction(constant.replace(" ", ""))
            continue
        bare = factor.replace(" ", "")
        number = Fraction(bare + "1") if bare in {"", "+", "-"} else Fraction(bare)
        exponent = min(99, int(power or 1))
        found[exponent] = found.get(exponent, Fraction(0)) + number
    return found or {2: Fraction(1)}


def differentiate(polynomial: Polynomial) -> Polynomial:
    """The derivative, term by term."""
    return {power - 1: factor * power for power, factor in polynomial.items() if power}


def integrate(polynomial: Polynomial) -> Polynomial:
    """The integral, term by term, without its constant."""
    return {power + 1: factor / (power + 1) for power, factor in polynomial.items()}


def as_latex(polynomial: Polynomial) -> str:
    """Highest power first, as one writes it."""
    terms = [_term(power, factor) for power, factor in sorted(polynomial.items(), reverse=True) if factor]
    return (
        "".join(terms).removeprefix("+ ").replace("- ", "-", 1 if terms and terms[0][0] == "-" else 0).strip()
        or "0"
    )


def _term(power: int, factor: Fraction) -> str:
    sign, size = ("-" if factor < 0 else "+"), abs(factor)
    number = str(size) if size.denominator == 1 else f"\\frac{{{size.numerator}}}{{{size.denominator}}}"
    if power and size == 1:
        number = ""
    unknown = "" if not power else "x" if power == 1 else f"x^{{{power}}}"
    return f"{sign} {number}{unknown} "


def _calculus(lesson: Lesson, *, integral: bool) -> Draft:
    polynomial = read_polynomial(lesson.prompt)
    before = as_latex(polynomial)
    if integral:
        result = as_latex(integrate(polynomial))
        lead = lesson.say("The power rule, backwards, term by term:", "逐项反用幂法则：")
        rule, formula = "\\int x^n\\,dx = \\frac{x^{n+1}}{n+1} + C", f"\\int ({before})\\,dx = {result} + C"
    else:
        result = as_latex(differentiate(polynomial))
        lead = lesson.say("The power rule, term by term:", "逐项使用幂法则：")
        rule, formula = (
            "\\frac{d}{dx} x^n = n\\,x^{n-1}",
            f"\\frac{{d}}{{dx}}\\left({before}\\right) = {result}",
        )
    steps = lesson.say(
        f"The function is {before}.\nI use the power rule on each term.",
        f"函数是 {before}。\n逐项使用幂法则。",
    )
    return Draft(f"{lead} ${rule}$\n\n$${formula}$$", reasoning=steps)
