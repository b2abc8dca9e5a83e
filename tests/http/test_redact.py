from __future__ import annotations

import base64

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from anyfast_nb.http.redact import HIDDEN, redact

KEY = "sk-SECRETabcdef0123456789WXYZ"

key_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+/=.~"
keys = st.text(key_characters, min_size=6, max_size=60)
texts = st.text(max_size=60) | st.sampled_from(
    [
        "",
        " ",
        '{"error": {"message": "',
        "Authorization: Bearer ",
        "api_key=",
        "https://h/p?sig=",
        "[hidden]",
        "****",
    ]
)
MASKS = st.sampled_from(["****", "***", "...", "…", "••••", "xxxx"])


def runs(key: str) -> set[str]:
    return {key[i : i + 6] for i in range(len(key) - 5)}


def leaked(key: str, text: str) -> list[str]:
    """Runs of six of the key's characters in the text, other than those of our own marks."""
    ours = {run for word in (HIDDEN, "[data, about ", "[image/png, about ", " bytes]") for run in runs(word)}
    return [run for run in runs(key) - ours if run in text]


@st.composite
def hiding_places(draw: st.DrawFn) -> tuple[str, str]:
    """A key, and a text that holds it whole, in part, masked, more than once, or cut in two."""
    key = draw(keys)
    begin = draw(st.integers(0, len(key) - 6))
    end = draw(st.integers(begin + 6, len(key)))
    forms = [
        key,
        key[begin:end],
        key + key,
        key[:5] + draw(MASKS) + key[-4:],
        key[begin:end] + draw(MASKS),
        key[3:] + key,
    ]
    parts = [draw(texts)]
    for _ in range(draw(st.integers(1, 3))):
        parts += [draw(st.sampled_from(forms)), draw(texts)]
    return key, "".join(parts)


@given(hiding_places())
def test_no_fragment_of_a_key_stays_wherever_it_was_put(case: tuple[str, str]) -> None:
    key, text = case
    assert leaked(key, redact(text, secrets=(key,))) == []


@given(hiding_places())
def test_doing_it_twice_changes_nothing(case: tuple[str, str]) -> None:
    key, text = case
    assume(not leaked(key, HIDDEN) and not runs(key) & runs(HIDDEN))
    once = redact(text, secrets=(key,))
    assert redact(once, secrets=(key,)) == once
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize("mask", ["****", "**********", "...", "....", "…", "•••", "xxxxxx"])
def test_a_masked_key_goes_with_its_ends(mask: str) -> None:
    text = f"Incorrect API key provided: sk-SE{mask}WXYZ. You can find yours in the console."
    said = redact(text, secrets=(KEY,))
    assert said == f"Incorrect API key provided: {HIDDEN}. You can find yours in the console."
    assert "WXYZ" not in redact(f"the key ending in {mask}WXYZ", secrets=(KEY,))
    assert "SECR" not in redact(f"your key sk-SECR{mask}", secrets=(KEY,))


@pytest.mark.parametrize(
    "text",
    [
        "**** bold ****",
        "***bold and italic*** and **bold** and `a**b`",
        "Wait...what? Count 10...20, and so on…",
        "* a\n* b\n\n***\n\n- c",
        "x**y**z + xxxxxyz + foo****bar",
        "sk-learn and sk-image are fine, the risk-averse task-force too",
        "the bearer of good news asked for a bearer token",
        "see https://docs.example.com/a/b?page=2&lang=en#part-3, and (https://example.com/?monkey=1).",
        "mail me@example.com or read data: a, b; metadata:base64",
        "key = value; tokens: 310; the secret of tokens",
        "git@github.com:owner/name.git and C:\\data\\image/png",
        "中文 … 额度不足，请充值 — “quotes”",
        "",
    ],
)
def test_prose_markdown_and_ordinary_urls_stay(text: str) -> None:
    assert redact(text) == text
    assert redact(text, secrets=(KEY,)) == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer sk-abc123 refused", "Authorization: Bearer [hidden] refused"),
        ("authorization: bearer hunter", "authorization: bearer [hidden]"),
        ('{"Authorization": "Bearer abcdef"}', '{"Authorization": "Bearer [hidden]"}'),
        ("Bearer eyJhbGciOi.J9 expired", "Bearer [hidden] expired"),
        ("api_key='abc def'", "api_key='[hidden] def'"),
        ("access-token: q1w2", "access-token: [hidden]"),
        ("your key sk-proj-9aB8c7D6 is wrong", "your key [hidden] is wrong"),
        ("key sk-sim-demo.", "key [hidden]."),
        ("it was sk-SE****WXYZ", "it was [hidden]"),
        ("https://tos.cn/v.mp4?X-Tos-Signature=ab12&X-Tos-Date=1", "https://tos.cn/v.mp4?[hidden]"),
        ("(https://s3.com/v?a=1&X-Amz-Credential=q).", "(https://s3.com/v?[hidden])."),
        (r"https://h.cn/v?a=1\u0026Signature=ab", "https://h.cn/v?[hidden]"),
        ("https://h/v?Expires=1&OSSAccessKeyId=2&Signature=3 next", "https://h/v?[hidden] next"),
        ("https://h/cb#access_token=abc", "https://h/cb#[hidden]"),
        ("https://h/v?key=AIza", "https://h/v?[hidden]"),
        ("https://user:pass@host.cn/p", "https://[hidden]@host.cn/p"),
        ("postgresql://me:pw@db/ledger", "postgresql://[hidden]@db/ledger"),
        ("data:image/png;base64,iVBORw0KGgo= end", "[image/png, about 25 bytes] end"),
        ("DATA:Image/PNG;BASE64,iVBORw0KGgo=", "[Image/PNG, about 25 bytes]"),
        ("data:text/plain;charset=utf-8,secret%20words", "[text/plain, about 33 bytes]"),
        (r"data:image\/png;base64,iVBORw0KGgo=", r"[image\/png, about 26 bytes]"),
        ("data:;base64,aGVsbG8=", "[data, about 15 bytes]"),
    ],
)
def test_what_gives_access_goes_even_when_no_key_is_known(text: str, clean: str) -> None:
    assert redact(text) == clean


def test_a_data_uri_goes_to_its_end_over_line_breaks() -> None:
    payload = base64.encodebytes(bytes(range(256)) * 4).decode()
    said = redact(f"before data:video/mp4;base64,{payload} after")
    assert said.startswith("before [video/mp4, about ")
    assert said.endswith(" after")
    assert not any(line in said for line in payload.splitlines() if len(line) > 40)


def test_a_short_key_is_hidden_as_a_word_only() -> None:
    assert redact("key abc in abcdef", secrets=("abc",)) == "key [hidden] in abcdef"
    assert redact("nothing", secrets=("",)) == "nothing"


@pytest.mark.parametrize(
    "unit",
    [
        "http://",
        "http://a?",
        "http://a@",
        "sk-",
        "sk-a.",
        "data:",
        "data:a/a;",
        "data:;a=",
        "bearer ",
        "bearer",
        "a..",
        "a-",
        "a.",
        "authorization:",
        "authorization: ",
        "api_key=",
        "*",
        "…",
        "…a",
        "x",
        "?key",
        "&a.b",
        "sk-SE**",
        "[hidden]",
        "a://",
    ],
)
def test_a_hundred_kilobytes_of_anything_take_no_long_time(unit: str) -> None:
    # CPU time, and a ratio: four times the text costs a linear pattern four times the work, a quadratic
    # one sixteen times (and seconds, so that the half second of allowance cannot hide it).
    from time import process_time

    def cost(size: int) -> float:
        text = unit * (size // len(unit))
        begin = process_time()
        redact(text, secrets=(KEY,))
        return process_time() - begin

    assert cost(100_000) < 8 * cost(25_000) + 0.5
