"""What the counters share where tasks are taken in: the call, the tools, the words in the prompt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from anyfast_nb.simulator.config import Profile
from anyfast_nb.simulator.tasks.faults import JobFaults, read_job_faults
from anyfast_nb.simulator.tasks.life import Job, Shelf, lengths
from anyfast_nb.simulator.tasks.seedance import Surroundings
from anyfast_nb.simulator.triggers import Triggers, read_triggers

if TYPE_CHECKING:
    from anyfast_nb.simulator.assets.shelf import AssetShelf
    from anyfast_nb.simulator.tasks.ids import Ids
    from anyfast_nb.simulator.tasks.media import Found, Library
    from anyfast_nb.simulator.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Incoming:
    """One create call.

    Attributes:
        raw: its body.
        host: by which name it came.
        owner: a mark of its key.
        action: the last part of a Kling route, "" for Seedance.
    """

    raw: bytes = field(repr=False)
    content_type: str
    authorization: str = field(repr=False)
    host: str
    owner: str
    action: str = ""


@dataclass(frozen=True, slots=True)
class Tools:
    """What tasks are made with."""

    shop: Workshop
    shelf: Shelf
    assets: AssetShelf
    library: Library
    ids: Ids

    def around(self, call: Incoming) -> Surroundings:
        """What a request of that call is read with."""

        def asset(id: str, *, kind: str, path: str, label: str) -> Found:
            return self.assets.use(id, owner=call.owner, kind=kind, path=path, label=label)

        config = self.shop.config
        return Surroundings(
            library=self.library,
            asset=asset,
            host=call.host,
            strict=config.strict,
            in_prompt=config.profile is Profile.OLDEST,
        )

    def words(self, prompt: str, call: Incoming) -> tuple[Triggers, JobFaults]:
        """What the prompt asks to go wrong.

        Raises:
            Refusal: it asked for one.
        """
        triggers = read_triggers(prompt)
        self.shop.check(triggers, authorization=call.authorization, prompt=prompt)
        return triggers, read_job_faults(prompt)

    def waits(self, duration_s: float, faults: JobFaults) -> tuple[float, float]:
        """Seconds in the queue and seconds of making."""
        return lengths(duration_s, speed=self.shop.config.speed, queue_s=faults.queue_s)


@dataclass(frozen=True, slots=True)
class Taken:
    """A create call that was read: the task, unless a web page shall be the answer."""

    job: Job | None


class Counter(Protocol):
    """Reads create calls of one family."""

    def take(self, call: Incoming) -> Taken:
        """Check a call and accept its task.

        Raises:
            Refusal: the call is refused; no task was made.
        """
