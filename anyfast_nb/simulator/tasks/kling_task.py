"""Taking in a Kling task."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from anyfast_nb.simulator import models
from anyfast_nb.simulator.tasks.faults import without_faults
from anyfast_nb.simulator.tasks.films import Script, order_film
from anyfast_nb.simulator.tasks.kling import model_of, read_kling
from anyfast_nb.simulator.tasks.kling_request import Action
from anyfast_nb.simulator.tasks.life import Job
from anyfast_nb.simulator.tasks.refusals import TaskRefusal, gateway_terms, kling_refusal
from anyfast_nb.simulator.tasks.taking import Incoming, Taken, Tools
from anyfast_nb.simulator.validate import parse_json

if TYPE_CHECKING:
    from anyfast_nb.simulator.tasks.faults import JobFaults
    from anyfast_nb.simulator.tasks.kling_request import KlingRequest

RISK_CONTROL = 1301
MOST_NAMES = 10_000


class KlingCounter:
    """Reads ``POST /kling/v1/videos/{action}``."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._names: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, call: Incoming) -> Taken:
        """Check a call and accept its task.

        Raises:
            Refusal: the call is refused; no task was made.
        """
        action = Action(call.action)
        with gateway_terms():
            body = parse_json(call.raw, content_type=call.content_type)
        model = model_of(body, action)
        with gateway_terms():
            models.check_clip_model(model)
        if not model.startswith("kling"):
            route = "POST /v1/video/generations"
            raise TaskRefusal(400, f"The model {model!r} is made by {route}.", code="invalid_request")
        request = read_kling(body, action, model, self._tools.around(call))
        triggers, faults = self._tools.words(request.prompt, call)
        if triggers.html:
            return Taken(None)
        if faults.bad_words or faults.real_person is not None:
            raise kling_refusal("Failure to pass the risk control system", number=RISK_CONTROL)
        self._claim(request.external_id, call.owner)
        job = self._job(request, faults, call)
        self._tools.shelf.add(job)
        return Taken(job)

    def _claim(self, external_id: str, owner: str) -> None:
        """Take a name of the client's own, which may be used once."""
        if not external_id:
            return
        with self._lock:
            if (owner, external_id) in self._names:
                raise kling_refusal(f"external_task_id {external_id[:80]} is not unique")
            self._names[owner, external_id] = None
            while len(self._names) > MOST_NAMES:
                self._names.popitem(last=False)

    def _job(self, request: KlingRequest, faults: JobFaults, call: Incoming) -> Job:
        tools = self._tools
        queue_s, making_s = tools.waits(request.duration_s, faults)
        number = tools.ids.kling()
        return Job(
            id=number,
            upstream_id=number,
            family="kling",
            model=request.model,
            action=request.action.value,
            key_mark=call.owner,
            created_at=tools.shop.now(),
            queue_s=queue_s,
            making_s=making_s,
            faults=faults,
            film=order_film(tools.shop.store, _script(request)),
            request_id=tools.ids.uuid(),
            facts={
                "film_id": tools.ids.kling(),
                "duration": f"{request.duration_s:.1f}",
                "external_task_id": request.external_id,
            },
        )


def _script(request: KlingRequest) -> Script:
    width, height = request.size
    return Script(
        prompt=without_faults(request.prompt),
        width=width,
        height=height,
        duration_s=request.duration_s,
        audio=request.sound,
        key=request.digest.hex(),
        first=request.first,
        last=request.last,
        images=request.images,
        clips=request.clips,
        watermark=request.watermark,
        seed=int.from_bytes(request.digest[:2], "big"),
        caption=f"{request.mode} · {request.ratio or f'{width}x{height}'} · {request.duration_s} s",
    )
