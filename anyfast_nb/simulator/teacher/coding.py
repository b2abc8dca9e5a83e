"""Requests for code: a fenced block that runs as it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from anyfast_nb.simulator.teacher.lesson import Draft, Lesson

_WANTS_CODE = re.compile(
    r"\b(?:code|function|script|program|snippet|implement|one-liner|class)\b|\bin (?:python|javascript|sql)\b"
    r"|代码|函数|程序|脚本|实现",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:write|give|show|create|make|implement|need|want|generate|how (?:do|can|would)|please|can you)\b"
    r"|写|给|实现|生成|怎么|编写|^(?:python|code|a )",
    re.IGNORECASE,
)
_STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "code",
        "create",
        "for",
        "from",
        "function",
        "give",
        "in",
        "into",
        "is",
        "me",
        "my",
        "of",
        "on",
        "please",
        "program",
        "python",
        "script",
        "show",
        "snippet",
        "that",
        "the",
        "then",
        "this",
        "to",
        "using",
        "want",
        "with",
        "write",
        "which",
        "can",
        "you",
        "i",
        "need",
    ]
)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of code that runs, what it is for, and how one may see that it is right."""

    key: re.Pattern[str]
    about: str
    about_chinese: str
    code: str
    language: str = "python"


def _snippet(key: str, about: str, about_chinese: str, code: str, language: str = "python") -> Snippet:
    return Snippet(re.compile(key, re.IGNORECASE), about, about_chinese, code.strip("\n"), language)


SNIPPETS: tuple[Snippet, ...] = (
    _snippet(
        r"\bsql\b",
        "A SQL query that totals tokens by model",
        "按模型汇总 token 的 SQL 查询",
        """
SELECT model, COUNT(*) AS requests, SUM(input_tokens + output_tokens) AS tokens
FROM requests
GROUP BY model
ORDER BY tokens DESC;
""",
        "sql",
    ),
    _snippet(
        r"\bjavascript\b|\bjs\b",
        "A JavaScript function that sums the numbers of an array",
        "对数组求和的 JavaScript 函数",
        """
const sum = (numbers) => numbers.reduce((total, n) => total + n, 0);

console.log(sum([1, 2, 3])); // 6
""",
        "javascript",
    ),
    _snippet(
        r"fibonacci|斐波那契",
        "A function that gives the first n Fibonacci numbers",
        "给出前 n 个斐波那契数的函数",
        """
def fibonacci(n: int) -> list[int]:
    \"\"\"The first n Fibonacci numbers.\"\"\"
    numbers, a, b = [], 0, 1
    for _ in range(n):
        numbers.append(a)
        a, b = b, a + b
    return numbers


print(fibonacci(10))  # [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]
""",
    ),
    _snippet(
        r"\bprimes?\b|素数|质数",
        "A function that finds all primes up to n with the sieve of Eratosthenes",
        "用埃拉托斯特尼筛法求 n 以内素数的函数",
        """
def primes(n: int) -> list[int]:
    \"\"\"All primes up to n.\"\"\"
    is_prime = [False, False, *[True] * (n - 1)]
    for p in range(2, int(n**0.5) + 1):
        if is_prime[p]:
            is_prime[p * p :: p] = [False] * len(is_prime[p * p :: p])
    return [number for number, prime in enumerate(is_prime) if prime]


print(primes(30))  # [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
""",
    ),
    _snippet(
        r"factorial|阶乘",
        "A recursive factorial",
        "递归的阶乘函数",
        """
def factorial(n: int) -> int:
    \"\"\"The product of 1 to n.\"\"\"
    if n < 0:
        raise ValueError(f"n must not be negative, got {n}")
    return 1 if n < 2 else n * factorial(n - 1)


print(factorial(5))  # 120
""",
    ),
    _snippet(
        r"palindrome|回文",
        "A function that tells whether a text is a palindrome",
        "判断回文的函数",
        """
def is_palindrome(text: str) -> bool:
    \"\"\"Whether a text reads the same both ways, letters and digits only.\"\"\"
    letters = [c.lower() for c in text if c.isalnum()]
    return letters == letters[::-1]


print(is_palindrome("A man, a plan, a canal: Panama"))  # True
""",
    ),
    _snippet(
        r"revers|反转|倒序",
        "A function that reverses a text",
        "反转字符串的函数",
        """
def reverse(text: str) -> str:
    \"\"\"The text, last character first.\"\"\"
    return text[::-1]


print(reverse("notebook"))  # koobeton
""",
    ),
    _snippet(
        r"fizz\s?-?buzz",
        "FizzBuzz",
        "FizzBuzz 程序",
        """
def fizzbuzz(n: int) -> str:
    \"\"\"Fizz for threes, Buzz for fives, FizzBuzz for both, else the number.\"\"\"
    return "Fizz" * (n % 3 == 0) + "Buzz" * (n % 5 == 0) or str(n)


print(" ".join(fizzbuzz(n) for n in range(1, 16)))
""",
    ),
    _snippet(
        r"\bsort|排序",
        "Quicksort in a few lines",
        "几行代码的快速排序",
        """
def quicksort(items: list[int]) -> list[int]:
    \"\"\"The items in ascending order.\"\"\"
    if len(items) < 2:
        return items
    pivot, *rest = items
    smaller = [x for x in rest if x < pivot]
    larger = [x for x in rest if x >= pivot]
    return [*quicksort(smaller), pivot, *quicksort(larger)]


print(quicksort([3, 1, 4, 1, 5, 9, 2, 6]))  # [1, 1, 2, 3, 4, 5, 6, 9]
""",
    ),
    _snippet(
        r"\bgcd\b|common divisor|公约数",
        "Euclid's greatest common divisor",
        "欧几里得求最大公约数",
        """
def gcd(a: int, b: int) -> int:
    \"\"\"The greatest common divisor of two integers.\"\"\"
    while b:
        a, b = b, a % b
    return abs(a)


print(gcd(84, 36))  # 12
""",
    ),
    _snippet(
        r"count\w* (?:the )?words|word (?:count|frequen)|词频|统计单词",
        "A function that counts the words of a text",
        "统计词频的函数",
        """
from collections import Counter


def word_counts(text: str) -> Counter[str]:
    \"\"\"How often each word occurs.\"\"\"
    return Counter(text.lower().split())


print(word_counts("the cat and the hat").most_common(2))  # [('the', 2), ('cat', 1)]
""",
    ),
    _snippet(
        r"\b(?:mean|average|statistics|standard deviation)\b|平均|标准差",
        "Mean and standard deviation from the standard library",
        "用标准库求平均值和标准差",
        """
from statistics import mean, stdev

values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]
print(f"mean {mean(values):.2f}, standard deviation {stdev(values):.2f}")  # 5.00 and 2.14
""",
    ),
    _snippet(
        r"hello,? world|你好,?，?世界",
        "The classic first program",
        "经典的第一个程序",
        """
print("Hello, world!")
""",
    ),
)


def write(lesson: Lesson) -> Draft | None:
    """Code for the question; None when it asks for none."""
    prompt = lesson.prompt
    if not _WANTS_CODE.search(prompt) or not _ASKS.search(prompt):
        return None
    snippet = next((s for s in SNIPPETS if s.key.search(prompt)), None) or _made_up(prompt)
    steps = lesson.say(
        f"Code is wanted. I choose: {snippet.about}.\nIt must run as it stands, so I add an example.",
        f"题目要求写代码。我选择：{snippet.about_chinese}。\n代码要能直接运行，所以附上一个例子。",
    )
    fence = f"```{snippet.language}\n{snippet.code}\n```"
    lead = lesson.say(f"{snippet.about}:", f"{snippet.about_chinese}：")
    close = lesson.say(
        "It runs as it stands; the comment shows what it gives."
        if "#" in snippet.code
        else "It runs as it stands.",
        "可以直接运行。",
    )
    return Draft(f"{lead}\n\n{fence}\n\n{close}", reasoning=steps)


def _made_up(prompt: str) -> Snippet:
    """A small function named after the question: it cannot know the task, so it says so."""
    words = [w for w in re.findall(r"[a-z]+", prompt.lower()) if w not in _STOP_WORDS and len(w) > 1]
    name = "_".join(words[:3]) or "answer"
    if not name.isidentifier() or name in {"class", "def", "lambda", "import"}:
        name = "answer"
    code = f'''
def {name}(*values: float) -> dict[str, float]:
    """A stand-in: the teaching model knows no ready code for this task."""
    return {{"count": len(values), "sum": sum(values), "largest": max(values, default=0)}}


print({name}(1, 2, 3))  # {{'count': 3, 'sum': 6, 'largest': 3}}
'''
    return _snippet(
        "",
        f"A stand-in for `{name}` that runs (a real model would write the task itself)",
        f"`{name}` 的示例代码，可以运行（真正的模型会写出任务本身）",
        code,
    )
