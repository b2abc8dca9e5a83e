"""Taking in a Seedance task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyfast_nb.simulator import fields, models
from anyfast_nb.simulator.tasks.films import order_film, order_last_frame, seedance_script
from anyfast_nb.simulator.tasks.life import Job
from anyfast_nb.simulator.tasks.refusals import ArkRefusal, TaskRefusal, ark_terms, gateway_terms
from anyfast_nb.simulator.tasks.seedance import facts_of, read_seedance
from anyfast_nb.simulator.tasks.seedance_models import LIMITS, MADE_IN, pixels, tokens
from anyfast_nb.simulator.tasks.seedance_request import ItemKind
from anyfast_nb.simulator.tasks.seedance_shapes import new_id
from anyfast_nb.simulator.tasks.taking import Incoming, Taken, Tools
from anyfast_nb.simulator.validate import parse_json

if TYPE_CHECKING:
    from anyfast_nb.simulator.tasks.faults import JobFaults
    from anyfast_nb.simulator.tasks.seedance_request import SeedanceRequest


class SeedanceCounter:
    """Reads ``POST /v1/video/generations``."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def take(self, call: Incoming) -> Taken:
        """Check a call and accept its task.

        Raises:
            Refusal: the call is refused; no task was made.
        """
        with gateway_terms():
            body = parse_json(call.raw, content_type=call.content_type)
            model = fields.needed_string(body, "model")
            models.check_clip_model(model)
        if model not in LIMITS:
            route = "POST /kling/v1/videos/{action}"
            raise TaskRefusal(400, f"The model {model!r} is made by {route}.", code="invalid_request")
        with ark_terms():
            request = read_seedance(body, model, self._tools.around(call))
        triggers, faults = self._tools.words(request.prompt, call)
        if triggers.html:
            return Taken(None)
        _review(request, faults)
        job = self._job(request, faults, call)
        self._tools.shelf.add(job)
        return Taken(job)

    def _job(self, request: SeedanceRequest, faults: JobFaults, call: Incoming) -> Job:
        tools = self._tools
        queue_s, making_s = tools.waits(request.duration_s, faults)
        upstream_id = tools.ids.ark()
        film = order_film(
            tools.shop.store, seedance_script(request, size=pixels(request.resolution, request.ratio))
        )
        return Job(
            id=new_id(tools.shop.config.profile, tools.ids, upstream_id),
            upstream_id=upstream_id,
            family="seedance",
            model=request.model,
            action=request.action,
            key_mark=call.owner,
            created_at=tools.shop.now(),
            queue_s=queue_s,
            making_s=making_s,
            faults=faults,
            film=film,
            request_id=tools.ids.request(),
            original=self._original(request),
            last_frame=order_last_frame(tools.shop.store, film) if request.return_last_frame else "",
            facts=_facts(request),
        )

    def _original(self, request: SeedanceRequest) -> str:
        """The smaller film an ultra film was enlarged from, "" for other models."""
        if not request.limits.needs_resolution:
            return ""
        size = pixels(MADE_IN[request.resolution], request.ratio)
        return order_film(self._tools.shop.store, seedance_script(request, size=size))


def _facts(request: SeedanceRequest) -> dict[str, Any]:
    made_in = request.resolution
    used: dict[str, int] = {}
    more: dict[str, Any] = {}
    if request.limits.needs_resolution:
        made_in = MADE_IN[request.resolution]
        larger = pixels(request.resolution, request.ratio)
        used["super_resolution_tokens"] = tokens(*larger, request.duration_s)
        more["super_resolution"] = request.resolution
    count = tokens(*pixels(made_in, request.ratio), request.duration_s)
    usage: dict[str, Any] = {"completion_tokens": count, "total_tokens": count, **used}
    if request.web_search:
        usage["tool_usage"] = {"web_search": 1}
    facts = {"model": request.limits.upstream, **facts_of(request), **more, "usage": usage}
    return facts | {"resolution": made_in}


def _review(request: SeedanceRequest, faults: JobFaults) -> None:
    """Refuse what the prompt says does not pass review.

    Raises:
        ArkRefusal: 400, it points at ``content[N]``.
    """
    if faults.bad_words:
        raise ArkRefusal(
            "The input text may contain sensitive information.",
            code="InputTextSensitiveContentDetected",
        )
    if faults.real_person is None:
        return
    images = request.of(ItemKind.IMAGE)
    index = images[min(max(faults.real_person, 1), len(images)) - 1].index if images else 1
    raise ArkRefusal(
        f"The input image 'content[{index}]' may contain real person.",
        code="InputImageSensitiveContentDetected.PrivacyInformation",
    )
