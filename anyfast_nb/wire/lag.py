"""What the asset store does not know *yet*: refusals that pass by themselves.

A group or an asset that was made a moment ago may be unknown to the next call,
and to a generation for longer. Each of these is a refusal: the server said no,
nothing was done, and the same call may be sent again.

Source: wire reference 8, quirks 1, 2, 5 and 6, and 2.4 (asset not ready).
"""

from __future__ import annotations

import re
from typing import Final

from anyfast_nb.errors import ModelNotFoundError, ModerationError, QuotaError, StatusError

GROUP_WAITS_S: Final = (3.0, 4.0, 4.0, 4.0)
"""Before CreateAsset is sent again, after its new group was not found."""

GENERATION_WAITS_S: Final = (3.0, 12.0, 14.0, 16.0, 18.0, 20.0)
"""Before a generation is sent again, after its asset was not ready or not found."""

FRESH_S: Final = 20.0
"""For so long after it was made, an asset that is not found may only be late."""

_LATE = re.compile(
    r"asset\b.{0,160}\b(is )?still processing|asset\b.{0,160}not (yet )?(been )?available yet"
    r"|NotFound\.asset_?id|asset\b.{0,160}(is |was |be )?not found|could not find .{0,20}asset"
    r"|invalid url scheme",
    re.IGNORECASE,
)
_NO_GROUP = re.compile(r"NotFound\.group_?id|group\b.{0,160}(is |was |be )?not found", re.IGNORECASE)
_NO_ASSET = re.compile(r"NotFound\.asset_?id|asset\b.{0,160}(is |was |be )?not found", re.IGNORECASE)
_NO_PATH = re.compile(r"invalid url \(|no such path|page not found|a web page", re.IGNORECASE)
_GROUP_TYPE = re.compile(r"GroupType", re.IGNORECASE)
_OTHER_TROUBLES = (ModerationError, ModelNotFoundError, QuotaError)


def is_propagation(error: StatusError) -> bool:
    """Was a *generation* refused because its asset has not arrived everywhere yet?

    True for a 400 or 404 that says so: the job was not accepted, so the same create
    may be sent again after `GENERATION_WAITS_S`. Ask only for requests that name an
    asset: a wrong URL of another kind is refused in the same words.
    """
    return error.status in {400, 404} and _says(error, _LATE)


def is_group_lag(error: StatusError) -> bool:
    """Was CreateAsset refused because its group is not known (yet)?"""
    return error.status in {400, 404, 502} and _says(error, _NO_GROUP)


def is_missing(error: StatusError) -> bool:
    """Does the server not know this asset or group? The words count, or a bare 404."""
    if error.status == 404 and not isinstance(error, _OTHER_TROUBLES):
        return not _says(error, _NO_PATH)
    return error.status in {200, 400, 502} and (_says(error, _NO_ASSET) or _says(error, _NO_GROUP))


def wants_group_type(error: StatusError) -> bool:
    """Does a list ask for a GroupType, which others must not be given?"""
    return error.status in {200, 400, 502} and _says(error, _GROUP_TYPE)


def _says(error: StatusError, words: re.Pattern[str]) -> bool:
    if isinstance(error, _OTHER_TROUBLES):
        return False
    return bool(words.search(f"{error.code} {error.raw_message[:1000]}"))
