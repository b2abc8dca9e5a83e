"""What was said earlier in the conversation."""

from __future__ import annotations

import re
from collections.abc import Callable

from anyfast_nb.simulator.teacher.lesson import Draft, Lesson

_NAME = re.compile(
    r"\b(?i:my name is|i am called|call me)\s+([A-Z][\w'-]*(?:\s+[A-Z][\w'-]*)?|\w+)"
    r"|(?:我叫|我的名字是)\s*([\w·]{1,12})"
)
_FACT = re.compile(r"\bmy ((?:favou?rite )?[a-z]+(?: [a-z]+)?) (?:is|are) ([^.,!?\n]{1,60})", re.IGNORECASE)
_KEEP = re.compile(
    r"\b(?:remember|note)(?: that| this)?:? (?:the )?([^.!?\n]{1,80})|记住[:：，]?\s*([^。！？\n]{1,40})",
    re.IGNORECASE,
)

_ASKS_NAME = re.compile(
    r"\bwhat(?:'s| is| was) my name\b|\bwho am i\b|\bmy name\?|我叫什么|我的名字是什么", re.IGNORECASE
)
_ASKS_FACT = re.compile(
    r"\bwhat(?:'s| is| was| are) my ((?:favou?rite )?[a-z]+(?: [a-z]+)?)\??", re.IGNORECASE
)
_ASKS_FIRST = re.compile(
    r"\b(?:ask|say|said|tell|told|question)\b.*\bfirst\b|\bfirst (?:question|message)\b|第一个问题|最先问",
    re.IGNORECASE,
)
_ASKS_BEFORE = re.compile(
    r"\bwhat did i (?:just )?(?:ask|say|tell)\b|\bmy (?:last|previous) (?:question|message)\b"
    r"|\bwhat was my question\b|刚才问|上一个问题",
    re.IGNORECASE,
)
_ASKS_KEPT = re.compile(
    r"\bwhat (?:did i|.*\b(?:asked|told) you to) .*remember"
    r"|\bwhat .*\b(?:number|word|code)\b.*\bremember|让你记住",
    re.IGNORECASE,
)
_ASKS_COUNT = re.compile(r"\bhow many (?:messages|questions|turns)\b|多少(?:条消息|个问题)", re.IGNORECASE)
_ASKS_TALK = re.compile(
    r"\b(?:summari[sz]e|recap)\b.*\b(?:conversation|chat|talk|so far)\b|总结.*对话", re.IGNORECASE
)


def recall(lesson: Lesson) -> Draft | None:
    """Answer a question about the conversation; None when it is about something else."""
    said = [m.text for m in lesson.earlier if m.role == "user"]
    for asks, answer in _RULES:
        if asks.search(lesson.prompt):
            return answer(lesson, said)
    return None


def acknowledge(lesson: Lesson) -> Draft | None:
    """Say back what the user tells about themselves; None when they tell nothing."""
    found = _NAME.search(lesson.prompt)
    if found:
        name = found[1] or found[2]
        content = lesson.say(
            f"Nice to meet you, {name}. I can tell you your name as long as this conversation is sent along.",
            f"很高兴认识你，{name}。只要对话一起发来，我就能说出你的名字。",
        )
        return Draft(
            content, reasoning=lesson.say(f"The user gives a name: {name}.", f"用户说出了名字：{name}。")
        )
    told = _KEEP.search(lesson.prompt) or _FACT.search(lesson.prompt)
    if told is None:
        return None
    note = " ".join(told[0].split())
    content = lesson.say(
        f"Noted: “{note}”. Ask me about it later in this conversation.", f"记下了：“{note}”。之后可以问我。"
    )
    return Draft(
        content, reasoning=lesson.say("The user tells something to keep.", "用户说了一件要记住的事。")
    )


def _name(lesson: Lesson, said: list[str]) -> Draft:
    # The question itself may tell the name; "what is my name" does not.
    found = _last(_NAME, [*said, _ASKS_NAME.sub("", lesson.prompt)])
    steps = lesson.say(
        f"I look through {len(said)} earlier messages for a name.", f"我在之前的 {len(said)} 条消息里找名字。"
    )
    if not found:
        content = lesson.say(
            "You have not told me your name in this conversation.", "你在这段对话里还没有告诉我你的名字。"
        )
        return Draft(content, reasoning=steps)
    return Draft(lesson.say(f"Your name is **{found}**.", f"你叫**{found}**。"), reasoning=steps)


def _fact(lesson: Lesson, said: list[str]) -> Draft:
    asked = _ASKS_FACT.search(lesson.prompt)
    assert asked is not None
    wanted = asked[1].lower()
    facts = {m[1].lower(): m[2].strip() for text in said for m in _FACT.finditer(text)}
    steps = lesson.say(f"I look for what was said about “{wanted}”.", f"我查找关于“{wanted}”的内容。")
    if wanted not in facts:
        content = lesson.say(
            f"You have not told me your {wanted} in this conversation.", f"你还没有告诉我{wanted}。"
        )
        return Draft(content, reasoning=steps)
    return Draft(
        lesson.say(f"Your {wanted} is **{facts[wanted]}**.", f"你的{wanted}是**{facts[wanted]}**。"),
        reasoning=steps,
    )


def _quoted(lesson: Lesson, said: list[str], english: str, chinese: str) -> Draft:
    steps = lesson.say(
        f"I look through the {len(lesson.earlier)} earlier messages.",
        f"我查看之前的 {len(lesson.earlier)} 条消息。",
    )
    if not said:
        content = lesson.say(
            "Nothing was said before this message: only what is sent along can be remembered.",
            "这条消息之前没有别的内容：只有一起发来的对话才能被记住。",
        )
        return Draft(content, reasoning=steps)
    text = " ".join(said[0].split())[:200]
    return Draft(lesson.say(f"{english}: “{text}”.", f"{chinese}：“{text}”。"), reasoning=steps)


def _count(lesson: Lesson, said: list[str]) -> Draft:
    total = len(lesson.request.messages)
    content = lesson.say(
        f"This request carries {total} messages; {len(said) + 1} of them are yours.",
        f"这次请求有 {total} 条消息，其中 {len(said) + 1} 条是你的。",
    )
    return Draft(content, reasoning=lesson.say("I count the messages.", "我数一下消息。"))


def _talk(lesson: Lesson, said: list[str]) -> Draft:
    lines = "\n".join(
        f"{number}. “{' '.join(text.split())[:100]}”" for number, text in enumerate(said, start=1)
    )
    lead = lesson.say(f"So far you have asked {len(said)} things.", f"到目前为止你说了 {len(said)} 件事。")
    return Draft(
        f"{lead}\n\n{lines}", reasoning=lesson.say("I go through the earlier messages.", "我回顾之前的消息。")
    )


def _last(pattern: re.Pattern[str], texts: list[str]) -> str:
    found = [next(group for group in m.groups() if group) for text in texts for m in pattern.finditer(text)]
    return found[-1].strip() if found else ""


def _first(lesson: Lesson, said: list[str]) -> Draft:
    return _quoted(lesson, said[:1], "The first thing you said was", "你最先说的是")


def _before(lesson: Lesson, said: list[str]) -> Draft:
    return _quoted(lesson, said[-1:], "Before this you said", "在这之前你说的是")


def _kept(lesson: Lesson, said: list[str]) -> Draft:
    kept = _last(_KEEP, said)
    return _quoted(lesson, [kept] if kept else [], "You asked me to remember", "你让我记住的是")


# The first question that fits is answered: "what did I ask first" before "what did I ask".
_RULES: tuple[tuple[re.Pattern[str], Callable[[Lesson, list[str]], Draft]], ...] = (
    (_ASKS_NAME, _name),
    (_ASKS_KEPT, _kept),
    (_ASKS_FIRST, _first),
    (_ASKS_BEFORE, _before),
    (_ASKS_COUNT, _count),
    (_ASKS_TALK, _talk),
    (_ASKS_FACT, _fact),
)
