"""What a model costs, and what a request cost by that: exact, and unknown where anything needed is.

Prices are decimal numbers with at most twelve places; a sum is made of whole
10⁻¹⁸ of a unit and rounded once, to billionths, half to even. A bound is
rounded up.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from anyfast_nb import catalog
from anyfast_nb.wire.values import Usage

if TYPE_CHECKING:
    from decimal import Decimal
    from fractions import Fraction

FIELDS: Final = ("input", "cached", "output", "image", "video_second", "video_token")
"""What can have a price, in the order it is written in."""

PLACES: Final = 12
"""Digits behind the point that a price may have."""

_TOKENS_PER_PRICE: Final = 10**6
_ATTO_PER_NANO: Final = 10**9
_MOST_NANO: Final = 2**63 - 1  # what the ledger's column holds


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount of money: whole billionths of a unit of its currency, and the price that made it."""

    nano: int
    currency: str
    version: str = ""

    @property
    def amount(self) -> Decimal:
        """In units of the currency, exact."""
        from decimal import Decimal

        return Decimal(f"{self.nano}E-9")

    def __str__(self) -> str:
        """``0.0012 USD``; no digit is lost."""
        return f"{money(self.nano)} {self.currency}"


def money(nano: int) -> str:
    """Billionths as people write them: ``0.0012``; no digit is lost.

    Example:
        >>> money(1_200_000)
        '0.0012'
    """
    units, rest = divmod(abs(nano), 10**9)
    text = f"{units:,}.{rest:09d}".rstrip("0").rstrip(".")
    return f"-{text}" if nano < 0 else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one model, or a family of models, costs from a day on.

    Attributes:
        model: the id; a ``*`` at its end stands for any ending.
        currency: three letters; the unit of all numbers here.
        input: per 1,000,000 tokens read.
        cached: per 1,000,000 of these that were in the cache; None is the price of ``input``.
        output: per 1,000,000 tokens written, reasoning included.
        image: per picture made.
        video_second: per second of film.
        video_token: per 1,000,000 tokens of film.
        valid_from: the day it begins, in UTC; None is always.
        note: for people.
        version: a fingerprint of all that counts.
    """

    model: str
    currency: str
    input: Decimal | None = None
    cached: Decimal | None = None
    output: Decimal | None = None
    image: Decimal | None = None
    video_second: Decimal | None = None
    video_token: Decimal | None = None
    valid_from: date | None = None
    note: str = field(default="", compare=False)
    version: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "version", self._fingerprint())

    @property
    def is_family(self) -> bool:
        """Does it stand for every model that begins so?"""
        return self.model.endswith("*")

    def _fingerprint(self) -> str:
        numbers = [getattr(self, name) for name in FIELDS]
        meaning = [
            self.model,
            self.currency,
            *(None if number is None else str(_exact(number)) for number in numbers),
            None if self.valid_from is None else self.valid_from.isoformat(),
        ]
        return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()[:12]


class PriceTable:
    """The prices that are known, and what comes of them.

    Args:
        prices: in the order they were written: of two that begin on the same day, the later counts.
    """

    def __init__(self, prices: Iterable[Price] = ()) -> None:
        self.prices = tuple(prices)
        self._exact: dict[str, list[Price]] = {}
        families: dict[str, list[Price]] = {}
        for price in sorted(self.prices, key=lambda price: price.valid_from or date.min):
            kept = families if price.is_family else self._exact
            kept.setdefault(price.model.removesuffix("*"), []).insert(0, price)
        self._families = sorted(families.items(), key=lambda family: -len(family[0]))

    def price(self, model: str, *, at: datetime) -> Price | None:
        """The price of a model at a time: of the latest day not after it, its own before its family's.

        Args:
            model: an id or an alias.
            at: aware, or naive in local time.
        """
        return self._price([model], at)

    def can_price(self, *, kind: str, models: Sequence[str | None], at: datetime) -> bool:
        """Would a request have a cost if all its figures were known? The arguments are those of `cost`."""
        one = Usage(input_tokens=1, output_tokens=1, cached_tokens=0)
        return self.cost(kind=kind, models=models, at=at, usage=one, images=1, video_s=1.0) is not None

    def cost(
        self,
        *,
        kind: str,
        models: Sequence[str | None],
        at: datetime,
        usage: Usage = Usage(),  # noqa: B008  frozen, and all of it unknown
        images: int | None = None,
        video_s: float | None = None,
    ) -> Cost | None:
        """What a request cost; None where a price or a figure that it needs is unknown.

        Args:
            kind: chat and responses cost by tokens; seedream by picture, or by output tokens where
                pictures have no price; seedance and kling by tokens of film if these are known and
                priced, else by its seconds. Anything else cannot be priced.
            models: the one that served, then the one that was asked for; None and "" are passed over.
            at: when it was sent.
            usage: its tokens; those of a film are its output.
            images: pictures made.
            video_s: seconds of film made.
        """
        price = self._price(models, at)
        if price is None:
            return None
        found: int | Fraction | None = None
        if kind in _BY_TOKENS:
            found = _of_text(price, usage)
        elif kind == "seedream":
            found = _of_pictures(price, images, usage.output_tokens)
        elif kind in _FILMS:
            found = _of_film(price, usage.output_tokens, video_s)
        return None if found is None else _cost(round(_nano(found)), price)

    def bound(
        self,
        *,
        kind: str,
        models: Sequence[str | None],
        at: datetime,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        images: int | None = None,
        video_s: float | None = None,
    ) -> Cost | None:
        """What a request may cost at most, rounded up; None where nobody can say.

        Args:
            kind: as in `cost`.
            models: as in `cost`: where two are named, the one that serves is not known yet.
            at: when it is sent.
            input_tokens: at most so many; none of them counts as cached.
            output_tokens: at most so many; tokens of film, for a film.
            images: at most so many pictures.
            video_s: at most so many seconds.
        """
        price = self._price(models, at)
        if price is None:
            return None
        found: int | Fraction | None = None
        if kind in _BY_TOKENS:
            found = _text_at_most(price, input_tokens, output_tokens)
        elif kind == "seedream":
            found = _of_pictures(price, images, output_tokens)
        elif kind in _FILMS:
            found = _film_at_most(price, output_tokens, video_s)
        return None if found is None else _cost(math.ceil(_nano(found)), price)

    def _price(self, models: Sequence[str | None], at: datetime) -> Price | None:
        if not self.prices:  # the catalogue is not read for nothing
            return None
        day = at.astimezone(UTC).date()
        ids = [catalog.resolve(model) for model in models if model]
        for among in (self._own, self._of_families):
            for model in ids:
                for price in among(model):
                    if price.valid_from is None or price.valid_from <= day:
                        return price
        return None

    def _own(self, model: str) -> Iterable[Price]:
        return self._exact.get(model, ())

    def _of_families(self, model: str) -> Iterator[Price]:
        """The longest beginning first: it says more."""
        for beginning, prices in self._families:
            if model.startswith(beginning):
                yield from prices


# --- the sums, in 10⁻¹⁸ of a unit ---------------------------------------------------------

_BY_TOKENS: Final = frozenset({"chat", "responses"})
_FILMS: Final = frozenset({"seedance", "kling"})


def _of_text(price: Price, usage: Usage) -> int | None:
    read, cached = usage.input_tokens, 0
    if read and price.cached is not None and price.cached != price.input:
        if usage.cached_tokens is None or usage.cached_tokens > read:
            return None  # how many cost less is not known
        read, cached = read - usage.cached_tokens, usage.cached_tokens
    return _added(
        _tokens(read, price.input), _tokens(cached, price.cached), _tokens(usage.output_tokens, price.output)
    )


def _text_at_most(price: Price, input_tokens: int | None, output_tokens: int | None) -> int | None:
    dearest = price.input
    if price.input is not None and price.cached is not None:
        dearest = max(price.input, price.cached)
    return _added(_tokens(input_tokens, dearest), _tokens(output_tokens, price.output))


def _of_pictures(price: Price, images: int | None, tokens: int | None) -> int | None:
    if price.image is None and (price.output is not None or images != 0):
        return _tokens(tokens, price.output)
    return _pieces(images, price.image)


def _of_film(price: Price, tokens: int | None, video_s: float | None) -> int | Fraction | None:
    if price.video_token is not None and (tokens is not None or price.video_second is None):
        return _tokens(tokens, price.video_token)
    return _seconds(video_s, price.video_second)


def _film_at_most(price: Price, tokens: int | None, video_s: float | None) -> int | Fraction | None:
    """By whichever way it will be counted; the server may or may not tell its tokens."""
    ways: list[int | Fraction | None] = []
    if price.video_token is not None:
        ways.append(_tokens(tokens, price.video_token))
    if price.video_second is not None or not ways:
        ways.append(_seconds(video_s, price.video_second))
    known = [way for way in ways if way is not None]
    return max(known) if len(known) == len(ways) else None


def _added(*parts: int | None) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _tokens(count: int | None, price: Decimal | None) -> int | None:
    return None if (made := _pieces(count, price)) is None else made // _TOKENS_PER_PRICE


def _pieces(count: int | None, price: Decimal | None) -> int | None:
    """A count times a price each: none of them cost nothing, whatever the price."""
    if count is None or count < 0:
        return None
    if count == 0:
        return 0
    return None if price is None else count * _exact(price)


def _seconds(count: float | None, price: Decimal | None) -> int | Fraction | None:
    from fractions import Fraction

    if count is None or not math.isfinite(count) or count < 0:
        return None
    if count == 0:
        return 0
    # A duration is meant as it is written: 5.04 s, not the binary number nearest to it.
    return None if price is None else Fraction(repr(float(count))) * _exact(price)


def _exact(price: Decimal) -> int:
    """A price in whole 10⁻¹⁸; without a decimal context, which would round."""
    above, below = price.as_integer_ratio()
    return above * 10**18 // below


def _nano(atto: int | Fraction) -> Fraction:
    from fractions import Fraction

    return Fraction(atto) / _ATTO_PER_NANO


def _cost(nano: int, price: Price) -> Cost | None:
    """More than the ledger can hold is no price of this world: unknown."""
    return Cost(nano, price.currency, price.version) if nano <= _MOST_NANO else None
