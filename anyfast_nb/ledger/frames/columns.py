"""The columns of the ledger's frames: where each comes from, and of which type it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, func, literal_column

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.disk.tables import JOBS, REQUESTS
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.wire.values import Source, Status


class Type(StrEnum):
    """How a column is kept in pandas."""

    TIME = "time"  # datetime64[us, UTC], kept as microseconds
    COUNT = "count"  # Int64
    NUMBER = "number"  # Float64
    MONEY = "money"  # Float64, kept as billionths
    CATEGORY = "category"
    TEXT = "text"  # string


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a frame.

    Attributes:
        name: as a person reads it.
        of: the column or expression it is read from.
        type: its type in pandas.
        known: values that a category always has, first and in this order, so that the dtype is the
            same for every frame; a later version's value comes behind.
    """

    name: str
    of: ColumnElement[Any]
    type: Type
    known: tuple[str, ...] = ()


_R, _J = REQUESTS.c, JOBS.c
_SOURCES: Final = tuple(word.value for word in Source)
MODEL: Final[ColumnElement[Any]] = func.coalesce(_R.model_served, _R.model_asked)
"""The model that served, or was asked for where none answered."""

_REQUEST_FIELDS: Final = (
    Field("time", _R.time_us, Type.TIME),
    Field("kind", _R.kind, Type.CATEGORY),
    Field("source", _R.source, Type.CATEGORY, _SOURCES),
    Field("model", MODEL, Type.CATEGORY),
    Field("status", _R.status, Type.CATEGORY, tuple(word.value for word in Status)),
    Field("title", _R.title, Type.TEXT),
    Field("input_tokens", _R.input_tokens, Type.COUNT),
    Field("cached_tokens", _R.cached_tokens, Type.COUNT),
    Field("output_tokens", _R.output_tokens, Type.COUNT),
    Field("reasoning_tokens", _R.reasoning_tokens, Type.COUNT),
    Field("images", _R.images, Type.COUNT),
    Field("video_s", _R.video_s, Type.NUMBER),
    Field("cost", _R.cost_nano, Type.MONEY),
    Field("currency", _R.currency, Type.CATEGORY),
    Field("cost_nano", _R.cost_nano, Type.COUNT),
    Field("price_version", _R.price_version, Type.CATEGORY),
    Field("billed", _R.billed, Type.CATEGORY, ("no", "maybe", "yes")),
    Field("duration_s", _R.duration_s, Type.NUMBER),
    Field("ttft_s", _R.ttft_s, Type.NUMBER),
    Field("thread", _R.thread, Type.CATEGORY),
    Field("notebook", _R.notebook, Type.CATEGORY),
    Field("cell", _R.cell, Type.TEXT),
    Field("user", _R.user_name, Type.CATEGORY),
    Field("session", _R.session, Type.CATEGORY),
    Field("job", _R.job, Type.TEXT),
    Field("task_id", _R.task_id, Type.TEXT),
    Field("request_id", _R.request_id, Type.TEXT),
    Field("attempts", _R.attempts, Type.COUNT),
    Field("request_hash", _R.request_hash, Type.TEXT),
    Field("error_class", _R.error_class, Type.CATEGORY),
    Field("error", _R.error, Type.TEXT),
    Field("base_url", _R.base_url, Type.CATEGORY),
    Field("model_asked", _R.model_asked, Type.CATEGORY),
    Field("model_served", _R.model_served, Type.CATEGORY),
    Field("id", _R.id, Type.TEXT),
)
REQUEST_FIELDS: Final = {field.name: field for field in _REQUEST_FIELDS}
"""Every column of ``frame(columns="all")``, in its order."""

NARROW: Final = (
    "time", "kind", "source", "model", "status", "title", "input_tokens", "output_tokens", "cost",
    "currency", "duration_s", "thread", "notebook", "user",
)  # fmt: skip
"""The columns of ``frame()``: what a person looks at."""

FILE: Final = Field("file", literal_column("file", Text), Type.CATEGORY)
"""Which of several ledgers a row was found in; only where several are read."""

_TOOK: Final = (_J.finished_us - _J.created_us) * literal_column("0.000001")

_JOB_FIELDS: Final = (
    Field("time", _J.created_us, Type.TIME),
    Field("kind", _J.kind, Type.CATEGORY, ("seedance", "kling")),
    Field("source", _J.source, Type.CATEGORY, _SOURCES),
    Field("model", _J.model, Type.CATEGORY),
    Field("mode", _J.mode, Type.CATEGORY),
    Field("status", _J.status, Type.CATEGORY, tuple(word.value for word in JobStatus)),
    Field("progress", _J.progress, Type.COUNT),
    Field("title", _J.title, Type.TEXT),
    Field("tokens", _J.tokens, Type.COUNT),
    Field("video_s", _J.video_s, Type.NUMBER),
    Field("duration_s", _TOOK, Type.NUMBER),
    Field("error_code", _J.error_code, Type.TEXT),
    Field("error", _J.error, Type.TEXT),
    Field("path", _J.path, Type.TEXT),
    Field("last_frame_path", _J.last_frame_path, Type.TEXT),
    Field("task_id", _J.task_id, Type.TEXT),
    Field("id", _J.id, Type.TEXT),
    Field("request_hash", _J.request_hash, Type.TEXT),
    Field("base_url", _J.base_url, Type.TEXT),
    Field("notebook", _J.notebook, Type.CATEGORY),
    Field("cell", _J.cell, Type.TEXT),
    Field("user", _J.user_name, Type.CATEGORY),
    Field("finished", _J.finished_us, Type.TIME),
)
JOB_FIELDS: Final = {field.name: field for field in _JOB_FIELDS}
"""Every column of ``jobs()``, in its order."""


def chosen(columns: str | Sequence[str], *, among: Mapping[str, Field] = REQUEST_FIELDS) -> list[Field]:
    """The fields a person asked for.

    Args:
        columns: ``narrow``, ``all``, or names in the order wanted.
        among: what there is.

    Raises:
        InputError: there is no such column.
    """
    if columns == "narrow":
        columns = NARROW
    elif columns == "all":
        columns = list(among)
    elif isinstance(columns, str):
        columns = [columns]
    for name in columns:
        if name not in among:
            near = get_close_matches(str(name), among, n=1)
            raise InputError(
                f"columns: the ledger has no column {name!r}.",
                field="columns",
                hint=f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(among)}.",
            )
    return [among[name] for name in dict.fromkeys(columns)]
