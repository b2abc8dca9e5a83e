"""Documents: what was read in them, in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from anyfast_nb.simulator.teacher import pictures
from anyfast_nb.simulator.teacher.data import Table, describe_table
from anyfast_nb.simulator.teacher.lesson import Draft, Lesson
from anyfast_nb.simulator.teacher.prose import frequent

if TYPE_CHECKING:
    from anyfast_nb.simulator.looking.papers import Document
    from anyfast_nb.simulator.request import Part

BEGINNING = 200
MOST_POINTS = 8
MOST_FOUND = 3
_ABOUT = re.compile(
    r"\b(?:document|file|pdf|paper|report|page|pages|slides?|sheets?|headings?|sections?|chapters?|author|"
    r"summari[sz]e|summary|spreadsheet|columns?|rows?)\b|文档|文件|论文|报告|多少页|几页|章节|作者",
    re.IGNORECASE,
)
_PAGES = re.compile(
    r"\bhow many (?:pages|slides|sheets)\b|\bnumber of (?:pages|slides|sheets)\b|多少页|几页|页数",
    re.IGNORECASE,
)
_WORDS = re.compile(r"\bhow many words\b|\bword count\b|\bhow long is\b|多少字|字数", re.IGNORECASE)
_SUMMARY = re.compile(
    r"\bsummar(?:y|i[sz]e)\b|\btl;?dr\b|\babstract\b|\bkey points\b|总结|概括|摘要", re.IGNORECASE
)
_HEADINGS = re.compile(
    r"\b(?:headings?|sections?|chapters?|outline|structure|table of contents)\b|章节|目录|大纲", re.IGNORECASE
)
_TITLE = re.compile(r"\b(?:title|author|who wrote|called)\b|标题|题目|作者", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?。！？\n]+(?:[.!?](?=\s|$)|[。！？]|$|\n)")
_ASKING = frozenset(
    re.findall(
        r"\w+",
        "what which who whom whose when where why how does did the this that these those about say says tell "
        "document file report paper page please give many much there from with into contain contains "
        "mention mentions find list show are was were and for",
    )
)


def answer(lesson: Lesson) -> Draft | None:
    """Answer from the documents of the last message, or from earlier ones the question is about."""
    parts, fresh = _wanted(lesson)
    if not parts:
        return None
    papers = [lesson.papers[part] for part in parts]
    drafts = [_one(paper, lesson) for paper in papers]
    if len(drafts) == 1:
        content = drafts[0].content
    else:
        lead = lesson.say(f"You sent {len(papers)} documents.", f"你发来了 {len(papers)} 个文档。")
        content = "\n\n".join(
            [lead, *(f"**{n}.** {draft.content}" for n, draft in enumerate(drafts, start=1))]
        )
    reasoning = [draft.reasoning for draft in drafts]
    seen = pictures.describe(lesson) if fresh and _last(lesson) else None
    if seen is not None:
        content = f"{content}\n\n{seen.content}"
        reasoning.append(seen.reasoning)
    return Draft(content, reasoning="\n".join(reasoning))


def _last(lesson: Lesson) -> tuple[Part, ...]:
    return next((m.media for m in reversed(lesson.request.messages) if m.role == "user"), ())


def _wanted(lesson: Lesson) -> tuple[tuple[Part, ...], bool]:
    """The documents, and whether they came with the question itself."""
    users = [m for m in lesson.request.messages if m.role == "user"]
    if users and users[-1].documents:
        return users[-1].documents, True
    if users and users[-1].media:
        return (), False
    earlier = next((m.documents for m in reversed(users) if m.documents), ())
    if not earlier:
        return (), False
    asked = bool(_ABOUT.search(lesson.prompt)) or any(_found(lesson.papers[part], lesson) for part in earlier)
    return (earlier, False) if asked else ((), False)


def _one(paper: Document, lesson: Lesson) -> Draft:
    if paper.problem and not paper.text:
        return _not_read(paper, lesson)
    for asks, tell in _RULES:
        found = tell(paper, lesson) if asks.search(lesson.prompt) else ""
        if found:
            return Draft(found, reasoning=_thought(paper, lesson))
    if paper.names:
        table = describe_table(Table(paper.names, paper.rows), lesson)
        return Draft(f"{_measured(paper, lesson)}\n\n{table.content}", reasoning=_thought(paper, lesson))
    found = _quotes(paper, lesson)
    whole = _overview(paper, lesson)
    return Draft(f"{found}\n\n{whole}" if found else whole, reasoning=_thought(paper, lesson))


def _not_read(paper: Document, lesson: Lesson) -> Draft:
    if paper.address:
        content = lesson.say(
            f"The document at `{paper.address}` was not read: it is not reachable from here. "
            "Send it along as file_data to have it read.",
            f"地址为 `{paper.address}` 的文档没有读取：这里无法访问。可以用 file_data 直接发送。",
        )
    else:
        content = lesson.say(
            f"{_name(paper, lesson)} ({_size(paper)}) could not be read: {paper.problem}.",
            f"{_name(paper, lesson)}（{_size(paper)}）无法读取：{paper.problem}。",
        )
    return Draft(content, reasoning=lesson.say("I cannot read this document.", "这个文档我无法读取。"))


def _pages(paper: Document, lesson: Lesson) -> str:
    if not paper.pages:
        return lesson.say(
            f"{_name(paper, lesson)} states no pages ({paper.kind}); it has {_words(paper):,} words.",
            f"{_name(paper, lesson)} 没有页数（{paper.kind}），共 {_words(paper)} 个词。",
        )
    return lesson.say(
        f"{_name(paper, lesson)} has **{paper.pages}** {_counted(paper)}.",
        f"{_name(paper, lesson)} 共 **{paper.pages}** 页。",
    )


def _long(paper: Document, lesson: Lesson) -> str:
    return lesson.say(
        f"{_name(paper, lesson)} has **{_words(paper):,}** words ({len(paper.text):,} characters).",
        f"{_name(paper, lesson)} 有 **{_words(paper)}** 个词（{len(paper.text)} 个字符）。",
    )


def _titled(paper: Document, lesson: Lesson) -> str:
    if not paper.title and not paper.author:
        return ""
    title = paper.title or lesson.say("no title", "无标题")
    author = paper.author or lesson.say("not stated", "未注明")
    return lesson.say(
        f"The file states the title “{title}”; its author: {author}.",
        f"文件标题：“{title}”；作者：{author}。",
    )


def _headed(paper: Document, lesson: Lesson) -> str:
    if not paper.headings:
        return ""
    lines = "\n".join(f"{number}. {heading}" for number, heading in enumerate(paper.headings[:30], start=1))
    lead = lesson.say(
        f"{_name(paper, lesson)} has {len(paper.headings)} headings:",
        f"{_name(paper, lesson)} 有 {len(paper.headings)} 个标题：",
    )
    return f"{lead}\n\n{lines}"


def _summed(paper: Document, lesson: Lesson) -> str:
    """The first sentence of each section: a summary by extraction."""
    if paper.names:
        return ""
    points = [(section.heading, _first_sentence(section.text)) for section in paper.sections]
    kept = [(heading, sentence) for heading, sentence in points if sentence]
    if len(kept) == 1:
        kept = [("", sentence) for sentence in _sentences(paper.text)[:4]]
    lines = "\n".join(
        f"- **{heading}**: {text}" if heading else f"- {text}" for heading, text in kept[:MOST_POINTS]
    )
    more = len(kept) - MOST_POINTS
    if more > 0:
        lines += lesson.say(f"\n- … and {more} more sections", f"\n- ……另有 {more} 节")
    words = ", ".join(frequent(paper.text, 6))
    close = lesson.say(f"Its most frequent terms: {words}.", f"最常见的词：{words}。")
    return f"{_measured(paper, lesson)}\n\n{lines}\n\n{close}"


def _quotes(paper: Document, lesson: Lesson) -> str:
    """The sentences that hold the words of the question."""
    found = _found(paper, lesson)
    if not found:
        return ""
    lead = lesson.say(f"{_name(paper, lesson)} says:", f"{_name(paper, lesson)} 中写道：")
    return lead + "\n\n" + "\n".join(f"> {sentence}" for sentence in found)


def _found(paper: Document, lesson: Lesson) -> list[str]:
    wanted = _stems(lesson.prompt)
    if not wanted:
        return []
    scored = [(len(wanted & _stems(s)), -at, s) for at, s in enumerate(_sentences(paper.text))]
    best = max((score for score, _, _ in scored), default=0)
    # One shared word is chance in a long question, and all there is in a short one.
    if best < min(2, len(wanted)):
        return []
    kept = sorted((row for row in scored if row[0] == best), reverse=True)[:MOST_FOUND]
    return [sentence for _, _, sentence in kept]


def _overview(paper: Document, lesson: Lesson) -> str:
    lines = [_measured(paper, lesson)]
    titled = _titled(paper, lesson)
    if titled:
        lines.append(titled)
    beginning = " ".join(paper.text.split())
    shown = beginning[:BEGINNING] + ("…" if len(beginning) > BEGINNING else "")
    lines.append(lesson.say(f"It begins: “{shown}”", f"开头是：“{shown}”"))
    if paper.headings:
        headings = ", ".join(f"“{heading}”" for heading in paper.headings[:MOST_POINTS])
        lines.append(lesson.say(f"Headings: {headings}.", f"标题：{headings}。"))
    words = ", ".join(frequent(paper.text, 6))
    if words:
        lines.append(lesson.say(f"Its most frequent terms: {words}.", f"最常见的词：{words}。"))
    return "\n\n".join(lines)


def _measured(paper: Document, lesson: Lesson) -> str:
    pages = f", {paper.pages} {_counted(paper)}" if paper.pages else ""
    return lesson.say(
        f"{_name(paper, lesson)} is a {paper.kind} file of {_size(paper)}{pages}, {_words(paper):,} words.",
        f"{_name(paper, lesson)} 是 {paper.kind} 文件，{_size(paper)}"
        f"{f'，{paper.pages} 页' if paper.pages else ''}，{_words(paper)} 个词。",
    )


def _thought(paper: Document, lesson: Lesson) -> str:
    return lesson.say(
        f"I read the {paper.kind} file: {_words(paper):,} words in {len(paper.sections)} section(s).",
        f"我读取了 {paper.kind} 文件：{_words(paper)} 个词，{len(paper.sections)} 节。",
    )


def _name(paper: Document, lesson: Lesson) -> str:
    return f"`{paper.name}`" if paper.name else lesson.say("The document", "文档")


def _counted(paper: Document) -> str:
    return paper.page_word if paper.pages == 1 else f"{paper.page_word}s"


def _words(paper: Document) -> int:
    return len(paper.text.split())


def _size(paper: Document) -> str:
    if paper.size_bytes < 1_000:
        return f"{paper.size_bytes} bytes"
    if paper.size_bytes < 1_000_000:
        return f"{paper.size_bytes / 1_000:.1f} kB"
    return f"{paper.size_bytes / 1_000_000:.1f} MB"


def _sentences(text: str) -> list[str]:
    # Lines of a page are broken where the page ends, sentences are not.
    joined = re.sub(r"(?<=[^\n.!?。！？:])\n(?=[^\n])", " ", text)
    return [" ".join(match[0].split()) for match in _SENTENCE.finditer(joined) if match[0].strip()]


def _first_sentence(text: str) -> str:
    return next(iter(_sentences(text[:4_000])), "")[:300]


def _stems(text: str) -> set[str]:
    words = re.findall(r"[^\W_]{3,}", text.lower())
    return {word[:6] for word in words if word not in _ASKING}


_RULES: tuple[tuple[re.Pattern[str], Callable[[Document, Lesson], str]], ...] = (
    (_PAGES, _pages),
    (_WORDS, _long),
    (_SUMMARY, _summed),
    (_HEADINGS, _headed),
    (_TITLE, _titled),
)
