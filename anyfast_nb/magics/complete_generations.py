"""Tab completion for films, pictures, jobs and assets: what each option may hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import AnyFastError
from anyfast_nb.magics.generation_options import GRAMMARS, KINDS, generation_options
from anyfast_nb.magics.job_options import ASSET_ACTIONS, ASSET_TYPES, FILM_KINDS, SORTS, job_options

if TYPE_CHECKING:
    from anyfast_nb.session import Session

Words = Iterable[str]
VERBS: Final = ("jobs", "resume", "assets")
_MOST_JOBS: Final = 50
_KLING_SECONDS: Final = ("5", "10")


def words(
    name: str, before: list[str], fragment: str, *, media: Callable[[], Words], session: Session
) -> Words:
    """What may stand at the cursor.

    Args:
        name: a magic of ours, or one of the verbs above.
        before: the words in front of the cursor, without the verb.
        fragment: the word that has begun.
        media: the user's names and files.
        session: whose ledger knows earlier jobs.
    """
    options = generation_options(name) if name in KINDS else job_options(name)
    last = before[-1] if before else ""
    if last.startswith("-") and options.takes_value(last):
        known = _values(name, before, media, session)
        return known[last]() if last in known else ()
    if fragment.startswith("-"):
        return options.names()
    if name == "resume":
        return [*_job_ids(session), *([] if fragment else options.names())]
    if name == "assets":
        return _asset_words(before, media)
    return () if fragment else options.names()


def media_names(namespace: Mapping[str, Any], variables: list[str]) -> list[str]:
    """Variables, and the parts of them that are media: a film's last frame, a picture of a group."""
    found = []
    for name in variables:
        value = namespace[name]
        found.append(name)
        if type(value).__name__ == "Job":
            found.append(f"{name}.last_frame")
        elif type(value).__name__ == "Pictures":
            found += [f"{name}[{index}]" for index in range(len(value))]
    return found


def _values(
    name: str, before: list[str], media: Callable[[], Words], session: Session
) -> dict[str, Callable[[], Words]]:
    """Each option that has a value with what it may be."""
    found: dict[str, Callable[[], Words]] = {}
    if name in KINDS:
        grammar = GRAMMARS[name]
        found |= dict.fromkeys([*grammar.one.values(), *grammar.many.values()], media)
        found |= dict.fromkeys(("-m", "--model"), lambda: _models(name))
        found |= _of_catalogue(name, before)
    elif name == "jobs":
        from anyfast_nb.ledger.job_rows import JobStatus

        found |= {
            "--status": lambda: [status.value for status in JobStatus],
            "--kind": lambda: FILM_KINDS,
            "--sort": lambda: SORTS,
        }
    elif name == "assets":
        found |= {"--type": lambda: ASSET_TYPES}
    return found


def _models(kind: str) -> Words:
    from anyfast_nb import catalog
    from anyfast_nb.catalog.seedream import family_of
    from anyfast_nb.catalog.video import kling_family, seedance_family

    belongs = {"seedance": seedance_family, "kling": kling_family, "seedream": family_of}[kind]
    ability = "image generation" if kind == "seedream" else "video generation"
    return [name for name in catalog.names(ability=ability) if belongs(catalog.resolve(name)) is not None]


def _of_catalogue(kind: str, before: list[str]) -> dict[str, Callable[[], Words]]:
    """What the model of this line takes; its family may be unknown."""
    from anyfast_nb import catalog

    at = next((i for i, word in enumerate(before[:-1]) if word in {"-m", "--model"}), None)
    asked = None if at is None else catalog.resolve(before[at + 1])
    return _CHOICES[kind](asked)


def _seedance(asked: str | None) -> dict[str, Callable[[], Words]]:
    from anyfast_nb.catalog.video import seedance_family

    family = seedance_family(asked or "seedance") or seedance_family("seedance")
    if family is None:
        return {}
    seconds = [str(number) for number in range(family.duration_min, family.duration_max + 1)]
    resolutions = [*family.resolutions, *family.disputed]
    return {
        "--ratio": lambda: family.ratios,
        "--resolution": lambda: list(dict.fromkeys(resolutions)),
        "--duration": lambda: seconds,
    }


def _kling(asked: str | None) -> dict[str, Callable[[], Words]]:
    from anyfast_nb.catalog.video import kling_family
    from anyfast_nb.wire.kling import MODES, RATIOS

    family = kling_family(asked or "kling-v3")
    seconds = [str(number) for number in family.durations] if family else _KLING_SECONDS
    return {
        "--mode": lambda: MODES,
        "--aspect-ratio": lambda: RATIOS,
        "--ratio": lambda: RATIOS,
        "--duration": lambda: seconds,
    }


def _seedream(asked: str | None) -> dict[str, Callable[[], Words]]:
    from anyfast_nb.catalog.seedream import default_model, family_of
    from anyfast_nb.wire.images import FORMATS, OUTPUT_FORMATS

    family = family_of(asked or default_model())
    sizes = [*family.presets, *family.sizes] if family else []
    return {
        "--size": lambda: sizes,
        "--response-format": lambda: FORMATS,
        "--output-format": lambda: OUTPUT_FORMATS,
        "--format": lambda: OUTPUT_FORMATS,
    }


_CHOICES: Final = {"seedance": _seedance, "kling": _kling, "seedream": _seedream}


def _job_ids(session: Session) -> list[str]:
    """The jobs that can be resumed, the newest first; a ledger that cannot be read offers none."""
    try:
        rows = session.gateway.ledger.jobs()
    except AnyFastError:
        return []
    wanted = [row.short_id for row in rows if not row.status.ends or row.path is None]
    return wanted[: -_MOST_JOBS - 1 : -1]


def _asset_words(before: list[str], media: Callable[[], Words]) -> Words:
    if not before:
        return ASSET_ACTIONS
    if before[0] == "add":
        return media()
    return ("add", "rm") if before == ["groups"] else ()
