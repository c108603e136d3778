from __future__ import annotations

import string
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.functiongemma import Call, Turn, parse_turn, render, render_call
from fgbuild.functiongemma.tokens import CONTROL_TOKENS, special_token_in

KEYS = st.text(string.ascii_letters + string.digits + "_./-", min_size=1, max_size=8)
TEXTS = (
    st.text(st.characters(codec="utf-8"))
    | st.text(st.sampled_from("<>{}[],:\"'\\\n escap/_"))
    | st.sampled_from(["<", "<escape", "escape>", "<esc", "true", "null", "None", "1", "}<end_function_cal"])
).filter(lambda text: special_token_in(text) is None)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
ARGUMENTS = st.dictionaries(KEYS, VALUES, max_size=5)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,12}", fullmatch=True)


def _typed(value: Any) -> Any:
    """A value in which 1, 1.0 and True differ."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return (type(value), repr(value))


@given(st.lists(st.tuples(NAMES, ARGUMENTS), min_size=1, max_size=3), TEXTS)
def test_round_trip_of_any_turn(calls: list[tuple[str, dict[str, Any]]], words: str) -> None:
    message = {
        "role": "assistant",
        "content": words,
        "tool_calls": [{"function": {"name": name, "arguments": arguments}} for name, arguments in calls],
    }
    written = "".join(segment.text for segment in render([message]) if segment.supervised)
    turn = parse_turn(written)
    assert turn.malformed == ""
    assert turn.text == words.strip()
    assert [call.name for call in turn.calls] == [name for name, _ in calls]
    assert [_typed(call.arguments) for call in turn.calls] == [_typed(arguments) for _, arguments in calls]


@given(NAMES, ARGUMENTS, st.data())
def test_a_call_cut_off_anywhere_is_malformed(name: str, arguments: dict[str, Any], data: st.DataObject) -> None:
    written = render_call(name, arguments)
    end = data.draw(st.integers(len("<start_function_call>"), len(written) - 1))
    turn = parse_turn(written[:end])
    assert turn.calls == ()
    assert turn.malformed


FRAGMENTS = st.sampled_from(
    [
        *CONTROL_TOKENS.values(),
        "<end_of_turn>",
        "<eos>",
        "<start_function_call>call:f{",
        "a:",
        "{",
        "}",
        "[",
        "]",
        ",",
        "1e999",
        "-",
        "true",
        "None",
        "x",
    ]
)


@given(st.text() | st.lists(FRAGMENTS, max_size=30).map("".join))
def test_any_text_gives_a_turn(text: str) -> None:
    turn = parse_turn(text)
    assert isinstance(turn, Turn)
    assert turn.text == turn.text.strip()
    assert special_token_in(turn.text) is None


def test_a_call_with_its_terminator() -> None:
    text = "<start_function_call>call:run_ruff{path:<escape>src<escape>}<end_function_call><start_function_response>"
    assert parse_turn(text) == Turn((Call("run_ruff", {"path": "src"}),), "", "")
    assert parse_turn(text.removesuffix("<start_function_response>")) == parse_turn(text)


def test_parallel_calls_with_words_around_them() -> None:
    text = (
        "Both.<start_function_call>call:a{x:1}<end_function_call>\n"
        "<start_function_call>call:b.c{}<end_function_call> Done.<start_function_response>"
    )
    assert parse_turn(text) == Turn((Call("a", {"x": 1}), Call("b.c", {})), "Both.\n Done.", "")


@pytest.mark.parametrize("end", ["", "<end_of_turn>", "<end_of_turn>\n", "<eos>", "<end_of_turn><eos>"])
def test_words_without_a_call(end: str) -> None:
    assert parse_turn(f" Which file?{end}") == Turn((), "Which file?", "")


def test_nothing_after_the_terminator_counts() -> None:
    text = "Yes.<end_of_turn>\n<start_of_turn>user\nMore<start_function_call>"
    assert parse_turn(text) == Turn((), "Yes.", "")


def test_null_may_be_pythons() -> None:
    turn = parse_turn("<start_function_call>call:f{a:None,b:null}<end_function_call>")
    assert turn == Turn((Call("f", {"a": None, "b": None}),), "", "")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "cut off: expected `call:`"),
        ("f{}", "expected `call:`, found 'f{}"),
        ("call:{}", "expected a tool name"),
        ("call:f", "expected `{` after the name f"),
        ("call:f{a}", "expected `:` after the key a"),
        ("call:f{a:}", "expected a value"),
        ("call:f{a:src}", "expected a value, found 'src}"),
        ('call:f{a:"src"}', "expected a value"),
        ("call:f{<escape>a<escape>:1}", "expected a key"),
        ("call:f{a:1,}", "expected a key"),
        ("call:f{a: 1}", "expected a value"),
        ("call:f{a:[1,]}", "expected a value"),
        ("call:f{a:[1}", "expected `,` or `]`"),
        ("call:f{a:1 b:2}", "expected `,` or `}` after the value of a"),
        ("call:f{a:1,a:2}", "the key a is there twice"),
        ("call:f{a:007}", "expected `,` or `}`"),
        ("call:f{a:nan}", "expected a value"),
        ("call:f{a:1e999}", "too large"),
        ("call:f{a:" + "9" * 5000 + "}", "too many digits"),
        ("call:f{a:<escape>b}", "a string is not closed"),
        ("call:f{a:<escape><start_of_turn><escape>}", "`<start_of_turn>` inside a string"),
        ("call:f{}}", "expected `<end_function_call>` after the arguments of f"),
        ("call:f{a:" + "[" * 100 + "]" * 100 + "}", "deeper than 64"),
    ],
)
def test_malformed_calls(body: str, reason: str) -> None:
    text = f"Ok<start_function_call>call:good{{}}<end_function_call><start_function_call>{body}<end_function_call>"
    turn = parse_turn(text if body else text.removesuffix("<end_function_call>"))
    assert reason in turn.malformed
    assert (turn.calls, turn.text) == ((Call("good", {}),), "Ok")


@pytest.mark.parametrize(
    "token", ["<end_function_call>", "<escape>", "<start_of_turn>", "<start_function_declaration>"]
)
def test_special_tokens_outside_a_call_are_malformed(token: str) -> None:
    assert parse_turn(f"Well {token} then") == Turn((), "Well", f"`{token}` outside a call")


@pytest.mark.parametrize(
    "unit", ["[", "{", "<escape>", "<start_function_call>", "<start_function_call>call:f{a:[", "9", "<"]
)
def test_long_garbage_is_read_in_linear_time(unit: str) -> None:
    started = time.perf_counter()
    parse_turn("<start_function_call>call:f{a:" + unit * 50_000)
    assert time.perf_counter() - started < 1
