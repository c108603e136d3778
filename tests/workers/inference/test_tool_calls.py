"""Calls against their declarations, and JSON equality."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.functiongemma import Call
from fgbuild.workers.inference.tool_calls import ToolSet, message_calls, same_calls, same_json

TOOLS = [
    {
        "name": "run",
        "description": "Run.",
        "parameters": {
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "p"},
                "limit": {"type": "integer", "description": "n"},
                "options": {"type": "object", "description": "o", "properties": {"deep": {"type": "boolean"}}},
            },
            "required": ["path"],
        },
    },
    {"type": "function", "function": {"name": "undo", "description": "Undo."}},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (Call("run", {"path": "a"}), ""),
        (Call("run", {"path": "a", "limit": 3, "options": {"deep": True}}), ""),
        (Call("run", {"path": "a", "limit": 3.0}), ""),
        (Call("undo", {}), ""),
        (Call("run", {}), "required"),
        (Call("run", {"path": "a", "limit": "3"}), "limit"),
        (Call("run", {"path": "a", "limit": 2.5}), "limit"),
        (Call("run", {"path": "a", "depth": 1}), "depth"),
        (Call("run", {"path": "a", "options": {"wide": True}}), "wide"),
        (Call("undo", {"path": "a"}), "path"),
        (Call("jump", {}), "no tool is named jump"),
    ],
)
def test_a_call_is_held_against_its_declaration(call: Call, expected: str) -> None:
    problem = ToolSet(TOOLS).problem(call)
    assert expected in problem
    assert bool(problem) == bool(expected)


def test_calls_of_a_message_are_read_with_and_without_the_wrapper() -> None:
    function = {"name": "run", "arguments": {"path": "a"}}
    message = {"role": "assistant", "tool_calls": [{"type": "function", "function": function}, function]}
    assert message_calls(message) == (Call("run", {"path": "a"}),) * 2
    assert message_calls({"role": "assistant", "content": "Hello."}) == ()


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True),
        (True, 1, False),
        (0, False, False),
        ("1", 1, False),
        (None, False, False),
        ([1, 2], [2, 1], False),
        ({"a": 1, "b": [True]}, {"b": [True], "a": 1.0}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ([True], [1], False),
    ],
)
def test_json_equality(left: Any, right: Any, same: bool) -> None:
    assert same_json(left, right) is same
    assert same_json(right, left) is same


@given(JSON)
def test_every_value_equals_itself_and_not_itself_in_a_list(value: Any) -> None:
    assert same_json(value, value)
    assert not same_json(value, [value])


def test_the_order_and_number_of_calls_count() -> None:
    one, two = Call("a", {}), Call("b", {})
    assert same_calls([one, two], [one, two])
    assert not same_calls([one, two], [two, one])
    assert not same_calls([one], [one, one])
    assert same_calls([], [])
