"""Words in a film's prompt that make its task behave in a chosen way, for lessons and tests.

Put one or more of these, apart from other words, into the prompt of a Seedance or Kling task:

    sim:moderated       fails at 100 % because the finished film did not pass review
    sim:fails           fails at 100 % for no reason of the prompt, with a plain sentence
    sim:real-person=2   create answers 400: the second picture may show a real person (default: the first)
    sim:bad-words       create answers 400: the text did not pass review
    sim:queue=60        waits that many seconds more in the queue (at speed 1)
    sim:polls=3         the first 3 polls find it unfinished, whatever --speed says
    sim:stuck           is in progress for ever
    sim:odd-status      says REVIEWING, a word nobody documents, until it is finished (once at least)
    sim:empty-status    says "" until it is finished (once at least)
    sim:inner-status    the outer status stays "" even when finished; only the inner object tells
    sim:reason-url      fail_reason holds the link although it succeeded
    sim:after-drop      create: the task is accepted, then the connection breaks instead of a reply
    sim:after-hang      create: the task is accepted, then silence
    sim:after-500       create: the task is accepted, then that status (400 to 599)
    sim:poll-503x2      two polls answer with that status (400 to 599), then as usual (no x: all of them)
    sim:poll-404        every poll says that there is no such task
    sim:link-expired    the links of the first poll that has any are over; the next poll's work
    sim:file-drop=2     the connection breaks half way through the first 2 downloads (default 1);
                        a download that goes on by Range gets the rest
    sim:file-short      the file is only its first half, and says so in its length
    sim:file-html       a web page instead of the file

The words sim:429, sim:429x2/8, sim:503, sim:html and sim:echo-key work on create as in chat: no task is made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from anyfast_nb.simulator.files import DROP, HTML, SHORT
from anyfast_nb.simulator.triggers import WORD

_AFTER = re.compile(r"after-([45]\d\d|drop|hang)")
_POLL = re.compile(r"poll-([45]\d\d)(?:x(\d{1,2}))?")
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class JobFaults:
    """What the words of one prompt ask for.

    Attributes:
        moderated, fails: how it ends, if not well.
        real_person: the picture that is refused, from 1; None for none.
        bad_words: the text is refused.
        queue_s: seconds more in the queue, at speed 1.
        polls: so many polls find it unfinished.
        stuck: never finished.
        odd_word: the outer status until it is finished, None for the documented ones.
        inner_only: only the inner object tells the status.
        reason_url: the link in ``fail_reason``.
        after: "drop", "hang" or a status as text once the task is accepted.
        poll_status, poll_times: polls answer with that status, so many times; 0 times is always.
        link_expired: the first links are over.
        file: "drop", "short", "html" or "".
        file_times: how often a download breaks.
    """

    moderated: bool = False
    fails: bool = False
    real_person: int | None = None
    bad_words: bool = False
    queue_s: float = 0.0
    polls: int = 0
    stuck: bool = False
    odd_word: str | None = None
    inner_only: bool = False
    reason_url: bool = False
    after: str = ""
    poll_status: int = 0
    poll_times: int = 0
    link_expired: bool = False
    file: str = ""
    file_times: int = 1

    @property
    def polls_unfinished(self) -> int:
        """How many polls at least find it unfinished: an odd word must be seen once."""
        return max(self.polls, 0 if self.odd_word is None else 1)

    def file_fault(self, mark: str) -> str:
        """What a link to the film carries, so that the download goes wrong."""
        return f"{DROP}:{self.file_times}:{mark}" if self.file == DROP else self.file


_SIMPLE: dict[str, dict[str, Any]] = {
    "moderated": {"moderated": True},
    "moderation": {"moderated": True},  # its older name, for pictures
    "fails": {"fails": True},
    "failed": {"fails": True},  # its name in a stream
    "bad-words": {"bad_words": True},
    "stuck": {"stuck": True},
    "odd-status": {"odd_word": "REVIEWING"},
    "empty-status": {"odd_word": ""},
    "inner-status": {"inner_only": True},
    "reason-url": {"reason_url": True},
    "link-expired": {"link_expired": True},
    "file-short": {"file": SHORT},
    "file-html": {"file": HTML},
}


def read_job_faults(prompt: str) -> JobFaults:
    """The faults a prompt asks for; words that are none of them are left alone."""
    found: dict[str, Any] = {}
    for word, amount, _ in WORD.findall(prompt):
        found.update(_meaning(word, int(amount) if amount else None))
    return JobFaults(**found)


def without_faults(prompt: str) -> str:
    """The prompt without its words of this kind: a film is not about them."""
    return " ".join(WORD.sub("", prompt).split())


def _meaning(word: str, amount: int | None) -> dict[str, Any]:
    if word in _SIMPLE:
        return _SIMPLE[word]
    if word == "real-person":
        return {"real_person": 1 if amount is None else amount}
    if word == "file-drop":
        return {"file": DROP, "file_times": 1 if amount is None else amount}
    if word in {"queue", "polls"} and amount is not None:
        return {"queue_s": float(amount)} if word == "queue" else {"polls": amount}
    after, poll = _AFTER.fullmatch(word), _POLL.fullmatch(word)
    if after:
        return {"after": after[1]}
    return {"poll_status": int(poll[1]), "poll_times": int(poll[2] or 0)} if poll else {}
