"""What of a chat stays in the notebook when its kernel is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from anyfast_nb.panels.chat_log import ChatLog, totals_line
from anyfast_nb.panels.words import say
from anyfast_nb.render.said import Chip, talk_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anyfast_nb.render.answer import Footer
    from anyfast_nb.render.publish import Bundle
    from anyfast_nb.threads.book import Thread
    from anyfast_nb.wire.values import Answer

MOST_TURNS: Final = 8
MOST_CHARS: Final = 16_000  # it is in the notebook twice, and the page lays it out at each change


def chat_essence(thread: Thread, log: ChatLog, *, footer: Footer) -> Bundle:
    """The last turns, as far as they are not too long.

    Args:
        thread: whose.
        log: knows what went with the messages.
        footer: how much the line under an answer tells.
    """
    turns = thread.active()
    kept: list[tuple[str, Sequence[Chip], Answer]] = []
    chars = 0
    for turn in reversed(turns[-MOST_TURNS:]):
        chars += len(turn.answer.text) + len(turn.answer.reasoning)
        if kept and chars > MOST_CHARS:
            break
        told = log.told(turn)
        kept.insert(0, (told.text, told.chips, _shortened(turn.answer)))
    heads = (say("chat.title", name=thread.name), totals_line([turn.answer for turn in turns]))
    left = len(turns) - len(kept)
    left_out = say("chat.left_out", count=left) if left else ""
    return talk_bundle(kept, title=" · ".join(filter(None, heads)), left_out=left_out, footer=footer)


def _shortened(answer: Answer) -> Answer:
    reasoning = answer.reasoning[:MOST_CHARS]
    if len(answer.text) <= MOST_CHARS:
        return replace(answer, reasoning=reasoning)
    note = say("chat.shortened", count=f"{len(answer.text):,}")
    return replace(answer, text=f"{answer.text[:MOST_CHARS]}\n\n{note}", reasoning=reasoning)
