"""What a panel asks for at one moment, looked at before it is sent, and told as a magic and as Python."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.jobs.preflight import MODES, Preflight, preflight
from anyfast_nb.panels.as_magic import film_line, film_python, picture_line, picture_python
from anyfast_nb.panels.panel import lines_of
from anyfast_nb.panels.words import say

if TYPE_CHECKING:
    from anyfast_nb.gateway.whence import Origin
    from anyfast_nb.session import Session


_FOR_PYTHON: Final = re.compile(r"\bstrict=False [^.]*\.")


@dataclass(frozen=True, slots=True)
class Wish:
    """A request for a film or pictures.

    Attributes:
        kind: seedance, kling or seedream.
        prompt: the words.
        arguments: for the desk.
        words: the same, with media as a magic or Python names them.
    """

    kind: str
    prompt: str
    arguments: Mapping[str, Any] = field(repr=False)
    words: Mapping[str, Any] = field(repr=False)

    def magic(self, *, take: int = 1) -> str:
        """The same as a magic."""
        if self.kind == "seedream":
            return picture_line(self.prompt, self.words)
        return film_line(self.kind, self.prompt, self.words, take=take)

    def python(self, *, take: int = 1) -> str:
        """The same as Python."""
        if self.kind == "seedream":
            return picture_python(self.prompt, self.words)
        return film_python(self.kind, self.prompt, self.words, take=take)


async def looked_at(session: Session, wish: Wish, origin: Origin) -> Preflight:
    """What a wish amounts to, what it may cost, and what budgets say; nothing is sent.

    Raises:
        InputError: names the argument.
        AnyFastError: it could not be sent, or may not be.
    """
    made = await session.desk.prepared(wish.kind, wish.prompt, wish.arguments)

    def told() -> Preflight:
        body = made.generation.body
        forecast = session.gateway.forecast(wish.kind, body, origin=origin)
        facts = preflight(made)
        return replace(
            facts,
            cost=forecast.cost,
            priced=forecast.priced,
            notes=(*facts.notes, *forecast.budgets),
            at_most=forecast.bound.tokens,
        )

    return await asyncio.to_thread(told)


def rows_of(facts: Preflight) -> list[tuple[str, str]]:
    """The figures of a preflight, named in the panel's language."""
    rows = [(say("wish.model"), facts.model)]
    size = "" if facts.pixels is None else f"{facts.pixels[0]} × {facts.pixels[1]}"
    shown = f"{size} ({facts.shape})" if size and facts.shape else size or facts.shape
    rows += [(say("wish.size"), shown)] if shown else []
    if facts.kind == "seedream":
        rows.append((say("wish.pictures"), say("wish.at_most", n=facts.count) if facts.count > 1 else "1"))
    else:
        length = say("option.auto") if facts.seconds is None else say("option.seconds", n=facts.seconds)
        rows.append((say("wish.length"), length))
    tokens = say("wish.unknown") if facts.tokens is None else say("wish.about", n=f"{facts.tokens:,}")
    rows.append((say("wish.tokens"), tokens))
    if facts.cost is not None:
        cost = say("wish.about", n=facts.cost.brief())
    else:
        cost = say("wish.unknown") if facts.priced else say("wish.no_price")
    return [*rows, (say("wish.cost"), cost)]


def mode_of(facts: Preflight) -> str:
    """The mode's own word of a film, from the words that a person is told."""
    found = [word for word, said in MODES.items() if said == facts.mode]
    of_kling = ("text2video", "image2video", "multi-image2video")
    own = [word for word in found if (word in of_kling) == (facts.kind == "kling")]
    return own[0] if own else "text"


def confirms(facts: Preflight, most: int | None) -> str:
    """The question for a person, where it would use more than was set; "" where nothing is asked."""
    # Where the model chooses the size, its largest counts.
    key, tokens = ("confirm_most", facts.at_most) if facts.tokens is None else ("confirm", facts.tokens)
    if most is None or tokens is None or tokens <= most:
        return ""
    return say(f"wish.{key}", tokens=f"{tokens:,}", most=f"{most:,}")


def spoken(error: BaseException) -> list[str]:
    """An error in the panel's words: what is for Python alone is left out."""
    lines = [_FOR_PYTHON.sub("", line).strip() for line in lines_of(error)]
    return [line for line in lines if line]


def argument_of(error: BaseException) -> str:
    """The argument that an error is about, "" if it is about none."""
    return error.field if isinstance(error, InputError) else ""
