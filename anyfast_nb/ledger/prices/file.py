"""The prices file: TOML that a person writes, or `%anyfast prices set` adds to. Nothing in it is invented."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from anyfast_nb import catalog
from anyfast_nb.errors import ConfigError, InputError
from anyfast_nb.ledger.prices.table import FIELDS, PLACES, Price

if TYPE_CHECKING:
    from decimal import Decimal

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

KEYS: Final = ("model", "currency", *FIELDS, "valid_from", "note")
"""What a block of the file may hold."""

HEADER: Final = """\
# What models cost, for the ledger. Nobody but you knows what you pay: the numbers come from
# your AnyFast console or your contract. A model without a price has no cost in the ledger, not 0.
#
# One block for each model, and another one when its price changes:
#
# [[price]]
# model = "doubao-seed-2.0-lite"   # an id, or an alias such as lite; a * at the end is any ending
# currency = "…"                   # three letters, such as USD or CNY: the unit of all numbers below
# input = …                        # per 1,000,000 tokens read
# cached = …                       # per 1,000,000 of these that were in the cache; without it: as input
# output = …                       # per 1,000,000 tokens written, reasoning included
# image = …                        # per picture made; without it pictures cost by output tokens
# video_second = …                 # per second of film
# video_token = …                  # per 1,000,000 tokens of film, where the server counts these
# valid_from = 2026-11-01          # the day it begins, in UTC; without it: always
# note = "…"                       # for you
#
# Only what a model needs is given: input and output for a chat, image for pictures, video_second
# or video_token for films. A request costs by the block of the latest day not after its own; a
# model's own block counts before that of a family; of two alike, the one further down counts.
"""

_MOST: Final = 10**9  # a price has fewer digits before the point
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_MODEL: Final = re.compile(r"[^\s*\"'\\]*\*?")
_NUMBER: Final = re.compile(r"[+-]?([0-9][0-9_]*(\.[0-9]+)?|\.[0-9]+)")
_BLOCK: Final = re.compile(r"\s*\[\[\s*price\s*\]\]")
_AT_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")
_HELP: Final = "`%anyfast prices example` shows how it is written."
_REASON_CHARS: Final = 200


# --- one block ----------------------------------------------------------------------------


def made(entry: Mapping[str, Any]) -> Price:
    """A price of what is written, checked.

    Raises:
        InputError: an unknown name, a value that cannot be, or nothing that has a price.
    """
    for name in entry:
        if name not in KEYS:
            raise unknown_key(name)
    numbers = {name: _number(name, entry[name]) for name in FIELDS if entry.get(name) is not None}
    model = _model(entry.get("model"))
    price = Price(
        model=model,
        currency=_currency(entry.get("currency")),
        valid_from=_day(entry.get("valid_from")),
        note=_note(entry.get("note")),
        **numbers,
    )
    if not numbers:
        raise InputError(
            f"the price of {model} holds no number",
            field="input",
            hint=f"Give at least one of {', '.join(FIELDS)}.",
        )
    return price


def unknown_key(name: str) -> InputError:
    """The refusal of a name that no block holds, with the nearest one."""
    near = difflib.get_close_matches(name.lower(), KEYS, n=1, cutoff=0.5)
    meant = f"Did you mean {near[0]}? " if near else ""
    return InputError(
        f"{name!r} is nothing a price has", field=name, hint=f"{meant}It has {', '.join(KEYS)}."
    )


def _model(value: Any) -> str:
    name = value.strip() if isinstance(value, str) else ""
    if not name or not name.isprintable() or not _MODEL.fullmatch(name):
        raise InputError(
            f"model is {value!r}" if value else "the price names no model",
            field="model",
            hint="Give an id such as doubao-seed-2.0-lite; a * may stand at its end alone.",
        )
    return catalog.resolve(name)


def _currency(value: Any) -> str:
    word = value.strip().upper() if isinstance(value, str) else ""
    if not _CURRENCY.fullmatch(word):
        said = f"currency is {value!r}" if value else "the price names no currency"
        raise InputError(said, field="currency", hint="Three letters: currency=USD, currency=CNY …")
    return word


def _number(name: str, value: Any) -> Decimal:
    from decimal import Decimal

    if isinstance(value, str):
        # What stands in a magic's line; "…" is what an example shows in a number's place.
        number = Decimal(value.strip()) if _NUMBER.fullmatch(value.strip()) else None
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        number = None
    else:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if number is None or not number.is_finite():
        raise InputError(
            f"{name} is {str(value)!r}, which is no number",
            field=name,
            hint="Put the number of your console there, with a point: it may have decimals, and no currency.",
        )
    if number < 0:
        raise InputError(f"{name} is {value}: no price is below 0", field=name, hint="Leave out the sign.")
    if number >= _MOST or _places(number) > PLACES:
        raise InputError(
            f"{name} is {value}, which is no price",
            field=name,
            hint=f"It is below {_MOST:,} and has at most {PLACES} digits behind the point.",
        )
    return number


def _places(number: Decimal) -> int:
    """Digits behind the point, without zeros at the end."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # it is finite
    behind = -exponent
    for digit in reversed(digits):
        if digit or behind <= 0:
            break
        behind -= 1
    return 0 if not number else behind


def _day(value: Any) -> date | None:
    if value is None:
        return None
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = date.fromisoformat(value.strip())
    if not isinstance(value, date) or isinstance(value, datetime):
        raise InputError(
            f"valid_from is {str(value)!r}",
            field="valid_from",
            hint="Give a day, such as 2026-11-01; it begins in UTC.",
        )
    return value


def _note(value: Any) -> str:
    text = "" if value is None else str(value).strip()
    if not text.isprintable():
        raise InputError("the note is not one plain line", field="note", hint="Leave out line breaks.")
    return text


# --- the whole file -----------------------------------------------------------------------


def read(text: str, *, path: Path) -> list[Price]:
    """The prices of a file's text, in their order.

    Raises:
        ConfigError: it is no TOML, or a block cannot be; the message names the line.
    """
    import tomllib
    from decimal import Decimal

    try:
        found = tomllib.loads(text.removeprefix("\ufeff"), parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        reason = str(error)[:_REASON_CHARS]
        line = int(at[1]) if (at := _AT_LINE.search(reason)) else None
        _refuse(path, line, f"is not TOML: {_AT_LINE.sub('', reason).strip()}", f"Mend it there. {_HELP}")
    blocks = _blocks(found, text, path)
    return [_read_block(block, number, text, path) for number, block in enumerate(blocks)]


def _blocks(found: Mapping[str, Any], text: str, path: Path) -> list[dict[str, Any]]:
    for name in found:
        if name != "price":
            meant = "Did you mean [[price]]? " if difflib.get_close_matches(name.lower(), ["price"]) else ""
            line = _line(text, re.compile(rf"\s*\[*\s*[\"']?{re.escape(name)}\b"))
            _refuse(path, line, f"holds {name!r}", f"{meant}It holds [[price]] blocks alone. {_HELP}")
    blocks = found.get("price", [])
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        line = _line(text, re.compile(r"\s*\[?\s*price\b"))
        _refuse(path, line, "has a price that is no block", f"Write [[price]], with two brackets. {_HELP}")
    return blocks


def _read_block(block: dict[str, Any], number: int, text: str, path: Path) -> Price:
    quoted = next((name for name in FIELDS if isinstance(block.get(name), str)), None)
    if quoted:
        what = f"cannot be used: {quoted} is {block[quoted]!r}"
        _refuse(path, _line_in_block(text, number, quoted), what, "Write the number without quotes.")
    try:
        return made(block)
    except InputError as error:
        line = _line_in_block(text, number, error.field)
        _refuse(path, line, f"cannot be used: {error.message}", error.hint)


def _line_in_block(text: str, number: int, name: str) -> int | None:
    """The line of a name in the block of that number, or of the block."""
    lines = text.split("\n")
    starts = [at for at, line in enumerate(lines) if _BLOCK.match(line)]
    if number >= len(starts):  # it is not written as blocks
        return None
    own = lines[starts[number] : [*starts[1:], len(lines)][number]]
    key = re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*=")
    return starts[number] + next((at for at, line in enumerate(own) if name and key.match(line)), 0) + 1


def _line(text: str, pattern: re.Pattern[str]) -> int | None:
    return next((at for at, line in enumerate(text.split("\n"), start=1) if pattern.match(line)), None)


def _refuse(path: Path, line: int | None, what: str, hint: str) -> NoReturn:
    where = f"{path}, line {line}," if line else f"{path}"
    raise ConfigError(f"the prices file {where} {what}", hint=hint) from None


# --- adding to it -------------------------------------------------------------------------


def append(path: Path, price: Price) -> None:
    """Write one block more, in one step; what stands there already stays as it is, byte for byte.

    Two kernels that do so wait for each other (where the system has ``flock``).

    Raises:
        ConfigError: the file is broken already, or cannot be written.
    """
    path = Path(os.path.realpath(path))  # a link stays a link
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(path):
            old = path.read_bytes() if path.exists() else HEADER.encode()
            new = old + (b"" if old.endswith(b"\n") or not old else b"\n") + b"\n" + block(price).encode()
            read(decoded(old, path=path), path=path)  # one that is broken says so itself
            try:
                read(decoded(new, path=path), path=path)
            except ConfigError:
                _refuse(path, None, "is not written in [[price]] blocks", f"Write it so. {_HELP}")
            _replace(path, new)
    except OSError as error:
        raise ConfigError(
            f"the prices file {path} cannot be written: {error.strerror or type(error).__name__}",
            hint="Make it writable, or name another one in ANYFAST_PRICES.",
        ) from None


def block(price: Price) -> str:
    """A price as it stands in the file."""
    lines = ["[[price]]", f"model = {_quoted(price.model)}", f"currency = {_quoted(price.currency)}"]
    numbers = {name: getattr(price, name) for name in FIELDS}
    lines += [f"{name} = {number:f}" for name, number in numbers.items() if number is not None]
    if price.valid_from is not None:
        lines.append(f"valid_from = {price.valid_from.isoformat()}")
    if price.note:
        lines.append(f"note = {_quoted(price.note)}")
    return "\n".join(lines) + "\n"


def decoded(data: bytes, *, path: Path) -> str:
    """The file's text.

    Raises:
        ConfigError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        _refuse(path, line, "is not UTF-8", "Save it as UTF-8.")


def _quoted(text: str) -> str:
    """A TOML string: what JSON escapes, TOML reads alike."""
    return json.dumps(text, ensure_ascii=False)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)  # the lock goes with it; the file stays, for the next one to find


def _replace(path: Path, data: bytes) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():  # one that colleagues may read stays readable
            Path(draft).chmod(path.stat().st_mode & 0o777)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
