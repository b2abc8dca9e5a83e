"""Objects of a notebook as image files: PIL images, numpy arrays, figures and plots become PNG.

PIL, numpy, pandas and matplotlib are never imported to find out what an object is: who
has such an object has imported its library already.
"""

from __future__ import annotations

import base64
import io
import sys
from typing import Any

from anyfast_nb.errors import InputError

_PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})


def encoded(value: object) -> tuple[bytes, str] | None:
    """The object as a PNG file and what it is called; None if it is none of those.

    Raises:
        InputError: an array of another shape or range than an image has.
    """
    if _is(value, "PIL.Image", "Image"):
        return _from_pil(value), "PIL image"
    artist = _artist(value)
    if artist is not None:
        return _from_figure(artist), "figure"
    if _is(value, "numpy", "ndarray"):
        return _from_array(value), f"array {_shape(value)}"
    return _shown(value)


def _artist(value: Any) -> Any | None:
    """The matplotlib artist that a value is, or the first of a plot that has several."""
    if _is(value, "numpy", "ndarray") and value.dtype.kind == "O" and value.size:
        value = value.flat[0]  # df.plot(subplots=True), df.hist()
    elif _is(value, "pandas", "Series") and len(value) and value.dtype.kind == "O":
        value = value.iloc[0]  # df.groupby(…).plot()
    return value if _is(value, "matplotlib.artist", "Artist") else None


def _shown(value: Any) -> tuple[bytes, str] | None:
    """An object that draws itself into a file, or shows itself as PNG, as seaborn's and sympy's do."""
    name = type(value).__name__
    if callable(getattr(type(value), "savefig", None)):
        return _from_figure(value), name
    show = getattr(type(value), "_repr_png_", None)
    if not callable(show):
        return None
    try:
        shown = value._repr_png_()
    except Exception as error:  # noqa: BLE001 - whatever the user's object raised
        raise _not_drawn(name, error) from None
    if isinstance(shown, tuple):  # with metadata
        shown = shown[0]
    if isinstance(shown, str):  # in base64, as a front end wants it
        shown = base64.b64decode(shown)
    return (shown, name) if isinstance(shown, bytes) and shown else None


def _not_drawn(name: str, error: Exception) -> InputError:
    return InputError(
        f"{name} cannot be drawn: {type(error).__name__}: {str(error)[:200]}",
        hint="Show it in a cell of its own to see what is wrong with it.",
    )


def _is(value: object, module: str, name: str) -> bool:
    known = getattr(sys.modules.get(module), name, None)
    return isinstance(known, type) and isinstance(value, known)


def _from_pil(image: Any) -> bytes:
    try:
        if image.mode not in _PNG_MODES:
            image = image.convert("RGB")
        file = io.BytesIO()
        image.save(file, format="PNG")
    except (OSError, ValueError, SystemError) as error:
        raise InputError(
            f"A PIL image of {image.width} x {image.height} pixels cannot be written as PNG: {error}.",
            hint="Give an image that has pixels.",
        ) from None
    return file.getvalue()


def _from_array(array: Any) -> bytes:
    from PIL import Image

    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in {3, 4})):
        raise InputError(
            f"An array of shape {_shape(array)} is no image.",
            hint="An image is height x width, or height x width x 3 (RGB) or x 4 (RGBA).",
        )
    return _from_pil(Image.fromarray(_as_bytes(array)))


def _as_bytes(array: Any) -> Any:
    """The array as whole numbers 0..255."""
    if array.dtype.name == "uint8":
        return array
    if array.dtype.kind == "b":
        return array.astype("uint8") * 255
    if array.dtype.kind != "f":
        raise InputError(
            f"An array of {array.dtype.name} is no image.",
            hint="Give uint8 from 0 to 255, or floats from 0 to 1.",
        )
    low, high = float(array.min()), float(array.max())
    # Not-a-number compares false with everything, and is refused with the rest.
    if not (low >= 0 and high <= 1):
        raise InputError(
            f"An array of floats from {low:g} to {high:g} is no image.",
            hint="Floats go from 0 to 1: scale it, or give uint8 from 0 to 255.",
        )
    return (array * 255).round().astype("uint8")


def _from_figure(artist: Any) -> bytes:
    figure = artist
    while not hasattr(figure, "savefig"):
        figure = getattr(figure, "figure", None)
        if figure is None:
            raise InputError(
                f"A matplotlib {type(artist).__name__} in no figure is no image.", hint="Give the figure."
            )
    file = io.BytesIO()
    try:
        figure.savefig(file, format="png")
    except Exception as error:  # noqa: BLE001 - whatever a figure of the user raised
        raise _not_drawn(type(figure).__name__, error) from None
    return file.getvalue()


def _shape(array: Any) -> str:
    return " x ".join(str(length) for length in array.shape) or "()"
