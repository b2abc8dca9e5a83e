"""Pictures and clips: what was measured, in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from anyfast_nb.simulator.looking.colours import CHINESE
from anyfast_nb.simulator.request import Part, PartKind
from anyfast_nb.simulator.teacher.lesson import Draft, Lesson

if TYPE_CHECKING:
    from anyfast_nb.simulator.looking.views import View

_ABOUT_MEDIA = re.compile(
    r"\b(?:image|picture|photo|figure|video|clip|colou?rs?|frames?|it look)\b|图|照片|视频|颜色",
    re.IGNORECASE,
)


def describe(lesson: Lesson) -> Draft | None:
    """Describe the media of the last message, or earlier media the question is about."""
    parts = _wanted(lesson)
    if not parts:
        return None
    views = [lesson.views[part] for part in parts]
    described = [_describe(view, lesson) for view in views]
    if len(described) == 1:
        content = described[0]
    else:
        lead = lesson.say(
            f"You sent {len(views)} pictures or clips.", f"你发来了 {len(views)} 个图片或视频。"
        )
        content = "\n\n".join([lead, *(f"**{n}.** {text}" for n, text in enumerate(described, start=1))])
    question = " ".join(lesson.prompt.split())[:120]
    if question:
        close = lesson.say(
            f"You asked: “{question}”. I only measure; what is shown, a real model can say.",
            f"你问的是：“{question}”。我只测量像素和帧；画面的含义只有真正的模型才能回答。",
        )
        content += f"\n\n{close}"
    return Draft(content, reasoning="\n".join(_thought(view, lesson) for view in views))


def _wanted(lesson: Lesson) -> tuple[Part, ...]:
    users = [m for m in lesson.request.messages if m.role == "user"]
    if users and users[-1].media:
        return users[-1].media
    earlier = next((m.media for m in reversed(users) if m.media), ())
    return earlier if _ABOUT_MEDIA.search(lesson.prompt) else ()


def _describe(view: View, lesson: Lesson) -> str:
    if view.address:
        kind = lesson.say(*(("picture", "图片") if view.kind is PartKind.IMAGE else ("clip", "视频")))
        fps = f", fps {view.fps:g}" if view.kind is PartKind.VIDEO else ""
        return lesson.say(
            f"A {kind} at `{view.address}`{fps}: not reachable from here, so described by its address only.",
            f"{kind}地址为 `{view.address}`{fps}：这里无法访问，只能描述地址。",
        )
    if view.kind is PartKind.IMAGE:
        return _picture(view, lesson)
    return _clip(view, lesson)


def _picture(view: View, lesson: Lesson) -> str:
    if not view.width:
        return lesson.say(
            f"A picture of {_size(view)}: {view.problem}.", f"一张 {_size(view)} 的图片：无法解码。"
        )
    lead = lesson.say(
        f"The picture is {view.width} × {view.height} pixels ({view.format}, {_size(view)}).",
        f"图片大小为 {view.width} × {view.height} 像素（{view.format}，{_size(view)}）。",
    )
    if not view.colours:
        return lead + lesson.say(f" {view.problem[:1].upper()}{view.problem[1:]}.", "像素数据无法解码。")
    shares = [f"{_colour(c.name, lesson)} {c.share:.0%} (`{c.hex}`)" for c in view.colours]
    colours = lesson.say("Main colours: " + ", ".join(shares) + ".", "主要颜色：" + "、".join(shares) + "。")
    return " ".join(text for text in (lead, colours, _halves(view, lesson)) if text)


def _halves(view: View, lesson: Lesson) -> str:
    if not view.halves:
        return ""
    left, right, top, bottom = (_colour(name, lesson) for name in view.halves)
    if left != right:
        return lesson.say(
            f"The left half is mostly {left}, the right half {right}.",
            f"左半边主要是{left}，右半边是{right}。",
        )
    if top != bottom:
        return lesson.say(
            f"The top half is mostly {top}, the bottom half {bottom}.",
            f"上半部主要是{top}，下半部是{bottom}。",
        )
    return ""


def _clip(view: View, lesson: Lesson) -> str:
    if not view.duration_s:
        return lesson.say(
            f"A clip of {_size(view)}: {view.problem}.", f"一个 {_size(view)} 的视频：无法解码。"
        )
    lead = lesson.say(
        f"The clip is {view.duration_s:.1f} s long, {view.width} × {view.height} pixels, "
        f"{view.frame_rate:g} frames per second ({view.format}, "
        f"{'with' if view.has_audio else 'no'} sound, {_size(view)}).",
        f"视频长 {view.duration_s:.1f} 秒，{view.width} × {view.height} 像素，每秒 {view.frame_rate:g} 帧"
        f"（{view.format}，{'有' if view.has_audio else '无'}声音，{_size(view)}）。",
    )
    looked = lesson.say(
        f"At fps {view.fps:g} a model looks at {view.frames} of its frames.",
        f"按 fps {view.fps:g}，模型会看其中 {view.frames} 帧。",
    )
    return " ".join(text for text in (lead, looked, _cut(view, lesson), _moments(view, lesson)) if text)


def _cut(view: View, lesson: Lesson) -> str:
    if view.stated_s - view.duration_s < 0.5:
        return ""
    return lesson.say(
        f"Its header states {view.stated_s:.1f} s: the file seems to be cut short.",
        f"文件头写的是 {view.stated_s:.1f} 秒：文件似乎不完整。",
    )


def _moments(view: View, lesson: Lesson) -> str:
    found = [f"{m.start_s:.1f}–{m.end_s:.1f} s {_colour(m.colour, lesson)}" for m in view.moments]
    if not found:
        return ""
    return lesson.say(
        "Main colour over time: " + ", ".join(found) + ".", "主要颜色随时间：" + "、".join(found) + "。"
    )


def _thought(view: View, lesson: Lesson) -> str:
    if view.problem and not view.width:
        return lesson.say(f"I cannot look into this one: {view.problem}.", "这一个我无法查看。")
    if view.kind is PartKind.IMAGE:
        return lesson.say(
            f"I decode the picture: {view.width} × {view.height} pixels, and count its colours.",
            f"我解码图片：{view.width} × {view.height} 像素，并统计颜色。",
        )
    return lesson.say(
        f"I read the clip: {view.duration_s:.1f} s at fps {view.fps:g} gives {view.frames} frames.",
        f"我读取视频：{view.duration_s:.1f} 秒，fps {view.fps:g}，共 {view.frames} 帧。",
    )


def _colour(name: str, lesson: Lesson) -> str:
    return CHINESE[name] if lesson.chinese else name


def _size(view: View) -> str:
    if view.size_bytes < 1_000:
        return f"{view.size_bytes} bytes"
    if view.size_bytes < 1_000_000:
        return f"{view.size_bytes / 1_000:.1f} kB"
    return f"{view.size_bytes / 1_000_000:.1f} MB"
