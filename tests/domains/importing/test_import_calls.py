"""Calls written as `[Name(a=1)]`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.domains.importing.calls import looks_like_calls, read_calls


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("[f()]", [("f", {})]),
        (" [ f ( a = 1 , b = 'x' ) ] ", [("f", {"a": 1, "b": "x"})]),
        (
            '[Market Trends API(kind="a, (b)", n=2), g(x=True)]',
            [("Market Trends API", {"kind": "a, (b)", "n": 2}), ("g", {"x": True})],
        ),
        ("[f(a=true, b=null, c=None, d=-1.5)]", [("f", {"a": True, "b": None, "c": None, "d": -1.5})]),
        ("[f(a={'x': [1, {'y': (2, 3)}]})]", [("f", {"a": {"x": [1, {"y": [2, 3]}]}})]),
        (r"""[f(a='it\'s', b="say \"x\"", c="a\/b")]""", [("f", {"a": "it's", "b": 'say "x"', "c": "a/b"})]),
        ("[f(a=1,)]", [("f", {"a": 1})]),
        ("[Get (v2)(a=1), f(b=2)]", [("Get (v2)", {"a": 1}), ("f", {"b": 2})]),
    ],
)
def test_calls_are_read(text: str, calls: list[Any]) -> None:
    assert read_calls(text, ["f", "Get (v2)"]) == calls


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[f(a=x)]", "the value of a is neither JSON nor a Python literal, `x`"),
        ("[f(a=open('x'))]", "the value of a is neither"),
        ("[f(a={1, 2})]", "the value of a is neither"),
        ("[f(1)]", "an argument must be written name=value, at `1)]`"),
        ("[f(a='x)]", "a value does not end"),
        ("[f(a=1, a=2)]", "argument a is given twice"),
        ("[f(a=1) g()]", "`,` or `]` expected after the call of f, at `g()]`"),
        ("[f(), ]", "no call at"),
        ("[f()", "`,` or `]` expected after the call of f, at the end"),
        ("[f(a=1", "a value does not end"),
    ],
)
def test_what_is_no_list_of_calls_says_where(text: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_calls(text, [])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("[f(a=1)]", True),
        ("[A b-c/v2(\n)]", True),
        ("[Get User's Age(a=1)]", True),
        ("[1, 2]", False),
        ("See [1].", False),
        ("[note] f(a)", False),
        ("", False),
    ],
)
def test_words_are_told_from_calls(text: str, answer: bool) -> None:
    assert looks_like_calls(text) is answer


keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,6}", fullmatch=True)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9999, 9999)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_ ./-]{0,10}[a-z]", fullmatch=True)


@given(
    st.lists(st.tuples(names, st.dictionaries(keys, values, max_size=3)), min_size=1, max_size=3),
    st.sampled_from([repr, json.dumps]),
)
def test_what_is_written_as_calls_is_read_again(calls: list[tuple[str, dict[str, Any]]], write: Any) -> None:
    written = ", ".join(
        f"{name}({', '.join(f'{key}={write(value)}' for key, value in arguments.items())})" for name, arguments in calls
    )
    assert looks_like_calls(f"[{written}]")
    assert read_calls(f"[{written}]", [name for name, _ in calls]) == calls


@given(st.text(st.sampled_from("[]()={},'\"\\ ab1"), max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        calls = read_calls(f"[{text}]", ["a b"])
    except ValueError:
        return
    assert calls
