"""What `%%anyfast?`, `%anyfast help` and `--help` say."""

from __future__ import annotations

from typing import Final

from anyfast_nb.errors import InputError
from anyfast_nb.magics.guide_generations import TOPICS, VERB_GUIDES

VERBS: Final = {
    "chat": "ask a model, the answer streams into the cell",
    "panel": "all of it by mouse: chat, films, pictures, assets, jobs, usage",
    "models": "which models this key can use",
    "config": "show or change settings",
    "usage": "tokens and costs by model, day …, as a table or charts",
    "budget": "what may be used in a day, a week or in total",
    "prices": "what models cost, so that the ledger knows costs",
    "jobs": "the films of the ledger, done or not",
    "resume": "wait for a film again, in any kernel, on any day",
    "assets": "pictures, clips and sounds kept at AnyFast",
    "code": "put a code block of the last answer into a new cell",
    "login": "set the key",
    "logout": "forget the key",
    "doctor": "versions, key, connection, ledger on one screen",
    "help": "help on a verb",
}

_CHAT: Final = r"""
%%anyfast chat [options]        the prompt is the cell's body (%%anyfast alone is the same)
%anyfast chat "prompt" [options]

    %%anyfast chat -m pro --thread story
    Write the first paragraph of a story that begins in {{city}}.

    %anyfast chat "What is in this picture?" --image photo.png

What to ask
  --image URL|PATH|NAME   a picture: a URL, else a file, else a Python object
                          (PIL image, numpy array, matplotlib figure); may be repeated;
                          --downscale makes one that is too large fit
  --video URL|PATH|NAME   a clip, the same way; --fps 0.2-5 frames a second are looked at
  --file URL|PATH|NAME    a document (PDF, Word, Excel, text …), read by the Responses API
  --system TEXT           a system prompt
  --thread NAME           go on with a named conversation; running the cell again
                          replaces its turn; --append adds one, --new starts over
Whom and how
  -m, --model MODEL       an id, or pro lite mini code flash vision
  --temperature 0-2       --top-p 0-1       --max-tokens N       --stop TEXT (up to 4)
  --reasoning minimal|low|medium|high|off    how long it thinks
  --json                  ask for a JSON object
  --api chat|responses    by itself: responses where a document is sent, else chat
  --extra FIELD=VALUE     any other field of the request: --extra seed=7
What it may do
  --tools f,g             Python functions that the model may call: giving them is the
                          consent to run them; calls and results are shown
  --tool-choice auto|none|required|NAME      for the first request
  --max-rounds N          requests at most while it asks for tools (8)
What to do with it
  --to VAR                the answer object in a variable: VAR.text, VAR.usage …
  --plain                 show the text, not rendered Markdown
  --no-stream             wait for the whole answer
  --dry-run               show the request, send nothing
  --no-vars               send {{braces}} as they are

{{name}}, {{df.head()}}, {{data["x"]}} put a variable's value into the prompt; \{{ writes
braces as they are; {{error}} is the last traceback with its cell.
"""

_OTHERS: Final = {
    "panel": """
%anyfast panel [NAME]

    %anyfast panel
    %anyfast panel chat

Tabs of all panels in one cell, or one of them: chat, video, image, asset, jobs, usage. There is
one of each for a kernel: shown again it has what it had. `%anyfast config language=zh` makes
their words 中文. From Python: anyfast_nb.panel("chat").
""",
    "models": """
%anyfast models

Lists what GET /v1/models gives for this key. Bills nothing.
""",
    "config": """
%anyfast config [name=value …] [--save]

    %anyfast config model=pro footer=short
    %anyfast config base_url=simulator

Settings: base_url, model, system, footer (full, short, off), media_dir (where films and
pictures go), wait (true, false: do %seedance and %kling wait for the film), confirm_above
(tokens: what would use more wants --yes). They hold for this kernel; --save keeps them.
`name=` goes back to the default.
""",
    "usage": """
%anyfast usage [PERIOD] [options]

    %anyfast usage                       this month, by model
    %anyfast usage week --by day --plot
    %anyfast usage all --last 20

PERIOD: today, yesterday, week, month, 24h, 7d, all, a date (since then), or two dates with ..
between them. Live and simulated requests are never added up; what is unknown is counted.
  --by model|day|notebook|user|thread|kind
  --last N                the newest N requests, one by one
  --plot                  charts below the table; --theme light|dark|auto
  --csv FILE              write the figures into a file as well
  -m, --model MODEL       of this model alone; so do --kind, --source live|simulated|replayed,
                          --thread, --notebook, --user; each may be repeated
  --tz ZONE               whose days they are: Asia/Shanghai; by default this system's

From Python: anyfast_nb.ledger.usage("week", by="day"), .frame(), .plot.tokens(by="model").
""",
    "budget": """
%anyfast budget                      how the budgets stand
%anyfast budget AMOUNT --per day|week|total [options]
%anyfast budget end [N|all]
%anyfast budget release ID

    %anyfast budget "5 USD" --per day
    %anyfast budget "200k tokens" --per week --scope notebook --soft

AMOUNT is a number and its unit: tokens (k and M for a thousand and a million), or the three
letters of a currency. A budget refuses, before sending, what might use more than is left; the
worst case of each request is reserved until it ends. All budgets that apply must have room.
  --per day|week|total    from midnight, from Monday's midnight, or all from now on
  --scope all|user|notebook|thread         one amount for everything (all), or one for each
  --soft                  warn, and send it all the same
  --zone NAME             whose midnight: Asia/Shanghai; by default this system's

end: ends budget N of the list; all ends all.
release: gives back what is reserved for a request whose end nobody knows; the list below the
budgets has its ID.

Money needs prices (%anyfast prices), and no exchange rate is assumed. Simulated requests never
count. Budgets guard against accidents: whoever holds the key can spend.
""",
    "prices": """
%anyfast prices                      what is set, and which requests have no price
%anyfast prices set MODEL NAME=VALUE …
%anyfast prices reprice [options]
%anyfast prices example              how the file is written

    %anyfast prices set doubao-seed-2.0-lite input=… output=… currency=USD
    %anyfast prices set doubao-seedream-* image=… currency=CNY from=2026-11-01
    %anyfast prices set seedance video_second=… currency=USD
    %anyfast prices reprice --since 7d

set: MODEL is an id, an alias, or a beginning with * behind it. The numbers are those of your
AnyFast console:
  input=, output=         per 1,000,000 tokens; cached= for those of the input that were in
                          the cache, if they cost less
  image=                  per picture
  video_second=           per second of film; or video_token= per 1,000,000 tokens of film
  currency=USD            three letters
  from=2026-11-01         the day it begins, in UTC: earlier requests keep their price
  note="…"                for you

reprice: gives a cost to earlier requests that have none
  --all                   computes the others anew as well
  --since DATE            2026-11-01, today, week, or 7d, 12h: so long ago
  -m, --model MODEL       of this model alone; may be repeated

The file is prices.toml in the state folder, or what ANYFAST_PRICES names. What has no price has no
cost: unknown, not 0.
""",
    "code": """
%anyfast code [N]

    %anyfast code 2

Puts the last answer's Nth code block (1 by default) into a new cell. Runs nothing.
""",
    "login": """
%anyfast login [--save]

Asks for the key, checks it, and keeps it: in the system's keyring if there is one,
with --save in a file that only you can read, else in this kernel alone.
""",
    "logout": """
%anyfast logout

Forgets the key here and where login kept it.
""",
    "doctor": """
%anyfast doctor

One screen to paste into a bug report; it holds no key.
""",
    "help": """
%anyfast help [VERB]
""",
}


def overview() -> str:
    """All verbs, a line each, and the first thing to try."""
    verbs = "\n".join(f"  {verb:<8} {about}" for verb, about in VERBS.items())
    return (
        "%anyfast VERB …, or %%anyfast with a prompt below it\n\n"
        f"{verbs}\n\n    %%anyfast\n    Why is the sky blue?\n\n"
        '    %seedance "A cat plays the piano" --duration 8      a film; %kling is another maker\n'
        '    %seedream "A red kite over the sea"                 a picture\n\n'
        "`%anyfast help chat`, `%anyfast help seedance` and so on list every option, with examples."
    )


def guide(verb: str) -> str:
    """Help on one verb, with an example.

    Raises:
        InputError: no such verb.
    """
    if not verb:
        return overview()
    if verb not in VERBS and verb not in TOPICS:
        raise unknown_verb(verb)
    return (_OTHERS | TOPICS | VERB_GUIDES | {"chat": _CHAT})[verb].strip("\n")


def unknown_verb(word: str) -> InputError:
    """The refusal of a word that is no verb, with the nearest one."""
    import difflib

    if word in TOPICS:
        return InputError(
            f"%anyfast {word}: it is a magic of its own", field="verb", hint=f'Write %{word} "…"'
        )
    near = difflib.get_close_matches(word, VERBS, n=1, cutoff=0.5)
    hint = f"Did you mean `%anyfast {near[0]}`? " if near else ""
    return InputError(
        f"%anyfast {word}: there is no such verb",
        field="verb",
        hint=f'{hint}A prompt is written %anyfast chat "…", or below %%anyfast.',
    )
