"""How an answer is given: short, in one sentence, in another language, with a prefix; and always honest."""

from __future__ import annotations

import re

from anyfast_nb.simulator.teacher.lesson import Draft, Lesson

_ONE_SENTENCE = re.compile(r"\b(?:in )?(?:one|a single|1) (?:short )?sentence\b|一句话", re.IGNORECASE)
_BRIEF = re.compile(
    r"\bbe (?:very )?(?:brief|short|concise|terse)\b|\b(?:answer|reply|respond) (?:briefly|concisely)\b"
    r"|\bkeep it (?:short|brief)\b|\bin a few words\b|简短|简洁",
    re.IGNORECASE,
)
_CAPITALS = re.compile(r"\b(?:all caps|upper ?case|capital letters|ALL CAPITALS)\b", re.IGNORECASE)
_QUOTED = r"[\"“'‘]([^\"”'’\n]{1,80})[\"”'’]"
_BEGIN = re.compile(rf"\b(?:start|begin)s?\b[^\"“'‘\n]{{0,40}}{_QUOTED}", re.IGNORECASE)
_END = re.compile(rf"\b(?:end|finish|close)s?\b[^\"“'‘\n]{{0,40}}{_QUOTED}", re.IGNORECASE)
_SENTENCE = re.compile(r".+?(?:[.!?](?=\s|$)|[。！？]|$)", re.DOTALL)

LANGUAGES: dict[str, tuple[re.Pattern[str], str]] = {
    name: (re.compile(rf"\bin {name}\b|\bspeak {name}\b|用{chinese}", re.IGNORECASE), lead)
    for name, chinese, lead in (
        (
            "french",
            "法语",
            "Voici ma réponse, en français comme demandé (simulée ; le détail reste en anglais).",
        ),
        (
            "german",
            "德语",
            "Hier ist meine Antwort, wie gewünscht auf Deutsch (simuliert; Einzelheiten auf Englisch).",
        ),
        (
            "spanish",
            "西班牙语",
            "Aquí está mi respuesta, en español como se pidió (simulada; el detalle sigue en inglés).",
        ),
        (
            "italian",
            "意大利语",
            "Ecco la mia risposta, in italiano come richiesto (simulata; i dettagli restano in inglese).",
        ),
        (
            "portuguese",
            "葡萄牙语",
            "Aqui está a minha resposta, em português como pedido (simulada; o detalhe fica em inglês).",
        ),
        (
            "japanese",
            "日语",
            "ご要望どおり日本語でお答えします（シミュレーションです。詳細は英語のままです）。",
        ),
    )
}
NOTE = "*Simulated answer: fixed rules of the built-in AnyFast wrote it, no model ran.*"
NOTE_CHINESE = "*模拟回答：由内置 AnyFast 的固定规则写成，没有运行任何模型。*"


def in_manner(draft: Draft, lesson: Lesson) -> Draft:
    """The draft as the system prompt (or the question) wants it, with a note that it is simulated."""
    if draft.bare or draft.calls:
        return draft
    asked = f"{lesson.request.system}\n{lesson.prompt}"
    content = _shortened(draft.content.strip(), asked, lesson)
    language = next((lead for found, lead in LANGUAGES.values() if found.search(asked)), "")
    if language:
        content = f"{language}\n\n{content}"
    if _CAPITALS.search(lesson.request.system):
        content = content.upper()
    content = _with_ends(content, lesson.request.system)
    return Draft(content, reasoning=_reasoning(draft, lesson))


def _shortened(content: str, asked: str, lesson: Lesson) -> str:
    mark = lesson.say(" *(simulated)*", "*（模拟）*")
    first = content.split("\n\n", 1)[0]
    if _ONE_SENTENCE.search(asked):
        sentence = _SENTENCE.match(" ".join(first.split()))
        return (sentence[0] if sentence else first) + mark
    if _BRIEF.search(asked):
        return first + mark
    return f"{content}\n\n{lesson.say(NOTE, NOTE_CHINESE)}"


def _with_ends(content: str, system: str) -> str:
    begin, end = _BEGIN.search(system), _END.search(system)
    if begin:
        content = f"{begin[1]} {content}"
    return f"{content}\n\n{end[1]}" if end else content


def _reasoning(draft: Draft, lesson: Lesson) -> str:
    lines = []
    if lesson.request.system:
        wanted = " ".join(lesson.request.system.split())[:120]
        lines.append(
            lesson.say(
                f"The system prompt says: “{wanted}”. I keep to it.", f"系统提示是：“{wanted}”，我会遵守。"
            )
        )
    lines.append(draft.reasoning.strip())
    return "\n".join(line for line in lines if line) + "\n"
