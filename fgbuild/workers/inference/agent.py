"""The loop of an agent: a model calls tools and reads their responses until it answers in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fgbuild.functiongemma import Call, Turn, parse_turn
from fgbuild.workers.inference.llama import Completion
from fgbuild.workers.inference.tool_calls import ToolSet

Message = dict[str, Any]
Run = Callable[[str, Mapping[str, Any]], dict[str, Any]]
"""A tool's name and arguments → its response."""


def converse(
    answer: Callable[[Sequence[Message]], Completion], request: str, tools: ToolSet, run: Run, *, most_turns: int
) -> Iterator[Message]:
    """The messages that follow one request, each as soon as it is there.

    answer: completes the messages so far. A call that does not fit its declaration is not run: its response is the
    error. The loop ends with words (`content`), with a turn that is malformed, empty or does not stop ({"role":
    "assistant", "fault", "raw"}), or after `most_turns` turns with calls (also a fault).
    """
    messages: list[Message] = [{"role": "user", "content": request}]
    for _ in range(most_turns):
        completion = answer(messages)
        turn = parse_turn(completion.text)
        if fault := _fault(completion, turn):
            yield {"role": "assistant", "fault": fault, "raw": completion.text}
            return
        if not turn.calls:
            yield {"role": "assistant", "content": turn.text}
            return
        called = _called(turn)
        yield called
        responses = [{"name": call.name, "response": _response(call, tools, run)} for call in turn.calls]
        told: Message = {"role": "tool", "content": responses}
        yield told
        messages += [called, told]
    yield {"role": "assistant", "fault": f"still calling after {most_turns} turns", "raw": ""}


def _response(call: Call, tools: ToolSet, run: Run) -> dict[str, Any]:
    problem = tools.problem(call)
    return {"error": problem} if problem else run(call.name, call.arguments)


def _called(turn: Turn) -> Message:
    functions = [{"name": call.name, "arguments": call.arguments} for call in turn.calls]
    words = {"content": turn.text} if turn.text else {}
    return {"role": "assistant", **words, "tool_calls": [{"type": "function", "function": each} for each in functions]}


def _fault(completion: Completion, turn: Turn) -> str:
    if turn.malformed:
        return f"malformed: {turn.malformed}"
    if completion.stopped_on is None:
        return "it did not stop"
    return "" if turn.calls or turn.text else "an empty answer"
