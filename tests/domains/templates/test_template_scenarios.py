from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fgbuild.domains.sampling import Row, request
from fgbuild.domains.templates import commands, draw
from fgbuild.errors import DataError

WORDS = [f"word{letter}{other}" for letter in "abcdefg" for other in "abcdefg"]
SLOT = {"values": [], "file": "", "range": [], "step": 1, "pattern": "", "shared": False}


def scenario(name: str, kind: str, phrasings: list[str], *steps: dict[str, Any], **given: Any) -> dict[str, Any]:
    made = [{"arguments": {}, "response": None} | step for step in steps]
    defaults = {"weight": 1.0, "answer": "", "answered": None, "literal": False}
    return {"name": name, "kind": kind, "phrasings": phrasings, "steps": made} | defaults | given


def ways(text: str) -> list[str]:
    """Ten phrasings of one text."""
    return [f"way {letter}: {text}" for letter in "abcdefghij"]


FIND = scenario(
    "find",
    "single",
    ways("find {word}[ in the last {count} days]"),
    {"tool": "find", "arguments": {"text": "{word}", "days": "{count}"}, "response": {"hits": "{hits}"}},
    answer="Found {step1.hits}[ in {count} days].",
    literal=True,
)
PAIR = scenario(
    "pair",
    "parallel",
    ways("find {word} and {word2}"),
    {"tool": "find", "arguments": {"text": "{word}"}},
    {"tool": "find", "arguments": {"text": "{word2}"}},
)
FOLLOW = scenario(
    "follow",
    "sequence",
    ways("open what you find for {word}"),
    {"tool": "find", "arguments": {"text": "{word}"}, "response": {"hits": "{hits}", "first": {"name": "{word}.txt"}}},
    {"tool": "open", "arguments": {"file": "{step1.first.name}"}, "response": {"opened": True}},
    answer="Opened {step1.first.name}: {step2.opened}.",
)
ASK = scenario("ask", "clarify", ways("find something[, like {word}]"), answer="What?")


def manifest(*scenarios: dict[str, Any], count: int = 100, **given: Any) -> dict[str, Any]:
    slots = {"word": SLOT | {"values": WORDS}, "count": SLOT | {"range": [2, 90]}, "hits": SLOT | {"range": [100, 199]}}
    return {
        "name": "toy",
        "dataset": {"count": count, "eval_fraction": 0.2, "seed": 7},
        "slots": slots,
        "scenario": list(scenarios),
        "command": {},
        "workspace": {"files": [], "setup": [], "env": {}, "timeout_seconds": 10},
    } | given


def drawn(*scenarios: dict[str, Any], **given: Any) -> list[Row]:
    return draw(manifest(*scenarios, **given), Path("/nonexistent"))[0]


def called(row: Row) -> list[tuple[str, dict[str, Any]]]:
    functions = [call["function"] for turn in row["messages"] for call in turn.get("tool_calls", ())]
    return [(function["name"], function["arguments"]) for function in functions]


def test_an_optional_argument_is_there_exactly_where_the_request_names_it() -> None:
    rows = drawn(FIND)
    with_days = 0
    for row in rows:
        ((tool, arguments),) = called(row)
        days = re.search(r"last (\d+) days", request(row))
        assert tool == "find"
        assert arguments == {"text": arguments["text"]} | ({"days": int(days[1])} if days else {})
        assert str(arguments["text"]) in request(row)
        with_days += bool(days)
    assert 0.3 < with_days / len(rows) < 0.7


def test_true_and_false_are_written_as_people_do_and_stay_what_they_are_in_arguments() -> None:
    loud = SLOT | {"values": [True, False], "shared": True}
    told = scenario("set", "single", ways("loud: {loud}, {word}"), {"tool": "set", "arguments": {"loud": "{loud}"}})
    given = manifest(told | {"literal": True})
    given["slots"]["loud"] = loud
    found = {(called(row)[0][1]["loud"], "loud: true" in request(row)) for row in draw(given, Path("/nonexistent"))[0]}
    assert found == {(True, True), (False, False)}


def test_answers_hold_what_the_response_held() -> None:
    answered = [row for row in drawn(FIND) if len(row["messages"]) > 2]
    for row in answered:
        _, _, tool, said = row["messages"]
        hits = tool["content"][0]["response"]["hits"]
        days = re.search(r"last (\d+) days", request(row))
        assert isinstance(hits, int)
        assert said["content"] == f"Found {hits}" + (f" in {days[1]} days." if days else ".")
    assert 0.15 < len(answered) / 100 < 0.45


@pytest.mark.parametrize(("answered", "share"), [(0.0, 0), (1.0, 100)])
def test_how_many_are_told_to_their_end_can_be_said(answered: float, share: int) -> None:
    assert sum(len(row["messages"]) == 4 for row in drawn(FIND | {"answered": answered})) == share


def test_a_tool_that_sequences_go_on_from_is_told_to_its_end_more_often() -> None:
    ends = Counter(len(row["messages"]) for row in drawn(FIND, FOLLOW, count=400) if row["scenario"] == "find")
    assert 0.5 < ends[4] / 200 < 0.7


def test_parallel_calls_take_different_values_of_one_slot() -> None:
    for row in drawn(PAIR):
        assert [message["role"] for message in row["messages"]] == ["user", "assistant"]
        (_, first), (_, second) = called(row)
        assert first["text"] != second["text"]
        assert f"{first['text']} and {second['text']}" in request(row)


def test_a_later_argument_is_taken_from_an_earlier_response() -> None:
    for row in drawn(FOLLOW):
        roles = [message["role"] for message in row["messages"]]
        assert roles == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
        first = row["messages"][2]["content"][0]["response"]["first"]
        assert called(row)[1] == ("open", {"file": first["name"]})
        assert row["messages"][-1]["content"] == f"Opened {first['name']}: true."


def test_the_splits_share_no_phrasing_and_no_value() -> None:
    rows = drawn(FIND, ASK, count=300)
    parts = {split: [row for row in rows if row["split"] == split] for split in ("train", "eval")}
    for pattern in (r"way (\w)", r"(word\w+)"):
        train, held_out = ({m for row in part for m in re.findall(pattern, request(row))} for part in parts.values())
        assert train
        assert held_out
        assert not train & held_out


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    given = (FIND, PAIR, FOLLOW, ASK)
    assert json.dumps(drawn(*given)) == json.dumps(drawn(*given))
    other = manifest(*given)
    other["dataset"]["seed"] = 8
    assert json.dumps(draw(other, Path("/nonexistent"))[0]) != json.dumps(drawn(*given))


def entry(*command: Any, output: str = "text") -> dict[str, Any]:
    return {"command": list(command), "output": output, "max_output": 100}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands.time, "sleep", lambda seconds: None)


def test_a_command_gives_the_response_and_what_fails_is_drawn_again_and_counted(tmp_path: Path) -> None:
    command = entry("sh", "-c", 'case {text} in *a) exit 1;; esac; echo "got {text}"')
    told = scenario("run", "single", ways("run {word}"), {"tool": "run", "arguments": {"text": "{word}"}})
    told |= {"answer": "It said {step1.output}.", "answered": 1.0, "literal": True}
    rows, _, dropped = draw(manifest(told, count=50, command={"run": command}), tmp_path)
    for row in rows:
        ((_, arguments),) = called(row)
        assert not arguments["text"].endswith("a")
        assert row["messages"][-1]["content"] == f"It said got {arguments['text']}."
    assert dropped.total() > 0
    assert all("exits with 1" in reason for reason in dropped)


def test_what_does_not_repeat_is_dropped(tmp_path: Path) -> None:
    command = entry("sh", "-c", "case {text} in *a) pwd;; *) echo same;; esac")
    told = scenario("run", "single", ways("run {word}"), {"tool": "run", "arguments": {"text": "{word}"}})
    told |= {"answer": "{step1.output}", "answered": 1.0, "literal": True}
    rows, _, dropped = draw(manifest(told, count=50, command={"run": command}), tmp_path)
    assert {row["messages"][-1]["content"] for row in rows} == {"same"}
    assert dropped
    assert all("does not print the same twice" in reason for reason in dropped)


def test_a_step_with_a_response_of_its_own_runs_its_command_for_what_it_changes(tmp_path: Path) -> None:
    told = scenario(
        "write",
        "sequence",
        ways("write {word} and list"),
        {"tool": "write", "arguments": {"text": "{word}"}, "response": {"wrote": "{word}"}},
        {"tool": "list"},
        answer="{step2.lines.0}",
    )
    tools = {"write": entry("touch", "{text}"), "list": entry("ls", output="lines")}
    for row in draw(manifest(told, count=20, command=tools), tmp_path)[0]:
        word = called(row)[0][1]["text"]
        assert row["messages"][2]["content"][0]["response"] == {"wrote": word}
        assert row["messages"][4]["content"][0]["response"] == {"count": 1, "lines": [word]}
        assert row["messages"][-1]["content"] == word


def test_a_scenario_that_never_works_says_why(tmp_path: Path) -> None:
    told = scenario("run", "single", ways("run {word}"), {"tool": "run"}, literal=True)
    with pytest.raises(DataError) as caught:
        draw(manifest(told, command={"run": entry("false")}), tmp_path)
    assert "scenario run: 20 examples in a row cannot be used" in str(caught.value)
    assert "`false` exits with 1" in str(caught.value)
