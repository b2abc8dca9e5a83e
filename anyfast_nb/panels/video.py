"""The video panel: what goes in, what comes out, what it costs, and the films."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from anyfast_nb.errors import InputError, Interrupted
from anyfast_nb.jobs.job import Job
from anyfast_nb.panels.board import Board
from anyfast_nb.panels.composer import Attached, Composer
from anyfast_nb.panels.media_shelf import MediaShelf, attached_paths, inputs_folder
from anyfast_nb.panels.media_words import medium_of_file
from anyfast_nb.panels.option_form import OptionForm
from anyfast_nb.panels.panel import Panel, lines_of
from anyfast_nb.panels.roles import Medium, arguments, chosen
from anyfast_nb.panels.video_adopt import Adoption
from anyfast_nb.panels.video_essence import films_bundle
from anyfast_nb.panels.video_maker import Errand, Recipe, Told, VideoMaker
from anyfast_nb.panels.video_options import models, offered
from anyfast_nb.panels.video_queue import VideoQueue
from anyfast_nb.panels.wish import Wish, argument_of, looked_at, mode_of, rows_of, spoken
from anyfast_nb.panels.words import say
from anyfast_nb.render.acts import Act
from anyfast_nb.render.inputs import line_html, rows_of_facts_html, wrong_html

if TYPE_CHECKING:
    from anyfast_nb.jobs.preflight import Preflight
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
_REST_S: Final = 0.25
_FIRST: Final = {"seedance": "first_frame", "kling": "image"}


class VideoPanel(Panel):
    """Films with Seedance and Kling by mouse and keyboard.

    Args:
        kind: seedance or kling, at first.
        model: an id or an alias, at first.
        session: of the kernel.

    Example:
        >>> import anyfast_nb as af
        >>> af.VideoPanel("kling")  # doctest: +SKIP
    """

    def __init__(
        self, kind: str = "seedance", model: str | None = None, session: Session | None = None
    ) -> None:
        if kind not in KINDS:
            raise InputError(f"kind is {kind!r}", field="kind", hint=f"Write {' or '.join(KINDS)}.")
        super().__init__(session=session)
        self._prompt = ""
        self._recipes: dict[str, Recipe] = {}
        self._question: Errand | None = None
        self._turn = 0
        self._choosers(kind, model)
        self._forms = {name: OptionForm(_OPTIONS[name], self.guarded(self._altered)) for name in KINDS}
        self._composer = Composer(
            on_submit=self.guarded(self._submit), on_stop=self.stop, on_attached=self.guarded(self._came),
            on_text=self.guarded(self._typed), folder=lambda: inputs_folder(self.session), accept=ACCEPT,
            words={
                "label": "video.prompt", "placeholder": "video.placeholder", "hint": "video.hint",
                "attach": "video.attach", "send": "video.create", "stop": "video.stop",
            },
        )  # fmt: skip
        self._shelf = MediaShelf(
            session=self.session,
            errands=self._errands,
            kind=lambda: self.kind,
            changed=self.guarded(self._altered),
        )
        self._about = Board(
            label=say("video.settings"), on_act=self.guarded(self._answered), text_of=self._copied
        )
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
        known = models(self.kind)
        others = [model] if model and model not in known else []
        named = [(say("video.model.auto"), ""), *((name, name) for name in (*others, *known))]
        self._model.options = named
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

    def choose(self, **options: Any) -> None:
        """Choose options of the family that is chosen, and nothing else."""
        self._forms[self.kind].put(options)

    def create(self, prompt: str) -> None:
        """Ask for a film as the button does; returns at once."""
        self._composer.write(prompt)
        self._submit(prompt, ())

    def stop(self) -> None:
        """Stop what is being sent; films that are being made go on."""
        self._maker.stop()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until nothing is being sent; films that are being made go on: ``jobs[0].wait()``."""
        self._maker.wait(timeout_s)
        self._kept()

    def as_magic(self) -> str:
        """The line that asks for the same film; of the last one, if nothing is written."""
        return self._as("magic")

    def as_python(self) -> str:
        """The same in Python."""
        return self._as("python")

    def essence(self) -> Bundle:
        """The last films, and what is being made."""
        return films_bundle(self.jobs, self._queue)

    def tell(self, error: BaseException) -> None:
        """Show what went wrong."""
        lines = lines_of(error)
        self._about.put("wrong", wrong_html(lines), after="mode")
        self._about.announce(lines[0])

    def close(self) -> None:
        """Let go of it; films that are being made go on."""
        self._errands.close()
        self._queue.close()
        super().close()

    # --- what is wished ---------------------------------------------------------------------

    def _wish(self) -> Wish:
        """What is written and chosen now.

        Raises:
            InputError: an option is no number.
        """
        chosen_model = {"model": self._model.value} if self._model.value else {}
        options = {**chosen_model, **self._forms[self.kind].values()}
        media = self._shelf.media
        return Wish(
            self.kind,
            self._prompt.strip(),
            {**options, **arguments(self.kind, media)},
            {**arguments(self.kind, media, words=True), **options},
        )

    def _came(self) -> None:
        """Files came: they go onto the shelf."""
        paths = attached_paths(self._composer.attached)
        if paths:
            self._composer.clear(text=False)
            self._shelf.add_files(paths)

    def _typed(self, text: str) -> None:
        if text != self._prompt:
            self._prompt = text
            self._altered()

    def _altered(self) -> None:
        """Something else is wished: offer what is possible, and look at it."""
        for name, form in self._forms.items():
            form.layout.display = "" if name == self.kind else "none"
        self._forms[self.kind].offer(offered(self.kind, self._model.value or None, self._shelf.shape()))
        self._shelf.draw()
        self._question = None
        self._about.remove("ask", "wrong")
        self._turn += 1
        self._errands.run(self._looked(self._turn), self._seen, key="look", failed=self._refused)

    async def _looked(self, turn: int) -> Preflight | None:
        await asyncio.sleep(_REST_S)
        if turn != self._turn or not (self._prompt.strip() or self._shelf.media):
            return None
        return await looked_at(self.session, self._wish(), self.origin)

    def _seen(self, facts: Preflight | None) -> None:
        self._forms[self.kind].say_wrong()
        if facts is None:
            if not (self._prompt.strip() or self._shelf.media):
                self._about.show({"mode": rows_of_facts_html(say("video.mode.empty"), ())})
            return
        self._shelf.tell({one.argument: one for one in facts.inputs}, {})
        mode = mode_of(facts)
        acts = [Act(say(f"wish.as_{name}"), copy=f"{name}:") for name in ("magic", "python")]
        html = rows_of_facts_html(say(f"video.mode.{mode}"), rows_of(facts), notes=facts.notes, acts=acts)
        self._about.put("mode", html, after="")

    def _refused(self, error: BaseException) -> None:
        """Say what is wrong beside the field that it is about."""
        lines, argument = spoken(error), argument_of(error)
        root = argument.partition("[")[0].partition(".")[0]
        at_option = self._forms[self.kind].say_wrong(root, lines)
        places = self._shelf.places()
        place = (
            argument
            if argument in places
            else next((one for one in places if one.startswith(f"{root}[")), "")
        )
        self._shelf.tell({}, {place: lines} if place and root else {})
        self._about.put("mode", rows_of_facts_html(say("video.mode.refused"), ()), after="")
        self._about.remove("wrong")
        if not at_option and not (place and root):
            self._about.put("wrong", wrong_html(lines), after="mode")

    # --- asking for it ----------------------------------------------------------------------

    def _submit(self, text: str, _: Sequence[Attached]) -> None:
        self._typed(text)  # the page may not have told its last letters yet
        wish = self._wish()
        if not self._maker.sending:
            self._about.remove("ask", "wrong")
            self._maker.make(Errand(wish))

    def _busy(self, busy: bool) -> None:
        self._composer.busy = busy

    def _ask(self, errand: Errand, question: str) -> None:
        self._question = errand
        acts = [Act(say("wish.go_on"), "sure:"), Act(say("wish.leave"), "leave:")]
        self._about.put("ask", line_html(question, acts=acts), after="mode")
        self._about.announce(question)

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

    def _copied(self, key: str) -> str:
        return self._as(key.partition(":")[0])

    def _copied_of(self, verb: str, job: Job) -> str:
        if verb == "path":
            return str(job.file or "")
        errand = self._recipes[job.id].errand
        return str(getattr(errand.wish, verb)(take=errand.take))
