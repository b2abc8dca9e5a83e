"""Where media of a video request stand: web addresses, assets, data URIs, bare base64.

Source: seed 004 (content items), wire reference 6.1 and 7.1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.wire.findings import shown

KINDS: Final = ("image", "video", "audio")
_TYPE = re.compile(r"data:([a-z]+)/", re.IGNORECASE)
_DATA = re.compile(r"data:[^,]{0,200};base64,(.*)", re.IGNORECASE | re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_MIN_BARE: Final = 16  # characters of base64; anything shorter is a name, not a picture


def listed(field: str, value: Any) -> list[Any]:
    """Several media as a list.

    Raises:
        InputError: it is one, not several.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise InputError(
            f"{field} is {shown(value)}; it must be a list", field=field, hint=f"Write {field}=[…]."
        )
    return list(value)


def media_url(field: str, value: Any, *, kind: str) -> str:
    """An address that Seedance takes: http(s), a data URI of the right kind, or an asset in lower case.

    Raises:
        InputError: it is none, or names another kind of media.
    """
    url = value.strip() if isinstance(value, str) else ""
    scheme = url[:8].lower()
    if scheme.startswith("asset://") and len(url) > len("asset://"):
        return f"asset://{url[len('asset://') :]}"
    if scheme.startswith(("http://", "https://")):
        return url
    if not scheme.startswith("data:"):
        raise InputError(
            f"{field} is {shown(value)}; it must be a URL (http, https), a data URI or asset://<id>",
            field=field,
            hint="Nothing was sent.",
        )
    named = _TYPE.match(url)
    other = named.group(1).lower() if named else kind
    if other != kind and other in KINDS:
        raise InputError(
            f"{field} holds a data URI of {other}, not of {kind}",
            field=field,
            hint=f"Give it as {other}s=[…] instead.",
        )
    return url


def kling_image(field: str, value: Any) -> str:
    """An image for Kling: a web address, or bare base64; the front of a data URI is taken off.

    Raises:
        InputError: it is neither. Kling answers 1201 to a data URI.
    """
    text = value.strip() if isinstance(value, str) else ""
    if text[:8].lower().startswith(("http://", "https://")):
        return text
    inline = _DATA.fullmatch(text)
    bare = re.sub(r"\s+", "", inline.group(1) if inline else text)
    if _BASE64.fullmatch(bare) and (inline or len(bare) >= _MIN_BARE):
        return bare
    raise InputError(
        f"{field} is {shown(value)}; it must be a URL (http, https) or an image in base64",
        field=field,
        hint="Kling takes no assets and no paths. Nothing was sent.",
    )
