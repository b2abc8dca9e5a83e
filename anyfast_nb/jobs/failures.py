"""What a person is told when a generation was refused, failed, or may have been accepted without a reply.

Source: seed 004 (notes on moderation), wire reference 2.3, 6.5 and 6.6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from anyfast_nb.errors import AnyFastError, Billed, ModerationError, NotFoundError, StatusError
from anyfast_nb.ledger.job_rows import JobRow, JobStatus
from anyfast_nb.wire.problems import Problem, to_error

_ITEM = re.compile(r"\b(?:content|image|image_list)\[\d+\]|\bimage_tail\b")
_HASH_CHARS: Final = 16


def may_be_billed(error: AnyFastError, *, id: str, request_hash: str, when: str, adopts: bool) -> None:
    """Say in an error that the request may have been accepted, and what to do now.

    Args:
        error: what was raised after sending; it is changed.
        id: of the job, or of the ledger's row.
        request_hash: of the body.
        when: the time of sending.
        adopts: it is a job, which can be told its task id later.
    """
    name = "job" if adopts else "request"
    error.message = (
        f"{error.message}. It may have been accepted, and may be billed: look in the console before "
        "it is sent again"
    )
    error.hint = f"It was not repeated. {name} {id}, sent {when}, request hash {request_hash[:_HASH_CHARS]}."
    if adopts:
        error.hint += (
            f"\nIf the console shows its task: client.job({id[-8:]!r}).adopt('asyntask_…'), or "
            f"`%anyfast resume {id[-8:]} --task-id asyntask_…`, goes on with it."
        )
    error.billed = Billed.MAYBE
    error.retryable = False


def refused(error: AnyFastError, arguments: Mapping[str, str]) -> None:
    """Name in a refusal the arguments whose items it points at; the error is changed."""
    if not isinstance(error, StatusError):
        return
    names = arguments_in(error.raw_message, arguments)
    error.message = with_arguments(error.message, arguments)
    if isinstance(error, ModerationError):
        error.hint = f"Not billed. {moderation_advice(error.code, names)}" + _request_id(error.request_id)


def job_failed(row: JobRow) -> StatusError:
    """The error of a job that ended without a result."""
    said = with_arguments(row.error, row.arguments).rstrip(". ") or row.error_code or _WORDS[row.status]
    error = to_error(Problem(message=row.error, code=row.error_code), status=200, bills=False)
    at = f" at {row.progress} %" if row.status is JobStatus.FAILED and row.progress is not None else ""
    error.message = f"{row.kind} job {row.short_id} {_WORDS[row.status]}{at}: {said}"
    error.args = (error.message,)  # what a notebook shows of an error that is not raised
    names = arguments_in(row.error, row.arguments)
    if isinstance(error, ModerationError):
        advice = moderation_advice(row.error_code, names)
    elif row.status is JobStatus.FAILED and row.progress == 100:
        advice = f"A failure at 100 % is most often the provider's moderation. {moderation_advice('', names)}"
    else:
        advice = "Create it again; if it fails again, change the request."
    error.hint = f"Not billed: the gateway gives the credit back. {advice}"
    error.billed = Billed.NO
    error.retryable = False
    return error


def film_gone(row: JobRow, error: NotFoundError) -> NotFoundError:
    """The error of a film that was made, is not on this disk, and is not to be had any more."""
    take = (row.take or 1) + 1
    gone = NotFoundError(
        f"the film of {row.kind} job {row.short_id} is not on this disk, and the gateway does not give it "
        f"(any more): {error.message}",
        status=error.status,
        code=error.code,
        request_id=error.request_id,
        hint="Nothing was sent or billed anew: job.wait() asks for it once more, and "
        f"`--take {take}`, or take={take}, makes another film, which is billed.",
    )
    gone.billed = Billed.NO
    return gone


def moderation_advice(code: str, names: list[str]) -> str:
    """What to try, by the code of the refusal and the arguments it is about."""
    if "PrivacyInformation" in code:
        what = " and ".join(names) or "the picture"
        return f"{what} may show a real person: use another picture, or one uploaded as an asset."
    if "InputText" in code:
        return "Change the words of the prompt."
    if names:
        return f"Replace {' and '.join(names)}, or change the prompt."
    return (
        "Change the prompt, or replace the reference media: a known face and protected works "
        "are the usual causes."
    )


def arguments_in(text: str, arguments: Mapping[str, str]) -> list[str]:
    """The arguments whose items a message points at, such as ``content[1]``."""
    found = [arguments[item] for item in _ITEM.findall(text) if item in arguments]
    return list(dict.fromkeys(found))


def with_arguments(text: str, arguments: Mapping[str, str]) -> str:
    """A message with the argument behind each item it points at: ``content[1] (first_frame)``."""

    def named(match: re.Match[str]) -> str:
        argument = arguments.get(match[0])
        return match[0] if argument in {None, match[0]} else f"{match[0]} ({argument})"

    return _ITEM.sub(named, text)


def _request_id(id: str) -> str:
    return f" (request id {id})" if id else ""


_WORDS: Final = {
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "was cancelled",
    JobStatus.EXPIRED: "expired",
}
