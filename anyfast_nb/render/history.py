"""Jobs as a list: a line for each with its picture, and all about one where somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from anyfast_nb.render.escape import escape, escape_attribute, escape_prose
from anyfast_nb.render.notice import table
from anyfast_nb.render.shelf import button, copy_button, state_html

Say = Callable[..., str]
"""The words of a key."""

_SHORT: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """A job as a line of the list.

    Attributes:
        id, short: the whole id, and its end.
        status: in the ledger's word.
        state: the same in words.
        title: what was asked for.
        facts: short words: kind, model, when.
        progress: percent while it is made.
        error: why it ended without a film.
        remark: what else is to be known.
        picture: name of its poster on the board, "" is none.
        resumes: it can be gone on with.
        absent: its film was made and is not here.
        playable: its film is here.
        following: somebody waits for it here.
    """

    id: str
    short: str
    status: str
    state: str
    title: str
    facts: tuple[str, ...] = ()
    progress: int | None = None
    error: str = ""
    remark: str = ""
    picture: str = ""
    resumes: bool = False
    absent: bool = False
    playable: bool = False
    following: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMore:
    """All about one job.

    Attributes:
        prompt: in full.
        facts: names and values.
        trouble: why there is no film, and what to do.
        events: time, status, note.
        film: name of the film on the board, "" is none.
        path: of the file, "" is none.
    """

    prompt: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    trouble: tuple[str, ...] = ()
    events: tuple[tuple[str, str, str], ...] = ()
    film: str = ""
    path: str = ""


def job_html(line: JobLine, *, say: Say, more: JobMore | None = None) -> str:
    """A job as a line, or with all about it below."""
    if line.picture:
        picture = f'<img data-medium="{escape_attribute(line.picture)}" alt="">'
    else:
        picture = f'<span aria-hidden="true">{_sign(line)}</span>'
    title = line.title if len(line.title) <= _SHORT else f"{line.title[: _SHORT - 1]}…"
    state = state_html(line.status, line.state)
    facts = escape_prose(" · ".join(fact for fact in line.facts if fact))
    waits = (
        f' <span class="anyfast-soft">· {escape_prose(say("jobs.following"))}</span>'
        if line.following
        else ""
    )
    why = (
        f'<div class="anyfast-fault">{escape_prose(line.error)}</div>' if line.error and more is None else ""
    )
    why += f'<div class="anyfast-soft">{escape_prose(line.remark)}</div>' if line.remark else ""
    below = "" if more is None else _more_html(line, more, say)
    return (
        f'<div class="anyfast-job-line"><div class="anyfast-tile">{picture}</div>'
        '<div class="anyfast-job-words">'
        f'<div class="anyfast-head-words">{escape_prose(title)}</div>'
        f'<div class="anyfast-soft">{state} {facts}{waits}</div>{_progress(line)}{why}'
        f'<div class="anyfast-acts">{_acts(line, say, opened=more is not None)}</div></div></div>{below}'
    )


def pager_html(text: str, *, newer: bool, older: bool, say: Say) -> str:
    """Which part of the list is shown, and the way to the others."""
    acts = [
        f'<button type="button" class="anyfast-act" data-act="{act}:"{"" if there else " disabled"}>'
        f"{escape_prose(say(f'jobs.{act}'))}</button>"
        for act, there in (("newer", newer), ("older", older))
    ]
    shown = [copy_button("list:", say("jobs.copy_magic")), *(acts if newer or older else ())]
    buttons = f'<span class="anyfast-acts">{"".join(shown)}</span>'
    return f'<div class="anyfast-pager"><span class="anyfast-soft">{escape_prose(text)}</span>{buttons}</div>'


def history_bundle(
    lines: Sequence[JobLine], *, caption: str, pictures: Sequence[tuple[str, bytes] | None] = ()
) -> dict[str, str]:
    """The jobs as a table that stays: `text/plain` and `text/html`."""
    rows = [
        (
            line.short,
            line.state,
            " ".join(line.title.split())[:_SHORT],
            " · ".join(filter(None, line.facts)),
            line.error,
        )
        for line in lines
    ]
    return table(rows, caption=caption, pictures=pictures)


def _sign(line: JobLine) -> str:
    """What stands where there is no picture."""
    if line.playable:
        return "▶"
    return "✕" if line.error else "▷" if line.absent else "…"


def _progress(line: JobLine) -> str:
    if line.progress is None:
        return ""
    label = escape_attribute(f"{line.state}: {line.short}")
    return (
        f'<div class="anyfast-level" role="progressbar" aria-label="{label}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{line.progress}">'
        f'<div style="width:{line.progress}%"></div></div>'
    )


def _acts(line: JobLine, say: Say, *, opened: bool) -> str:
    of = escape_attribute(line.title[:60] or line.short)
    word = say("jobs.less") if opened else say("jobs.play") if line.playable else say("jobs.details")
    made = button(f"details:{line.id}", word, of=of).replace(
        "<button ", f'<button aria-expanded="{str(opened).lower()}" ', 1
    )
    if line.resumes and not line.following:
        made += button(f"resume:{line.id}", say("jobs.download" if line.absent else "jobs.resume"), of=of)
    return made


def _more_html(line: JobLine, more: JobMore, say: Say) -> str:
    inner = ""
    if more.film:
        label = escape_attribute(line.title[:120])
        film = escape_attribute(more.film)
        inner += f'<video controls preload="metadata" data-medium="{film}" aria-label="{label}"></video>'
    inner += f'<div class="anyfast-said">{escape_prose(more.prompt)}</div>' if more.prompt else ""
    inner += "".join(f'<div class="anyfast-fault">{escape_prose(one)}</div>' for one in more.trouble)
    facts = "".join(
        f"<dt>{escape_prose(name)}</dt><dd>{escape_prose(value)}</dd>" for name, value in more.facts if value
    )
    inner += f'<dl class="anyfast-factlist">{facts}</dl>'
    inner += _events(more, say)
    keys = [("magic", "jobs.copy_magic")]
    keys += [("prompt", "jobs.copy_prompt")] if more.prompt else []
    keys += [("path", "jobs.copy_path")] if more.path else []
    acts = "".join(copy_button(f"{key}:{line.id}", say(word)) for key, word in keys)
    return f'<div class="anyfast-job-more">{inner}<div class="anyfast-acts">{acts}</div></div>'


def _events(more: JobMore, say: Say) -> str:
    if not more.events:
        return ""
    head = "".join(f"<th>{escape_prose(say(f'jobs.{name}'))}</th>" for name in ("time", "event", "note"))
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape_prose(cell)}</td>' for cell in event)}</tr>" for event in more.events
    )
    title = escape(say("jobs.history"))
    return (
        f"<details><summary>{title}</summary><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></details>"
    )
