"""The jobs panel: every film that was asked for, found again, gone on with, and played."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from anyfast_nb.errors import AnyFastError, StillRunning
from anyfast_nb.ledger.job_rows import JobStatus
from anyfast_nb.ledger.periods import NAMES
from anyfast_nb.panels.board import Board
from anyfast_nb.panels.errands import drawn
from anyfast_nb.panels.jobs_adopt import Adopting
from anyfast_nb.panels.jobs_history import OPEN, PAGE, History, Wanted, film_of, line_of, may_resume, more_of
from anyfast_nb.panels.memos import Memos, in_a_row, press_button
from anyfast_nb.panels.panel import Panel, lines_of
from anyfast_nb.panels.scratch import Scratch
from anyfast_nb.panels.words import say
from anyfast_nb.render.history import history_bundle, job_html, pager_html
from anyfast_nb.render.notice import notice

if TYPE_CHECKING:
    from anyfast_nb.jobs.job import Job
    from anyfast_nb.ledger.job_rows import JobRow
    from anyfast_nb.render.history import JobMore
    from anyfast_nb.render.publish import Bundle
    from anyfast_nb.session import Session

_KINDS: Final = ("seedance", "kling")
_LOOK_S: Final = 2.0
_PIXELS: Final = 192
_ESSENCE: Final = 20
_FIELD: Final = {"width": "auto", "flex": "1 1 15em", "min_width": "13em"}


class JobsPanel(Panel):
    """The films of the ledger, newest first, with what can be done with each.

    Args:
        session: of the kernel.

    Example:
        >>> import anyfast_nb as af
        >>> af.JobsPanel()  # doctest: +SKIP
    """

    def __init__(self, *, session: Session | None = None) -> None:
        super().__init__(session=session)
        self._history = History(self.session)
        self._wanted = Wanted()
        self._first = 0
        self._opened: dict[str, JobMore] = {}  # jobs with all about them, by id
        self._following: set[str] = set()
        self._posters: dict[str, tuple[Path, bytes] | None] = {}  # by film
        self._scratch = Scratch()
        self._offering = False
        self._build()
        self.refresh()

    # --- what is in it --------------------------------------------------------------------

    def _build(self) -> None:
        wanted = self._wanted
        states = [(say("jobs.every_status"), ""), (say("jobs.open"), OPEN)]
        states += [
            (say(f"jobs.is_{one.value}"), one.value) for one in JobStatus if one is not JobStatus.UNKNOWN
        ]
        field = ipywidgets.Layout(**_FIELD)
        self._kind = self._chooser("kind", [(say("jobs.every_kind"), ""), *((one, one) for one in _KINDS)])
        self._status = self._chooser("status", states)
        self._model = self._chooser("model", self._options("model"))
        self._notebook = self._chooser("notebook", self._options("notebook"))
        since = ipywidgets.Combobox(
            value=wanted.since,
            options=NAMES,
            description=say("jobs.since"),
            placeholder=say("jobs.since_hint"),
            continuous_update=False,
            layout=field,
        )
        since.observe(self.guarded(self._since_chosen), "value")
        text = ipywidgets.Text(
            value=wanted.text, description=say("jobs.text"), placeholder=say("jobs.text_hint"), layout=field
        )
        text.observe(self.guarded(lambda change: self._choose(text=change["new"])), "value")
        bar = in_a_row([self._kind, self._status, self._model, self._notebook, since, text])
        acts = in_a_row(
            [
                press_button("jobs.refresh", self.guarded(lambda _: self.refresh())),
                press_button("jobs.resume_all", self.guarded(lambda _: self.resume_all())),
            ]
        )
        self._adopting = Adopting(on_adopt=self.guarded(self._adopted))
        self._memos = Memos("jobs", on_act=self.guarded(self._act))
        self._list = Board(
            label=say("jobs.list_label"), height="40em", on_act=self.guarded(self._act), text_of=self._text_of
        )
        self._list.add_class("anyfast-jobs")
        self.children = [bar, acts, self._memos.board, self._adopting.box, self._list]
        self._draw()

    def _chooser(self, name: str, options: Sequence[tuple[str, str]]) -> Any:
        made = ipywidgets.Dropdown(
            options=options,
            value=getattr(self._wanted, name),
            description=say(f"jobs.{name}"),
            layout=ipywidgets.Layout(**_FIELD),
        )
        made.observe(self.guarded(lambda change: self._choose(**{name: change["new"]})), "value")
        return made

    def _options(self, name: str) -> list[tuple[str, str]]:
        chosen = getattr(self._wanted, name)
        names = self._history.names(name)
        names += [chosen] if chosen and chosen not in names else []
        return [(say("jobs.every_status"), ""), *((_end(one), one) for one in names)]

    def relabel(self) -> None:
        """Say everything anew, in the language of the settings; what was chosen stays."""
        self._build()

    # --- reading --------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the ledger; gives back at once."""
        since = self._wanted.since
        self._errands.read(lambda: self._history.read(since), self._read, key="read")

    def _read(self, rows: dict[str, JobRow]) -> None:
        self._history.rows, self._history.known = rows, True
        self._offering = True  # new options choose the first of them
        try:
            for name, widget in (("model", self._model), ("notebook", self._notebook)):
                options = self._options(name)
                if list(widget.options) != options:
                    widget.options = options
                widget.value = getattr(self._wanted, name)
        finally:
            self._offering = False
        self._draw()
        self.keep(now=True)
        self._errands.read(lambda: self._history.settled(self._page()), self._renew)
        self._errands.watch("live", wanted=self._waits, look=self._look, gap_s=_LOOK_S)

    def _waits(self) -> bool:
        """May something change by itself?"""
        return any(
            not row.status.ends and row.status is not JobStatus.SUBMIT_UNKNOWN
            for row in list(self._history.rows.values())
        )

    async def _look(self) -> bool:
        try:
            changed = await asyncio.to_thread(self._history.changed)
        except AnyFastError:
            return False  # told by the next press of Refresh
        self._renew(changed)
        return bool(changed)

    def _renew(self, rows: Sequence[JobRow]) -> None:
        """Draw what has changed."""
        if not rows:
            return
        for row in rows:
            if row.id in self._opened:
                self._open(row.id)
        self._history.put(*rows)
        self._draw()
        self.keep(now=any(row.status.ends for row in rows))

    # --- what is shown --------------------------------------------------------------------

    def _choose(self, **changes: Any) -> None:
        if self._offering:
            return
        self._wanted = replace(self._wanted, **changes)
        self._first = 0
        self._draw()
        self.keep()

    def _since_chosen(self, change: Any) -> None:
        self._choose(since=change["new"])
        self.refresh()

    def _fitting(self) -> list[JobRow]:
        return self._history.fitting(self._wanted)

    def _page(self) -> list[JobRow]:
        return self._fitting()[self._first : self._first + PAGE]

    def _draw(self) -> None:
        fitting = self._fitting()
        page = fitting[self._first : self._first + PAGE]
        older = len(fitting) > self._first + len(page)
        caption = self._caption(fitting, page)
        pager = pager_html(caption, newer=self._first > 0, older=older, say=say)
        pieces = {"head": pager}
        pieces |= {f"job-{row.id}": self._line(row) for row in page}
        if older or self._first:
            pieces["foot"] = pager
        drawn(self._list, pieces)
        wanted = [
            film for row in page if (film := film_of(row)) is not None and str(film) not in self._posters
        ]
        if wanted:
            self._errands.run(self._make_posters(wanted), key="posters")

    def _line(self, row: JobRow) -> str:
        known = self._posters.get(row.path or "")
        picture = "" if known is None else self._list.medium(known[0])
        line = line_of(row, picture=picture, following=row.id in self._following)
        more = self._opened.get(row.id)
        film = film_of(row)
        if more is not None and film is not None:
            more = replace(more, film=self._list.medium(film))
        return job_html(line, say=say, more=more)

    def _redraw(self, id: str) -> None:
        row, name = self._history.rows.get(id), f"job-{id}"
        if row is not None and name in self._list.pieces:
            self._list.put(name, self._line(row))

    def _caption(self, fitting: Sequence[JobRow], page: Sequence[JobRow]) -> str:
        if not self._history.known:
            return say("jobs.loading")
        if not fitting:
            return say("jobs.none_fits" if self._history.rows or self._wanted != Wanted() else "jobs.none")
        if len(fitting) == 1:
            return say("jobs.one")
        first = self._first + 1
        return say("jobs.count", first=first, last=self._first + len(page), count=f"{len(fitting):,}")

    async def _make_posters(self, films: Sequence[Path]) -> None:
        """A small picture of each film, one after the other."""
        for film in films:
            self._posters[str(film)] = await asyncio.to_thread(self._poster, film)
            for row in self._page():
                if row.path == str(film):
                    self._redraw(row.id)
        self.keep()

    def _poster(self, film: Path) -> tuple[Path, bytes] | None:
        from anyfast_nb.media.frames import poster

        small = poster(film, longest=_PIXELS)
        if small is None:
            return None
        path = self._scratch.path / f"{len(self._posters)}.jpeg"
        path.write_bytes(small.data)
        return path, small.data

    def tell(self, error: BaseException) -> None:
        """Show in the panel what went wrong."""
        self._memos.put("trouble", lines_of(error), kind="trouble")

    # --- what a person presses ------------------------------------------------------------

    def _act(self, act: str) -> None:
        verb, _, name = act.partition(":")
        if verb == "away":
            self._memos.drop(name)
        elif verb in {"newer", "older"}:
            self._first = max(0, self._first + (PAGE if verb == "older" else -PAGE))
            self._draw()
            self._errands.read(lambda: self._history.settled(self._page()), self._renew)
        elif verb == "details":
            self._toggle(name)
        elif verb == "resume":
            self.resume(name)

    def _toggle(self, id: str) -> None:
        if id in self._opened:
            del self._opened[id]
            if self._adopting.id == id:
                self._adopting.show("", "")
            self._redraw(id)
            return
        row = self._history.rows.get(id)
        if row is not None and row.status is JobStatus.SUBMIT_UNKNOWN:
            self._adopting.show(id, row.short_id)
        self._open(id)

    def _open(self, id: str) -> None:
        def read() -> JobMore:
            return more_of(self.session.desk.job(id), self._history.ledger)

        def show(more: JobMore) -> None:
            self._opened[id] = more
            self._redraw(id)

        self._errands.read(read, show, key=f"open {id}")

    def resume(self, id: str) -> None:
        """Wait for a job until its film is here; gives back at once.

        Args:
            id: the whole one.
        """
        if id in self._following:
            return
        self._following.add(id)
        self._redraw(id)
        short = id[-8:]
        self._memos.put(id, [say("jobs.resumed", id=short)], kind="going")
        self._list.announce(say("jobs.resumed", id=short))

        def ended(job: Job) -> None:
            self._following.discard(id)
            self._memos.put(id, [say("jobs.film_here", id=short)])
            self._renew([job.row])
            self._draw()

        def failed(error: BaseException) -> None:
            self._following.discard(id)
            self._memos.put(id, lines_of(error), kind="" if isinstance(error, StillRunning) else "trouble")
            self._errands.read(lambda: [self.session.desk.job(id).row], self._renew)
            self._redraw(id)

        self._errands.run(self._followed(id), ended, failed=failed)

    async def _followed(self, id: str) -> Job:
        job = await asyncio.to_thread(self.session.desk.job, id)
        await self.session.desk.scheduler.follow(job, on_change=lambda one: self._renew([one.row]))
        return job

    def resume_all(self) -> None:
        """Wait for all that are not done, or whose film is not on this disk; gives back at once."""
        every = [row.id for row in self._fitting() if may_resume(row, film_of(row))]
        for one in every:
            self.resume(one)
        if not every:
            self._memos.put("resumed", [say("jobs.nothing_open")])

    def _adopted(self, id: str, task_id: str) -> None:
        def adopt() -> JobRow:
            return self.session.desk.job(id).adopt(task_id).row

        def going(row: JobRow) -> None:
            self._adopting.show("", "")
            self._renew([row])
            self.resume(id)

        self._errands.read(adopt, going)

    def _text_of(self, key: str) -> str:
        kind, _, job = key.partition(":")
        if kind == "list":
            return self.as_magic()
        more = self._opened.get(job)
        if kind == "magic":
            return f"%anyfast resume {job[-8:]}"
        return "" if more is None else more.prompt if kind == "prompt" else more.path

    # --- what stays -----------------------------------------------------------------------

    def as_magic(self) -> str:
        """The line that lists what is shown."""
        return self._wanted.as_magic

    def essence(self) -> Bundle:
        """The newest jobs of the list, as a table with pictures."""
        fitting = self._fitting()
        page = fitting[self._first : self._first + _ESSENCE]
        if not page:
            return notice(self._caption(fitting, page))
        known = [self._posters.get(row.path or "") for row in page]
        pictures = [None if one is None else ("image/jpeg", one[1]) for one in known]
        return history_bundle(
            [line_of(row) for row in page], caption=self._caption(fitting, page), pictures=pictures
        )

    def close(self) -> None:
        """Let go of it; jobs go on."""
        self._errands.close()
        self._scratch.close()
        super().close()


def _end(text: str) -> str:
    """The end of a long path or name: that is where they differ."""
    return text if len(text) <= 40 else f"…{text[-39:]}"
