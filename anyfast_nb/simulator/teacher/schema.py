"""A value that fits a JSON schema, filled from the words of the question where it can be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from anyfast_nb.simulator.teacher.arithmetic import find_expression

Schema = Mapping[str, Any]

DEEPEST = 8
_QUOTED = re.compile(r"[\"“'‘]([^\"”'’\n]{1,80})[\"”'’]")
_PLACE = re.compile(r"\b(?:in|at|for|to|from|of|near|and|or)\s+((?:[A-Z][\w'’-]+)(?:\s+[A-Z][\w'’-]+)*)")
_PROPER = re.compile(r"(?<!^)(?<![.!?]\s)\b([A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+)*)")
_PLACE_CHINESE = re.compile(
    r"(?:在|去|到|查询|查一下|看看)?([\u4e00-\u9fff]{2,4}?)(?:今天|明天|现在)?的?(?:天气|气温|温度)"
)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\d)")
_PATTERNS: dict[str, re.Pattern[str]] = {
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "uri": re.compile(r"https?://[^\s)>\]\"']+"),
    "date": re.compile(r"\b\d{4}-\d{2}-\d{2}\b"),
    "time": re.compile(r"\b\d{2}:\d{2}(?::\d{2})?\b"),
}
_FORMATS: dict[str, str] = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "ada@example.org",
    "uri": "https://example.org/",
    "url": "https://example.org/",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_WHOLE_TEXT = ("query", "question", "text", "prompt", "message", "content", "input", "sentence", "body")
_PLACES = ("city", "location", "place", "town", "country", "destination", "origin", "region")


@dataclass
class Words:
    """What the question offers, handed out in order."""

    prompt: str
    names: list[str] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, prompt: str) -> Words:
        """The names and numbers of a question."""
        numbers = [float(found) for found in _NUMBER.findall(prompt)]
        return cls(prompt, names=proper_names(prompt), numbers=numbers)


def proper_names(prompt: str) -> list[str]:
    """Quoted words, then names and places, each once, in order."""
    found = _QUOTED.findall(prompt) + _PLACE.findall(prompt) + _PROPER.findall(prompt)
    found += _PLACE_CHINESE.findall(prompt)
    return list(dict.fromkeys(name.strip() for name in found if name.strip() and name != "I"))


def fill(schema: Schema, prompt: str) -> Any:
    """A value that fits the schema.

    Args:
        schema: JSON schema; what it does not say is free.
        prompt: the question, whose names, numbers and words are used first.
    """
    return _Filler(schema, Words.of(prompt)).value(schema, "", 0)


class _Filler:
    def __init__(self, root: Schema, words: Words) -> None:
        self.root = root
        self.words = words

    def value(self, schema: Any, name: str, depth: int) -> Any:
        """A value for one place of the schema; ``name`` is the property it is for."""
        if not isinstance(schema, Mapping) or depth > DEEPEST:
            return self._text({}, name) if depth <= DEEPEST else None
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return self._of_enum(schema["enum"], schema.get("default"))
        for union in ("anyOf", "oneOf"):
            options = schema.get(union)
            if isinstance(options, list) and options:
                return self.value(_first_useful(options), name, depth + 1)
        return self._of_type(schema, name, depth)

    def _of_type(self, schema: Schema, name: str, depth: int) -> Any:
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind in {"integer", "number"}:
            return self._number(schema, whole=kind == "integer")
        if kind == "boolean":
            return not re.search(r"\b(?:not|no|without|don't|never)\b|不", self.words.prompt, re.IGNORECASE)
        return None if kind == "null" else self._text(schema, name)

    def _resolved(self, schema: Schema) -> Schema:
        """Follow $ref inside the document, and lay allOf together."""
        for _ in range(DEEPEST):
            ref = schema.get("$ref")
            if not isinstance(ref, str):
                break
            schema = _at(self.root, ref)
        parts = schema.get("allOf")
        if not isinstance(parts, list):
            return schema
        merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
        for part in parts:
            extra = self._resolved(part) if isinstance(part, Mapping) else {}
            properties = {**merged.get("properties", {}), **extra.get("properties", {})}
            required = [*merged.get("required", []), *extra.get("required", [])]
            merged = {**merged, **extra, "properties": properties, "required": required}
        return merged

    def _of_enum(self, options: list[Any], default: Any) -> Any:
        low = self.words.prompt.lower()
        for option in options:
            if isinstance(option, str) and option and re.search(rf"\b{re.escape(option.lower())}", low):
                return option
        return default if default in options else options[0]

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        known = properties if isinstance(properties, Mapping) else {}
        required = [name for name in schema.get("required", []) if isinstance(name, str)]
        # At depth only what must be there, so that a schema that holds itself comes to an end.
        wanted = list(required) if depth > 2 else list(dict.fromkeys([*required, *known]))
        return {name: self.value(known.get(name, {}), name, depth + 1) for name in wanted}

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        least = _int(schema.get("minItems"), 0)
        most = _int(schema.get("maxItems"), max(3, least))
        inner = self._resolved(schema["items"]) if isinstance(schema.get("items"), Mapping) else {}
        amount = max(least, min(most, max(1, self._offered(inner, name))))
        found: list[Any] = []
        for _ in range(amount):
            value = self.value(inner, name, depth + 1)
            if not schema.get("uniqueItems") or value not in found:
                found.append(value)
        return self._made_unique(found, inner, least) if schema.get("uniqueItems") else found

    def _made_unique(self, found: list[Any], inner: Schema, least: int) -> list[Any]:
        options = inner.get("enum")
        spare = list(options) if isinstance(options, list) else [f"item {n}" for n in range(1, least + 1)]
        if _kind(inner) in {"integer", "number"}:
            spare = [_int(inner.get("minimum"), 0) + n for n in range(least + 1)]
        for value in spare:
            if len(found) >= least:
                break
            if value not in found:
                found.append(value)
        return found

    def _offered(self, inner: Schema, name: str) -> int:
        kind = _kind(inner)
        if kind in {"integer", "number"}:
            return len(self.words.numbers)
        return len(self.words.names) if kind == "string" and "enum" not in inner else 1

    def _number(self, schema: Schema, *, whole: bool) -> float | int:
        value = self.words.numbers.pop(0) if self.words.numbers else schema.get("default")
        if isinstance(value, bool) or not isinstance(value, int | float):
            value = 1
        return _in_range(float(value), schema, whole=whole)

    def _text(self, schema: Schema, name: str) -> str:
        shaped = self._by_format(str(schema.get("format", "")), name)
        default = schema.get("default")
        text = shaped or self._by_name(name) or (default if isinstance(default, str) else "")
        if not text:
            text = self.words.names[0] if self.words.names else " ".join(self.words.prompt.split())[:80]
        text = text or "text"
        pattern = schema.get("pattern")
        if isinstance(pattern, str) and not _matches(pattern, text):
            text = _for_pattern(pattern) or text
        least, most = _int(schema.get("minLength"), 0), _int(schema.get("maxLength"), 2_000)
        return (text + "." * max(0, least - len(text)))[:most]

    def _by_format(self, form: str, name: str) -> str:
        low = name.lower()
        wanted = form or next((key for key in ("email", "date", "uri") if key in low), "")
        wanted = "uri" if "url" in low or wanted == "url" else wanted
        found = _PATTERNS[wanted].search(self.words.prompt) if wanted in _PATTERNS else None
        return found[0] if found else _FORMATS.get(wanted, "")

    def _by_name(self, name: str) -> str:
        low = name.lower()
        if "expression" in low or "formula" in low:
            return find_expression(self.words.prompt) or "1 + 1"
        if any(word in low for word in _WHOLE_TEXT):
            return " ".join(self.words.prompt.split())[:400]
        if self.words.names:
            return self.words.names.pop(0)
        return "Oslo" if any(word in low for word in _PLACES) else ""


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "required" in schema:
        return "object"
    if "items" in schema:
        return "array"
    return "number" if {"minimum", "maximum"} & set(schema) else "string"


def _first_useful(options: list[Any]) -> Any:
    return next((o for o in options if not (isinstance(o, Mapping) and o.get("type") == "null")), options[0])


def _at(root: Schema, ref: str) -> Schema:
    """The place a local reference points to, {} if there is none."""
    node: Any = root
    for step in ref.removeprefix("#").strip("/").split("/"):
        if not step:
            continue
        node = node.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def _in_range(value: float, schema: Schema, *, whole: bool) -> float | int:
    step = 1.0 if whole else 1e-3
    low, high = _bound(schema, "minimum"), _bound(schema, "maximum")
    low_open, high_open = _bound(schema, "exclusiveMinimum"), _bound(schema, "exclusiveMaximum")
    if low_open is not None:
        low = max(low_open + step, low if low is not None else low_open + step)
    if high_open is not None:
        high = min(high_open - step, high if high is not None else high_open - step)
    if low is not None and value < low:
        value = low
    if high is not None and value > high:
        value = high
    multiple = _bound(schema, "multipleOf")
    if multiple:
        value = _multiple(value, multiple, low, high)
    if whole:
        return -int(-value // 1) if low is not None and value == low else int(value // 1)
    return int(value) if value == int(value) else value


def _multiple(value: float, step: float, low: float | None, high: float | None) -> float:
    value = value // step * step
    if low is not None and value < low:
        value += step
    return value - step if high is not None and value > high else value


def _bound(schema: Schema, name: str) -> float | None:
    value = schema.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _int(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _matches(pattern: str, text: str) -> bool:
    try:
        return bool(re.search(pattern, text))
    except re.error:
        return True


def _for_pattern(pattern: str) -> str:
    """One of a few usual texts that matches, "" if none does."""
    usual = (
        "A",
        "a",
        "AB",
        "ABC",
        "ABCD",
        "abc",
        "1",
        "12",
        "123",
        "1234",
        "12345",
        "AB-123",
        "ABC-123",
        "A1",
        "2026-01-31",
        "12:00",
        "#ff0000",
        "ff0000",
        "+4712345678",
        "1.2.3",
        "en",
        "en-GB",
        "EUR",
        "a_b",
    )
    return next((text for text in usual if _matches(pattern, text)), "")
