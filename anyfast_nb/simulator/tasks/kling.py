"""Every rule of ``POST /kling/v1/videos/{action}``: a JSON body in, a typed request or a 400 out."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from anyfast_nb.simulator import fields
from anyfast_nb.simulator.config import MIB
from anyfast_nb.simulator.problems import bad_field
from anyfast_nb.simulator.studio import Kind
from anyfast_nb.simulator.tasks import limits as rules
from anyfast_nb.simulator.tasks.kling_camera import check_camera, check_masks
from anyfast_nb.simulator.tasks.kling_request import RATIOS, Action, KlingRequest
from anyfast_nb.simulator.tasks.kling_shots import read_shots
from anyfast_nb.simulator.tasks.media import decoded_base64
from anyfast_nb.simulator.tasks.refusals import gateway_terms, kling_terms

if TYPE_CHECKING:
    from anyfast_nb.simulator.fields import Body
    from anyfast_nb.simulator.tasks.media import Found
    from anyfast_nb.simulator.tasks.seedance import Surroundings

MOST_PROMPT = 2500
IMAGE_BYTES = 10 * MIB
IMAGE_FORMATS = ("jpeg", "png")
MOST_IMAGES = 4
MOST_VOICES = 2
LONG = frozenset({"kling-v3", "kling-v3-omni", "kling-3.0-turbo", "kling-video-o1"})
SPEAKING = LONG | {"kling-v2-6"}
# The gateway binds these as strings: a number is no string to it.
_STRINGS = (
    *("model_name", "model", "prompt", "negative_prompt", "mode", "aspect_ratio", "duration", "image"),
    *("image_tail", "static_mask", "sound", "callback_url", "external_task_id", "shot_type"),
)
_KNOWN = frozenset(
    {
        *_STRINGS,
        *("cfg_scale", "image_list", "multi_shot", "multi_prompt", "element_list", "video_list"),
        *("voice_list", "camera_control", "dynamic_masks", "watermark_info"),
    }
)


def model_of(body: Body, action: Action) -> str:
    """The model asked for, or the one the route takes by itself.

    Raises:
        Refusal: 400, a field that is no string.
    """
    with gateway_terms():
        for name in _STRINGS:
            fields.string(body, name)
    usual = {Action.IMAGES: "kling-v1-6", Action.OMNI: "kling-v3-omni"}.get(action, "kling-v1")
    return str(body.get("model_name") or body.get("model") or usual)


def read_kling(body: Body, action: Action, model: str, around: Surroundings) -> KlingRequest:
    """Check a request whose model is known, and resolve its pictures.

    Raises:
        TaskRefusal: 400 with the field's path and the rule.
    """
    with kling_terms():
        if around.strict:
            fields.only(body, _KNOWN)
        duration_s = _duration(body, action, model)
        prompt = _prompt(body, action, duration_s, strict=around.strict)
        sound = _sound(body, model)
        _check_cfg(body, model, strict=around.strict)
        check_camera(body)
        check_masks(body)
        mode = fields.choice(body, "mode", ("std", "pro"))
        mode = mode or ("pro" if action is Action.OMNI else "std")
        first, last, images = _pictures(body, action, model, mode, around)
        clips = _clips(body, around, sound=sound) if action is Action.OMNI else ()
        ratio = _ratio(body, action, framed=first is not None or bool(clips))
        watermark = fields.mapping(body, "watermark_info") or {}
        digest = json.dumps(body, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
        return KlingRequest(
            action=action,
            model=model,
            prompt=prompt,
            mode=mode,
            ratio=ratio,
            duration_s=duration_s,
            sound=sound,
            watermark=fields.boolean(watermark, "enabled", path="watermark_info"),
            external_id=fields.string(body, "external_task_id"),
            digest=hashlib.sha256(digest).digest(),
            first=first,
            last=last,
            images=images,
            clips=clips,
        )


def _duration(body: Body, action: Action, model: str) -> int:
    text = fields.string(body, "duration") or "5"
    long = model in LONG and action is not Action.IMAGES
    allowed = [str(s) for s in range(3, 16)] if long else ["5", "10"]
    if text not in allowed:
        shown = '"3" to "15"' if long else '"5" or "10"'
        raise bad_field("duration", f"must be {shown} for {model} at {action.value}", got=text)
    return int(text)


def _prompt(body: Body, action: Action, duration_s: int, *, strict: bool) -> str:
    for name in ("prompt", "negative_prompt"):
        if len(fields.string(body, name)) > MOST_PROMPT:
            raise bad_field(name, f"must be at most {MOST_PROMPT} characters", got=len(str(body[name])))
    shots = read_shots(body, duration_s)
    # Kling itself lets a picture speak for itself; AnyFast's page asks for words.
    if shots is None and (action is not Action.IMAGE or strict):
        return fields.needed_string(body, "prompt")
    return " ".join([fields.string(body, "prompt"), *(shots or ())]).strip()


def _sound(body: Body, model: str) -> bool:
    on = fields.choice(body, "sound", ("on", "off")) == "on"
    if on and model not in SPEAKING:
        raise bad_field("sound", f"is not supported by {model}; it needs kling-v2-6 or later", got="on")
    voices = fields.items(body, "voice_list") or []
    if len(voices) > MOST_VOICES:
        raise bad_field("voice_list", f"must hold at most {MOST_VOICES} voices", got=len(voices))
    if voices and not on:
        raise bad_field("voice_list", 'needs sound: "on"')
    return on


def _check_cfg(body: Body, model: str, *, strict: bool) -> None:
    value = fields.number(body, "cfg_scale", low=0, high=1)
    if strict and value is not None and model.startswith("kling-v2"):
        raise bad_field("cfg_scale", f"is not supported by {model}", got=value)


def _ratio(body: Body, action: Action, *, framed: bool) -> str:
    ratio = fields.choice(body, "aspect_ratio", tuple(RATIOS))
    if action is Action.IMAGE:
        return ""  # the picture decides
    if action is Action.OMNI and not ratio:
        if not framed:
            return fields.needed_string(body, "aspect_ratio")
        return ""
    return ratio or "16:9"


# --- pictures and clips ---------------------------------------------------------------------------------


def _pictures(
    body: Body, action: Action, model: str, mode: str, around: Surroundings
) -> tuple[Found | None, Found | None, tuple[Found, ...]]:
    if action is Action.IMAGE:
        first, last = (_picture(body, name, name, around) for name in ("image", "image_tail"))
        if first is None and last is None:
            raise bad_field("image", "is required", code="missing_parameter")
        if last is not None:
            _check_tail(body, model, mode)
        return first, last, ()
    if action is Action.IMAGES:
        return None, None, _listed(body, around)
    if action is Action.OMNI:
        return _omni_pictures(body, around)
    return None, None, ()


def _check_tail(body: Body, model: str, mode: str) -> None:
    if model.startswith("kling-v2-1") and mode != "pro":
        raise bad_field("image_tail", f'needs mode: "pro" with {model}')
    for name in ("static_mask", "dynamic_masks", "camera_control"):
        if body.get(name):
            raise bad_field("image_tail", f"cannot be used together with {name}")


def _listed(body: Body, around: Surroundings) -> tuple[Found, ...]:
    listed = fields.items(body, "image_list")
    if listed is None:
        raise bad_field("image_list", "is required", code="missing_parameter")
    if not 1 <= len(listed) <= MOST_IMAGES:
        raise bad_field("image_list", f"must hold 1 to {MOST_IMAGES} images", got=len(listed))
    found = []
    for index, item in enumerate(listed):
        path = f"image_list[{index}]"
        fields.needed_string(item, "image", path=path)
        picture = _picture(item, "image", f"image{index + 1}", around, path=path)
        assert picture is not None
        found.append(picture)
    return tuple(found)


def _omni_pictures(body: Body, around: Surroundings) -> tuple[Found | None, Found | None, tuple[Found, ...]]:
    ends: dict[str, Found] = {}
    others: list[Found] = []
    for index, item in enumerate(fields.items(body, "image_list") or []):
        path = f"image_list[{index}]"
        fields.needed_string(item, "image_url", path=path)
        end = fields.choice(item, "type", ("first_frame", "end_frame"), path=path)
        picture = _picture(item, "image_url", f"image{index + 1}", around, path=path, data_uri=True)
        assert picture is not None
        if end:
            ends[end] = picture
        else:
            others.append(picture)
    if "end_frame" in ends and "first_frame" not in ends:
        raise bad_field("image_list", "has an end_frame but no first_frame")
    return ends.get("first_frame"), ends.get("end_frame"), tuple(others)


def _picture(
    body: Body, name: str, label: str, around: Surroundings, *, path: str = "", data_uri: bool = False
) -> Found | None:
    value = fields.string(body, name, path=path).strip()
    if not value:
        return None
    where = fields.join(path, name)
    if value[:5].lower() == "data:":
        if not data_uri:
            raise bad_field(where, "is not in a valid base64 format: leave out the data:…;base64, prefix")
        found = around.library.data(value, path=where, label=label)
    elif value.lower().startswith(("http://", "https://")):
        found = around.library.address(value, label=label, host=around.host)
    else:
        found = around.library.take(decoded_base64(value, path=where), label=label)
    if found.has_bytes:
        rules.check_image(found, path=where, most_bytes=IMAGE_BYTES, formats=IMAGE_FORMATS)
    return found


def _clips(body: Body, around: Surroundings, *, sound: bool) -> tuple[Found, ...]:
    found = []
    for index, item in enumerate(fields.items(body, "video_list") or []):
        path = f"video_list[{index}]"
        url = fields.needed_string(item, "video_url", path=path)
        fields.choice(item, "refer_type", ("base", "feature"), path=path)
        fields.choice(item, "keep_original_sound", ("yes", "no"), path=path)
        if not url.lower().startswith(("http://", "https://")):
            raise bad_field(f"{path}.video_url", "must be an http(s) address", got=url)
        if sound:
            raise bad_field("sound", "must be off with a reference video", got="on")
        clip = around.library.address(url, label=f"video{index + 1}", host=around.host)
        if clip.has_bytes:
            rules.check_kind(clip, Kind.CLIP, path=f"{path}.video_url")
        found.append(clip)
    return tuple(found)
