"""A job whose reply was lost takes the task id that the console shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from anyfast_nb.panels.words import say

if TYPE_CHECKING:
    from anyfast_nb.jobs.job import Job

Guard = Callable[[Callable[..., None]], Callable[..., None]]


class Adoption(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets has no types
    """A field for a task id; it is there when it is asked for.

    Args:
        adopted: called with a job that has its task id now.
        guard: tells what goes wrong.
    """

    def __init__(self, adopted: Callable[[Job], None], guard: Guard) -> None:
        self._adopted = adopted
        self._job: Job | None = None
        self.field = ipywidgets.Text(placeholder="asyntask_…")
        self.go = ipywidgets.Button(description=say("video.adopt"))
        leave = ipywidgets.Button(description=say("video.adopt.leave"))
        self.go.on_click(guard(self._adopt))
        leave.on_click(lambda _: self.ask(None))
        super().__init__([self.field, self.go, leave])
        self.add_class("anyfast-bar")
        self.ask(None)

    def ask(self, job: Job | None) -> None:
        """Ask for the task id of a job; None asks for nothing."""
        self._job = job
        self.layout.display = "none" if job is None else ""
        self.field.value = ""
        if job is not None:
            self.field.description = say("video.task_id", id=job.row.short_id)

    def _adopt(self, _: Any) -> None:
        if (job := self._job) is not None:
            job.adopt(str(self.field.value))
            self.ask(None)
            self._adopted(job)
