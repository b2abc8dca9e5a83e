"""Whatever a person gives as media, as what a request can carry: addresses, data URIs, base64.

A URL and ``asset://…`` pass as they are. A file, bytes, a picture of the
notebook goes inside the request, checked against the endpoint's limits. A local
clip for Seedance becomes an asset, since only URLs and assets are documented
there: uploaded once, and known again by its content. An earlier job stands for
its film, or for its last frame where a picture is wanted.

Nothing leaves this machine before `uploaded`: a request can be looked at first.

Source: seed 004 (content items), wire reference 6.1, 7.1, 8.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError, InputError, LedgerError
from anyfast_nb.jobs.inputs import Input, Travel
from anyfast_nb.jobs.job import Job
from anyfast_nb.media.limits import Use
from anyfast_nb.media.sniff import Kind

if TYPE_CHECKING:
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.jobs.poll import Pace
    from anyfast_nb.ledger.assets import StoredAsset
    from anyfast_nb.media.item import MediaItem
    from anyfast_nb.settings import Endpoint
    from anyfast_nb.wire.generation import Generation

Build = Callable[..., "Generation"]

_PENDING: Final = "asset://sha256-"
_IMAGE_NAMES: Final = ("first_frame", "last_frame", "image", "image_tail")


@dataclass(frozen=True, slots=True)
class Family:
    """How one family takes its media: for each argument, what it is for."""

    build: Build
    uses: Mapping[str, Use]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that is checked and built, and what was done for it.

    Attributes:
        generation: the request. Until `uploaded`, a clip that is to be uploaded stands in it by the
            hash of its content, so that the same wish has the same body.
        notes: what was changed, and what the server may refuse.
        inputs: its media.
    """

    generation: Generation
    notes: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    wish: _Wish | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _How:
    """How media are read."""

    downscale: bool
    strict: bool


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


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a request is built from."""

    family: Family
    prompt: str
    options: Mapping[str, Any]
    places: Mapping[str, list[_Place]]

    def built(self, urls: Mapping[str, str]) -> Generation:
        """The request, with these addresses for uploaded media, by argument."""
        media: dict[str, Any] = {}
        for name, listed in self.places.items():
            use = self.family.uses[name]
            found = [urls.get(place.argument) or place.url or _address(place.item, use) for place in listed]
            media[name] = found[0] if name in _IMAGE_NAMES else found
        try:
            return self.family.build(self.prompt, **{**self.options, **media})
        except TypeError as error:
            raise _unknown_argument(self.family.build, self.options) from error


async def prepare(family: Family, prompt: str, options: Mapping[str, Any], *, gateway: Gateway) -> Prepared:
    """Read and check the media, and build the request. Nothing is uploaded, nothing is sent.

    An earlier job that is given is waited for.

    Args:
        family: of the endpoint.
        prompt: what is wanted.
        options: arguments of the builder, media as they were given; and ``downscale``: pictures that
            are too large are made to fit.
        gateway: whose ledger knows what was uploaded before.

    Raises:
        InputError: names the argument.
        AnyFastError: an earlier job that is given did not end well.
    """
    options = {name: value for name, value in options.items() if value is not None}
    # `strict` is the builder's as well: what is neither True nor False is for it to refuse.
    how = _How(downscale=bool(options.pop("downscale", False)), strict=options.get("strict") is not False)
    places: dict[str, list[_Place]] = {}
    for name in family.uses:
        if name in options:
            places[name] = await _places(name, options[name], family.uses[name], how)
    every = [place for listed in places.values() for place in listed]
    wish = _Wish(family, prompt, options, places)
    # Checked as a whole before anything is uploaded: an upload is not free of charge.
    generation = wish.built({})
    _check_size(every, prompt)
    notes = dict.fromkeys(f"{place.argument}: {note}" for place in every for note in place.item.notes)
    inputs = await asyncio.to_thread(lambda: tuple(_input(place, gateway) for place in every))
    return Prepared(generation, tuple(notes), inputs, wish)


async def uploaded(made: Prepared, *, gateway: Gateway, pace: Pace) -> Prepared:
    """Upload what must be uploaded, so that the request can be sent.

    Args:
        made: of `prepare`.
        gateway: gets the uploads.
        pace: clocks.

    Raises:
        AnyFastError: an upload failed; nothing was sent for the generation.
    """
    if made.wish is None:
        return made
    every = [place for listed in made.wish.places.values() for place in listed]
    urls: dict[str, str] = {}
    notes = list(made.notes)
    for place in every:
        if place.waits_for_upload:
            urls[place.argument], note = await _upload(place, gateway, pace)
            notes.append(note)
    if not urls:
        return made
    return replace(made, generation=made.wish.built(urls), notes=tuple(notes), wish=None)


# --- reading ------------------------------------------------------------------------------


async def _places(name: str, value: Any, use: Use, how: _How) -> list[_Place]:
    if name in _IMAGE_NAMES:
        return [await _place(name, value, use, how)]
    if isinstance(value, str | bytes) or not isinstance(value, list | tuple):
        raise InputError(
            f"{name} must be a list", field=name, hint=f"Write {name}=[…], also for a single one."
        )
    return [await _place(f"{name}[{index}]", one, use, how) for index, one in enumerate(value)]


async def _place(argument: str, value: Any, use: Use, how: _How) -> _Place:
    from anyfast_nb.media.parts import media_item

    if isinstance(value, Job):
        value = await _of_job(value, use)
    reference = getattr(value, "reference", None)
    if isinstance(reference, str) and reference.startswith("asset://"):  # an asset of `client.assets`
        value = reference
    try:
        item = await asyncio.to_thread(media_item, value, use=use, downscale=how.downscale, strict=how.strict)
    except InputError as error:
        error.field = error.field or argument
        error.message = f"{argument}: {error.message}"
        raise
    place = _Place(argument, item)
    if place.waits_for_upload:
        place.url = f"{_PENDING}{item.sha256}"
    return place


async def _of_job(job: Job, use: Use) -> Any:
    """An earlier job as a medium: its last frame for a picture, else its film."""
    await job.wait_async()
    return await job.last_frame_async() if use.kind is Kind.IMAGE else job.path


def _check_size(places: list[_Place], prompt: str) -> None:
    from anyfast_nb.media.parts import check_body

    inside = [place.item for place in places if not place.waits_for_upload]
    check_body(inside, other_bytes=len(prompt.encode("utf-8", "replace")) + 2000)


def _input(place: _Place, gateway: Gateway) -> Input:
    """What a person is told of a medium."""
    item = place.item
    return Input(
        place.argument,
        item.kind.value,
        item.label,
        _travel(place, gateway),
        item.media_type,
        item.size_bytes,
        item.width,
        item.height,
        item.duration_s,
        item.notes,
    )


def _travel(place: _Place, gateway: Gateway) -> Travel:
    if place.waits_for_upload:
        endpoint = gateway.connection.known()
        known = None if endpoint is None else _stored(place, gateway, endpoint)
        return Travel.UPLOAD if known is None else Travel.REUSED
    if place.item.data is not None:
        return Travel.INLINE
    return Travel.ASSET if place.item.address[:8].lower() == "asset://" else Travel.URL


# --- uploading ----------------------------------------------------------------------------


async def _upload(place: _Place, gateway: Gateway, pace: Pace) -> tuple[str, str]:
    """Make a clip an asset, or find the one it is; gives its address, and the note that tells."""
    from anyfast_nb.assets.assets import Assets

    transport = await gateway.connection.transport()
    before = _stored(place, gateway, transport.endpoint)
    try:
        asset = await Assets(gateway, clock=pace.clock, sleep=pace.sleep).ensure(place.item)
    except AnyFastError as error:
        error.message = (
            f"{place.argument}: its upload as an asset failed: {error.message}; no film was asked for"
        )
        raise
    reused = before is not None and before.asset_id == asset.id
    return (
        asset.reference,
        f"{place.argument}: uploaded as asset {asset.id}{' (reused)' if reused else ''}",
    )


def _stored(place: _Place, gateway: Gateway, endpoint: Endpoint) -> StoredAsset | None:
    """The asset that this clip was made before."""
    with suppress(LedgerError):  # of that, the ledger tells by itself
        return gateway.ledger.asset(
            base_url=endpoint.base_url,
            key_mark=endpoint.api_key.mark(),
            sha256=place.item.sha256,
            asset_type="Video",
        )
    return None


# --- building -----------------------------------------------------------------------------


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
