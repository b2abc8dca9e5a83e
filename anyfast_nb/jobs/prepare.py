"""Whatever a person gives as media, as what a request can carry: addresses, data URIs, base64.

A URL and ``asset://…`` pass as they are. A file, bytes, a picture of the
notebook goes inside the request, checked against the endpoint's limits. A local
clip for Seedance becomes an asset, since only URLs and assets are documented
there: uploaded once, and known again by its content. An earlier job stands for
its film, or for its last frame where a picture is wanted.

Source: seed 004 (content items), wire reference 6.1, 7.1, 8.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError, LedgerError
from anyfast_nb.jobs.job import Job
from anyfast_nb.media.limits import Use
from anyfast_nb.media.sniff import Kind

if TYPE_CHECKING:
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.jobs.poll import Pace
    from anyfast_nb.media.item import MediaItem
    from anyfast_nb.wire.generation import Generation

Build = Callable[..., "Generation"]

_PENDING: Final = "asset://asset-not-uploaded-yet"
_IMAGE_NAMES: Final = ("first_frame", "last_frame", "image", "image_tail")


@dataclass(frozen=True, slots=True)
class Family:
    """How one family takes its media: for each argument, what it is for."""

    build: Build
    uses: Mapping[str, Use]


@dataclass(slots=True)
class Prepared:
    """A request ready to be sent, and what was done for it."""

    generation: Generation
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Place:
    """One medium of a call: which argument it came by, and what it became."""

    argument: str
    item: MediaItem
    url: str = field(default="", repr=False)

    @property
    def waits_for_upload(self) -> bool:
        """A clip's bytes: documented as a URL or an asset only."""
        return self.item.kind is Kind.VIDEO and self.item.data is not None


async def prepare(
    family: Family, prompt: str, options: Mapping[str, Any], *, gateway: Gateway, pace: Pace
) -> Prepared:
    """Read and check the media, upload what must be uploaded, build the request.

    Args:
        family: of the endpoint.
        prompt: what is wanted.
        options: arguments of the builder, media as they were given.
        gateway: gets uploads.
        pace: clocks.

    Raises:
        InputError: names the argument; nothing was sent for the generation.
        AnyFastError: an upload failed, or an earlier job that is given did not end well.
    """
    options = {name: value for name, value in options.items() if value is not None}
    places: dict[str, list[_Place]] = {}
    for name in family.uses:
        if name in options:
            places[name] = await _places(name, options[name], family.uses[name], strict=_is_strict(options))
    every = [place for listed in places.values() for place in listed]
    # Checked as a whole before anything is uploaded: an upload is not free of charge.
    generation = _built(family, prompt, options, places)
    _check_size(every, prompt)
    notes = [f"{place.argument}: {note}" for place in every for note in place.item.notes]
    waiting = [place for place in every if place.waits_for_upload]
    notes += [await _upload(place, gateway, pace) for place in waiting]
    if waiting:
        generation = _built(family, prompt, options, places)
    return Prepared(generation, tuple(dict.fromkeys(notes)))


# --- reading ------------------------------------------------------------------------------


async def _places(name: str, value: Any, use: Use, *, strict: bool) -> list[_Place]:
    if name in _IMAGE_NAMES:
        return [await _place(name, value, use, strict=strict)]
    if isinstance(value, str | bytes) or not isinstance(value, list | tuple):
        raise InputError(
            f"{name} must be a list", field=name, hint=f"Write {name}=[…], also for a single one."
        )
    return [await _place(f"{name}[{index}]", one, use, strict=strict) for index, one in enumerate(value)]


def _is_strict(options: Mapping[str, Any]) -> bool:
    return options.get("strict") is not False  # what is neither is for the builder to refuse


async def _place(argument: str, value: Any, use: Use, *, strict: bool) -> _Place:
    from anyfast_nb.media.parts import media_item

    if isinstance(value, Job):
        value = await _of_job(value, use)
    reference = getattr(value, "reference", None)
    if isinstance(reference, str) and reference.startswith("asset://"):  # an asset of `client.assets`
        value = reference
    try:
        item = await asyncio.to_thread(media_item, value, use=use, strict=strict)
    except InputError as error:
        error.field = error.field or argument
        error.message = f"{argument}: {error.message}"
        raise
    url = _PENDING if use is Use.SEEDANCE_VIDEO and item.data is not None else ""
    return _Place(argument, item, url)


async def _of_job(job: Job, use: Use) -> Any:
    """An earlier job as a medium: its last frame for a picture, else its film."""
    await job.wait_async()
    return await job.last_frame_async() if use.kind is Kind.IMAGE else job.path


def _check_size(places: list[_Place], prompt: str) -> None:
    from anyfast_nb.media.parts import check_body

    inside = [place.item for place in places if not place.waits_for_upload]
    check_body(inside, other_bytes=len(prompt.encode("utf-8", "replace")) + 2000)


# --- uploading and building ---------------------------------------------------------------


async def _upload(place: _Place, gateway: Gateway, pace: Pace) -> str:
    """Make a clip an asset, or find the one it is; gives the note that tells."""
    from anyfast_nb.assets.assets import Assets

    transport = await gateway.connection.transport()
    endpoint, before = transport.endpoint, None
    with suppress(LedgerError):  # of that, the ledger tells by itself
        before = gateway.ledger.asset(
            base_url=endpoint.base_url,
            key_mark=endpoint.api_key.mark(),
            sha256=place.item.sha256,
            asset_type="Video",
        )
    asset = await Assets(gateway, clock=pace.clock, sleep=pace.sleep).ensure(place.item)
    place.url = asset.reference
    reused = before is not None and before.asset_id == asset.id
    return f"{place.argument}: uploaded as asset {asset.id}{' (reused)' if reused else ''}"


def _built(
    family: Family, prompt: str, options: Mapping[str, Any], places: Mapping[str, list[_Place]]
) -> Generation:
    media: dict[str, Any] = {}
    for name, listed in places.items():
        urls = [place.url or _address(place.item, family.uses[name]) for place in listed]
        media[name] = urls[0] if name in _IMAGE_NAMES else urls
    try:
        return family.build(prompt, **{**options, **media})
    except TypeError as error:
        raise _unknown_argument(family.build, options) from error


def _address(item: MediaItem, use: Use) -> str:
    return item.bare_base64 or item.url if use is Use.KLING_IMAGE else item.url


def _unknown_argument(build: Build, options: Mapping[str, Any]) -> InputError:
    import difflib
    import inspect

    known = [name for name in inspect.signature(build).parameters if name != "prompt"]
    name = next((name for name in options if name not in known), "")
    near = difflib.get_close_matches(name, known, n=1)
    kind = build.__name__.removeprefix("build_")
    meant = f"Did you mean {near[0]}? " if near else ""
    return InputError(
        f"{kind} knows no argument {name!r}",
        field=name,
        hint=f"{meant}Other fields go through as extra={{{name!r}: …}}.",
    )
