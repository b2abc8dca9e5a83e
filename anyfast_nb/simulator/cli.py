"""The command ``anyfast-sim``: AnyFast on this machine, in front of any program that speaks AnyFast."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from anyfast_nb._version import __version__
from anyfast_nb.simulator import triggers
from anyfast_nb.simulator.config import DEMO_KEY, Config, Profile
from anyfast_nb.simulator.gate import is_loopback

DESCRIPTION = """\
AnyFast on this machine: POST /v1/chat/completions (plain and streamed) and
GET /v1/models, answered by a teaching model. Nothing leaves the machine, no
real key is needed, nothing is billed.
"""
HIGHEST_PORT = 65_535


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
    key = given.key or os.environ.get("ANYFAST_SIM_KEY", "") or DEMO_KEY
    if given.key_file is not None:
        try:
            key = given.key_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            parser.error(f"argument --key-file: cannot be read ({error.strerror})")
    if not key.isascii() or not key.isprintable() or " " in key or not key:
        parser.error("argument --key: must be printable ASCII without spaces")
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
    )


def _announce(given: argparse.Namespace, config: Config, port: int) -> None:
    everywhere = given.host in {"0.0.0.0", "::", ""}  # noqa: S104
    name = "127.0.0.1" if everywhere else f"[{given.host}]" if ":" in given.host else given.host
    print(f"AnyFast, simulated, on http://{name}:{port}/v1")
    print(f"key: {DEMO_KEY}" if config.key == DEMO_KEY else "key: the one you gave")
    if everywhere and not given.allow_host:
        print(
            f"Other machines are refused until you say by which name they come: "
            f"anyfast-sim --host {given.host} --allow-host NAME"
        )
    if not is_loopback(name.strip("[]")) or (everywhere and given.allow_host):
        print("Anyone who reaches this port and knows the key can use it.")
    print("Ctrl-C ends it.", flush=True)


def _parser() -> argparse.ArgumentParser:
    words = triggers.__doc__ or ""
    parser = argparse.ArgumentParser(
        prog="anyfast-sim",
        description=DESCRIPTION,
        epilog=words,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this machine only)")
    add("--port", type=_port, default=8765, help="port (default: 8765; 0 picks a free one)")
    add("--key", default="", help=f"the key to let in (default: ANYFAST_SIM_KEY, else {DEMO_KEY})")
    add("--key-file", type=Path, help="read the key from this file instead")
    add(
        "--profile",
        choices=[p.value for p in Profile],
        default=Profile.CURRENT.value,
        help="generation of AnyFast's shapes (default: current)",
    )
    add(
        "--tokens-per-second",
        type=_positive,
        default=60.0,
        metavar="N",
        help="speed of generation (default: 60)",
    )
    add(
        "--speed",
        type=_not_negative,
        default=1.0,
        metavar="X",
        help="divide every simulated wait by X; 0 means no wait at all (default: 1)",
    )
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name, beside loopback, by which clients may reach this server; may be repeated",
    )
    add(
        "--idle-minutes",
        type=_not_negative,
        default=0.0,
        help="end after so long without a request (0: never)",
    )
    add("--state-file", type=Path, help="write port, key and pid there while running (for launchers)")
    add("--version", action="version", version=f"anyfast-sim {__version__}")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"must be between 0 and {HIGHEST_PORT}, got {port}")
    return port


def _not_negative(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {text}")
    return value


def _positive(text: str) -> float:
    value = _not_negative(text)
    if value == 0:
        raise argparse.ArgumentTypeError("must be more than 0; --speed 0 takes all waits away")
    return value


if __name__ == "__main__":
    sys.exit(main())
