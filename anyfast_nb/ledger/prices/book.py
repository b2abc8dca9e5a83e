"""What requests cost: by the prices that the user wrote into a file, and by nothing else.

    import anyfast_nb as af
    af.ledger.set_price("lite", currency="CNY", input=…, output=…)
    af.ledger.price_list()                     # what is set, as a DataFrame
    af.ledger.reprice()                        # earlier requests that have no cost

The file is ``prices.toml`` in the state folder, or what ``ANYFAST_PRICES`` names.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb import catalog
from anyfast_nb.errors import ConfigError
from anyfast_nb.ledger.prices.table import FIELDS, Cost, Price, PriceTable

if TYPE_CHECKING:
    from decimal import Decimal

    import pandas as pd

    Number = Decimal | int | float | str

__all__ = [
    "FILE_NAME", "Cost", "Price", "PriceTable", "Prices", "doubt", "price_list", "prices_path", "set_line",
    "set_price",
]  # fmt: skip

FILE_NAME: Final = "prices.toml"
_NEEDED: Final = {"seedream": ("image",), "seedance": ("video_second",), "kling": ("video_second",)}
_EMPTY: Final = PriceTable()


def prices_path(home: Path | None = None, *, environ: Mapping[str, str] = os.environ) -> Path:
    """The prices file: ``ANYFAST_PRICES``, else ``prices.toml`` in the state folder.

    Args:
        home: the state folder; by default the one of the settings.
        environ: where the variable is looked up.
    """
    if chosen := environ.get("ANYFAST_PRICES", "").strip():
        return Path(chosen).expanduser()
    if home is None:
        from anyfast_nb.settings import home as state_folder

        home = state_folder(environ)
    return Path(home) / FILE_NAME


class Prices:
    """The prices of one file, which need not exist; read again when it has changed.

    Args:
        path: of the file; by default `prices_path`.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = prices_path() if path is None else Path(path)
        self._read: tuple[tuple[int, int, int], PriceTable] | None = None

    def table(self) -> PriceTable:
        """All prices.

        Raises:
            ConfigError: the file cannot be read; the message names the line.
        """
        from anyfast_nb.ledger.prices import file as price_file

        try:
            with self.path.open("rb") as file:
                found = os.fstat(file.fileno())
                mark = (found.st_mtime_ns, found.st_size, found.st_ino)
                if self._read is not None and self._read[0] == mark:
                    return self._read[1]
                data = file.read()
        except FileNotFoundError:
            return _EMPTY
        except OSError as error:
            raise ConfigError(
                f"the prices file {self.path} cannot be read: {error.strerror or type(error).__name__}",
                hint="Make it readable, or name another one in ANYFAST_PRICES.",
            ) from None
        text = price_file.decoded(data, path=self.path)
        table = PriceTable(price_file.read(text, path=self.path))
        self._read = (mark, table)
        return table

    def set(
        self,
        model: str,
        *,
        currency: str,
        input: Number | None = None,
        cached: Number | None = None,
        output: Number | None = None,
        image: Number | None = None,
        video_second: Number | None = None,
        video_token: Number | None = None,
        valid_from: date | str | None = None,
        note: str | None = None,
    ) -> Price:
        """Add a price to the file, which is made with an explanation if it is not there.

        What was set before stays in the file, and counts where this one does not.

        Args:
            model: an id, an alias, or a beginning with ``*`` behind it. Any name is taken: the
                catalogue does not know every model; see `doubt`.
            currency: three letters.
            input: per 1,000,000 tokens read.
            cached: per 1,000,000 of these that were in the cache; by default as ``input``.
            output: per 1,000,000 tokens written.
            image: per picture.
            video_second: per second of film.
            video_token: per 1,000,000 tokens of film.
            valid_from: the day it begins, in UTC; by default it always was so.
            note: for people.

        Returns:
            The price as it was written.

        Raises:
            InputError: a value cannot be; ``field`` names it, and nothing was written.
            ConfigError: the file is broken, or cannot be written.
        """
        from anyfast_nb.ledger.prices import file as price_file

        given = {name: value for name, value in locals().items() if name in price_file.KEYS}
        price = price_file.made(given)
        price_file.append(self.path, price)
        return price


def doubt(model: str) -> str:
    """A line about a model that the catalogue does not know, with names like it; "" for one it knows."""
    name = catalog.resolve(model.strip())
    known = [entry.id for entry in catalog.models()]
    beginning = name.removesuffix("*")
    if name in known or (name.endswith("*") and any(one.startswith(beginning) for one in known)):
        return ""
    near = catalog.close_to(beginning)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"The catalogue does not know {name}, which need not mean anything.{meant}"


def set_line(model: str, kind: str) -> str:
    """The line that sets a model's price, for a person to fill in.

    Args:
        model: an id or an alias.
        kind: of the request: a chat needs other prices than a film.

    Example:
        >>> set_line("doubao-seed-2.0-lite", "chat")
        '%anyfast prices set doubao-seed-2.0-lite input=… output=… currency=USD'
    """
    fields = " ".join(f"{name}=…" for name in _NEEDED.get(kind, ("input", "output")))
    return f"%anyfast prices set {shlex.quote(catalog.resolve(model))} {fields} currency=USD"


# --- from Python --------------------------------------------------------------------------


def set_price(model: str, *, currency: str, path: Path | None = None, **fields: Any) -> Price:
    """Add a price to the user's prices file; see `Prices.set` for the fields.

    Warns:
        UserWarning: the catalogue does not know the model; the price is set all the same.

    Raises:
        InputError: a value cannot be, or there is no such field.
        ConfigError: the file is broken, or cannot be written.

    Example:
        >>> price = set_price("lite", currency="CNY", input="0.5", output=1)
        >>> price.model, price.input
        ('doubao-seed-2.0-lite', Decimal('0.5'))
    """
    import warnings

    from anyfast_nb.ledger.prices.file import KEYS, unknown_key

    for name in fields:
        if name not in KEYS:
            raise unknown_key(name)
    price = Prices(path).set(model, currency=currency, **fields)
    if told := doubt(price.model):
        warnings.warn(told, stacklevel=2)
    return price


def price_list(*, path: Path | None = None) -> pd.DataFrame:
    """The prices that are set, in the order of the file.

    Args:
        path: another prices file.

    Returns:
        ``model currency note version`` (string); ``valid_from`` (datetime64[us, UTC], NaT is
        always); ``input cached output image video_second video_token`` (Float64, NA where none).

    Raises:
        ConfigError: the file cannot be read; the message names the line.
    """
    import pandas as pd

    prices = Prices(path).table().prices
    frame = pd.DataFrame({
        "model": pd.array([price.model for price in prices], dtype="string"),
        "currency": pd.array([price.currency for price in prices], dtype="string"),
        "valid_from": pd.to_datetime([price.valid_from for price in prices], utc=True).as_unit("us"),
    })  # fmt: skip
    for name in FIELDS:
        numbers = [getattr(price, name) for price in prices]
        frame[name] = pd.array([None if one is None else float(one) for one in numbers], dtype="Float64")
    frame["note"] = pd.array([price.note or None for price in prices], dtype="string")
    frame["version"] = pd.array([price.version for price in prices], dtype="string")
    return frame
