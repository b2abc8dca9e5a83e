from __future__ import annotations

import copy
import pickle
import re

import pytest

from anyfast_nb import errors
from anyfast_nb.errors import AnyFastError, Billed, InputError, Interrupted, RateLimitError, StatusError

OURS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AnyFastError)]


def make(kind: type[AnyFastError]) -> AnyFastError:
    if issubclass(kind, StatusError):
        return kind(
            "said", status=429, code="c", type="t", param="p", request_id="r", raw_message="raw", hint="do"
        )
    if issubclass(kind, InputError):
        return kind("said", field="messages[0]", hint="do")
    return kind("said", hint="do")


def test_the_tree_of_the_docstring_is_the_tree() -> None:
    drawn: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"    ([│├└─\s]*)([A-Z]\w+)(?: \((\w+)\))?  ", line):
            depth = len(found[1])
            above = [entry for entry in above if entry[0] < depth]
            drawn[found[2]] = above[-1][1] if above else None
            above.append((depth, found[2]))
    real = {kind.__name__: kind.__bases__[0].__name__ for kind in OURS}
    assert drawn == real | {"AnyFastError": None, "Interrupted": None}
    assert issubclass(InputError, ValueError)
    assert issubclass(Interrupted, KeyboardInterrupt)


@pytest.mark.parametrize("kind", OURS)
def test_every_error_answers_whether_it_was_sent_billed_and_can_be_retried(kind: type[AnyFastError]) -> None:
    error = make(kind)
    assert isinstance(error.sent, bool)
    assert isinstance(error.retryable, bool)
    assert error.billed in set(Billed)
    assert not (error.billed is not Billed.NO and not error.sent)
    assert not (error.retryable and error.billed is not Billed.NO)


@pytest.mark.parametrize("kind", OURS)
def test_errors_travel_between_processes(kind: type[AnyFastError]) -> None:
    error = make(kind)
    error.billed, error.partial = Billed.YES, {"text": "half"}
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert str(again) == str(error)
        assert vars(again) == vars(error)
        assert again.args == error.args


def test_a_notebook_shows_at_most_three_lines() -> None:
    error = RateLimitError("429 too many\nrequests\n\nmore\nlines", status=429, hint="wait")
    assert error.lines() == ["RateLimitError: 429 too many", "requests", "more"]
    assert error._render_traceback_() == error.lines()
    assert errors.ConfigError("what", hint="do this").lines() == ["ConfigError: what", "do this"]
    assert AnyFastError("").lines() == ["AnyFastError: "]


def test_an_interrupt_shows_one_line_and_keeps_what_had_come() -> None:
    error = Interrupted("stopped", partial="half")
    assert error._render_traceback_() == ["Interrupted: stopped"]
    assert error.partial == "half"
    assert Interrupted().partial is None
