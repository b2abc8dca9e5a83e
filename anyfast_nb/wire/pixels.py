"""How large a Seedance video is, and how many tokens it costs: what an estimate needs."""

from __future__ import annotations

from anyfast_nb.catalog import video
from anyfast_nb.errors import InputError

FPS = 24


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
