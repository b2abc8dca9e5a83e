"""Words: greetings, poems, lists, summaries, a small glossary, and the honest answer to everything else."""

from __future__ import annotations

import re
from collections import Counter

from anyfast_nb.simulator.teacher.lesson import Draft, Lesson

_GREETING = re.compile(
    r"^\W*(?:hello|hi|hey|good (?:morning|evening|afternoon|day)|greetings)\b[^?]{0,40}$"
    r"|^\W*(?:你好|您好|嗨)",
    re.IGNORECASE,
)
_POEM = re.compile(r"\b(?:poem|haiku|verse|sonnet|limerick)\b|诗", re.IGNORECASE)
_SUMMARY = re.compile(r"\bsummar(?:y|i[sz]e)\b|\btl;?dr\b|总结|概括", re.IGNORECASE)
_LIST = re.compile(
    r"\b(?:list|give me|suggest|ideas?|tips|steps|reasons|ways|bullet)\b"
    r"|\bname (?:some|a few|\d+|two|three|four|five|six|seven|eight|nine|ten)\b|列出|列举|建议|几个",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"\b(\d{1,2}|two|three|four|five|six|seven|eight|nine|ten)\b|([二两三四五六七八九十])\s*[个条点项]",
    re.IGNORECASE,
)
_NUMBERS = {
    w: n
    for n, w in enumerate(["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], start=2)
}
_NUMBERS_CHINESE = {w: n for n, w in enumerate("二三四五六七八九十", start=2)} | {"两": 2}
_TOPIC = re.compile(
    r"\b(?:about|on|of|for|to|why)\s+((?:the |a |an )?[\w' -]{2,60})|关于\s*([\w]{1,20})", re.IGNORECASE
)
_COMMON = frozenset(
    [
        "the",
        "a",
        "an",
        "and",
        "or",
        "of",
        "to",
        "in",
        "is",
        "it",
        "that",
        "this",
        "for",
        "on",
        "with",
        "as",
        "are",
        "was",
        "be",
        "by",
        "at",
        "from",
        "i",
        "you",
        "we",
        "they",
        "not",
        "but",
        "have",
        "has",
    ]
)


def greeting(lesson: Lesson) -> Draft | None:
    """Answer a greeting."""
    if not _GREETING.search(lesson.prompt):
        return None
    words = lesson.pick(
        "Hello! I am the teaching model of the built-in AnyFast. Ask for a sum, a table or some code.",
        "Hello! This is the built-in AnyFast. Try a sum, a poem, a picture, or ask what you said before.",
    )
    content = lesson.say(
        words, "你好！我是内置 AnyFast 的教学模型。可以让我算一道题、写一段代码、做一个表格，或者发一张图片。"
    )
    return Draft(
        content,
        reasoning=lesson.say(
            "A greeting: I greet back and say what I can do.", "这是问候：我回应并说明我会做什么。"
        ),
    )


def poem(lesson: Lesson) -> Draft | None:
    """Four lines on the topic."""
    if not _POEM.search(lesson.prompt):
        return None
    topic = _topic(lesson, lesson.say("the notebook", "笔记本"))
    if lesson.chinese:
        verse = lesson.pick(
            f"{topic}静静立窗前，\n一字一字落笔尖。\n模拟之中无真意，\n学会之后换新天。",
            f"说起{topic}夜未央，\n代码轻轻落一行。\n此处无人真作答，\n只教学子细思量。",
        )
    else:
        verse = lesson.pick(
            f"I sing of {topic}, line by line,\nEach word a token, one at a time;\n"
            "No model dreams behind this rhyme,\nYet all you sent has come through fine.",
            f"Of {topic} I would gladly tell,\nThough I am simulated well;\n"
            "The stream runs on, the tokens fell\nAs softly as a distant bell.",
            f"When {topic} wakes at early light,\nThe cells are run, the outputs bright;\n"
            "A rule, no mind, sat up to write,\nAnd wishes you a good goodnight.",
        )
    content = verse.replace("\n", "  \n")
    steps = lesson.say(
        f"A poem is wanted; the topic is {topic}.\nFour lines will do.",
        f"需要一首诗，主题是{topic}。\n四句就够了。",
    )
    return Draft(content, reasoning=steps)


def summary(lesson: Lesson) -> Draft | None:
    """Measure a text and quote its first sentence: a summary by counting."""
    if not _SUMMARY.search(lesson.prompt):
        return None
    head, _, text = lesson.prompt.partition("\n")
    if not text.strip():
        _, _, text = head.partition(":")
    text = " ".join(text.split())
    if len(text) < 40:
        return None
    sentences = [s for s in re.split(r"(?<=[.!?。！？])\s*", text) if s]
    common = ", ".join(frequent(text, 5))
    content = lesson.say(
        f"The text has {len(text.split())} words in {len(sentences)} sentences and opens: "
        f"“{sentences[0][:200]}”\n\n"
        f"Its most frequent words are: {common}.",
        f"这段文字有 {len(text)} 个字、{len(sentences)} 句，开头是：“{sentences[0][:200]}”",
    )
    return Draft(content, reasoning=lesson.say("I count words and sentences.", "我统计字数和句数。"))


def frequent(text: str, most: int) -> list[str]:
    """The most frequent words that say something."""
    words = re.findall(r"[^\W\d_]{3,}", text.lower())
    return [word for word, _ in Counter(w for w in words if w not in _COMMON).most_common(most)]


def listing(lesson: Lesson) -> Draft | None:
    """A list of as many points as asked for."""
    if not _LIST.search(lesson.prompt) or len(lesson.prompt) > 500:
        return None
    amount = _amount(lesson.prompt)
    topic = _topic(lesson, lesson.say("your question", "你的问题"))
    if lesson.chinese:
        points = (
            "先弄清要求",
            "从最小的例子开始",
            "一次只改一处",
            "把结果记下来",
            "与别人讨论",
            "检查边界情况",
            "适时休息",
            "回头再读一遍",
            "写下不懂的地方",
            "再试一次",
        )
        lead = f"关于{topic}的 {amount} 点："
    else:
        points = (
            "Begin with the smallest example that shows the point",
            "Say what you expect before you look",
            "Change one thing at a time",
            "Keep the result beside the question",
            "Look at the odd cases",
            "Compare with what somebody else found",
            "Read it once more the next day",
            "Write down what is still unclear",
            "Rest, then go on",
            "Try it with other data",
        )
        lead = f"{amount} points on {topic}:"
    shift = lesson.number(len(points))
    chosen = [points[(shift + index) % len(points)] for index in range(amount)]
    lines = "\n".join(
        f"{number}. {point}{lesson.say('.', '。')}" for number, point in enumerate(chosen, start=1)
    )
    steps = lesson.say(
        f"A list of {amount} points is wanted, on {topic}.", f"需要关于{topic}的 {amount} 点。"
    )
    return Draft(f"{lead}\n\n{lines}", reasoning=steps)


def restate(lesson: Lesson) -> Draft:
    """Say honestly what was received: the answer to all that nothing else knows."""
    request, prompt = lesson.request, lesson.prompt
    roles = Counter(message.role for message in request.messages)
    counted = ", ".join(f"{count} {role}" for role, count in roles.items())
    skip = {"model", "messages", "input", "stream", "stream_options", "tools"}
    others = [f"`{key}`" for key in request.body if key not in skip]
    shown = " ".join(prompt.split())
    shown = shown if len(shown) <= 160 else shown[:160] + "…"
    lead = lesson.say(
        f"I received your question “{shown}”, but I am a simulation and know no answer to it.",
        f"我收到了你的问题“{shown}”，但我只是模拟，不知道答案。",
    )
    lines = [
        lesson.say(
            f"- messages: {len(request.messages)} ({counted})",
            f"- 消息：{len(request.messages)} 条（{counted}）",
        ),
        lesson.say(
            f"- length of the question: {len(prompt)} characters", f"- 问题长度：{len(prompt)} 个字符"
        ),
        lesson.say(f"- model asked for: `{request.model}`", f"- 请求的模型：`{request.model}`"),
    ]
    if others:
        lines.append(lesson.say("- parameters: ", "- 参数：") + ", ".join(others))
    close = lesson.say(
        "I do know sums, code, tables, formulas, lists, poems, pictures, clips and this conversation.",
        "我会算术、代码、表格、公式、列表、诗、图片、视频，也记得这段对话。",
    )
    steps = lesson.say(
        f"The question has {len(prompt)} characters; the request, {len(request.messages)} message(s).\n"
        "None of my rules fits, so I say what I received.",
        f"问题有 {len(prompt)} 个字符，共 {len(request.messages)} 条消息。\n"
        "没有合适的规则，只说明收到了什么。",
    )
    return Draft("\n\n".join([lead, "\n".join(lines), close]), reasoning=steps)


def _topic(lesson: Lesson, default: str) -> str:
    found = _TOPIC.search(lesson.prompt)
    if not found:
        return default
    return " ".join((found[1] or found[2]).split())


def _amount(prompt: str) -> int:
    found = _COUNT.search(prompt)
    if not found:
        return 3
    word = (found[1] or found[2]).lower()
    number = int(word) if word.isdigit() else _NUMBERS.get(word) or _NUMBERS_CHINESE.get(word, 3)
    return max(1, min(10, number))
