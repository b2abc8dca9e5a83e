"""What the panels of films and of pictures share: a wish is written and chosen, looked at, and asked for."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from anyfast_nb.panels.board import Board
from anyfast_nb.panels.composer import Attached, Composer
from anyfast_nb.panels.media_shelf import MediaShelf, attached_paths, inputs_folder
from anyfast_nb.panels.panel import Panel, lines_of
from anyfast_nb.panels.roles import arguments
from anyfast_nb.panels.video_options import models, offered
from anyfast_nb.panels.wish import Wish, argument_of, looked_at, rows_of, spoken
from anyfast_nb.panels.words import say
from anyfast_nb.render.acts import Act
from anyfast_nb.render.inputs import line_html, rows_of_facts_html, wrong_html

if TYPE_CHECKING:
    from anyfast_nb.jobs.preflight import Preflight
    from anyfast_nb.panels.option_form import OptionForm

_REST_S: Final = 0.25


class WishPanel(Panel):
    """A prompt, media, a model and options; what they amount to is said while they change.

    Attributes:
        composer_words: keys of the catalogue for the composer's parts.
        settings_word: for what is wished, as a whole.
        auto_word: for the model that is chosen by itself.
    """

    composer_words: ClassVar[Mapping[str, str]]
    settings_word: ClassVar[str]
    auto_word: ClassVar[str]
    _model: Any
    _prompt = ""
    _question: Any = None  # what a person was asked about
    _turn = 0

    # --- what each of them has of its own ---------------------------------------------------

    @property
    @abstractmethod
    def kind(self) -> str:
        """``seedance``, ``kling`` or ``seedream``."""

    @property
    @abstractmethod
    def _form_now(self) -> OptionForm:
        """The options that belong to the kind."""

    @abstractmethod
    def _mode(self, facts: Preflight) -> str:
        """The word of the mode."""

    @abstractmethod
    def _say_mode(self, mode: str) -> str:
        """A mode, ``empty`` or ``refused`` in a line."""

    @abstractmethod
    def _submit(self, text: str, attached: Sequence[Attached]) -> None:
        """The button was pressed."""

    @abstractmethod
    def _answered(self, act: str) -> None:
        """A question was answered."""

    @abstractmethod
    def _as(self, name: str) -> str:
        """As a ``magic`` or as ``python``."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the request."""

    def _stop_pressed(self) -> None:
        self.stop()

    @property
    def _blank(self) -> bool:
        """Is there nothing to look at yet?"""
        return not self._prompt.strip()

    # --- what can be done with it, also from Python -----------------------------------------

    def choose(self, **options: Any) -> None:
        """Choose options of what is made, and nothing else."""
        self._form_now.put(options)

    def create(self, prompt: str) -> None:
        """Ask for it as the button does; returns at once."""
        self._composer.write(prompt)
        self._submit(prompt, ())

    def as_magic(self) -> str:
        """The line that asks for the same; for the last one, if nothing is written."""
        return self._as("magic")

    def as_python(self) -> str:
        """The same in Python."""
        return self._as("python")

    def tell(self, error: BaseException) -> None:
        """Show what went wrong."""
        lines = lines_of(error)
        self._about.put("wrong", wrong_html(lines), after="mode")
        self._about.announce(lines[0])

    # --- its parts --------------------------------------------------------------------------

    def _make_parts(self, *, accept: str) -> None:
        self._composer = Composer(
            on_submit=self.guarded(self._submit), on_stop=self._stop_pressed,
            on_attached=self.guarded(self._came), on_text=self.guarded(self._typed),
            folder=lambda: inputs_folder(self.session), accept=accept,
            words=self.composer_words,
        )  # fmt: skip
        self._shelf = MediaShelf(
            session=self.session,
            errands=self._errands,
            kind=lambda: self.kind,
            changed=self.guarded(self._altered),
        )
        self._about = Board(
            label=say(self.settings_word), on_act=self.guarded(self._answered), text_of=self._copied
        )

    def _named_models(self, model: str | None) -> list[tuple[str, str]]:
        """What the list of models offers: the catalogue's, and one that somebody named."""
        known = models(self.kind)
        others = [model] if model and model not in known else []
        return [(say(self.auto_word), ""), *((name, name) for name in (*others, *known))]

    # --- what is wished ---------------------------------------------------------------------

    def _wish(self) -> Wish:
        """What is written and chosen now.

        Raises:
            InputError: an option is no number.
        """
        model = {"model": self._model.value} if self._model.value else {}
        options = {**model, **self._form_now.values()}
        media = self._shelf.media
        words = {**arguments(self.kind, media, words=True), **options}
        return Wish(self.kind, self._prompt.strip(), {**options, **arguments(self.kind, media)}, words)

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
        self._form_now.offer(offered(self.kind, self._model.value or None, self._shelf.shape()))
        self._question = None
        self._about.remove("ask", "wrong")
        self._turn += 1
        self._errands.run(self._looked(self._turn), self._seen, key="look", failed=self._refused)

    async def _looked(self, turn: int) -> Preflight | None:
        await asyncio.sleep(_REST_S)
        if turn != self._turn or self._blank:
            return None
        return await looked_at(self.session, self._wish(), self.origin)

    def _seen(self, facts: Preflight | None) -> None:
        self._form_now.say_wrong()
        if facts is None:
            if self._blank:
                self._about.show({"mode": rows_of_facts_html(self._say_mode("empty"), ())})
            return
        self._shelf.tell({one.argument: one for one in facts.inputs}, {})
        acts = [Act(say(f"wish.as_{name}"), copy=f"{name}:") for name in ("magic", "python")]
        html = rows_of_facts_html(
            self._say_mode(self._mode(facts)), rows_of(facts), notes=facts.notes, acts=acts
        )
        self._about.put("mode", html, after="")

    def _refused(self, error: BaseException) -> None:
        """Say what is wrong beside the field that it is about."""
        lines, argument = spoken(error), argument_of(error)
        root = argument.partition("[")[0].partition(".")[0]
        at_option = self._form_now.say_wrong(root, lines)
        places = self._shelf.places()
        near = (one for one in places if root and one.partition("[")[0] == root)
        place = argument if argument in places else next(near, "")
        self._shelf.tell({}, {place: lines} if place else {})
        self._about.put("mode", rows_of_facts_html(self._say_mode("refused"), ()), after="")
        self._about.remove("wrong")
        if not at_option and not place:
            self._about.put("wrong", wrong_html(lines), after="mode")

    def _ask(self, about: Any, question: str) -> None:
        self._question = about
        acts = [Act(say("wish.go_on"), "sure:"), Act(say("wish.leave"), "leave:")]
        self._about.put("ask", line_html(question, acts=acts), after="mode")
        self._about.announce(question)

    def _copied(self, key: str) -> str:
        return self._as(key.partition(":")[0])
