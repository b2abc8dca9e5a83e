"""The options of `jobs`, `resume` and `assets`."""

from __future__ import annotations

from typing import Final

from anyfast_nb.magics.options import Options

SORTS: Final = ("when", "kind", "status", "progress", "tokens")
FILM_KINDS: Final = ("seedance", "kling")
ASSET_TYPES: Final = ("Image", "Video", "Audio")
ASSET_ACTIONS: Final = ("add", "list", "rm", "groups")


def job_options(verb: str) -> Options:
    """The options of one of these verbs."""
    options = Options(verb)
    add = options.add_argument
    if verb == "jobs":
        add("--status", action="append", metavar="WORD")
        add("--kind", action="append", metavar="|".join(FILM_KINDS))
        add("-m", "--model", action="append", metavar="MODEL")
        add("--notebook", action="append", metavar="NAME")
        add("--text", default="", metavar="TEXT")
        add("--since", metavar="DATE")
        add("--sort", choices=SORTS, default="when", metavar="|".join(SORTS))
        add("--last", type=int, default=20, metavar="N")
        return options
    add("--to", metavar="VAR")
    if verb == "resume":
        add("--task-id", metavar="ID")
        for name in ("--all", "--wait", "--no-wait", "--embed"):
            add(name, action="store_true")
        return options
    add("--name", default="", metavar="NAME")
    add("--group", metavar="NAME|ID")
    add("--type", type=str.capitalize, choices=ASSET_TYPES, metavar="|".join(ASSET_TYPES))
    add("--pictures", action="store_true")
    return options
