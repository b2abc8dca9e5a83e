"""The teaching model: fixed rules that answer about what was really sent.

It gives the same answer for the same request and seed, says that it is
simulated, and knows a little of many things, so that a lesson shows real data
flowing: sums with their steps, code that runs, tables, maths, pictures and
clips as measured, documents as read, the conversation so far, tool calls that
fit their schema.

A skill is a function from a lesson to a draft, or None when the question is
not its own. The first that gives a draft answers.
"""

from __future__ import annotations

from collections.abc import Callable

from anyfast_nb.simulator.request import Form
from anyfast_nb.simulator.teacher import (
    arithmetic,
    coding,
    data,
    documents,
    glossary,
    json_form,
    maths,
    memory,
    pictures,
    prose,
    tool_use,
    tracebacks,
)
from anyfast_nb.simulator.teacher.lesson import Draft, Lesson
from anyfast_nb.simulator.teacher.manner import in_manner

__all__ = ["Draft", "Lesson", "teach"]

Skill = Callable[[Lesson], Draft | None]

# From the most particular to the most general: a traceback holds code, code holds sums.
SKILLS: tuple[Skill, ...] = (
    documents.answer,
    pictures.describe,
    memory.recall,
    tracebacks.explain,
    data.read_pasted,
    coding.write,
    arithmetic.calculate,
    maths.derive,
    data.make_table,
    prose.poem,
    prose.summary,
    prose.listing,
    prose.greeting,
    memory.acknowledge,
    glossary.explain,
)
# These read a long question to its end.
MEASURE: tuple[Skill, ...] = (tracebacks.explain, data.read_pasted, prose.summary)


def teach(lesson: Lesson) -> Draft:
    """The answer to a lesson, in the manner its system prompt asks for."""
    called = tool_use.after_result(lesson)
    if called is not None:
        return in_manner(called, lesson)
    near = lesson.rim()
    drafts = (skill(lesson if skill in MEASURE else near) for skill in SKILLS)
    answer = next((draft for draft in drafts if draft is not None), None)
    call = tool_use.call(near, understood=answer is not None)
    if call is not None:
        return call
    answer = answer or prose.restate(lesson)
    if lesson.request.form is not Form.TEXT:
        return json_form.as_json(near, answer)
    return in_manner(answer, near)
