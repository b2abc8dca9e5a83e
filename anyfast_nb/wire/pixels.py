"""How large films and pictures are, and how many tokens a film costs: what an estimate needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anyfast_nb.catalog import video
from anyfast_nb.errors import InputError

FPS: Final = 24
FILM_SECONDS: Final = 5
"""Of a film where no duration is given, for Seedance and Kling."""

PLAIN_RESOLUTION: Final = "720p"
"""Of a Seedance film where none is given."""

PICTURE_SIDES: Final[Mapping[str, int]] = {"1K": 1024, "2K": 2048, "3K": 3072, "4K": 4096}
"""Side of a square picture, by the word that `size` takes."""

PLAIN_PICTURE: Final = "2048x2048"
"""Size of a picture where none is given."""


def output_pixels(resolution: str, ratio: str) -> tuple[int, int]:
    """Width and height of a video.

    Args:
        resolution: 480p, 720p or 1080p.
        ratio: 16:9, 4:3, 1:1, 3:4, 9:16 or 21:9; ``adaptive`` has no size before the work is done.

    Raises:
        InputError: the vendor's table has no such size.

    Example:
        >>> output_pixels("720p", "16:9")
        (1280, 720)

    Source: seed 004 (resolution pixel values).
    """
    sizes = video.output_sizes()
    size = sizes.get((str(resolution).strip().lower(), str(ratio).strip()))
    if size is None:
        known = {name for name, _ in sizes}
        field = "ratio" if str(resolution).strip().lower() in known else "resolution"
        raise InputError(
            f"no size is documented for resolution {resolution!r} with ratio {ratio!r}",
            field=field,
            hint="Resolutions: 480p, 720p, 1080p; ratios: 16:9, 4:3, 1:1, 3:4, 9:16, 21:9.",
        )
    return size


def video_tokens(width: int, height: int, duration_s: int) -> int:
    """Tokens that a video is billed with: pixels times frames by 1024, at 24 frames a second and one more.

    Example:
        >>> video_tokens(1280, 720, 5)
        108900

    Source: wire reference 13, derived from the vendor's samples and exact on them.
    """
    return round(width * height * (FPS * duration_s + 1) / 1024)


def largest_output(resolution: str) -> tuple[int, int] | None:
    """Width and height of the largest video of a resolution, whatever its ratio; None if none is documented.

    Example:
        >>> largest_output("1080p")
        (2208, 944)

    Source: seed 004 (resolution pixel values).
    """
    name = str(resolution).strip().lower()
    sizes = [size for (of, _), size in video.output_sizes().items() if of == name]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def whole_number(value: Any, default: int | None) -> int | None:
    """A whole number of a body, the default where there is none; None where the model chooses (-1).

    Source: seed 004 (duration).
    """
    try:
        found = default if value is None else int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found is not None and found > 0 else None
