"""A checked create request for a video or a picture: what the builders of this room give.

Source: wire reference 2.3 (a refusal names its item as ``content[N]``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_ITEM = re.compile(r"[A-Za-z_]\w{0,60}\[\d{1,4}\]")


@dataclass(frozen=True, slots=True)
class Generation:
    """One create request, checked, ready to be sent once.

    Attributes:
        kind: seedance, kling or seedream.
        path: where it is posted, such as ``/v1/video/generations``.
        body: the JSON body; it may hold media, so it is never shown.
        mode: what the arguments amount to. Seedance: text, first_frame, first_last_frame,
            reference, edit, extend. Kling: text2video, image2video, multi-image2video.
            Seedream: text, image, images.
        poll_paths: where its task may be asked for, with ``{id}``, in the order to try;
            empty where the reply itself holds the result.
        notes: one line each: what was assumed, and what the server may refuse.
        arguments: which argument made which item of the body, ``content[1]`` -> ``first_frame``.
    """

    kind: str
    path: str
    body: Mapping[str, Any] = field(repr=False)
    mode: str
    poll_paths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)


def argument_of(message: str, generation: Generation) -> str:
    """The argument that a refusal points at, "" if it points at none.

    Args:
        message: the server's words, such as "The input image 'content[1]' may contain real person."
        generation: what was sent.

    Example:
        >>> sent = Generation("seedance", "/v1/video/generations", {}, "first_frame",
        ...                   arguments={"content[0]": "prompt", "content[1]": "first_frame"})
        >>> argument_of("The input image 'content[1]' may contain real person.", sent)
        'first_frame'
    """
    for item in _ITEM.findall(message):
        if argument := generation.arguments.get(item):
            return argument
    return ""
