"""From what a caller gives to a checked request: prompt, system, media, documents, parameters.

A conversation is kept in one form (see `anyfast_nb.wire.conversation`). Which API it goes to is
decided here, last: chat, unless a document is in it, which the Responses API alone can take.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import InputError
from anyfast_nb.gateway import attachments
from anyfast_nb.wire import chat, checks, responses
from anyfast_nb.wire.conversation import has_document, user_message
from anyfast_nb.wire.response_items import is_response_item
from anyfast_nb.wire.text import mended

if TYPE_CHECKING:
    from anyfast_nb.settings import Settings

Prompt = str | Sequence[Any]
Media = Sequence[Any]
APIS: Final = ("auto", "chat", "responses")
REASONING: Final = (*chat.EFFORTS, "off")
_PARAMETERS: Final = set(inspect.signature(chat.build_chat).parameters) - {"messages", "model"}
_OTHER_NAMES: Final = {"max_output_tokens": "max_tokens", "text": "response_format", "input": "prompt"}
_OWN: Final = (
    "model",
    "system",
    "images",
    "videos",
    "files",
    "fps",
    "downscale",
    "history",
    "api",
    "reasoning",
)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A checked request and the conversation that it carries.

    Attributes:
        body: what is sent.
        messages: the conversation in the form that threads keep, whichever API it goes to.
        api: ``chat`` or ``responses``.
        model: as it was asked for.
        parameters: the rest.
        notes: a line for each doubt about what goes with it, such as a document that is no PDF.
    """

    body: Mapping[str, Any] = field(repr=False)
    messages: tuple[Mapping[str, Any], ...] = field(repr=False)
    api: str
    model: str
    parameters: Mapping[str, Any] = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def message(self) -> Mapping[str, Any]:
        """The last message, the user's: what a thread keeps beside the answer."""
        return self.messages[-1]

    def followed_by(self, messages: Iterable[Mapping[str, Any]]) -> ChatRequest:
        """The same request after more has been said, such as calls of tools and their results.

        Raises:
            InputError: a message that cannot be sent.
        """
        parameters = dict(self.parameters)
        if parameters.get("tool_choice") not in (None, "none", "auto"):
            parameters["tool_choice"] = "auto"  # it was obeyed: kept, it would ask for calls for ever
        return _built([*self.messages, *messages], self.api, self.model, parameters)


def chat_body(prompt: Prompt, *, settings: Settings, **options: Any) -> dict[str, Any]:
    """The request body alone; arguments and errors as in `chat_request`."""
    return dict(chat_request(prompt, settings=settings, **options).body)


def chat_request(
    prompt: Prompt,
    *,
    settings: Settings,
    model: str | None = None,
    system: str | None = None,
    images: Media = (),
    videos: Media = (),
    files: Media = (),
    fps: float | None = None,
    downscale: bool = False,
    history: Sequence[Mapping[str, Any]] = (),
    api: str = "auto",
    reasoning: str | None = None,
    **parameters: Any,
) -> ChatRequest:
    """A prompt (or whole messages) with all that goes with it, as a request.

    Args:
        prompt: text; a list of messages, in chat's form or the Responses API's, that is sent as it
            is; or a list of texts, pandas frames (as tables), pictures, paths and bytes.
        settings: gives the default model and system prompt.
        model: an id or an alias.
        system: a system prompt; ``""`` sends none.
        images: URLs, paths, bytes, PIL images, numpy arrays, matplotlib figures.
        videos: URLs, paths, bytes.
        files: documents: URLs, paths, bytes, open files; PDF, Office, text, CSV, HTML, JSON.
        fps: frames of a video looked at per second, 0.2 to 5.
        downscale: make pictures that are too large fit, instead of refusing them.
        history: earlier messages, before the prompt.
        api: ``auto`` (responses where a document is sent, else chat), ``chat`` or ``responses``.
        reasoning: minimal, low, medium, high or off; the Responses API has no off, and gets minimal.
        parameters: see `anyfast_nb.wire.chat.build_chat`.

    Raises:
        InputError: a value outside its documented range, an unreadable medium, a document for chat.
    """
    _check_known(parameters)
    given = attachments.Given(images, videos, files, fps, downscale)
    message, notes = _messages(prompt, given, before_bytes=attachments.weight_bytes(history))
    asked = settings.system if system is None else system
    head = [{"role": "system", "content": asked}] if asked and not _has_system(message) else []
    model = settings.model if model is None else model
    messages = [*head, *history, *message]
    attachments.check_weight(messages)
    api = _api(api, messages)
    request = _built(messages, api, model, parameters | _reasoning(reasoning, parameters, api))
    if reasoning == "off" and api == "responses":
        notes = (*notes, "the Responses API has no reasoning off: minimal is asked for")
    return replace(request, notes=notes)


def _api(asked: str, messages: Sequence[Mapping[str, Any]]) -> str:
    """Where the conversation goes: asked for, or where it can go."""
    checks.one_of("api", asked, allowed=APIS)
    if asked == "responses" or (asked == "auto" and has_document(messages)):
        return "responses"
    if has_document(messages):
        raise InputError(
            "a document is in the conversation, and chat takes none",
            field="api",
            hint='Leave api away, or say api="responses" (--api responses).',
        )
    if any(map(is_response_item, messages)):
        raise InputError(
            "the conversation holds items in the form of the Responses API",
            field="api",
            hint='Say api="responses" (--api responses), or write them in the form of chat.',
        )
    return "chat"


def _built(
    messages: Sequence[Mapping[str, Any]], api: str, model: str, parameters: Mapping[str, Any]
) -> ChatRequest:
    if api == "chat":
        body = chat.build_chat(messages, model=model, **parameters)
    else:
        body = responses.build_responses(messages, model=model, **_renamed(parameters))
    return ChatRequest(body, tuple(messages), api, model, parameters)


# --- parameters ---------------------------------------------------------------------------


def _check_known(parameters: Mapping[str, Any]) -> None:
    if unknown := sorted(set(parameters) - _PARAMETERS):
        near = difflib.get_close_matches(unknown[0], [*_PARAMETERS, *_OWN], n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise InputError(
            f"chat knows no argument {unknown[0]!r}",
            field=unknown[0],
            hint=f"{meant}Other fields go through as extra={{{unknown[0]!r}: …}}.",
        )


def _reasoning(reasoning: str | None, parameters: Mapping[str, Any], api: str) -> dict[str, Any]:
    """One word for both APIs, as the parameters of one."""
    if reasoning is None:
        return {}
    checks.one_of("reasoning", reasoning, allowed=REASONING)
    for name in ("thinking", "reasoning_effort"):
        if parameters.get(name) is not None:
            raise InputError(
                f"reasoning={reasoning!r} and {name}={parameters[name]!r} say the same thing twice",
                field="reasoning",
                hint="Give one of them.",
            )
    if reasoning == "off":
        # Only efforts are documented for the Responses API; minimal is the least of them.
        return {"thinking": "disabled"} if api == "chat" else {"reasoning_effort": "minimal"}
    return {"reasoning_effort": reasoning}


def _renamed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Chat's parameters under the names that the Responses API has for them."""
    found = dict(parameters)
    if found.pop("stop", None) is not None:
        raise InputError(
            "stop is given, and the Responses API has no such field",
            field="stop",
            hint="Leave it out, or say in the prompt where the answer ends.",
        )
    # Checked under the caller's names: a refusal tells the argument to change.
    extra = found.get("extra")
    for name in extra if isinstance(extra, Mapping) else ():
        if name in _OTHER_NAMES:
            raise InputError(
                f"extra holds {name!r}, which has an argument of its own",
                field=f"extra.{name}",
                hint=f"Use {_OTHER_NAMES[name]}=… instead.",
            )
    if found.get("max_tokens") is not None:
        checks.in_range("max_tokens", found["max_tokens"], whole=True)
    if found.get("reasoning_effort") is not None:
        checks.one_of("reasoning_effort", found["reasoning_effort"], allowed=chat.EFFORTS)
    names = {"max_tokens": "max_output_tokens", "reasoning_effort": "reasoning"}
    return {names.get(name, name): value for name, value in found.items()}


# --- messages -----------------------------------------------------------------------------


def _messages(
    prompt: Prompt, given: attachments.Given, *, before_bytes: int
) -> tuple[list[Mapping[str, Any]], tuple[str, ...]]:
    """The messages of a prompt, and the notes about what goes with it."""
    if not isinstance(prompt, str | list | tuple):
        raise InputError(
            f"the prompt is a {type(prompt).__name__}; it must be text or a list of messages",
            field="prompt",
            hint="Nothing was sent.",
        )
    if not isinstance(prompt, str) and (not prompt or any(isinstance(item, Mapping) for item in prompt)):
        return _whole(prompt, given), ()
    text, given = (prompt, given) if isinstance(prompt, str) else given.and_those_of(prompt)
    text = mended(text)
    parts, notes = given.parts(text_bytes=before_bytes + len(text.encode(errors="replace")))
    if not text.strip() and not parts:
        raise InputError("the prompt is empty", field="prompt", hint="Nothing was sent.")
    return [user_message(text, media=parts)], notes


def _whole(messages: Sequence[Any], given: attachments.Given) -> list[Mapping[str, Any]]:
    """Messages that a caller wrote: sent as they are."""
    if given.any:
        raise InputError(
            "images, videos and files go with a text prompt, not with a list of messages",
            field="images",
            hint="Put image_url, video_url or input_file parts into the messages.",
        )
    given.parts(text_bytes=0)  # fps, without a clip
    for i, message in enumerate(messages):
        if not isinstance(message, Mapping):
            raise InputError(
                f"prompt[{i}] is a {type(message).__name__} among messages",
                field="prompt",
                hint="Give a list of messages, or a list of texts, frames and pictures.",
            )
    return list(messages)


def _has_system(messages: Sequence[Mapping[str, Any]]) -> bool:
    return any(message.get("role") == "system" for message in messages if isinstance(message, Mapping))
