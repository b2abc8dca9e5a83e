"""The chat panel: a thread, a model, files, and answers that stream."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import ipywidgets

from anyfast_nb.errors import AnyFastError, InputError
from anyfast_nb.gateway.gateway import io_loop
from anyfast_nb.jobs.folder import open_folder
from anyfast_nb.panels.board import Board
from anyfast_nb.panels.chat_ask import Outcome, Wish, ask
from anyfast_nb.panels.chat_attach import ACCEPT, chip, parts_of, variable, variables
from anyfast_nb.panels.chat_controls import Controls
from anyfast_nb.panels.chat_essence import chat_essence
from anyfast_nb.panels.chat_log import ChatLog, Told, totals_line
from anyfast_nb.panels.chat_log import words_of as said_in
from anyfast_nb.panels.chat_watch import changed, listen
from anyfast_nb.panels.chat_written import Write, as_written, cell, python, words_of
from anyfast_nb.panels.composer import Attached, Composer
from anyfast_nb.panels.panel import Panel, lines_of
from anyfast_nb.panels.words import say
from anyfast_nb.render.acts import Act, acts_html
from anyfast_nb.render.said import Chip, error_html, line_html
from anyfast_nb.wire.values import Answer, Status

if TYPE_CHECKING:
    from anyfast_nb.gateway.loop import Running
    from anyfast_nb.render.publish import Bundle
    from anyfast_nb.session import Session
    from anyfast_nb.threads.book import Thread, Turn

FIRST: Final = "chat"
_HEIGHT: Final = "min(60vh, 520px)"
_served: WeakKeyDictionary[Session, list[str]] = WeakKeyDictionary()  # asked once for all panels
_MEDIA: Final = ("images", "videos", "files", "tables")


class ChatPanel(Panel):
    """Chat with a model by mouse and keyboard.

    What is said belongs to a thread of this kernel: `%%anyfast chat --thread NAME` goes on with the same.

    Args:
        thread: shown at first; by default ``chat``.
        model: an id or an alias; by default that of the settings.
        system: a system prompt; by default that of the settings.
        session: of the kernel.

    Example:
        >>> import anyfast_nb as af
        >>> panel = af.ChatPanel(thread="sky", model="mini")  # doctest: +SKIP
    """

    def __init__(
        self,
        thread: str | None = None,
        model: str | None = None,
        system: str | None = None,
        session: Session | None = None,
    ) -> None:
        super().__init__(session=session)
        settings = self.session.settings
        self._asking = False
        self._running: Running[None] | None = None
        self._editing: Turn | None = None
        self._head = Board(label=say("chat.head"), on_act=self.guarded(self._act))
        self._board = Board(
            label=say("chat.log"), height=_HEIGHT, follows=True, role="log",
            on_act=self.guarded(self._act), text_of=self._text_of,
        )  # fmt: skip
        self._log = ChatLog(self._board, footer=lambda: self.session.settings.footer)
        self._foot = Board(label=say("chat.totals"), on_act=self.guarded(self._act))
        self._controls = Controls(
            model=settings.model if model is None else model,
            system=system or "",
            default_system=settings.system or "",
            on_model=self._draw_head,
            on_thread=self.guarded(self._choose),
        )
        self._composer = Composer(
            on_submit=self.guarded(self._submit), on_stop=self.stop, folder=self._folder, accept=ACCEPT,
        )  # fmt: skip
        self._variable = ipywidgets.Combobox(
            description=say("chat.variable"),
            placeholder=say("chat.variable_hint"),
            layout=ipywidgets.Layout(width="auto", flex="0 1 20em"),
        )
        add = ipywidgets.Button(description=say("chat.add"), layout=ipywidgets.Layout(width="auto"))
        add.on_click(self.guarded(self._add_variable))
        self._variables = self._bar(self._variable, add)
        top = self._bar(self._controls.threads, self._controls.model)
        self.children = (
            top, self._head, self._controls.details, self._board, self._foot, self._composer, self._variables,
        )  # fmt: skip
        self._thread = self._named(thread or FIRST)
        self._draw_head()
        self.choose(self._thread.name)

    @staticmethod
    def _bar(*children: Any) -> Any:
        row = ipywidgets.HBox(children)
        row.add_class("anyfast-bar")
        return row

    # --- what can be done with it, also from Python -----------------------------------------

    @property
    def thread(self) -> Thread:
        """The thread that is shown."""
        return self._thread

    def choose(self, name: str) -> None:
        """Show a thread of this notebook; a new one has no turns.

        Raises:
            InputError: an answer is on its way.
        """
        self._require_rest()
        self._thread = self._named(name)
        self._editing = None
        self._log.show(self._thread.active())
        self._names()
        self._draw_foot()
        self.keep(now=True)

    def send(self, text: str, *attached: Any) -> None:
        """Send a message as the button does; returns at once.

        Args:
            text: the message.
            attached: paths, pictures, figures, frames.

        Raises:
            InputError: an answer is on its way, or there is nothing to send.
        """
        items = [Attached(str(getattr(one, "name", type(one).__name__)), one, str(one)) for one in attached]
        self._begin(*self._wished(text, items))

    def stop(self) -> None:
        """End the request that runs; what has come is kept."""
        if self._asking and self._running is not None:
            self._running.future.cancel()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until nothing runs, and what stays of it is in the notebook.

        Raises:
            TimeoutError: it still runs.
        """
        if self._running is not None and not self._running.ended.wait(timeout_s):
            raise TimeoutError
        self._kept()

    def refresh(self) -> None:
        """Look whether a cell or another panel has changed the thread, or the variables."""
        if not self._asking:
            self._log.sync(self._thread.active())
            self._draw_foot()
        self._names()
        names = tuple(variables())
        if names != tuple(self._variable.options):
            self._variable.options = names
        self._variables.layout.display = "flex" if names else "none"

    def as_magic(self) -> str:
        """The cell that asks the last message again, or with what is chosen now."""
        return self._as(cell)

    def as_python(self) -> str:
        """The same in Python."""
        return self._as(python)

    def essence(self) -> Bundle:
        """The last turns, as far as they are not too long to keep twice."""
        return chat_essence(self._thread, self._log, footer=self.session.settings.footer)

    def tell(self, error: BaseException) -> None:
        """Show what went wrong at the end of the log."""
        lines = lines_of(error)
        self._log.tell(error_html(lines))
        self._board.announce(lines[0])

    # --- buttons ----------------------------------------------------------------------------

    def _act(self, act: str) -> None:
        verb, _, key = act.partition(":")
        match verb:
            case "new":
                self._new()
            case "settings":
                self._controls.open(on=not self._controls.is_open)
                self._draw_head()
            case "earlier":
                self._log.earlier()
            case "unedit":
                self._editing = None
                self._composer.clear()
                self._draw_foot()
            case "retry" | "edit" if (turn := self._log.turn(key)) is not None:
                self._require_rest()
                (self._retry if verb == "retry" else self._edit)(turn)

    def _retry(self, turn: Turn) -> None:
        told = self._log.told(turn)
        wish = Wish(said_in(turn), (), self._thread, self._controls.options(),
                    parts=parts_of(turn.message), instead_of=turn)  # fmt: skip
        words = {
            name: told.options[name]
            for name in ("images", "videos", "files", "tables")
            if name in told.options
        }
        self._begin(wish, words, told.chips, shown=told.text)

    def _edit(self, turn: Turn) -> None:
        self._editing = turn
        self._composer.clear()
        self._composer.write(said_in(turn), focus=True)
        self._draw_foot()

    def _submit(self, text: str, items: Sequence[Attached]) -> None:
        wished = self._wished(text, items)
        self._composer.clear()  # before it begins: what fails at once is put back
        self._begin(*wished)

    def _wished(self, text: str, items: Sequence[Attached]) -> tuple[Wish, dict[str, list[str]], list[Chip]]:
        """What is asked for, how it is written, and what is shown of what goes with it."""
        self._require_rest()
        turn = self._editing
        parts = parts_of(turn.message) if turn is not None else []
        if not text.strip() and not items and not parts:
            raise InputError(say("chat.nothing"), field="prompt")
        wish = Wish(text, items, self._thread, self._controls.options(), parts=parts, instead_of=turn)
        old = self._log.told(turn) if turn is not None else Told()
        self._editing = None
        words = words_of(items)
        for name in _MEDIA:
            if earlier := old.options.get(name):
                words[name] = [*earlier, *words.get(name, ())]
        return wish, words, [*old.chips, *(Chip(item.name) for item in items)]

    def _add_variable(self, _: Any = None) -> None:
        name = self._variable.value.strip()
        if name:
            self._composer.attach(variable(name))
            self._variable.value = ""

    def _new(self) -> None:
        self._require_rest()
        taken = self.session.threads.names(notebook=self.origin.notebook)
        number = next(n for n in range(2, len(taken) + 3) if f"{FIRST}-{n}" not in taken)
        self.choose(f"{FIRST}-{number}")

    def _choose(self, name: str | None) -> None:
        if name is not None and name != self._thread.name:
            self.choose(name)

    def _text_of(self, key: str) -> str:
        return self._log.text_of(key)

    # --- a request --------------------------------------------------------------------------

    def _begin(
        self, wish: Wish, words: dict[str, list[str]], chips: Sequence[Chip], *, shown: str | None = None
    ) -> None:
        text = wish.text if shown is None else shown
        turns = self._thread.active()
        at = next((n for n, turn in enumerate(turns) if turn is wish.instead_of), len(turns))
        said = self._log.begin(text, chips, instead_of=turns[at:])
        told = Told(text, {**wish.options, **words, "thread": wish.thread.name}, chips)
        self._busy(on=True)
        self._draw_foot()
        self._board.announce(say("chat.began"))
        self._running = io_loop().submit(self._follow(wish, said, told))

    async def _follow(self, wish: Wish, said: str, told: Told) -> None:
        outcome = Outcome()
        try:
            outcome = await ask(self.session, wish, board=self._board, said=said, origin=self.origin)
            if outcome.turn is not None and wish.items:
                told.chips = await _chips(wish, told)
        finally:
            try:
                self._show_end(wish, said, told, outcome)
            finally:
                self._busy(on=False)
            self._draw_foot()
            self._board.announce(_last_word(outcome))
            self.keep(now=True)
            changed(self)

    def _show_end(self, wish: Wish, said: str, told: Told, outcome: Outcome) -> None:
        if outcome.turn is not None:
            self._log.end(said, outcome.turn, told)
        else:  # nothing came of it: what was written is there to be sent again
            self._composer.write(wish.text, only_if_empty=True)
            for item in wish.items:
                self._composer.attach(item)
            self._editing = wish.instead_of
            if outcome.error is None:
                self._log.give_up(said)
        if outcome.error is not None:
            self._log.fail(said if outcome.turn is None else "", lines_of(outcome.error))
        self._log.sync(self._thread.active())

    def _busy(self, *, on: bool) -> None:
        self._asking = on
        self._composer.busy = on
        self._controls.rest(on=on)
        self._draw_head()

    def _require_rest(self) -> None:
        if self._asking:
            raise InputError(say("chat.busy"), hint=say("chat.busy_hint"), field="prompt")

    # --- drawing ----------------------------------------------------------------------------

    def _draw_head(self) -> None:
        row = [
            Act(say("chat.new"), act="new", off=self._asking),
            Act(say("chat.settings"), act="settings", open=self._controls.is_open),
        ]
        self._head.put("head", acts_html(row) + line_html(self._controls.about_model()))

    def _draw_foot(self) -> None:
        if self._editing is not None:
            kept = len(parts_of(self._editing.message))
            line = say("chat.editing") + (f" {say('chat.editing_with', count=kept)}" if kept else "")
            self._foot.put(
                "edit", line_html(line) + acts_html([Act(say("chat.cancel"), act="unedit")]), after=""
            )
        else:
            self._foot.remove("edit")
        self._foot.put("totals", line_html(totals_line(self._answers())))

    def _answers(self) -> list[Answer]:
        return [turn.answer for turn in self._thread.active()]

    def _names(self) -> None:
        self._controls.name_threads(
            self.session.threads.names(notebook=self.origin.notebook), self._thread.name
        )

    def _named(self, name: str) -> Thread:
        if not name.strip():
            raise InputError(say("chat.no_name"), field="thread")
        return self.session.threads.thread(name.strip(), notebook=self.origin.notebook)

    def _as(self, write: Write) -> str:
        turns = self._thread.active()
        if not turns:
            options = {**self._controls.options(), "thread": self._thread.name}
            return as_written(write, say("composer.placeholder"), options)
        told = self._log.told(turns[-1])
        options = {"model": turns[-1].answer.model, "thread": self._thread.name, **told.options}
        return as_written(write, told.text, options)

    # --- around it --------------------------------------------------------------------------

    def _folder(self) -> Path:
        settings = self.session.settings
        return open_folder(settings.media_dir, home=settings.home, beside=Path.cwd()).path / "uploads"

    def _ipython_display_(self) -> None:
        super()._ipython_display_()
        listen(self)
        self.refresh()
        if self.session in _served:
            self._controls.offer(_served[self.session])
        elif self.session.gateway.connection.known() is not None:
            _served[self.session] = []
            io_loop().submit(self._ask_what_is_served())

    async def _ask_what_is_served(self) -> None:
        """The gateway's own list, once; without it the catalogue does."""
        try:
            served = await self.session.gateway.models()
        except (AnyFastError, OSError):
            return
        _served[self.session] = [one.id for one in served]
        self._controls.offer(_served[self.session])


async def _chips(wish: Wish, told: Told) -> list[Chip]:
    """With small pictures, for the next time the turn is drawn."""
    old = told.chips[: len(told.chips) - len(wish.items)]
    return [*old, *[await asyncio.to_thread(chip, item) for item in wish.items]]


def _last_word(outcome: Outcome) -> str:
    if outcome.error is not None:
        return lines_of(outcome.error)[0]
    stopped = outcome.turn is None or outcome.turn.answer.status is Status.INTERRUPTED
    return say("chat.stopped") if stopped else say("chat.ended")
