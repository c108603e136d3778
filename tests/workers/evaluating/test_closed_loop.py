"""Closed loop with the lint domain's real tools; what the model says is scripted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from fgbuild.domains.lint import SCENARIOS
from fgbuild.domains.sampling import Plan
from fgbuild.functiongemma import Call, render_call
from fgbuild.manifest.project import read_sources
from fgbuild.manifest.validate import resolve_sources
from fgbuild.sandbox import Sandbox
from fgbuild.workers.evaluating import closed_loop
from fgbuild.workers.evaluating.closed_loop import FURTHER, Loop, loop_failures, loop_metrics, play, prepared
from fgbuild.workers.evaluating.projects import Projects, tool_digest, unavailable
from fgbuild.workers.inference.llama import Completion
from fgbuild.workers.inference.tool_calls import ToolSet, message_calls

ROOT = Path(__file__).parents[3]
COUNT, SEED = 240, 7
FILES = {"src/a.py": "import os\n\nx = 1\n", "src/b.py": "y = 2\n"}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    resolved = resolve_sources(ROOT, read_sources(ROOT), base="tiny", profile=None).domains["lint"].resolved
    dataset = {**resolved["dataset"], "count": COUNT, "eval_fraction": 0.1, "seed": SEED}
    return {**resolved, "dataset": dataset}


@pytest.fixture(scope="module")
def projects(manifest: dict[str, Any]) -> Iterator[Projects]:
    with Projects(manifest) as found:
        yield found


@pytest.fixture(scope="module")
def tools(manifest: dict[str, Any]) -> ToolSet:
    return ToolSet(manifest["tool"])


def answer(text: str, stop: int | None = 106) -> Completion:
    return Completion((), text, stop, 1, 0, 0.0, 0.0, 0)


def said(*calls: Call) -> str:
    return "".join(render_call(call.name, call.arguments) for call in calls)


def call(name: str, **arguments: Any) -> Call:
    return Call(name, arguments)


def row(*turns: Sequence[Call] | str) -> dict[str, Any]:
    """A row with these turns of the model, without responses: nobody was told."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Do it."}]
    for turn in turns:
        entries = (
            [{"type": "function", "function": {"name": c.name, "arguments": c.arguments}} for c in turn]
            if not (isinstance(turn, str))
            else []
        )
        messages.append(
            {"role": "assistant", "tool_calls": entries} if entries else {"role": "assistant", "content": turn}
        )
    return {"id": "lint-1", "scenario": "s", "messages": messages}


def ended(loop: Loop | None, *turns: str | Completion | None) -> str:
    """Why a loop is wrong in which the model says this."""
    assert loop is not None
    waiting = [answer(turn) if isinstance(turn, str) else turn for turn in turns]
    try:
        play([loop], lambda going: [waiting.pop(0)])
    finally:
        loop.close()
    assert not waiting
    return loop.reason


FIX = call("fix_lint", path="src/a.py")
CHECK = call("run_ruff", path="src/b.py")


def test_held_out_rows_find_their_projects_and_their_own_calls_end_right(
    projects: Projects, tools: ToolSet, manifest: dict[str, Any]
) -> None:
    plan = Plan("lint", SCENARIOS, count=COUNT, eval_fraction=0.1, seed=SEED)
    with Sandbox("fgbuild.domains.lint.tools") as sandbox:
        drawn = [plan.draw("eval", number, 0, sandbox) for number in plan.order("eval")]
    rows: list[dict[str, Any]] = [
        {"id": plan.row_id(plan.sizes["train"] + place), **found} for place, found in enumerate(drawn) if found
    ]
    loops = [found for each in rows if (found := prepared(each, tools, projects.files_of(each), projects))]
    assert len(loops) == len(rows) == 24
    assert sum(loop.gold is not None for loop in loops) >= 8
    scripts = {
        id(loop): [
            said(*message_calls(message)) or message["content"]
            for message in loop.row["messages"]
            if message["role"] == "assistant"
        ]
        for loop in loops
    }
    play(loops, lambda going: [answer(scripts[id(loop)].pop(0) if scripts[id(loop)] else "Done.") for loop in going])
    assert list(loop_failures(loops)) == []
    found = loop_metrics(loops)
    assert (found["closed_loop_examples"], found["closed_loop_accuracy"]) == (24, 1.0)
    for played in loops:
        played.close()
    shifted = {**rows[0], "id": rows[1]["id"]}
    assert projects.files_of(shifted) is None
    assert projects.files_of({**rows[0], "source": "data/mine.jsonl:1"}) is None
    assert projects.files_of({**rows[0], "id": "mine"}) is None


def test_the_same_end_by_another_way_is_right(projects: Projects, tools: ToolSet) -> None:
    loop = prepared(row([FIX, CHECK]), tools, FILES, projects)
    other = call("fix_lint", path="./src/a.py")  # another spelling, the same file
    assert ended(loop, said(CHECK), said(other), "Fixed.") == ""


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([said(CHECK), "Done."], "src/a.py is not what it should be"),
        ([said(FIX), "Done."], "run_ruff was not called as it should be"),
        ([said(FIX, call("run_ruff", path="src")), "Done."], "run_ruff was not called as it should be"),
        ([said(FIX, CHECK, call("explain_rule", rule="F401")), "Done."], "explain_rule was called without need"),
        ([said(FIX, call("run_ruff", path="b.py")), said(CHECK), "Done."], ""),  # an error, and then right
        ([said(FIX, CHECK), said(FIX), "Done."], "fix_lint was called without need"),
        (["Which file?"], "src/a.py is not what it should be"),
        ([""], "an empty answer"),
        ([None], "the conversation is too long"),
        ([answer(said(FIX), None)], "did not stop"),
        (["<start_function_call>call:fix_lint{"], "malformed: "),
        ([said(call("repair", path="src/a.py"))], "no tool is named repair"),
        ([said(call("fix_lint"))], "fix_lint: 'path' is a required property"),
        ([said(FIX, CHECK)] * (1 + FURTHER), "too many turns"),
    ],
)
def test_what_is_wrong(projects: Projects, tools: ToolSet, turns: list[Any], reason: str) -> None:
    loop = prepared(row([FIX, CHECK]), tools, FILES, projects)
    found = ended(loop, *turns)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def test_the_model_is_told_what_its_own_calls_gave(projects: Projects, tools: ToolSet) -> None:
    loop = prepared(row([CHECK]), tools, FILES, projects)
    assert loop is not None
    assert ended(loop, said(call("run_ruff", path="src/a.py")), "Done.") == "run_ruff was not called as it should be"
    (_, made, given, _) = loop.messages
    assert message_calls(made) == (call("run_ruff", path="src/a.py"),)
    assert given["content"][0]["response"]["count"] >= 1


def test_where_no_call_is_due_none_may_be_attempted(projects: Projects, tools: ToolSet) -> None:
    asks_back = row("Which file?")
    assert ended(prepared(asks_back, tools, None, projects), "Which one?") == ""
    assert ended(prepared(asks_back, tools, None, projects), said(CHECK)) == "a call instead of words"


def test_rows_whose_calls_answer_otherwise_now_are_left_out(projects: Projects, tools: ToolSet) -> None:
    told = row([CHECK], "No problems.")
    response = {"role": "tool", "content": [{"name": "run_ruff", "response": {"count": 99}}]}
    told["messages"].insert(2, response)
    assert prepared(told, tools, FILES, projects) is None
    assert prepared(row([CHECK]), tools, None, projects) is None


def test_a_call_that_takes_too_long_is_an_error_that_the_model_sees(
    projects: Projects, tools: ToolSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = prepared(row([CHECK]), tools, FILES, projects)
    assert loop is not None
    monkeypatch.setattr("fgbuild.sandbox.client.SECONDS", 0)
    assert ended(loop, said(CHECK), "Done.") == ""  # called as it should be: what is slow is not the model
    assert loop.messages[2]["content"][0]["response"] == {"error": "run_ruff took longer than 0 seconds"}


def test_where_nothing_can_be_run_the_reason_is_said(manifest: dict[str, Any]) -> None:
    assert unavailable(manifest) == ""
    for generator in ("none", "templates"):
        other = {**manifest, "dataset": {**manifest["dataset"], "generator": generator}}
        assert unavailable(other)
        assert tool_digest(other) == ""
    assert closed_loop.loop_metrics([])["closed_loop_accuracy"] is None


def test_another_version_of_a_tool_is_another_digest(manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    first = tool_digest(manifest)
    assert tool_digest(manifest) == first
    monkeypatch.setattr("fgbuild.workers.evaluating.projects.version", lambda name: "0")
    assert tool_digest(manifest) != first
