"""What is said of a turn that went wrong."""

from __future__ import annotations

import pytest

from fgbuild.functiongemma import Call, parse_turn, render_call
from fgbuild.workers.evaluating.evaluate import reason
from fgbuild.workers.evaluating.metrics import score_turn
from fgbuild.workers.inference.tool_calls import ToolSet

PARAMETERS = {"type": "object", "properties": {"n": {"type": "number", "description": "n"}}, "required": ["n"]}
TOOLS = ToolSet([{"name": name, "description": "d", "parameters": PARAMETERS} for name in ("add", "cut")])
ADD = Call("add", {"n": 1})


def said(name: str, **arguments: int) -> str:
    return render_call(name, arguments)


@pytest.mark.parametrize(
    ("gold", "output", "stopped", "words"),
    [
        ((ADD,), "<start_function_call>call:add{n:", True, "malformed: "),
        ((ADD,), "No.", True, "words instead of a call"),
        ((ADD,), "", True, "an empty answer"),
        ((), "", True, "an empty answer"),
        ((), said("add", n=1), True, "a call instead of words"),
        ((ADD,), said("cut", n=1), True, "wrong tool"),
        ((ADD,), said("add"), True, "add: 'n' is a required property"),
        ((ADD,), said("add", n=2), True, "wrong arguments"),
        ((ADD,), said("add", n=2), False, "wrong arguments"),
        ((ADD,), said("add", n=1) + "and so on", False, "did not stop"),
        ((), "and so on", False, "did not stop"),
    ],
)
def test_reasons(gold: tuple[Call, ...], output: str, stopped: bool, words: str) -> None:
    turn = score_turn({"id": "t"}, True, gold, output, parse_turn(output), 106 if stopped else None, TOOLS)
    assert not (turn.exact and turn.well_formed)
    assert reason(turn).startswith(words)
