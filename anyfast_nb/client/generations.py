"""Films and pictures from Python: `Client.seedance`, `.kling`, `.seedream`, `.job`, `.jobs`, `.assets`.

Source: seed 004, wire reference 5, 6.1, 7.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from anyfast_nb.errors import InputError, Interrupted
from anyfast_nb.gateway.gateway import io_loop

if TYPE_CHECKING:
    from anyfast_nb.client.assets import AssetsFace, AsyncAssetsFace
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.gateway.whence import Origin
    from anyfast_nb.jobs.desk import Desk
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.jobs.pictures import Picture, Pictures
    from anyfast_nb.jobs.poll import Pace
    from anyfast_nb.jobs.shots import Shot
    from anyfast_nb.jobs.storyboard import Storyboard
    from anyfast_nb.jobs.sweep import Sweep


class SeedanceOptions(TypedDict, total=False):
    """Keyword arguments of `seedance`.

    A medium is a URL, a path, bytes, a PIL image, a numpy array, a figure, ``asset://<id>``, an
    asset, a picture, or an earlier job (its film; its last frame where a picture is wanted). A
    local clip is uploaded as an asset, once.

    Keys:
        model: an id or an alias; by default ``seedance``, which is 2.0.
        first_frame: the film begins with it.
        last_frame: and ends with it; needs first_frame.
        images: references, up to 9, named ``@image1`` in the prompt. Not together with frames.
        videos: references, up to 3.
        audios: references, up to 3, beside an image or a clip.
        duration: whole seconds, 4 to 15.
        ratio: 16:9, 4:3, 1:1, 3:4, 9:16, 21:9 or adaptive.
        resolution: 480p, 720p or 1080p.
        audio: make sound as well; the server does unless told otherwise.
        watermark: put a mark into the picture.
        return_last_frame: give the last frame as a picture too.
        web_search: look things up; from text alone.
        seed: for results that resemble each other.
        downscale: make pictures that are too large fit, instead of refusing them.
        strict: False sends what lies outside documented limits all the same, with a note.
        extra: fields passed through as they are.
    """

    model: str | None
    first_frame: Any
    last_frame: Any
    images: Sequence[Any]
    videos: Sequence[Any]
    audios: Sequence[Any]
    duration: int | None
    ratio: str | None
    resolution: str | None
    audio: bool | None
    watermark: bool | None
    return_last_frame: bool
    web_search: bool
    seed: int | None
    downscale: bool
    strict: bool
    extra: Mapping[str, Any] | None


class KlingOptions(TypedDict, total=False):
    """Keyword arguments of `kling`; media as in `SeedanceOptions`, without assets.

    Keys:
        model: an id or an alias; by default kling-v3, from several images kling-v1-6.
        image: the film begins with it.
        image_tail: and ends with it.
        images: one to four, put together; not with image and image_tail.
        negative_prompt: what to keep out.
        duration: whole seconds; kling-v3 takes 3 to 15, others 5 or 10.
        mode: std or pro.
        aspect_ratio: 16:9, 9:16 or 1:1.
        cfg_scale: 0 to 1, how closely to follow the prompt.
        sound: make sound as well; from kling-v2-6 on.
        camera_control: such as ``{"type": "simple", "config": {"zoom": 5}}``.
        downscale, strict, extra: as in `SeedanceOptions`.
    """

    model: str | None
    image: Any
    image_tail: Any
    images: Sequence[Any]
    negative_prompt: str | None
    duration: int | str | None
    mode: str | None
    aspect_ratio: str | None
    cfg_scale: float | None
    sound: bool | None
    camera_control: Mapping[str, Any] | None
    downscale: bool
    strict: bool
    extra: Mapping[str, Any] | None


class SeedreamOptions(TypedDict, total=False):
    """Keyword arguments of `seedream`; media as in `SeedanceOptions`, without assets.

    Keys:
        model: an id or an alias.
        images: references, up to 14.
        size: 1K, 2K, 3K or 4K as the model allows, or ``2048x2048``.
        count: pictures as a group, 1 to 15.
        response_format: ``url`` or ``b64_json``; the files are the same.
        watermark: put a mark into the pictures.
        seed: for results that resemble each other, where the model honours it.
        stream: pictures come one by one; by default for a group, where the model can.
        output_format: png or jpeg, 5.0 only.
        guidance_scale: 1 to 10, 3.0 only.
        web_search: the model may search the web first, 5.0 only.
        downscale, strict, extra: as in `SeedanceOptions`.
    """

    model: str | None
    images: Sequence[Any]
    size: str | None
    count: int | None
    response_format: str
    watermark: bool
    seed: int | None
    stream: bool
    output_format: str | None
    guidance_scale: float | None
    web_search: bool
    downscale: bool
    strict: bool
    extra: Mapping[str, Any] | None


OnPicture = Callable[["Picture"], None]


class _Generations:
    """What both faces share. `pace` says how often jobs are asked for; None is the default."""

    _gateway: Gateway
    pace: Pace | None = None
    _desk: Desk | None = None
    _paced = False

    def desk(self) -> Desk:
        """The room behind the verbs, for code that awaits on the private loop."""
        from anyfast_nb.jobs.desk import Desk
        from anyfast_nb.jobs.poll import Pace

        if self._desk is None:
            self._desk = Desk(self._gateway, pace=self.pace)
        elif self.pace is not None or self._paced:
            self._desk.pace = self.pace or Pace()
        self._paced = self.pace is not None
        return self._desk

    def job(self, id: str) -> Job:
        """A job found again, in any kernel, on any day.

        Args:
            id: the job's id, its last digits (four or more), or the server's task id.

        Raises:
            InputError: there is no such job in the ledger, or several.
        """
        if not isinstance(id, str):
            raise InputError(
                f"id is {type(id).__name__}, not text", field="id", hint="af.ledger.jobs() lists them."
            )
        return self.desk().job(id)

    def jobs(self, **by: Any) -> list[Job]:
        """Jobs of the ledger, oldest first.

        Args:
            by: since, kind, status, source, model, notebook, as of `anyfast_nb.ledger.jobs`.
        """
        return self.desk().jobs(**by)

    def storyboard(
        self, shots: Sequence[str | Shot], *, name: str = "", kind: str = "seedance", **common: Any
    ) -> Storyboard:
        """A chain of shots, each from the last one's last frame; ``.run()`` or ``await`` makes them.

        Args:
            shots: prompts, or `Shot` where one differs.
            name: finds the shots again in another process.
            kind: ``seedance`` or ``kling``.
            common: arguments of every shot.
        """
        from anyfast_nb.jobs.storyboard import Storyboard

        return Storyboard(shots, desk=self.desk(), name=name, kind=kind, **common)


class Generations(_Generations):
    """The synchronous verbs."""

    def seedance(
        self, prompt: str = "", *, take: int = 1, reuse: bool = False, **options: Unpack[SeedanceOptions]
    ) -> Job:
        """Create a film with Seedance; gives the job as soon as the server has accepted it.

        Args:
            prompt: what happens; may be empty where media are given.
            take: which take of it; only counts together with `reuse`.
            reuse: give the job that this kernel made for the same wish and take, running or done,
                instead of another one, which is billed.
            options: see `SeedanceOptions`.

        Returns:
            The job: ``.wait() .path .video .last_frame .status .progress``; ``.reused_from`` if it was there.

        Raises:
            InputError: an argument is wrong; nothing was sent.
            AnyFastError: it was refused; or its reply was lost, and the error says what to do:
                it is never sent again by itself. ``partial`` is the job.
            Interrupted: on Ctrl-C; it may have been accepted.
        """
        return run_film(self.desk(), "seedance", prompt, options, take=take, reuse=reuse)

    def kling(
        self, prompt: str = "", *, take: int = 1, reuse: bool = False, **options: Unpack[KlingOptions]
    ) -> Job:
        """Create a film with Kling; arguments in `KlingOptions`, the rest as in `seedance`."""
        return run_film(self.desk(), "kling", prompt, options, take=take, reuse=reuse)

    def seedream(
        self, prompt: str, *, on_picture: OnPicture | None = None, **options: Unpack[SeedreamOptions]
    ) -> Pictures:
        """Make pictures with Seedream, and wait for them; each is a file on this disk.

        Args:
            prompt: what to show.
            on_picture: called on the client's own thread with each picture as it is saved.
            options: see `SeedreamOptions`.

        Returns:
            The pictures in order; one that failed inside a group is among them.

        Raises:
            InputError: an argument is wrong; nothing was sent.
            AnyFastError: it was refused, or all failed, or the reply was lost. ``partial`` holds
                the pictures that had come.
        """
        return run_pictures(self.desk(), prompt, options, on_picture=on_picture)

    def sweep(self, prompt: Any = "", *, kind: str = "seedance", **options: Any) -> Sweep:
        """Make every combination of the arguments that are lists, and wait for all.

        Arguments and errors as of `af.sweep`.
        """
        from anyfast_nb.jobs.sweep import sweep_of

        return sweep_of(prompt, desk=self.desk(), kind=kind, **options).run()

    @property
    def assets(self) -> AssetsFace:
        """Pictures, clips and sounds kept at AnyFast: `create`, `list`, `get`, `delete` and so on."""
        from anyfast_nb.client.assets import AssetsFace

        return AssetsFace(self._gateway, pace=self.pace)


class AsyncGenerations(_Generations):
    """The same verbs to be awaited, in any event loop."""

    async def seedance(
        self, prompt: str = "", *, take: int = 1, reuse: bool = False, **options: Unpack[SeedanceOptions]
    ) -> Job:
        """Create a film with Seedance, as `Client.seedance`; then ``await job``."""
        return await io_loop().wait(self.desk().film("seedance", prompt, options, take=take, reuse=reuse))

    async def kling(
        self, prompt: str = "", *, take: int = 1, reuse: bool = False, **options: Unpack[KlingOptions]
    ) -> Job:
        """Create a film with Kling, as `Client.kling`; then ``await job``."""
        return await io_loop().wait(self.desk().film("kling", prompt, options, take=take, reuse=reuse))

    async def seedream(
        self, prompt: str, *, on_picture: OnPicture | None = None, **options: Unpack[SeedreamOptions]
    ) -> Pictures:
        """Make pictures with Seedream, as `Client.seedream`."""
        return await io_loop().wait(self.desk().pictures(prompt, options, on_picture=on_picture))

    async def sweep(self, prompt: Any = "", *, kind: str = "seedance", **options: Any) -> Sweep:
        """Make every combination of the arguments that are lists, as `Client.sweep`."""
        from anyfast_nb.jobs.sweep import sweep_of

        return await sweep_of(prompt, desk=self.desk(), kind=kind, **options)

    @property
    def assets(self) -> AsyncAssetsFace:
        """Pictures, clips and sounds kept at AnyFast, to be awaited."""
        from anyfast_nb.client.assets import AsyncAssetsFace

        return AsyncAssetsFace(self._gateway, pace=self.pace)


def run_film(
    desk: Desk,
    kind: str,
    prompt: str,
    options: Mapping[str, Any],
    *,
    origin: Origin | None = None,
    take: int = 1,
    reuse: bool = False,
) -> Job:
    """Create a film and wait until it is accepted; an interrupt says what may have happened."""
    try:
        return io_loop().run(desk.film(kind, prompt, options, origin=origin, take=take, reuse=reuse))
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped while {kind} was asked for a film; it may have been accepted and billed: "
            "client.jobs() shows it if it was sent, and its task id as soon as the reply comes"
        ) from None


def run_pictures(
    desk: Desk,
    prompt: str,
    options: Mapping[str, Any],
    *,
    origin: Origin | None = None,
    on_picture: OnPicture | None = None,
) -> Pictures:
    """Make pictures and wait for them; an interrupt says what may have happened."""
    try:
        return io_loop().run(desk.pictures(prompt, options, origin=origin, on_picture=on_picture))
    except KeyboardInterrupt:
        raise Interrupted(
            "stopped while pictures were made; they may be billed. "
            "Those that had come are in the media folder"
        ) from None
