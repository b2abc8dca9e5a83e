"""Films of a panel: each a card that tells how far it is, and plays when it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from anyfast_nb.render.acts import Act, acts_html
from anyfast_nb.render.clip import Image, data_uri
from anyfast_nb.render.escape import escape_attribute, escape_prose
from anyfast_nb.render.inputs import wrong_html


@dataclass(frozen=True, slots=True)
class Queued:
    """One film at one moment, all in words.

    Attributes:
        title: who makes it, and its number.
        status: how it stands.
        prompt: what was asked for.
        told: how long, how usual.
        progress: percent; None draws no bar.
        trouble: why there is no film, and what to do.
        notes: small lines: what was assumed, where the file is.
        film: the board's name of the film; "" is none yet.
        size: of the film in pixels.
        poster: its first frame.
        acts: buttons.
        ended: no more will happen.
    """

    title: str
    status: str
    prompt: str = ""
    told: Sequence[str] = ()
    progress: int | None = None
    trouble: Sequence[str] = ()
    notes: Sequence[str] = ()
    film: str = ""
    size: tuple[int, int] | None = None
    poster: Image | None = field(default=None, repr=False)
    acts: Sequence[Act] = ()
    ended: bool = False


def queued_html(film: Queued) -> str:
    """A film as safe HTML."""
    words = " · ".join(escape_prose(word) for word in film.told if word)
    status = f"<div><b>{escape_prose(film.status)}</b>{f' · {words}' if words else ''}</div>\n"
    title = f'<div class="anyfast-fine">{escape_prose(film.title)}</div>\n'
    prompt = f'<div class="anyfast-prompt">{escape_prose(film.prompt)}</div>\n' if film.prompt else ""
    notes = "".join(f'<div class="anyfast-fine">{escape_prose(note)}</div>\n' for note in film.notes)
    inner = title + status + _bar(film) + prompt + wrong_html(film.trouble) + notes + acts_html(film.acts)
    player = _player(film)
    name = "anyfast-film" if player else "anyfast-film anyfast-film-none"
    return f'<div class="{name}">{player}<div class="anyfast-about">{inner}</div></div>'


def _player(film: Queued) -> str:
    if not film.film:
        return ""
    poster = "" if film.poster is None else f' poster="{data_uri(*film.poster)}"'
    shape = "" if film.size is None else f' style="aspect-ratio:{film.size[0]}/{film.size[1]}"'
    label = escape_attribute(film.prompt[:120] or film.title)
    return (
        f'<video controls playsinline preload="metadata" data-medium="{escape_attribute(film.film)}"'
        f'{poster}{shape} aria-label="{label}"></video>'
    )


def _bar(film: Queued) -> str:
    if film.progress is None or film.ended:
        return ""
    label = escape_attribute(film.title)
    return (
        f'<div class="anyfast-bar-of" role="progressbar" aria-label="{label}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{film.progress}">'
        f'<div style="width:{film.progress}%"></div></div>\n'
    )
