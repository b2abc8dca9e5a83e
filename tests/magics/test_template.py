"""What `{{…}}` puts in, what it leaves alone, and what it refuses."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyfast_nb.errors import InputError
from anyfast_nb.magics.template import expand, parse


def put(text: str, **names: Any) -> str:
    return expand(text, lookup=names.__getitem__, names=lambda: names, as_text=lambda _, value: str(value))


class Thing:
    colour = "red"

    def times(self, count: int, *, mark: str = "x") -> str:
        return mark * count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A {{city}} costs $5", "A Oslo costs $5"),
        ("{{ city }}", "Oslo"),
        ("{{data['x']}} {{data[\"x\"]}}", "1 1"),
        ("{{numbers[0]}}{{numbers[-1]}}{{numbers[1:3]}}", "15[2, 3]"),
        ("{{thing.colour}}", "red"),
        ("{{thing.times(3, mark='y')}}", "yyy"),
        ("{{city.upper()}}", "OSLO"),
        ("{{city}}{{city}}", "OsloOslo"),
        # what is not of the form stays
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ('{{"a": 1}}', '{{"a": 1}}'),
        ("{{}} {{ }}", "{{}} {{ }}"),
        ("{{city + city}}", "{{city + city}}"),
        ("{{lambda: 1}}", "{{lambda: 1}}"),
        ("{{data[city]}}", "{{data[city]}}"),
        ("{{thing.times(numbers)}}", "{{thing.times(numbers)}}"),
        ("{{(lambda: 1)()}}", "{{(lambda: 1)()}}"),
        ("{city} {{{", "{city} {{{"),
        ("f(x) = {{1, 2}}", "f(x) = {{1, 2}}"),
        # what is not of the form does not swallow what is
        ("Use {{ for jinja. City: {{city}}", "Use {{ for jinja. City: Oslo"),
        ('{"k": {{city}}}', '{"k": Oslo}'),
        ('{{"k": {{city}}}}', '{{"k": Oslo}}'),
        ("{{{city}}}", "{Oslo}"),
        # an escape is taken away and the braces stay
        (r"\{{city}}", "{{city}}"),
        (r"\{{nothing}} {{city}}", "{{nothing}} Oslo"),
    ],
)
def test_expand(text: str, expected: str) -> None:
    assert put(text, city="Oslo", data={"x": 1}, numbers=[1, 2, 3, 4, 5], thing=Thing()) == expected


def test_inserted_text_is_not_expanded_again() -> None:
    assert put("{{a}}", a="{{b}}", b="no") == "{{b}}"


def test_an_unknown_name_names_its_neighbours_and_the_way_out() -> None:
    with pytest.raises(InputError) as caught:
        put("{{citty}}", city="Oslo", other=1)
    assert "citty" in str(caught.value)
    assert "Did you mean city?" in str(caught.value)
    assert r"\{{" in str(caught.value)


@pytest.mark.parametrize("text", ["{{x.missing}}", "{{x[3]}}", "{{x()}}", "{{x.index(9)}}"])
def test_what_the_object_raises_becomes_one_error(text: str) -> None:
    with pytest.raises(InputError) as caught:
        put(text, x=[1])
    assert text in str(caught.value)


def test_no_builtins_are_in_reach() -> None:
    assert parse("__import__('os')") is not None  # of the form, so it is looked up as a name …
    with pytest.raises(InputError, match="no variable"):
        put("{{__import__('os')}}", x=1)  # … among the user's names alone


@given(st.text(alphabet=string.printable, max_size=200))
def test_text_without_braces_is_never_changed(text: str) -> None:
    if "{{" not in text:
        assert put(text) == text


@given(
    st.recursive(
        st.integers() | st.text(max_size=5), lambda inner: st.dictionaries(st.text(max_size=5), inner)
    )
)
def test_json_is_never_changed(value: Any) -> None:
    import json

    text = json.dumps({"outer": value})
    assert put(text) == text
