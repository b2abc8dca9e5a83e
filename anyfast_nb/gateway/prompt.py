"""From what a caller gives to a checked chat request: prompt, system, media, parameters."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.wire import chat
from anyfast_nb.wire.text import mended

if TYPE_CHECKING:
    from anyfast_nb.settings import Settings

Prompt = str | Sequence[Mapping[str, Any]]
Media = Sequence[Any]
_PARAMETERS: Final = set(inspect.signature(chat.build_chat).parameters) - {"messages", "model"}
_OWN: Final = ("model", "system", "images", "videos", "fps", "history")


def chat_body(
    prompt: Prompt,
    *,
    settings: Settings,
    model: str | None = None,
    system: str | None = None,
    images: Media = (),
    videos: Media = (),
    fps: float | None = None,
    history: Sequence[Mapping[str, Any]] = (),
    **parameters: Any,
) -> dict[str, Any]:
    """The request body for a prompt (or whole messages) with its media.

    Args:
        prompt: text, or a list of messages that is sent as it is.
        settings: gives the default model and system prompt.
        model: an id or an alias.
        system: a system prompt; ``""`` sends none.
        images: URLs, paths, bytes, PIL images, numpy arrays, matplotlib figures.
        videos: URLs, paths, bytes.
        fps: frames of a video looked at per second, 0.2 to 5.
        history: earlier messages, before the prompt.
        parameters: see `anyfast_nb.wire.chat.build_chat`.

    Raises:
        InputError: a value outside its documented range, an unreadable medium.
    """
    if fps is not None and not videos:
        raise InputError("fps is given without a video", field="fps", hint="Add --video (videos=[…]).")
    if unknown := sorted(set(parameters) - _PARAMETERS):
        near = difflib.get_close_matches(unknown[0], [*_PARAMETERS, *_OWN], n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise InputError(
            f"chat knows no argument {unknown[0]!r}",
            field=unknown[0],
            hint=f"{meant}Other fields go through as extra={{{unknown[0]!r}: …}}.",
        )
    message = _messages(prompt, images, videos, fps)
    asked = settings.system if system is None else system
    head = [{"role": "system", "content": asked}] if asked and not _has_system(message) else []
    model = settings.model if model is None else model
    return chat.build_chat([*head, *history, *message], model=model, **parameters)


def _messages(prompt: Prompt, images: Media, videos: Media, fps: float | None) -> list[Mapping[str, Any]]:
    parts = _media_parts(images, videos, fps, text_bytes=len(str(prompt).encode(errors="replace")))
    if isinstance(prompt, str):
        prompt = mended(prompt)
        if not prompt.strip() and not parts:
            raise InputError("the prompt is empty", field="prompt", hint="Nothing was sent.")
        return [chat.user_message(prompt, media=parts)]
    if not isinstance(prompt, list | tuple):
        raise InputError(
            f"the prompt is a {type(prompt).__name__}; it must be text or a list of messages",
            field="prompt",
            hint="Nothing was sent.",
        )
    if parts:
        raise InputError(
            "images and videos go with a text prompt, not with a list of messages",
            field="images",
            hint="Put image_url parts into the messages.",
        )
    return list(prompt)


def _media_parts(images: Media, videos: Media, fps: float | None, *, text_bytes: int) -> list[dict[str, Any]]:
    if not images and not videos:  # the common case imports nothing
        return []
    from anyfast_nb.media.parts import check_body, image_item, video_item

    pictures = [image_item(item) for item in _listed(images, "images")]
    clips = [video_item(item) for item in _listed(videos, "videos")]
    check_body([*pictures, *clips], other_bytes=text_bytes)
    return [
        *(chat.image_part(item.url) for item in pictures),
        *(chat.video_part(item.url, fps=fps) for item in clips),
    ]


def _listed(media: Any, field: str) -> list[Any]:
    if isinstance(media, list | tuple):
        return list(media)
    raise InputError(
        f"{field} must be a list", field=field, hint=f"Write {field}=[…], also for a single one."
    )


def _has_system(messages: Sequence[Mapping[str, Any]]) -> bool:
    return any(message.get("role") == "system" for message in messages if isinstance(message, Mapping))
