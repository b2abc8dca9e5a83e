"""One sentence on each of a few things."""

from __future__ import annotations

import re

from anyfast_nb.simulator.teacher.lesson import Draft, Lesson

# ruff: noqa: E501 - a sentence is read best in one line
LONGEST_QUESTION = 300

ENTRIES: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(found, re.IGNORECASE), english, chinese)
    for found, english, chinese in (
        (
            r"\btokens?\b|令牌",
            "A token is a piece of text that a language model reads or writes at once, in English about four characters.",
            "token 是语言模型一次读写的一小段文字，中文大约一个字一个 token。",
        ),
        (
            r"\btemperature\b|温度",
            "Temperature sets how freely a model picks its next token: near 0 it takes the likeliest one, towards 2 it takes more chances.",
            "temperature 决定模型挑选下一个 token 的随机程度：接近 0 时几乎总选最可能的，接近 2 时更随意。",
        ),
        (
            r"\btop[_ -]?p\b",
            "top_p keeps only the likeliest next tokens whose probabilities add up to p, and picks among those.",
            "top_p 只保留概率之和达到 p 的最可能的 token，再从中挑选。",
        ),
        (
            r"\bsse\b|server-sent|\bstreaming\b|流式",
            "With streaming the server sends the answer token by token, as server-sent events, so that the first words show before the last are made.",
            "流式输出指服务器以 SSE 事件逐个 token 发送回答，最后的字还没生成，最先的字已经可见。",
        ),
        (
            r"\bjupyter\b|\bnotebooks?\b",
            "Jupyter is a place where text, code and its results stand in one document, a notebook, that runs in a kernel.",
            "Jupyter 把文字、代码和结果放在同一个文档（notebook）里，由内核运行。",
        ),
        (
            r"\bmagics?\b|魔法命令",
            "A magic is a line or cell that begins with % or %% and is read by IPython instead of Python.",
            "magic 是以 % 或 %% 开头、由 IPython 而不是 Python 解释的命令。",
        ),
        (
            r"\bcontext window\b|上下文",
            "The context window is the number of tokens a model can take in at once: question, conversation and answer together.",
            "上下文窗口是模型一次能处理的 token 数量，包括问题、对话和回答。",
        ),
        (
            r"\btool call|\bfunction calling|工具调用",
            "In a tool call the model names a function and its arguments; your program runs it and sends the result back.",
            "工具调用时模型给出函数名和参数，由你的程序运行并把结果发回。",
        ),
        (
            r"\brecursion\b|递归",
            "Recursion is a function that calls itself on a smaller part of the problem until the part is trivial.",
            "递归是函数在更小的问题上调用自身，直到问题足够简单。",
        ),
        (
            r"\bsky\b.*\bblue\b|天空.*蓝",
            "The sky is blue because air scatters the short waves of sunlight, the blue ones, far more than the long ones.",
            "天空是蓝色的，因为空气对短波的蓝光散射得比长波强得多。",
        ),
        (
            r"\bphotosynthesis\b|光合",
            "Photosynthesis is how plants make sugar and oxygen from carbon dioxide and water with the energy of light.",
            "光合作用是植物利用光能把二氧化碳和水变成糖和氧气的过程。",
        ),
        (
            r"\bgravity\b|引力|重力",
            "Gravity is the attraction between all masses; on Earth it speeds falling things up by 9.8 m/s each second.",
            "引力是一切有质量的物体之间的吸引；在地球上使下落物体每秒加速 9.8 米/秒。",
        ),
        (r"\bcapital of france\b|法国.*首都", "The capital of France is Paris.", "法国的首都是巴黎。"),
        (
            r"\bpython\b",
            "Python is a general-purpose programming language that reads almost like English and is the usual one in notebooks.",
            "Python 是一种通用编程语言，读起来接近英语，也是 notebook 里最常用的语言。",
        ),
    )
)


def explain(lesson: Lesson) -> Draft | None:
    """A sentence on one of the few things it knows."""
    if len(lesson.prompt) > LONGEST_QUESTION:
        return None
    for found, english, chinese in ENTRIES:
        if found.search(lesson.prompt):
            steps = lesson.say("I know a sentence about this.", "这个我知道一句话的解释。")
            return Draft(lesson.say(english, chinese), reasoning=steps)
    return None
