"""The agent's loop with a scripted model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tiny_model import TOOLS

from fgbuild.functiongemma import render_call
from fgbuild.workers.inference.agent import Message, converse
from fgbuild.workers.inference.llama import Completion
from fgbuild.workers.inference.tool_calls import ToolSet


def completion(text: str, stopped_on: int | None = 50) -> Completion:
    return Completion((), text, stopped_on, 0, 0, 0.0, 0.0, 0)


def played(texts: Sequence[str], stopped_on: int | None = 50) -> tuple[list[Message], list[tuple[str, Any]], list[int]]:
    """The messages, the calls that were run, and how many messages each answer was given."""
    left, ran, seen = list(texts), [], []

    def answer(messages: Sequence[Message]) -> Completion:
        seen.append(len(messages))
        return completion(left.pop(0), stopped_on)

    def run(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        ran.append((name, dict(arguments)))
        return {"count": len(ran)}

    return list(converse(answer, "Check it.", ToolSet(TOOLS), run, most_turns=3)), ran, seen


def test_calls_are_run_and_their_responses_are_read() -> None:
    first = render_call("run_ruff", {"path": "a"}) + render_call("undo", {})
    messages, ran, seen = played([first, "Done."])
    assert [message["role"] for message in messages] == ["assistant", "tool", "assistant"]
    assert ran == [("run_ruff", {"path": "a"}), ("undo", {})]
    assert messages[1]["content"] == [
        {"name": "run_ruff", "response": {"count": 1}},
        {"name": "undo", "response": {"count": 2}},
    ]
    assert messages[2] == {"role": "assistant", "content": "Done."}
    assert seen == [1, 3]


def test_a_call_that_does_not_fit_is_answered_with_the_error() -> None:
    messages, ran, _ = played([render_call("run_ruff", {"path": 3}), render_call("other", {}), "No."])
    assert ran == []
    assert "3 is not of type 'string'" in messages[1]["content"][0]["response"]["error"]
    assert messages[3]["content"][0]["response"] == {"error": "no tool is named other"}


@pytest.mark.parametrize(
    ("texts", "stopped_on", "fault"),
    [
        (["<start_function_call>call:run_ruff{"], 50, "malformed: "),
        (["and on"], None, "it did not stop"),
        ([""], 106, "an empty answer"),
        ([render_call("undo", {})] * 3, 50, "still calling after 3 turns"),
    ],
)
def test_a_fault_ends_the_loop(texts: list[str], stopped_on: int | None, fault: str) -> None:
    messages, _, _ = played(texts, stopped_on)
    assert messages[-1]["fault"].startswith(fault)
    assert "content" not in messages[-1]
