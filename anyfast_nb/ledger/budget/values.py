"""The values of budgets: an amount with its unit, a budget, what a request may use, how a budget stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.ledger.rows import moment_of

if TYPE_CHECKING:
    from anyfast_nb.ledger.prices.book import Cost

TOKENS: Final = "tokens"
NANO: Final = 10**9
# Sums of many such amounts still fit into the ledger's integers.
_MOST: Final = 10**16

# From then on nobody expects it to end: its kernel is gone, or the server has lost it.
_LONGEST_ANSWER: Final = timedelta(minutes=10)
_LONGEST_FILM: Final = timedelta(days=1)

_AMOUNT: Final = re.compile(
    r"\s*(?P<sign>[-+]?)(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*"
    r"(?P<times>[kKM](?=\s|tok|$))?\s*(?P<unit>[A-Za-z]*)\s*"
)
_SYMBOLS: Final = {"美元": "USD", "$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "￥": "CNY", "元": "CNY"}
_TIMES: Final = {None: 1, "k": 10**3, "K": 10**3, "M": 10**6}
_HOW: Final = 'Write it as "5 USD" or as "200k tokens": the unit is required.'


class Per(StrEnum):
    """How often the amount is there anew."""

    DAY = "day"
    WEEK = "week"
    TOTAL = "total"


class Scope(StrEnum):
    """What an amount is for: everything together, or each user, notebook or thread."""

    ALL = "all"
    USER = "user"
    NOTEBOOK = "notebook"
    THREAD = "thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """An amount for a period.

    Attributes:
        id: of the budget.
        amount: tokens, or billionths of a unit of the currency.
        unit: ``tokens``, or a currency such as ``USD``.
        per: a day (from midnight), a week (from Monday's midnight), or all since it was set.
        scope: everything together, or each user, notebook, thread has the amount. A notebook is one user's,
            a thread one notebook's; what is sent from an unknown notebook shares one amount, and what is
            sent outside of threads is not in a thread's.
        hard: refuses before sending; else it warns.
        zone: whose midnight, an IANA name.
        user: whose requests it is about; None is everybody's.
        created_at: when it was set; a ``total`` counts from then on.
    """

    id: str
    amount: int
    unit: str
    per: Per
    scope: Scope
    hard: bool
    zone: str
    user: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Budget:
        """A budget from a row of its table."""
        return cls(
            id=row["id"],
            amount=int(row["amount"]),
            unit=row["unit"],
            per=Per(row["per"]),
            scope=Scope(row["scope"]),
            hard=bool(row["hard"]),
            zone=row["zone"],
            user=row["user_name"],
            created_at=moment_of(int(row["created_us"])),
        )

    def said(self, amount: int) -> str:
        """An amount of this budget's unit in words."""
        return amount_text(amount, self.unit)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """A budget in a notebook is what a person calls it."""
        printer.text(f"Budget: {self}{'' if self.hard else ', only warns'} (id {self.id})")

    def __str__(self) -> str:
        period = "in total" if self.per is Per.TOTAL else f"a {self.per.value}"
        each = "" if self.scope is Scope.ALL else f" for each {self.scope.value}"
        return f"{self.said(self.amount)} {period}{each}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a request may use at most, before it is sent.

    Attributes:
        id: of the request's row.
        user, notebook, thread: as the row will have them.
        tokens: input and output at most; None: no bound is known.
        cost: at most; None: no bound, or no price, is known.
        what: the request in words, for messages: ``a chat with doubao-seed-2.0-lite``.
        fix: the option that would give a bound, such as ``--max-tokens N``.
        price_line: the line that sets the price, where that is what is missing.
    """

    id: str
    user: str | None = None
    notebook: str | None = None
    thread: str | None = None
    tokens: int | None = None
    cost: Cost | None = None
    what: str = "this request"
    fix: str = ""
    price_line: str = ""

    def worst(self, unit: str) -> int | None:
        """At most so much of a budget's unit; None if that is unknown."""
        if unit == TOKENS:
            return self.tokens
        return self.cost.nano if self.cost is not None and self.cost.currency == unit else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """How a budget stands for one user, notebook or thread, or for all.

    Attributes:
        budget: which.
        user, notebook, thread: whose amount this is; None where that is not said or not known.
        spent: what ended requests used.
        reserved: what requests under way, and those whose end nobody knows, may use at most.
        unknown: requests of which neither is known; they are in no sum.
        begins: since when is counted.
        ends: when it begins anew; None is never.
    """

    budget: Budget
    user: str | None = None
    notebook: str | None = None
    thread: str | None = None
    spent: int = 0
    reserved: int = 0
    unknown: int = 0
    begins: datetime
    ends: datetime | None

    @property
    def left(self) -> int:
        """What is still there; below zero where more was used than the amount."""
        return self.budget.amount - self.spent - self.reserved

    @property
    def excess(self) -> int:
        """By how much the amount is exceeded."""
        return max(0, -self.left)

    @property
    def _counts(self) -> bool:
        return bool(self.spent or self.reserved or self.unknown)

    @property
    def name(self) -> str:
        """Whose amount this is, in words; "" for all together."""
        scope = self.budget.scope
        if scope is Scope.ALL:
            return self.budget.user or ""
        if (self.user, self.notebook, self.thread) == (None, None, None) and not self._counts:
            return ""
        if scope is Scope.USER:
            return self.user or "(unknown user)"
        place = self.notebook or "(unknown notebook)"
        if scope is Scope.THREAD:
            place = f"{self.thread or '(no thread)'} in {place}" if self.notebook else self.thread or ""
        return f"{place} of {self.user}" if self.user and not self.budget.user else place

    @property
    def anew(self) -> str:
        """When it begins anew, in the budget's zone; "" for a total."""
        if self.ends is None:
            return ""
        from zoneinfo import ZoneInfo

        return f"{self.ends.astimezone(ZoneInfo(self.budget.zone)):%Y-%m-%d %H:%M} ({self.budget.zone})"

    @classmethod
    def of(cls, budget: Budget, window: tuple[int, int | None], row: Mapping[str, Any]) -> BudgetState:
        """A state from a row of sums.

        Args:
            budget: which.
            window: its begin and end in microseconds since 1970.
            row: of ``budget_sums``; an empty one where nothing was used.
        """
        begins, ends = window
        return cls(
            budget=budget,
            user=row.get("user_name"),
            notebook=row.get("notebook"),
            thread=row.get("thread"),
            spent=int(row.get("spent") or 0),
            reserved=int(row.get("reserved") or 0),
            unknown=int(row.get("unknown") or 0),
            begins=moment_of(begins),
            ends=None if ends is None else moment_of(ends),
        )


class Reserved(list[str]):
    """What `reserve` says: a line for each soft budget that the request exceeds, or may.

    Attributes:
        stands: whether something was reserved; else no budget applies, or none could be asked.
    """

    def __init__(self, lines: Iterable[str] = (), *, stands: bool = False) -> None:
        super().__init__(lines)
        self.stands = stands


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A reservation that stands although its request was sent: its own figure is not known yet, or never.

    Attributes:
        id: the request's.
        age: since it was reserved.
        user: whose it is; None is unknown.
        kind, model, status: of the request.
        tokens: that stand; None: none do.
        cost_nano: billionths of a unit of ``currency`` that stand; None: none do.
        currency: of the cost.
        reserved_at: when.
        under_way: it is a film that the server has accepted, and that has not ended.
    """

    id: str
    age: timedelta
    user: str | None
    kind: str
    model: str
    status: str
    tokens: int | None
    cost_nano: int | None
    currency: str | None
    reserved_at: datetime
    under_way: bool = False

    @property
    def may_run(self) -> bool:
        """May it go on, so that its own figure is still to come?"""
        if self.under_way:
            return self.age < _LONGEST_FILM
        return self.status == "unfinished" and self.age < _LONGEST_ANSWER

    def figure(self, unit: str) -> int | None:
        """So much of a budget's unit."""
        return self.tokens if unit == TOKENS else self.cost_nano if self.currency == unit else None


def parse_amount(text: str) -> tuple[int, str]:
    """``5 USD``, ``0.20 CNY``, ``200k tokens``, ``1.5M tokens`` as a whole number and its unit.

    Args:
        text: a number, k or M for a thousand or a million, and the unit: tokens, or the three letters of
            a currency.

    Returns:
        Tokens, or billionths of a unit of the currency; and the unit.

    Raises:
        InputError: no number, no unit, or more digits than are counted.

    Example:
        >>> parse_amount("1.5M tokens"), parse_amount("0.20 CNY")
        ((1500000, 'tokens'), (200000000, 'CNY'))
    """
    if not isinstance(text, str):
        raise InputError(f"{text!r} is no amount: its unit is missing", field="amount", hint=_HOW)
    for symbol, code in _SYMBOLS.items():
        if symbol in text:
            number = text.replace(symbol, "").strip()
            number = number if re.fullmatch(r"[\d.,]*\d", number) else "5"
            raise InputError(
                f"{text!r}: {symbol} is no unit, a currency is written by its three letters",
                field="amount",
                hint=f'Write "{number} {code}", if that is what you mean.',
            )
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise InputError(f"{text!r} is no amount", field="amount", hint=_HOW)
    unit = _unit(found["unit"], text)
    value = Decimal(found["number"].replace(",", "")) * _TIMES[found["times"]]
    whole = value if unit == TOKENS else value * NANO
    if found["sign"] == "-":
        raise InputError(f"{text!r} is below zero", field="amount", hint="Leave out the sign.")
    if whole != whole.to_integral_value():
        why = "a token is not divided" if unit == TOKENS else "nine decimals are counted"
        raise InputError(f"{text!r} is too exact: {why}", field="amount", hint=_HOW)
    if whole > _MOST:
        raise InputError(f"{text!r} is more than can be counted", field="amount", hint=_HOW)
    return int(whole), unit


def check_amount(amount: int, unit: str) -> None:
    """Refuse what no budget can be.

    Raises:
        InputError: a negative or immense amount, or a unit that is neither tokens nor a currency.
    """
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 <= amount <= _MOST:
        raise InputError(f"amount={amount!r} is no amount of a budget", field="amount", hint=_HOW)
    if unit != TOKENS and not re.fullmatch("[A-Z]{3}", unit):
        raise InputError(f"unit={unit!r} is neither tokens nor a currency", field="unit", hint=_HOW)


def amount_text(amount: int, unit: str) -> str:
    """An amount as a person writes it: ``200,000 tokens``, ``0.2 CNY``; every digit is shown."""
    if unit == TOKENS:
        return f"{amount:,} token{'s' if amount != 1 else ''}"
    value = Decimal(amount).scaleb(-9).normalize()
    return f"{value:,f} {unit}"


def _unit(word: str, text: str) -> str:
    if word.lower() in {"token", TOKENS}:
        return TOKENS
    if len(word) == 3:
        return word.upper()
    if word == "m" or word.lower().startswith(("mt", "mtok")):
        raise InputError(f"{text!r}: a million is written M", field="amount", hint=_HOW)
    why = f"{word!r} is neither tokens nor a currency" if word else "the unit is missing"
    raise InputError(f"{text!r}: {why}", field="amount", hint=_HOW)
