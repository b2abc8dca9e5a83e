"""The image panel: words and references in, a grid that fills, and from there to a film."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import ipywidgets

from anyfast_nb.errors import Interrupted
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.jobs.pictures import Picture, Pictures, shown
from anyfast_nb.panels.handover import film_target
from anyfast_nb.panels.image_sheets import Batch, ImageSheets, ended
from anyfast_nb.panels.media_words import medium_of_file
from anyfast_nb.panels.option_form import OptionForm
from anyfast_nb.panels.panel import lines_of
from anyfast_nb.panels.reach import reachable_while_busy
from anyfast_nb.panels.wish import Wish, confirms, looked_at
from anyfast_nb.panels.wishing import WishPanel
from anyfast_nb.panels.words import say
from anyfast_nb.render.inputs import line_html
from anyfast_nb.render.notice import notice
from anyfast_nb.render.pictures import pictures_bundle
from anyfast_nb.render.style import STYLE

if TYPE_CHECKING:
    from anyfast_nb.gateway.loop import Running
    from anyfast_nb.jobs.preflight import Preflight
    from anyfast_nb.panels.composer import Attached
    from anyfast_nb.render.publish import Bundle
    from anyfast_nb.session import Session

KIND: Final = "seedream"
_OPTIONS: Final = ("size", "count", "output_format", "guidance_scale", "seed", "watermark", "web_search")
_SECOND_CLICK_S: Final = 0.8
_KEPT: Final = 6
_KEPT_PIXELS: Final = 480


class ImagePanel(WishPanel):
    """Pictures with Seedream by mouse and keyboard.

    Args:
        model: an id or an alias, at first.
        session: of the kernel.

    Example:
        >>> import anyfast_nb as af
        >>> af.ImagePanel()  # doctest: +SKIP
    """

    composer_words: ClassVar = {
        "label": "image.prompt", "placeholder": "image.placeholder", "hint": "image.hint",
        "attach": "image.attach", "send": "image.create", "stop": "image.stop",
    }  # fmt: skip
    settings_word = "image.settings"
    auto_word = "image.model.auto"
    kind = KIND

    def __init__(self, model: str | None = None, session: Session | None = None) -> None:
        super().__init__(session=session)
        self._sending = False
        self._began_s = float("-inf")
        self._running: Running[None] | None = None
        self._film: Any = None
        self._choosers(model)
        self._form = OptionForm(_OPTIONS, self.guarded(self._altered))
        self._make_parts(accept="image/*")
        self._sheets = ImageSheets(errands=self._errands, on_act=self._acted_safely, text_of=self._copied_of)
        self.children = [
            self._top, self._composer, self._shelf.row, self._shelf.board, self._form, self._about,
            self._sheets.board,
        ]  # fmt: skip
        self._altered()

    def _choosers(self, model: str | None) -> None:
        named = self._named_models(model)
        self._model = ipywidgets.Dropdown(options=named, value=model or "", description=say("image.model"))
        self._model.observe(self.guarded(lambda _: self._altered()), "value")
        self._top = ipywidgets.HBox([self._model])
        self._top.add_class("anyfast-bar")

    # --- what can be done with it, also from Python -----------------------------------------

    @property
    def batches(self) -> list[Batch]:
        """What was asked for, newest first."""
        return list(self._sheets.batches.values())

    def take(self, path: str | Path) -> None:
        """Add a reference picture.

        Raises:
            InputError: it is no picture.
        """
        self._shelf.put(medium_of_file(Path(path)), "images")

    def stop(self) -> None:
        """Stop the request; what has come is kept."""
        if self._running is not None:
            self._running.future.cancel()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until nothing runs, and what stays of it is in the notebook.

        Raises:
            TimeoutError: it still runs.
        """
        if self._running is not None and not self._running.ended.wait(timeout_s):
            raise TimeoutError
        self._kept()

    def essence(self) -> Bundle:
        """The last pictures, small, each with its path."""
        parts = []
        left = _KEPT
        for batch in self.batches:
            few = batch.made[:left]
            left -= len(few)
            if few:
                figures = [shown(one, longest=_KEPT_PIXELS) for one in few]
                parts.append(pictures_bundle(figures, prompt=batch.wish.prompt))
        parts = parts or [notice(say("image.none"))]
        return {
            "text/plain": "\n".join(str(one["text/plain"]) for one in parts),
            "text/html": "\n".join(str(one["text/html"]).replace(STYLE, "") for one in parts),
        }

    def close(self) -> None:
        """Let go of it; files stay."""
        self._errands.close()
        self._sheets.close()
        super().close()

    # --- what is wished ---------------------------------------------------------------------

    @property
    def _form_now(self) -> OptionForm:
        return self._form

    def _mode(self, facts: Preflight) -> str:
        return ("text", "image", "images")[min(len(facts.inputs), 2)]

    def _say_mode(self, mode: str) -> str:
        return say(f"image.mode.{mode}")

    # --- asking for it ----------------------------------------------------------------------

    def _submit(self, text: str, _: Sequence[Attached]) -> None:
        self._typed(text)  # the page may not have told its last letters yet
        self._begin(self._wish(), sure=False)

    def _begin(self, wish: Wish, *, sure: bool) -> None:
        """One press of the button, one request."""
        if self._sending:
            return
        self._sending, self._began_s = True, time.monotonic()
        self._composer.busy = True
        self._about.remove("ask", "wrong")
        self._running = io_loop().submit(self._made(wish, sure=sure))

    def _stop_pressed(self) -> None:
        """The second half of a double click on Create is no Stop."""
        if time.monotonic() - self._began_s > _SECOND_CLICK_S:
            self.stop()

    async def _made(self, wish: Wish, *, sure: bool) -> None:
        batch: Batch | None = None
        try:
            facts = await looked_at(self.session, wish, self.origin)
            question = "" if sure else confirms(facts, self.session.settings.confirm_above)
            if question:
                self._ask(wish, question)
                return
            batch = Batch(wish, count=facts.count, model=facts.model)
            batch.simulated = self.session.gateway.connection.simulated()
            self._sheets.add(batch)
            self._sheets.board.announce(say("image.announce.begun"))
            pictures = await self.session.desk.pictures(
                wish.prompt, wish.arguments, origin=self.origin, on_picture=self._hung(batch)
            )
            self._end(batch, "done", pictures)
        except asyncio.CancelledError:
            self._fail(batch, Interrupted(say("image.stopped")))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the panel tells it
            self._fail(batch, error)
        finally:
            self._sending = False
            self._composer.busy = False

    def _hung(self, batch: Batch) -> Any:
        def came(picture: Picture) -> None:
            self._sheets.came(batch, picture)
            self.keep()

        return came

    def _end(self, batch: Batch, state: str, pictures: Pictures | None = None) -> None:
        ended(batch, state, pictures)
        for picture in list(batch.came.values()):
            self._sheets.came(batch, picture)
        self._sheets.put(batch)
        word = "done" if batch.made else "failed"
        self._sheets.board.announce(say(f"image.announce.{word}", n=len(batch.made)))
        self.keep(now=True)

    def _fail(self, batch: Batch | None, error: BaseException) -> None:
        if batch is None:
            if not isinstance(error, Interrupted):
                self._refused(error)
            return
        stopped = isinstance(error, Interrupted)
        batch.trouble = [say("image.stopped")] if stopped else lines_of(error)
        partial = getattr(error, "partial", None)
        self._end(
            batch, "stopped" if stopped else "failed", partial if isinstance(partial, Pictures) else None
        )

    def _answered(self, act: str) -> None:
        wish, self._question = self._question, None
        self._about.remove("ask")
        if wish is not None and act == "sure:":
            self._begin(wish, sure=True)

    # --- pictures ---------------------------------------------------------------------------

    def _acted_safely(self, verb: str, batch: Batch, index: int) -> None:
        self.guarded(self._acted)(verb, batch, index)

    def _acted(self, verb: str, batch: Batch, index: int) -> None:
        picture = batch.came.get(index)
        if verb == "fetch" and batch.pictures is not None:
            self._errands.read(batch.pictures.fetch, lambda found: self._end(batch, "done", found))
            return
        if picture is None or picture.path is None:
            return
        match verb:
            case "large":
                batch.large ^= {index}
                self._sheets.put(batch)
            case "reference":
                self.take(picture.path)
            case "first" | "film":
                self._to_film(picture.path, "first_frame" if verb == "first" else "images")

    def _to_film(self, path: Path, role: str) -> None:
        """To the video panel: the one that somebody named, else one of its own below."""
        take = film_target(self.session)
        if take is None:
            take = self._own_film_panel().take
        take(path, role)
        self._about.put("ask", line_html(say("image.sent")), after="mode")
        self._about.announce(say("image.sent"))

    def _own_film_panel(self) -> Any:
        if self._film is None:
            from anyfast_nb.panels.video import VideoPanel

            self._film = VideoPanel(session=self.session)
            self._film.origin = self.origin
            self.children = [*self.children, self._film]
            reachable_while_busy(self)
        return self._film

    # --- copying ----------------------------------------------------------------------------

    def _as(self, name: str) -> str:
        wish = self._wish()
        if not wish.prompt and self.batches:
            wish = self.batches[0].wish
        return str(getattr(wish, name)())

    def _copied_of(self, verb: str, batch: Batch, index: int) -> str:
        if verb == "path":
            return str(batch.came[index].path or "")
        return str(getattr(batch.wish, verb)())
