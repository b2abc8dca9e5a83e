"""The command ``anyfast-sim``: AnyFast on this machine, in front of any program that speaks AnyFast."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from anyfast_nb._version import __version__
from anyfast_nb.simulator import faults
from anyfast_nb.simulator.config import DEMO_KEY, REHEARSAL_KEY, Config, Profile
from anyfast_nb.simulator.gate import is_loopback

DESCRIPTION = """\
AnyFast on this machine: chat and responses, answered by a teaching model;
Seedream pictures, Seedance and Kling films and the asset store, made here.
Nothing leaves the machine, no real key is needed, nothing is billed.
"""
EPILOG = """\
Words in a prompt make the server fail, wait or break off in a chosen way:
anyfast-sim --list-faults shows them all.

environment: ANYFAST_SIM_KEY, ANYFAST_SIM_PROFILE, ANYFAST_SIM_STRICT (1 or 0),
ANYFAST_SIM_SPEED, ANYFAST_SIM_TOKENS_PER_SECOND and ANYFAST_SIM_LINK_HOURS
stand in for the options of the same name; an option wins.
"""
HIGHEST_PORT = 65_535
LONGEST_LINK_HOURS = 24 * 365.0
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until Ctrl-C.

    Returns:
        0 after an orderly end, 1 when the address cannot be had.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    config = _config(given, parser)
    # Imported after the arguments are known to be right: --help stays quick.
    from anyfast_nb.simulator.server import Run, listen, serve

    try:
        listening = listen(given.host, given.port)
    except OSError as error:
        why = error.strerror or str(error)
        print(
            f"anyfast-sim: cannot listen on {given.host} port {given.port}: {why}. "
            "Try another --port; 0 picks a free one.",
            file=sys.stderr,
        )
        return 1
    _announce(given, config, listening.getsockname()[1])
    idle_s = given.idle_minutes * 60 if given.idle_minutes else None
    serve(listening, config, Run(state_path=given.state_file, idle_s=idle_s))
    return 0


def _config(given: argparse.Namespace, parser: argparse.ArgumentParser) -> Config:
    key = given.key or os.environ.get("ANYFAST_SIM_KEY", "") or _own_key(given)
    if given.key_file is not None:
        try:
            key = given.key_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            parser.error(f"argument --key-file: cannot be read ({error.strerror})")
    if not key.isascii() or not key.isprintable() or " " in key or not key:
        parser.error("argument --key: must be printable ASCII without spaces")
    if given.unmarked and key.startswith("sk-sim-"):
        parser.error("argument --unmarked: a key that begins with sk-sim- says itself that it is simulated")
    # An address that was asked for is also a Host that may be asked for; "any address" names none.
    own = () if given.host in {"0.0.0.0", "::", ""} else (given.host,)  # noqa: S104
    return Config(
        key=key,
        hosts=(*given.allow_host, *own),
        profile=Profile(given.profile),
        tokens_per_second=given.tokens_per_second,
        speed=given.speed,
        proves=given.state_file is not None,
        version=__version__,
        strict=_strict(given, parser),
        link_s=given.link_hours * 3600,
        marked=not given.unmarked,
    )


def _own_key(given: argparse.Namespace) -> str:
    return REHEARSAL_KEY if given.unmarked else DEMO_KEY


def _strict(given: argparse.Namespace, parser: argparse.ArgumentParser) -> bool:
    if given.strict is not None:
        return bool(given.strict)
    word = _environ("STRICT", "0").lower()
    if word not in _TRUE | _FALSE:
        parser.error(f"ANYFAST_SIM_STRICT must be 1 or 0, got {word!r}")
    return word in _TRUE


def _announce(given: argparse.Namespace, config: Config, port: int) -> None:
    everywhere = given.host in {"0.0.0.0", "::", ""}  # noqa: S104
    name = "127.0.0.1" if everywhere else f"[{given.host}]" if ":" in given.host else given.host
    print(f"AnyFast, simulated, on http://{name}:{port}/v1")
    print(f"key: {config.key}" if config.key == _own_key(given) else "key: the one you gave")
    if given.unmarked:
        print("Replies do not say that they are simulated: ledgers count them as live, budgets refuse.")
    if everywhere and not given.allow_host:
        print(
            f"Other machines are refused until you say by which name they come: "
            f"anyfast-sim --host {given.host} --allow-host NAME"
        )
    if not is_loopback(name.strip("[]")) or (everywhere and given.allow_host):
        print("Anyone who reaches this port and knows the key can use it.")
    print("Ctrl-C ends it.", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="anyfast-sim",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this machine only)")
    add("--port", type=_port, default=8765, help="port (default: 8765; 0 picks a free one)")
    add("--key", default="", help=f"the key to let in (default: {DEMO_KEY})")
    add("--key-file", type=Path, help="read the key from this file instead")
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name, beside loopback, by which clients may reach this server; may be repeated",
    )
    _add_manners(parser.add_argument_group("how it answers"))
    add(
        "--idle-minutes",
        type=_not_negative,
        default=0.0,
        metavar="N",
        help="end after so long without a request (0: never)",
    )
    add("--state-file", type=Path, help="write port, key and pid there while running (for launchers)")
    add("--list-faults", action=_ListFaults, help="show the words that make it fail, and end")
    add("--version", action="version", version=f"anyfast-sim {__version__}")
    return parser


def _add_manners(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    # A default that is a string goes through `type`: a bad variable is told as a bad option is.
    add(
        "--profile",
        type=_profile,
        default=_environ("PROFILE", Profile.CURRENT.value),
        metavar="NAME",
        help=f"generation of AnyFast's shapes: {_profiles()} (default: current)",
    )
    add(
        "--strict",
        action="store_true",
        default=None,
        help="refuse also what only the documentation forbids, such as media out of order",
    )
    add(
        "--unmarked",
        action="store_true",
        help="do not say in replies that they are simulated: a ledger then takes them for live ones, which "
        f"rehearses budgets and refusals at no cost (the key is then {REHEARSAL_KEY}, unless one is given; "
        "use a state folder or ledger of its own, for these rows count)",
    )
    add("--lenient", dest="strict", action="store_false", help="take it as the service does (default)")
    add(
        "--speed",
        type=_not_negative,
        default=_environ("SPEED", "1"),
        metavar="X",
        help="divide every simulated wait by X; 0 means no wait at all (default: 1, 20 s for a 5 s film)",
    )
    add(
        "--tokens-per-second",
        type=_positive,
        default=_environ("TOKENS_PER_SECOND", "60"),
        metavar="N",
        help="speed of generation (default: 60)",
    )
    add(
        "--link-hours",
        type=_link_hours,
        default=_environ("LINK_HOURS", "12"),
        metavar="H",
        help="how long the link of a film works; that of a picture works twice as long (default: 12)",
    )


class _ListFaults(argparse.Action):
    """Prints the table of words and ends."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest=dest, default=argparse.SUPPRESS, nargs=0, help=help)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Print and end."""
        print(faults.table(), end="")
        parser.exit()


def _environ(name: str, default: str) -> str:
    return os.environ.get(f"ANYFAST_SIM_{name}", "").strip() or default


def _profiles() -> str:
    return ", ".join(profile.value for profile in Profile)


def _profile(text: str) -> str:
    if text not in {profile.value for profile in Profile}:
        raise argparse.ArgumentTypeError(f"must be one of {_profiles()}, got {text!r}")
    return text


def _port(text: str) -> int:
    if not text.strip().lstrip("-").isdecimal() or not 0 <= int(text) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"must be a number between 0 and {HIGHEST_PORT}, got {text!r}")
    return int(text)


def _not_negative(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"must be a number, 0 or more, got {text!r}")
    return value


def _positive(text: str) -> float:
    value = _not_negative(text)
    if value == 0:
        raise argparse.ArgumentTypeError("must be more than 0; --speed 0 takes all waits away")
    return value


def _link_hours(text: str) -> float:
    value = _not_negative(text)
    if not 0 < value <= LONGEST_LINK_HOURS:
        raise argparse.ArgumentTypeError(f"must be more than 0 and at most a year, got {text!r}")
    return value


if __name__ == "__main__":
    sys.exit(main())
