"""Words in a prompt that make the server behave in a chosen way, for lessons and tests.

Put one or more of these, apart from other words, into the last user message, or into the prompt of a picture:

    sim:429  sim:503 …  answer with that status (400 to 599), every time
    sim:429x2           twice with that status, then as usual (counted for this key and prompt)
    sim:429x2/8         the same, with Retry-After: 8 (sim:429x2/none sends no Retry-After)
    sim:echo-key        401 whose message holds the Authorization header, to prove that clients redact
    sim:html            200 with a text/html page, as a wrong path of the real host may give
    sim:echo            the answer is the request body as JSON, media data cut short
    sim:hostile         the answer is Markdown full of scripts, handlers and remote pictures
    sim:long=8000       an answer of about that many characters of varied Markdown
    sim:chunks=2000     an answer of exactly that many tokens, one chunk each
    sim:reasoning=300   that many tokens of reasoning before the answer
    sim:rate=200        that many tokens per second, whatever --speed says (sim:slow is 5)
    sim:cut             the stream ends half way, in order but without [DONE] (sim:cut=20: after 20 chunks)
    sim:drop            the connection breaks half way (sim:drop=20: after 20 chunks)
    sim:error-midstream an error frame half way, then the end (…=20: after 20 chunks)
    sim:failed          a response ends half way as failed (sim:failed=20: after 20 events); chat: an error
    sim:minimal         a response in AnyFast's shortest form, whatever --profile says
    sim:hang            headers, then silence (sim:hang=20: silence after 20 chunks)
    sim:ping            comment lines ": PING" between chunks, and all the time while hanging
    sim:split           the bytes arrive in pieces of 7, cut anywhere, inside characters too
    sim:bad-words       400 InputTextSensitiveContentDetected: the prompt did not pass review
    sim:moderated       pictures: none passes review; 400, or streamed a partial_failed for each
    sim:fail-item=2     pictures: the second of a group does not pass review, the others come
    sim:real-person=2   pictures: 400, the second reference may show a real person (default: the first)
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from anyfast_nb.simulator.problems import KINDS, Refusal

WORD = re.compile(r"(?<![^\s\"'`(])sim:([a-z0-9-]+)(?:=(\d{1,7}))?(?:/(\d{1,4}|none))?")
_STATUS = re.compile(r"([45]\d\d)(?:x(\d{1,2}))?")
_COUNTED_PROMPTS = 1_000
_LONG_TEXT = 200
SLOW_RATE = 5.0


class Ending(StrEnum):
    """How a stream ends."""

    DONE = "done"
    CUT = "cut"
    DROP = "drop"
    ERROR = "error-midstream"
    FAILED = "failed"
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class Triggers:
    """What the words of one prompt ask for.

    Attributes:
        status: answer with this status, 0 for none; ``times`` then counts, 0 for always.
        retry_after: seconds as text, "none" to leave the header out, "" for the usual value.
        ending: how the stream ends, after ``ending_after`` chunks (None: half way).
        rate_per_s: tokens per second asked for by name, None for the server's own.
        fail_item: the picture of a group that fails, from 1; 0 for none.
        real_person: the reference picture that is refused, from 1; None for none.
        characters, chunks, reasoning: sizes asked for, 0 for none.
    """

    status: int = 0
    times: int = 0
    retry_after: str = ""
    echo_key: bool = False
    html: bool = False
    echo: bool = False
    hostile: bool = False
    characters: int = 0
    chunks: int = 0
    reasoning: int = 0
    rate_per_s: float | None = None
    ending: Ending = Ending.DONE
    ending_after: int | None = None
    ping: bool = False
    split: bool = False
    minimal: bool = False
    bad_words: bool = False
    moderation: bool = False
    fail_item: int = 0
    real_person: int | None = None


def read_triggers(prompt: str) -> Triggers:
    """The triggers in a prompt; words that are none of them are left alone."""
    found: dict[str, Any] = {}
    for word, amount, after in WORD.findall(prompt):
        found.update(_meaning(word, int(amount) if amount else None, after))
    return Triggers(**found)


def without_triggers(prompt: str) -> str:
    """The prompt without its trigger words, for the answer's own text."""
    return WORD.sub(lambda m: "" if _meaning(m[1], 0, "") else m[0], prompt).strip()


_SIMPLE: dict[str, dict[str, Any]] = {
    **{word: {word: True} for word in ("echo", "hostile", "html", "ping", "split", "minimal", "moderation")},
    "slow": {"rate_per_s": SLOW_RATE},
    "moderated": {"moderation": True},
    "echo-key": {"echo_key": True},
    "bad-words": {"bad_words": True},
}
_SIZED = {"long": "characters", "chunks": "chunks", "reasoning": "reasoning", "rate": "rate_per_s"}
_SIZED |= {"fail-item": "fail_item"}


def _meaning(word: str, amount: int | None, after: str) -> dict[str, Any]:
    status = _STATUS.fullmatch(word)
    if status:
        return {"status": int(status[1]), "times": int(status[2] or 0), "retry_after": after}
    if word in _SIMPLE:
        return _SIMPLE[word]
    if word in {ending.value for ending in Ending if ending is not Ending.DONE}:
        default = 0 if word == Ending.HANG else None
        return {"ending": Ending(word), "ending_after": default if amount is None else amount}
    if word in _SIZED and amount is not None:
        return {_SIZED[word]: amount}
    return {"real_person": 1 if amount is None else amount} if word == "real-person" else {}


class Failures:
    """Counts the failures that were asked for k times, by key and prompt."""

    def __init__(self) -> None:
        self._given: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, triggers: Triggers, *, key: str, prompt: str, retry_after_s: int) -> None:
        """Refuse if this try is one of those that shall fail.

        Raises:
            Refusal: with the status asked for.
        """
        if not triggers.status:
            return
        if triggers.times and not self._still_fails(triggers.times, key, prompt):
            return
        raise simulated_failure(triggers, retry_after_s=retry_after_s)

    def _still_fails(self, times: int, key: str, prompt: str) -> bool:
        mark = hashlib.sha256(f"{key}\0{prompt}".encode("utf-8", "replace")).hexdigest()
        with self._lock:
            given = self._given.pop(mark, 0)
            if given >= times:
                return False  # forgotten: the next round starts over
            self._given[mark] = given + 1
            if len(self._given) > _COUNTED_PROMPTS:
                self._given.popitem(last=False)
            return True


def simulated_failure(triggers: Triggers, *, retry_after_s: int) -> Refusal:
    """The refusal a status trigger asks for."""
    status = triggers.status
    headers: dict[str, str] = {}
    if triggers.retry_after != "none" and (status in {429, 503} or triggers.retry_after):
        headers["retry-after"] = triggers.retry_after or str(retry_after_s)
    kind = KINDS.get(status, ("", "simulated failure"))[1].replace("_", " ")
    return Refusal(status, f"Simulated on request: {kind} (status {status}).", headers=headers)


def abbreviated(value: Any) -> Any:
    """A JSON value with data URIs cut short, for echoing."""
    if isinstance(value, Mapping):
        return {key: abbreviated(item) for key, item in value.items()}
    if isinstance(value, list):
        return [abbreviated(item) for item in value]
    if isinstance(value, str) and value[:5].lower() == "data:" and len(value) > _LONG_TEXT:
        head, _, payload = value.partition(",")
        return f"{head},… ({len(payload)} characters)"
    return value


def echoed(body: Mapping[str, Any]) -> str:
    """The request body as the echo trigger shows it."""
    return json.dumps(abbreviated(body), ensure_ascii=False, indent=2)
