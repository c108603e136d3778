"""Closed loop: the model's own calls are made in the row's project, and the ends of the two runs compared.

A loop goes on with the real responses to whatever the model called, until the model answers in words, says what
cannot be carried out, or has had `FURTHER` turns more than the gold run. It is right where

- it ends in words,
- the project's files are then those that the gold run leaves, and
- the calls that changed no file are the gold run's, whatever their order and spelling of defaults. A call that
  gave an error and that the gold run does not have is forgiven: the model saw it and went on.

Where the gold run makes no call, the model must not attempt one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fgbuild.domains.scenario import calls, results
from fgbuild.functiongemma import Call, parse_turn
from fgbuild.sandbox.client import LimitReached, Sandbox, SandboxFault, Workspace
from fgbuild.workers.evaluating.shares import Shares
from fgbuild.workers.evaluating.syntax import same_call
from fgbuild.workers.inference.llama import Completion
from fgbuild.workers.inference.tool_calls import ToolSet, message_calls

Row = Mapping[str, Any]
Ask = Callable[[Sequence["Loop"]], list[Completion | None]]
"""What the model says next in each; None where the conversation is too long or no prompt can hold it."""

FURTHER = 2
"""Turns that a loop may have beyond those of the gold run."""


@dataclass
class Run:
    """A project, and what calls did there. reading: the calls that changed no file, and whether they gave an error."""

    workspace: Workspace
    files: dict[str, bytes]
    reading: list[tuple[Call, bool]] = field(default_factory=list)

    @classmethod
    def begin(cls, sandbox: Sandbox, files: Mapping[str, str | bytes]) -> Run:
        workspace = sandbox.project(files)
        return cls(workspace, workspace.files())

    def call(self, call: Call) -> dict[str, Any]:
        """The response; where a limit was reached, the error that says so. Raises SandboxFault."""
        try:
            response = self.workspace.call(call.name, call.arguments)
        except LimitReached as limit:
            response = {"error": str(limit).partition(";")[0]}
        after = self.workspace.files()
        if after == self.files:
            self.reading.append((call, "error" in response))
        self.files = after
        return response

    def same_end(self, gold: Run, tools: ToolSet) -> str:
        """Why this run does not end as the gold one does, or "" where it does."""
        if self.files != gold.files:
            names = {*self.files, *gold.files}
            first = min(name for name in names if self.files.get(name) != gold.files.get(name))
            return f"{first} is not what it should be"

        def among(call: Call, others: Run) -> bool:
            return any(same_call(call, other, tools.parameters) for other, _ in others.reading)

        missing = next((call for call, _ in gold.reading if not among(call, self)), None)
        if missing is not None:
            return f"{missing.name} was not called as it should be"
        further = next((call for call, failed in self.reading if not failed and not among(call, gold)), None)
        return f"{further.name} was called without need" if further is not None else ""


@dataclass
class Loop:
    """One row's conversation with the model. gold: None where the row makes no call; reason: why it is wrong, "" while
    it is not; done: whether it is over."""

    row: Row
    tools: ToolSet
    gold: Run | None
    run: Run | None
    turns_left: int
    messages: list[dict[str, Any]]
    reason: str = ""
    done: bool = False

    def end(self, reason: str = "") -> None:
        self.reason, self.done = reason, True

    def take(self, answer: Completion | None) -> None:
        """Go on by what the model said: make its calls, or end."""
        self.turns_left -= 1
        if answer is None:
            return self.end("the conversation is too long")
        turn = parse_turn(answer.text)
        if turn.malformed:
            return self.end(f"malformed: {turn.malformed}")
        if answer.stopped_on is None:
            return self.end("did not stop")
        if not turn.calls:
            self.messages.append({"role": "assistant", "content": turn.text})
            if not turn.text:
                return self.end("an empty answer")
            return self.end(self.run.same_end(self.gold, self.tools) if self.run and self.gold else "")
        if self.run is None:
            return self.end("a call instead of words")
        problem = next((found for call in turn.calls if (found := self.tools.problem(call))), "")
        if problem:
            return self.end(problem)
        if not self.turns_left:
            return self.end("too many turns")
        return self._make(self.run, turn.calls)

    def _make(self, run: Run, made: Sequence[Call]) -> None:
        try:
            given = [(call.name, run.call(call)) for call in made]
        except SandboxFault as fault:
            if not run.workspace.usable:  # not this model's doing
                raise
            return self.end(f"the tool failed: {str(fault).strip().splitlines()[-1]}")
        self.messages += [calls(*((call.name, call.arguments) for call in made)), results(*given)]
        return None

    def close(self) -> None:
        for run in (self.run, self.gold):
            if run is not None:
                run.workspace.remove()


def prepared(row: Row, tools: ToolSet, files: Mapping[str, str | bytes] | None, sandbox: Sandbox) -> Loop | None:
    """A row ready for its loop, its gold run made; None where that cannot be made again.

    files: what the row's project began with, None for a row whose project is not known.
    """
    asked = next((number for number, each in enumerate(row["messages"]) if each["role"] == "assistant"), None)
    if asked is None:
        return None
    turns = sum(each["role"] == "assistant" for each in row["messages"]) + FURTHER
    start = list(row["messages"][:asked])
    if not any(message.get("tool_calls") for message in row["messages"]):
        return Loop(row, tools, None, None, turns, start)
    if files is None:
        return None
    gold = Run.begin(sandbox, files)
    try:
        made = [gold.call(call) for message in row["messages"] for call in message_calls(message)]
    except SandboxFault:
        made = []
    told = [each["response"] for message in row["messages"] if message["role"] == "tool" for each in message["content"]]
    # A row may end with a call whose response nobody was told.
    if made[: len(told)] != told or not made:
        gold.workspace.remove()
        return None
    return Loop(row, tools, gold, Run.begin(sandbox, files), turns, start)


def play(loops: Sequence[Loop], ask: Ask) -> None:
    """Let all loops come to their end, those that go on side by side."""
    while going := [loop for loop in loops if not loop.done]:
        for loop, answer in zip(going, ask(going), strict=True):
            loop.take(answer)


def loop_metrics(loops: Sequence[Loop]) -> dict[str, Any]:
    """closed_loop_accuracy: of rows that could be played, those that end right; closed_loop_examples: how many."""
    shares = Shares()
    shares.add("closed_loop_accuracy", (not loop.reason for loop in loops))
    return {"closed_loop_examples": len(loops), **shares.values, "intervals": shares.intervals}


def loop_failures(loops: Sequence[Loop]) -> Iterator[dict[str, Any]]:
    """Loops that ended wrong: {"id", "scenario", "messages", "reason"}."""
    for loop in loops:
        if loop.reason:
            yield {
                "id": loop.row["id"],
                "scenario": loop.row.get("scenario", ""),
                "messages": loop.messages,
                "reason": loop.reason,
            }
