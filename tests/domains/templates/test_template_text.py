from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.domains.templates.text import Absent, Name, Unusable, fill, parse, render, request_format

SCOPE = {"count": 3, "on": True, "commit": {"hash": "a1b2"}, "step1": {"lines": ["first", "second"]}}


@given(st.text())
def test_any_text_is_a_template_of_itself_once_it_is_escaped(text: str) -> None:
    escaped = "".join(each * 2 if each in "{}[]" else each for each in text)
    template = parse(escaped)
    assert render(template, {}) == text
    phrasing, fields = request_format(template.choose(random.Random(0)))
    assert phrasing.format(**fields) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{count}", 3),
        ("{on}", True),
        ("{commit}", {"hash": "a1b2"}),
        ("{count} of {commit.hash}", "3 of a1b2"),
        ("is {on}", "is true"),
        ("{step1.lines.1}", "second"),
        ("the log[ of {branch}]", "the log"),
        ("the log[ of {commit.hash}]", "the log of a1b2"),
    ],
)
def test_a_name_alone_keeps_its_type_and_brackets_follow_their_slots(text: str, value: object) -> None:
    assert render(parse(text), SCOPE) == value


def test_what_names_an_absent_slot_is_left_out_of_tables_and_lists() -> None:
    data = {"count": "{count}", "branch": "{branch}", "nested": {"a": "{branch}", "b": 1}, "list": ["{branch}", "{on}"]}
    assert fill(data, SCOPE) == {"count": 3, "nested": {"b": 1}, "list": [True]}
    with pytest.raises(Absent):
        fill("{branch}", SCOPE)


@pytest.mark.parametrize("path", ["step1.lines.2", "step1.count", "step1.lines.x", "count.x", "commit.hash.x"])
def test_what_a_value_does_not_have_makes_the_example_unusable(path: str) -> None:
    with pytest.raises(Unusable, match=path):
        render(parse(f"say {{{path}}}"), SCOPE)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a {b", "no {slot}"),
        ("a {} b", "no {slot}"),
        ("a {B}", "no {slot}"),
        ("a } b", "} without {"),
        ("a [b", "[ without ]"),
        ("a ]", "] without ["),
        ("a [b [c] d]", "do not nest"),
    ],
)
def test_what_is_no_template_says_why(text: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert words in str(caught.value)


def test_both_variants_of_every_bracket_are_drawn() -> None:
    template = parse("[please ]show {count}[ of {branch}]")
    variants = {request_format(parts)[0] for parts in template.variants()}
    assert variants == {
        "show {count}",
        "please show {count}",
        "show {count} of {branch}",
        "please show {count} of {branch}",
    }
    drawn = {request_format(template.choose(random.Random(seed)))[0] for seed in range(50)}
    assert drawn == variants
    assert {name.path for name in template.names(optional=True)} == {"branch"}


def test_a_path_becomes_a_field_that_a_request_can_be_formatted_with() -> None:
    text, fields = request_format(next(parse("show {commit.hash}").variants()))
    assert (text, fields) == ("show {commit__hash}", {"commit__hash": Name("commit.hash")})
