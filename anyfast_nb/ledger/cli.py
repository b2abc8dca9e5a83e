"""The command ``anyfast-ledger``: a class's ledger for its teacher, and keeping any ledger small."""

from __future__ import annotations

import argparse
import os
import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO
from unicodedata import category

from anyfast_nb._version import __version__
from anyfast_nb.errors import AnyFastError, ConfigError, InputError

if TYPE_CHECKING:
    from anyfast_nb.ledger.classroom.classroom import Classroom, Member
    from anyfast_nb.ledger.store import Ledger

ADMIN_URL: Final = "ANYFAST_LEDGER_ADMIN_URL"

DESCRIPTION = """\
A class's usage ledger on PostgreSQL, for its teacher: make it ready, let
students in, set budgets, see what was used. And retention for any ledger.
"""
EPILOG = f"""\
A class in four lines, by the owner of a database of its own:

  export {ADMIN_URL}=postgresql+psycopg://owner:…@host/database
  anyfast-ledger init
  anyfast-ledger add anna ben chen --to ledgers.txt
  anyfast-ledger budget --each "50k tokens" --per day --class "2M tokens"

URL may be left out where {ADMIN_URL} is set; `-` reads it from
standard input. Written on the command line, its password can be seen by other
users of this machine while the command runs.

Budgets guard against accidents: whoever holds the key can spend, and figures
are the clients' own report.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command.

    Returns:
        0 if it was done, 1 if it was refused or failed, 2 for a wrong command line.
    """
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given) or 0)
    except AnyFastError as error:
        for line in (f"anyfast-ledger: {error.message}", error.hint):
            if line := _in_its_own_words(line).strip():
                print(_plain(line), file=sys.stderr)
        return 1
    except BrokenPipeError:  # `| head` has seen enough
        sys.stdout = None
        return 0


# --- the class ----------------------------------------------------------------------------


def _init(given: argparse.Namespace) -> None:
    from anyfast_nb.ledger.classroom.classroom import PLAINLY

    room = _room(given.words, most=0)
    for line in [*room.init(), *PLAINLY]:
        print(line)
    if not room.members():
        print("Next: anyfast-ledger add URL NAME…")


def _add(given: argparse.Namespace) -> None:
    room, names = _room_and_names(given.words, least=1)
    keep: Callable[[list[Member]], object] | None = None
    if given.to is not None:
        keep = lambda made: _keep_ledgers(given.to, made)  # noqa: E731
    members = room.add(names, reset=given.reset, host=given.host, keep=keep)
    for member in members:
        if not member.is_new:
            told = f"{member.name}: a member already, the URL stays (--reset gives a new one)"
            print(told, file=sys.stderr)
        elif given.to is None:
            print(f"{member.name} {member.url}")
        else:
            print(f"{member.name}: the URL is in {given.to}")
    if given.to is None and any(member.is_new for member in members):
        print(
            "These URLs are shown this once: each is one student's ANYFAST_LEDGER_URL, and a password.",
            file=sys.stderr,
        )


def _keep_ledgers(path: Path, members: list[Member]) -> None:
    """Write the URLs into a file of ``NAME URL`` lines that only its owner may read; others' lines stay."""
    from anyfast_nb import keystore
    from anyfast_nb.ledger.classroom.hub import read_ledgers

    try:
        known = read_ledgers(path) if path.exists() else {}
        known |= {member.name: member.url for member in members}
        keystore.write_private(path, "".join(f"{name} {url}\n" for name, url in sorted(known.items())))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror}); nobody was added.",
            hint="Choose another --to FILE.",
        ) from None


def _remove(given: argparse.Namespace) -> None:
    room, names = _room_and_names(given.words, least=1)
    for member in room.remove(names):
        print(f"{member.name}: may not log in any more; the rows stay")


def _list(given: argparse.Namespace) -> None:
    members = _room(given.words, most=0).members()
    for member in members:
        print(member.name if member.active else f"{member.name} (removed)")
    if not members:
        print("Nobody yet: anyfast-ledger add URL NAME…", file=sys.stderr)


def _budget(given: argparse.Namespace) -> None:
    from anyfast_nb.ledger.budget.values import Scope, parse_amount

    wishes = [(scope, text) for scope, text in ((Scope.USER, given.each), (Scope.ALL, given.all)) if text]
    amounts = [(scope, *parse_amount(text)) for scope, text in wishes]
    if given.end and amounts:
        raise InputError("--end takes no amount", field="end", hint="Set new budgets in a second command.")
    room = _room(given.words, most=0)
    room.members()  # a class, or a plain word that it is none
    with _ledger(room.url) as ledger:
        for scope, amount, unit in amounts:
            made = ledger.set_budget(
                amount, unit, per=given.per, scope=scope, hard=not given.soft, zone=given.zone, user=None
            )
            print(f"Set: {made}{'' if made.hard else ', only warns'}, days of {made.zone}.")
        if given.end:
            ended = _end_budgets(ledger)
            print(f"Ended: {ended} budget{'s' if ended != 1 else ''} of the class.")
        elif not amounts:
            _show_budgets(ledger)


def _end_budgets(ledger: Ledger) -> int:
    ids = {state.budget.id for state in ledger.budgets(everyone=True) if state.budget.user is None}
    for budget in sorted(ids):
        ledger.end_budget(budget)
    return len(ids)


def _show_budgets(ledger: Ledger) -> None:
    states = ledger.budgets(everyone=True)
    for state in states:
        budget = state.budget
        told = [f"{budget}{'' if budget.hard else ' (only warns)'}"]
        told += [f"set by {budget.user} for themselves"] if budget.user else []
        told += [state.name] if state.name and state.name != budget.user else []
        told.append(f"spent {budget.said(state.spent)}")
        told += [f"reserved {budget.said(state.reserved)}"] if state.reserved else []
        told.append(f"left {budget.said(max(0, state.left))}")
        told += [f"{budget.said(state.excess)} over"] if state.excess else []
        told += [f"{state.unknown} without known usage"] if state.unknown else []
        print(_plain(" · ".join(told)))
    if not states:
        print('No budget: anyfast-ledger budget URL --each "50k tokens" --per day --class "2M tokens"')


# --- any ledger ---------------------------------------------------------------------------


def _usage(given: argparse.Namespace) -> None:
    from anyfast_nb.ledger.views.report import usage

    place = _place(given.words)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        report = str(usage(given.since, by=given.by, tz=given.zone, path=place))
    for line in dict.fromkeys(str(one.message) for one in told):
        print(_plain(line), file=sys.stderr)
    _print_lines(_in_its_own_words(report))


def _prune(given: argparse.Namespace) -> int:
    from anyfast_nb.ledger.retention import older_than, prune

    place = _place(given.words)
    before: Any = given.before if given.before is not None else older_than(given.older_than)
    planned = prune(before, path=place, dry_run=True)
    _print_lines(str(planned))
    if not planned.total or given.dry_run:
        return 0
    if not given.yes and not _confirmed(sys.stdin):
        print("anyfast-ledger: nothing went; --yes lets them go without asking", file=sys.stderr)
        return 1
    _print_lines(str(prune(planned.before, path=place)))
    return 0


def _confirmed(keyboard: TextIO) -> bool:
    if not keyboard.isatty():
        return False
    print("They are kept nowhere else. Let them go? [y/N] ", end="", flush=True)
    return keyboard.readline().strip().lower() in {"y", "yes"}


# Below, a notebook's words are spoken.
_OWN_WORDS: Final = (
    (re.compile(r"`%anyfast usage all` shows"), "--since all shows"),
    (re.compile(r"`%anyfast budget` (shows|lists)"), r"`anyfast-ledger budget` \1"),
    (re.compile(r"`(%anyfast prices [^`]*)` sets it"), r"in a notebook, `\1` sets it"),
    (re.compile(r"`%anyfast doctor` shows where it is[^.;]*[.;] ?(?:set ANYFAST_\w+ to use another\.)?"), ""),
    (re.compile(r"\btz="), "--zone "),
    (re.compile(r"\bzone="), "--zone "),
    (re.compile(r"\b(by|since|before|per)=(?=')"), r"--\1 "),
)


def _in_its_own_words(text: str) -> str:
    for pattern, words in _OWN_WORDS:
        text = pattern.sub(words, text)
    return text


# --- places -------------------------------------------------------------------------------


def _url_and_rest(
    words: Sequence[str], *, environ: Mapping[str, str] = os.environ
) -> tuple[str | None, list[str]]:
    """The URL, if it is among the words or in the environment, and the other words."""
    first, rest = (words[0], list(words[1:])) if words else ("", [])
    if first == "-":
        return sys.stdin.readline().strip(), rest
    if "://" in first:
        return first, rest
    return environ.get(ADMIN_URL, "").strip() or None, list(words)


def _room_and_names(words: Sequence[str], *, least: int = 0) -> tuple[Classroom, list[str]]:
    from anyfast_nb.ledger.classroom.classroom import Classroom

    url, names = _url_and_rest(words)
    if url is None:
        raise ConfigError(
            "the URL of the class's ledger is missing",
            hint=f"Write it first, or set {ADMIN_URL}; it looks like postgresql+psycopg://owner:…@host/database.",
        )
    if len(names) < least:
        raise InputError("no student is named", field="NAME", hint="Write the names behind the URL.")
    return Classroom(url), names


def _room(words: Sequence[str], *, most: int) -> Classroom:
    room, rest = _room_and_names(words)
    if len(rest) > most:
        raise InputError(f"{rest[most]!r} is one word too many", field="URL")
    return room


def _place(words: Sequence[str]) -> str | None:
    """A ledger of any kind; None is this person's own."""
    url, rest = _url_and_rest(words)
    if len(rest) > 1 or (rest and words[0] != rest[0]):
        raise InputError(f"{rest[-1]!r} is one word too many", field="URL")
    if rest and not Path(rest[0]).exists():  # else an empty ledger would be made there
        raise InputError(f"There is no file {rest[0]}.", field="URL")
    return rest[0] if rest else url


def _ledger(url: str) -> Ledger:
    from anyfast_nb.ledger.store import Ledger

    return Ledger(url)


def _plain(line: str) -> str:
    """Names are the clients' own words: none of them steers this terminal."""
    return "".join("\N{REPLACEMENT CHARACTER}" if category(char)[0] == "C" else char for char in line)


def _print_lines(text: str) -> None:
    for line in text.splitlines():
        print(_plain(line))


# --- the command line ---------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="anyfast-ledger",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"anyfast-ledger {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int | None], help: str, words: str) -> Any:
        made = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
        made.set_defaults(run=run)
        url = f"URL: {ADMIN_URL}, if not given; - reads it from standard input"
        made.add_argument("words", nargs="*", metavar=words, help=url)
        return made.add_argument

    command("init", _init, "make a database ready for a class, or bring it up to date", "URL")
    add = command("add", _add, "let students in: a role, a password and a URL for each", "URL NAME")
    add("--to", type=Path, metavar="FILE", help="write the URLs there, mode 0600, instead of showing them")
    add("--reset", action="store_true", help="members get a new password; the old URL stops working")
    add("--host", metavar="HOST[:PORT]", help="how students reach the server, if not as in URL")
    command("remove", _remove, "take students' login away; their rows stay", "URL NAME")
    command("list", _list, "show the students", "URL")
    _add_budget(command("budget", _budget, "set, show or end the class's budgets", "URL"))
    by = ("user", "model", "day", "notebook", "thread", "kind")
    add = command("usage", _usage, "show what was used, of a class or of a file", "URL_OR_FILE")
    add("--by", choices=by, default="user", help="what a line is about (default: user)")
    add("--since", default="month", metavar="WHEN", help="today, week, 7d, all, a date (default: month)")
    add("--zone", metavar="ZONE", help="whose days, such as Asia/Shanghai (default: this machine's)")
    add = command("prune", _prune, "let rows go that are older than a date", "URL_OR_FILE")
    which = commands.choices["prune"].add_mutually_exclusive_group(required=True)
    which.add_argument("--before", metavar="DATE", help="such as 2026-01-01")
    which.add_argument("--older-than", metavar="AGE", help="such as 365d")
    add("--dry-run", action="store_true", help="only show what would go")
    add("--yes", action="store_true", help="do not ask")
    return parser


def _add_budget(add: Callable[..., Any]) -> None:
    add("--each", metavar="AMOUNT", help='for each student, such as "50k tokens" or "0.50 USD"')
    add("--class", dest="all", metavar="AMOUNT", help="for all students together")
    add("--per", choices=("day", "week", "total"), default="day", help="how often it is anew (default: day)")
    add("--zone", metavar="ZONE", help="whose midnight, such as Asia/Shanghai (default: this machine's)")
    add("--soft", action="store_true", help="warn only; else a request that might exceed it is not sent")
    add("--end", action="store_true", help="end all budgets of the class; students' own stay")


if __name__ == "__main__":
    sys.exit(main())
