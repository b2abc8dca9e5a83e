"""POST /kling/v1/videos/…: arguments to a checked request for a Kling video.

Three routes: from text, from one image, from several. The fourth, omni-video,
has other fields and is not built here; shots (``multi_shot``, ``multi_prompt``),
masks, voices and elements go through ``extra``.

Source: wire reference 7.1 and 7.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from anyfast_nb import catalog
from anyfast_nb.catalog.video import KlingFamily, kling_family
from anyfast_nb.errors import InputError
from anyfast_nb.wire import addresses, checks, prompts
from anyfast_nb.wire.findings import Findings, passed_through, shown, truth, whole
from anyfast_nb.wire.generation import Generation

ROOT: Final = "/kling/v1/videos"
TEXT, IMAGE, IMAGES = "text2video", "image2video", "multi-image2video"
# The model is always named: the server's own default is kling-v1, which no one means today. Kling 3 has
# pages of its own for text and for one image, and takes any length; several images have one page, of v1.6.
DEFAULT_MODELS: Final = {TEXT: "kling-v3", IMAGE: "kling-v3", IMAGES: "kling-v1-6"}
MODES: Final = ("std", "pro")
RATIOS: Final = ("16:9", "9:16", "1:1")
CAMERAS: Final = ("simple", "down_back", "forward_up", "right_turn_forward", "left_turn_forward")
MOVES: Final = ("horizontal", "vertical", "pan", "tilt", "roll", "zoom")
_FARTHEST: Final = 10  # of a camera's move, either way
_IMAGES_DURATIONS: Final = (5, 10)  # from several images
_PRINTED: Final = range(3, 16)  # what every page prints; the older models' vendor takes 5 and 10
_OWN: Final = {  # field of the body -> the argument that sets it
    "model_name": "model",
    "model": "model",  # the gateway reads it as well
    "prompt": "prompt",
    "negative_prompt": "negative_prompt",
    "image": "image",
    "image_tail": "image_tail",
    "image_list": "images",
    "duration": "duration",
    "mode": "mode",
    "aspect_ratio": "aspect_ratio",
    "cfg_scale": "cfg_scale",
    "sound": "sound",
    "camera_control": "camera_control",
}


def build_kling(
    prompt: str = "",
    *,
    model: str | None = None,
    image: str | None = None,
    image_tail: str | None = None,
    images: Sequence[str] = (),
    negative_prompt: str | None = None,
    duration: int | str | None = None,
    mode: str | None = None,
    aspect_ratio: str | None = None,
    cfg_scale: float | None = None,
    sound: bool | None = None,
    camera_control: Mapping[str, Any] | None = None,
    strict: bool = True,
    extra: Mapping[str, Any] | None = None,
) -> Generation:
    """A create request, its route inferred, checked against the documented limits.

    Images are addresses (``https://…``) or base64; of a data URI the base64 is sent.

    Args:
        prompt: what happens, up to 2500 characters; it may be empty only where ``extra`` holds
            ``multi_shot``.
        model: an id or an alias; by default kling-v3, from several images kling-v1-6.
        image: the video begins with it.
        image_tail: the video ends with it.
        images: one to four, put together; they exclude `image` and `image_tail`.
        negative_prompt: what to keep out, up to 2500 characters.
        duration: whole seconds; kling-v3 takes 3 to 15, others 5 or 10. It is sent as text.
        mode: std or pro.
        aspect_ratio: 16:9, 9:16 or 1:1.
        cfg_scale: 0 to 1, how closely to follow the prompt; Kling 2 does not heed it.
        sound: make sound as well; from kling-v2-6 on.
        camera_control: ``{"type": …}``, and for ``simple`` ``{"config": {"zoom": 5}}`` with one move.
        strict: False turns documented limits into notes; what contradicts itself stays refused.
        extra: fields that this builder does not know, passed through as they are.

    Raises:
        InputError: names the argument to change. Nothing was sent.

    Example:
        >>> sent = build_kling("A cat plays the piano", duration=5)
        >>> sent.path, sent.body["duration"]
        ('/kling/v1/videos/text2video', '5')
    """
    others = passed_through(extra, own=_OWN)
    media, arguments = _media(image, image_tail, images)
    route = IMAGES if "image_list" in media else IMAGE if media else TEXT
    known_as, family, findings = _model(DEFAULT_MODELS[route] if model is None else model, strict)
    if route == IMAGES:
        findings.at_most("images", len(arguments), catalog.limit("kling_images").max_items, what="images")
    body: dict[str, Any] = {"model_name": known_as}
    body |= _words(prompt, negative_prompt, route, bool(others.get("multi_shot")), findings)
    body |= media
    if duration is not None:
        body["duration"] = _duration(duration, route, family, findings)
    if mode is not None:
        body["mode"] = findings.one_of("mode", mode, allowed=MODES)
    if aspect_ratio is not None:
        body["aspect_ratio"] = findings.one_of("aspect_ratio", aspect_ratio, allowed=RATIOS)
    if cfg_scale is not None:
        body["cfg_scale"] = findings.in_range("cfg_scale", cfg_scale)
    if sound is not None:
        body["sound"] = "on" if truth("sound", sound) else "off"
    if camera_control is not None:
        body["camera_control"] = _camera(camera_control, route, findings)
    _check_tail(body, family, findings)
    _note_unheeded(body, route, family, findings)
    return Generation(
        kind="kling",
        path=f"{ROOT}/{route}",
        body=body | others,
        mode=route,
        poll_paths=_poll_paths(route),
        notes=findings.notes,
        arguments=arguments,
    )


def _poll_paths(route: str) -> tuple[str, ...]:
    """The documented place first; the pages disagree, so there are others to try.

    Several images are polled as one image is: the gateway lists no place of their own.
    """
    first = TEXT if route == TEXT else IMAGE
    actions = dict.fromkeys([first, route, IMAGE, TEXT])
    own = [f"{ROOT}/{action}/{{id}}" for action in actions]
    return (*own, f"{ROOT}/{{id}}", "/v1/video/generations/{id}")


def _model(model: Any, strict: Any) -> tuple[str, KlingFamily | None, Findings]:
    known_as = catalog.resolve(checks.text("model", model).strip())
    family = kling_family(known_as)
    findings = Findings(strict=truth("strict", strict) and family is not None)
    if family is None:
        findings.note(f"model {known_as!r} is not in the catalogue: limits are advice only")
    return known_as, family, findings


# --- media --------------------------------------------------------------------------------


def _media(image: Any, tail: Any, images: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The body's fields, and which argument made which of them."""
    several = addresses.listed("images", images)
    if several and (image is not None or tail is not None):
        other = "image" if image is not None else "image_tail"
        raise InputError(
            f"images and {other} exclude each other",
            field="images",
            hint=f"Put all of them into images, or leave images out and keep {other}.",
        )
    if several:
        entries = [{"image": addresses.kling_image(f"images[{i}]", one)} for i, one in enumerate(several)]
        return {"image_list": entries}, {f"image_list[{i}]": f"images[{i}]" for i in range(len(entries))}
    fields = {
        name: addresses.kling_image(name, one)
        for name, one in (("image", image), ("image_tail", tail))
        if one is not None
    }
    return fields, {name: name for name in fields}


def _check_tail(body: Mapping[str, Any], family: KlingFamily | None, findings: Findings) -> None:
    if "image_tail" not in body:
        return
    if "camera_control" in body:
        findings.limit(
            "camera_control",
            "camera_control and image_tail exclude each other",
            hint="Leave one of them out.",
        )
    if family is not None and family.tail_needs_pro and body.get("mode") != "pro":
        findings.limit(
            "mode",
            f"image_tail with {body['model_name']} needs mode pro",
            hint="Give mode='pro'.",
        )


# --- words and settings -------------------------------------------------------------------


def _words(prompt: Any, negative: Any, route: str, shots: bool, findings: Findings) -> dict[str, Any]:
    out = {}
    text = prompts.clean(prompt)
    if text:
        out["prompt"] = _fitting("prompt", text, findings)
    elif not shots:
        raise InputError(
            f"prompt is empty; {route} needs one", field="prompt", hint="Say what the video shows."
        )
    elif route != IMAGE:
        findings.limit("prompt", f"prompt is empty; {route} needs one beside multi_shot as well")
    if negative is not None:
        out["negative_prompt"] = _fitting(
            "negative_prompt", checks.text("negative_prompt", negative), findings
        )
    return out


def _fitting(field: str, text: str, findings: Findings) -> str:
    text = prompts.clean(text)
    most = catalog.limit("kling_prompt").value or 0
    if len(text) > most:
        findings.limit(
            field,
            f"{field} has {len(text)} characters; allowed are {most}",
            hint=f"Shorten it by {len(text) - most}.",
        )
    return text


def _duration(duration: Any, route: str, family: KlingFamily | None, findings: Findings) -> str:
    seconds = whole("duration", duration)
    documented = _IMAGES_DURATIONS if route == IMAGES else family.durations if family else tuple(_PRINTED)
    if seconds not in documented:
        if len(documented) > 2:
            choice = f"{documented[0]} to {documented[-1]}"
        else:
            choice = " or ".join(map(str, documented))
        if route != IMAGES and seconds in _PRINTED:
            findings.note(
                f"duration is {seconds}; the pages print 3 to 15, the maker of the model takes {choice}"
            )
        else:
            findings.limit("duration", f"duration is {seconds}; allowed are {choice} seconds")
    return str(seconds)


def _camera(control: Any, route: str, findings: Findings) -> dict[str, Any]:
    """A named movement, or `simple` with exactly one move."""
    fields = checks.mapping("camera_control", control)
    kind = findings.one_of("camera_control.type", fields.get("type"), allowed=CAMERAS)
    config = fields.get("config")
    if route == IMAGES:
        findings.limit("camera_control", f"camera_control is not documented for {route}")
    if kind == "simple":
        _moves(config, findings)
    elif config and kind in CAMERAS:
        findings.limit(
            "camera_control.config",
            f"camera_control.config is for type simple alone; the type is {kind}",
            hint="Leave config out.",
        )
    return checks.writable("camera_control", fields) | {"type": kind}


def _moves(config: Any, findings: Findings) -> None:
    moves = checks.mapping("camera_control.config", config)
    for name, value in moves.items():
        where = f"camera_control.config.{name}"
        if name not in MOVES:
            findings.limit(where, f"{where} is no move; moves are {', '.join(MOVES)}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{where} is {shown(value)}; it must be a number from -10 to 10", field=where)
        if not -_FARTHEST <= value <= _FARTHEST:
            findings.limit(where, f"{where} is {value}; allowed is a number from -10 to 10")
    used = [name for name, value in moves.items() if value]
    if len(used) != 1:
        what = f"moves {' and '.join(used)}" if used else "moves nothing"
        findings.limit(
            "camera_control.config",
            f"camera_control.config {what}; exactly one move differs from 0",
        )


def _note_unheeded(
    body: Mapping[str, Any], route: str, family: KlingFamily | None, findings: Findings
) -> None:
    """Fields that the model or the route may not know: sent, for the server to decide."""
    name = body["model_name"]
    if route == IMAGES:
        for field in ("cfg_scale", "sound"):
            if field in body:
                findings.note(f"{field} is not documented for {route}; the server decides")
    if family is None:
        return
    if "cfg_scale" in body and not family.cfg_scale:
        findings.note(f"cfg_scale is not supported by {name}; the server may refuse or ignore it")
    if body.get("sound") == "on" and not family.sound:
        findings.note(f"sound is documented from kling-v2-6 on; {name} may refuse or ignore it")
    if "aspect_ratio" in body and route == IMAGE and not family.ratio_on_image:
        findings.note(f"aspect_ratio beside an image counts from kling-v2-6 on; {name} keeps the image's")
