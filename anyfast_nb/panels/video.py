"""The video panel: what goes in, what comes out, what it costs, and the films."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import ipywidgets

from anyfast_nb.errors import InputError, Interrupted
from anyfast_nb.jobs.job import Job
from anyfast_nb.panels.media_words import medium_of_file
from anyfast_nb.panels.option_form import OptionForm
from anyfast_nb.panels.roles import Medium, chosen
from anyfast_nb.panels.video_adopt import Adoption
from anyfast_nb.panels.video_essence import films_bundle
from anyfast_nb.panels.video_maker import Errand, Recipe, Told, VideoMaker
from anyfast_nb.panels.video_queue import VideoQueue
from anyfast_nb.panels.wish import mode_of
from anyfast_nb.panels.wishing import WishPanel
from anyfast_nb.panels.words import say
from anyfast_nb.render.acts import Act
from anyfast_nb.render.inputs import line_html, wrong_html

if TYPE_CHECKING:
    from anyfast_nb.jobs.preflight import Preflight
    from anyfast_nb.panels.composer import Attached
    from anyfast_nb.render.publish import Bundle
    from anyfast_nb.session import Session

KINDS: Final = {"seedance": "Seedance", "kling": "Kling"}
ACCEPT: Final = "image/*,video/mp4,video/quicktime,audio/*"
_OPTIONS: Final = {
    "seedance": (
        "duration", "ratio", "resolution", "seed", "audio", "return_last_frame", "watermark", "web_search",
    ),
    "kling": ("duration", "aspect_ratio", "mode", "camera_control", "cfg_scale", "negative_prompt", "sound"),
}  # fmt: skip
_FIRST: Final = {"seedance": "first_frame", "kling": "image"}


class VideoPanel(WishPanel):
    """Films with Seedance and Kling by mouse and keyboard.

    Args:
        kind: seedance or kling, at first.
        model: an id or an alias, at first.
        session: of the kernel.

    Example:
        >>> import anyfast_nb as af
        >>> af.VideoPanel("kling")  # doctest: +SKIP
    """

    composer_words: ClassVar = {
        "label": "video.prompt", "placeholder": "video.placeholder", "hint": "video.hint",
        "attach": "video.attach", "send": "video.create", "stop": "video.stop",
    }  # fmt: skip
    settings_word = "video.settings"
    auto_word = "video.model.auto"

    def __init__(
        self, kind: str = "seedance", model: str | None = None, session: Session | None = None
    ) -> None:
        if kind not in KINDS:
            raise InputError(f"kind is {kind!r}", field="kind", hint=f"Write {' or '.join(KINDS)}.")
        super().__init__(session=session)
        self._recipes: dict[str, Recipe] = {}
        self._choosers(kind, model)
        self._forms = {name: OptionForm(_OPTIONS[name], self.guarded(self._altered)) for name in KINDS}
        self._make_parts(accept=ACCEPT)
        self._queue = VideoQueue(
            session=self.session, origin=self.origin, errands=self._errands, on_act=self.guarded(self._acted),
            on_end=lambda _: self.keep(now=True), text_of=self._copied_of,
        )  # fmt: skip
        told = Told(busy=self._busy, asks=self._ask, made=self._made, failed=self._failed)
        self._maker = VideoMaker(session=self.session, origin=self.origin, told=told)
        self._adopt = Adoption(self._queue.add, self.guarded)
        self.children = (
            self._top, self._composer, self._shelf.row, self._shelf.board, *self._forms.values(), self._about,
            self._adopt, self._queue.board,
        )  # fmt: skip
        self._altered()
        self._queue.look()

    def _choosers(self, kind: str, model: str | None) -> None:
        named = [(name, word) for word, name in KINDS.items()]
        self._kind = ipywidgets.Dropdown(options=named, value=kind, description=say("video.kind"))
        self._model = ipywidgets.Dropdown(description=say("video.model"))
        self._offer_models(model)
        self._kind.observe(self.guarded(self._other_family), "value")
        self._model.observe(self.guarded(lambda _: self._altered()), "value")
        self._top = ipywidgets.HBox([self._kind, self._model])
        self._top.add_class("anyfast-bar")

    def _other_family(self, _: Any) -> None:
        self._offer_models()
        self._altered()

    def _offer_models(self, model: str | None = None) -> None:
        self._model.options = self._named_models(model)
        self._model.value = model or ""

    # --- what can be done with it, also from Python -----------------------------------------

    @property
    def kind(self) -> str:
        """``seedance`` or ``kling``."""
        return str(self._kind.value)

    @property
    def jobs(self) -> list[Job]:
        """The films of the panel, newest first."""
        return list(self._queue.jobs.values())

    def take(self, path: str | Path | Medium, role: str = "first_frame") -> None:
        """Put a picture or a clip into the panel.

        Args:
            path: of the file; or a medium of another panel.
            role: first_frame, last_frame, or images, videos, audios for a reference.

        Raises:
            InputError: it is no picture, clip or sound.
        """
        if self.kind == "kling":
            role = {"first_frame": "image", "last_frame": "image_tail"}.get(role, role)
        self._shelf.put(path if isinstance(path, Medium) else medium_of_file(Path(path)), role)

    def stop(self) -> None:
        """Stop what is being sent; films that are being made go on."""
        self._maker.stop()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until nothing is being sent; films that are being made go on: ``jobs[0].wait()``."""
        self._maker.wait(timeout_s)
        self._kept()

    def essence(self) -> Bundle:
        """The last films, and what is being made."""
        return films_bundle(self.jobs, self._queue)

    def close(self) -> None:
        """Let go of it; films that are being made go on."""
        self._errands.close()
        self._queue.close()
        super().close()

    # --- what is wished ---------------------------------------------------------------------

    @property
    def _form_now(self) -> OptionForm:
        return self._forms[self.kind]

    @property
    def _blank(self) -> bool:
        return super()._blank and not self._shelf.media

    def _mode(self, facts: Preflight) -> str:
        return mode_of(facts)

    def _say_mode(self, mode: str) -> str:
        return say(f"video.mode.{mode}")

    def _altered(self) -> None:
        for name, form in self._forms.items():
            form.layout.display = "" if name == self.kind else "none"
        self._shelf.draw()
        super()._altered()

    # --- asking for it ----------------------------------------------------------------------

    def _submit(self, text: str, _: Sequence[Attached]) -> None:
        self._typed(text)  # the page may not have told its last letters yet
        wish = self._wish()
        if not self._maker.sending:
            self._about.remove("ask", "wrong")
            self._maker.make(Errand(wish))

    def _busy(self, busy: bool) -> None:
        self._composer.busy = busy

    def _made(self, job: Job, errand: Errand) -> None:
        chosen_now = {k: v for k, v in errand.wish.arguments.items() if k in _OPTIONS[errand.wish.kind]}
        media = tuple(replace(one) for one in self._shelf.media)
        model = str(errand.wish.arguments.get("model") or "")
        self._recipes.setdefault(job.id, Recipe(errand, media, model, chosen_now))
        self._queue.add(job, errand.wish)
        if job.reused_from is None:
            self._queue.board.announce(say("video.announce.sent", job=job.row.short_id))
        else:
            when = f"{job.reused_from.made_at.astimezone():%H:%M}"
            self._question = replace(errand, take=job.reused_from.take + 1, another=True)
            line = say("video.same", note=say("video.film_of", when=when))
            self._about.put(
                "ask", line_html(line, acts=[Act(say("video.another"), "another:")]), after="mode"
            )
            self._about.announce(line)
        self.keep(now=True)

    def _failed(self, error: BaseException, errand: Errand) -> None:
        if isinstance(error, Interrupted):
            self._about.put("wrong", wrong_html([say("video.sent_stop")]), after="mode")
            self._queue.look()
            return
        self._refused(error)
        partial = getattr(error, "partial", None)
        if isinstance(partial, Job):
            self._queue.add(partial, errand.wish)
            self.keep(now=True)

    def _answered(self, act: str) -> None:
        """A question was answered."""
        errand, self._question = self._question, None
        self._about.remove("ask")
        if errand is not None and act in ("sure:", "another:"):
            self._maker.make(replace(errand, sure=act == "sure:" or errand.sure))

    # --- films ------------------------------------------------------------------------------

    def _acted(self, verb: str, job: Job) -> None:
        match verb:
            case "next":
                self._errands.run(job.last_frame_async(), lambda still: self._next_shot(still.path, job))
            case "extend":
                self._use(job, fresh=True)
                self._composer.write(say("video.extend.prompt"), focus=True)
                self._typed(say("video.extend.prompt"))
            case "reference":
                self._use(job, fresh=False)
            case "wait":
                self._about.put(
                    "ask", line_html(say("video.waiting_stopped", id=job.row.short_id)), after="mode"
                )
                job.cancel()
            case "again":
                self._queue.follow(job)
                self._queue.draw()
            case "adopt":
                self._adopt.ask(job)
            case "reuse":
                self._again(self._recipes[job.id])

    def _next_shot(self, frame: Path, job: Job) -> None:
        medium = medium_of_file(frame)
        medium.name = say("role.last_frame_of", job=job.row.short_id)
        self._shelf.put(medium, _FIRST[self.kind])

    def _use(self, job: Job, *, fresh: bool) -> None:
        """A film as a reference of the next one; Seedance alone takes clips."""
        assert job.file is not None
        self._kind.value = "seedance"
        if fresh:
            self._shelf.clear()
        medium = medium_of_file(job.file)
        medium.name = say("role.film_of", job=job.row.short_id)
        self._shelf.add([medium])
        chosen("seedance", self._shelf.media, medium.id, "videos")
        self._altered()

    def _again(self, recipe: Recipe) -> None:
        wish = recipe.errand.wish
        self._kind.value = wish.kind
        self._offer_models(recipe.model or None)
        self._composer.write(wish.prompt)
        self._prompt = wish.prompt
        self._shelf.replace([replace(one) for one in recipe.media])
        self._forms[wish.kind].put(recipe.options)
        self._altered()

    # --- copying ----------------------------------------------------------------------------

    def _as(self, name: str) -> str:
        wish, take = self._wish(), 1
        if not wish.prompt and not self._shelf.media and self._recipes:
            errand = list(self._recipes.values())[-1].errand
            wish, take = errand.wish, errand.take
        return getattr(wish, name)(take=take)  # type: ignore[no-any-return]

    def _copied_of(self, verb: str, job: Job) -> str:
        if verb == "path":
            return str(job.file or "")
        errand = self._recipes[job.id].errand
        return str(getattr(errand.wish, verb)(take=errand.take))
