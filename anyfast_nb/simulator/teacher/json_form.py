"""Answers that must be JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from anyfast_nb.simulator.request import Form
from anyfast_nb.simulator.teacher.lesson import Draft, Lesson
from anyfast_nb.simulator.teacher.schema import fill

_KEYS = re.compile(
    r"\b(?:keys?|fields?|properties)\b:?\s+([\"'`]?[a-z_]\w*[\"'`]?(?:(?:,\s*|\s+)(?:and\s+)?[\"'`]?[a-z_]\w*[\"'`]?)*?)"
    r"(?=\s+(?:for|of|about|in|from|to|that|with)\b|[.?!:;\n]|$)",
    re.IGNORECASE,
)
_NO_KEY = frozenset(
    [
        "and",
        "or",
        "the",
        "a",
        "an",
        "as",
        "in",
        "of",
        "json",
        "object",
        "key",
        "keys",
        "field",
        "fields",
        "named",
        "called",
        "only",
    ]
)


def as_json(lesson: Lesson, answer: Draft) -> Draft:
    """The answer as one JSON object: of the schema if one was sent, else with the keys the question names."""
    if lesson.request.form is Form.SCHEMA:
        value: Any = fill(lesson.request.schema, lesson.prompt)
    else:
        plain = re.sub(r"[*`]", "", answer.content.split("\n\n", 1)[0])
        keys = _keys(lesson.prompt)
        filled = (
            fill({"type": "object", "properties": {key: {} for key in keys}}, lesson.prompt) if keys else {}
        )
        value = {**filled, "answer": plain, "simulated": True} if not keys else {**filled, "simulated": True}
    return Draft(json.dumps(value, ensure_ascii=False, indent=2), reasoning=answer.reasoning, bare=True)


def _keys(prompt: str) -> list[str]:
    found = _KEYS.search(prompt)
    words = re.findall(r"[A-Za-z_]\w*", found[1]) if found else []
    return [word for word in words if word.lower() not in _NO_KEY][:8]
