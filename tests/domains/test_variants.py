"""Other tool lists: the same calls under other names, and nothing that the list does not declare."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from domain_contract import project
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains.scenario import call, result, say
from fgbuild.domains.variants import LISTS, tool_lists
from fgbuild.functiongemma.check import problems

DOMAINS = ("docstring", "lint", "sample_data", "test")


def tool(name: str, *parameters: str) -> dict[str, Any]:
    properties = {key: {"type": "string", "description": key} for key in parameters}
    schema = {"type": "object", "properties": properties, "required": list(parameters[:1])}
    return {"name": name, "description": name, "parameters": schema}


TOOLS = [tool("run_check", "path", "target"), tool("execute_check", "path"), tool("show", "line"), tool("list_all")]
ROW = {
    "id": "x-1",
    "kind": "single",
    "scenario": "check",
    "messages": [
        {"role": "user", "content": "Check a.py"},
        call("run_check", path="a.py"),
        result("run_check", count=2),
        say("Found 2."),
    ],
}


@settings(deadline=None)
@given(st.integers(0, 500))
def test_a_call_keeps_its_values_and_fits_what_is_declared(seed: int) -> None:
    for each in tool_lists(TOOLS, seed):
        row = each.apply(ROW)
        declared = {tool["name"]: tool["parameters"] for tool in row["tools"]}
        assert len(declared) == len(row["tools"])
        assert problems(row["tools"]) == []
        if row["kind"] == "decline":
            assert [turn["role"] for turn in row["messages"]] == ["user", "assistant"]
            assert "tool_calls" not in row["messages"][1]
            continue
        function = row["messages"][1]["tool_calls"][0]["function"]
        jsonschema.validate(function["arguments"], {**declared[function["name"]], "additionalProperties": False})
        assert list(function["arguments"].values()) == ["a.py"]
        assert row["messages"][2]["content"] == [{"name": function["name"], "response": {"count": 2}}]
        assert (row["messages"][0], row["messages"][3]) == (ROW["messages"][0], ROW["messages"][3])


def test_the_first_list_renames_the_second_leaves_out() -> None:
    renamed, fewer, _ = tool_lists(TOOLS, 1)
    assert len(renamed.tools) == len(TOOLS)
    assert {tool["name"] for tool in renamed.tools} != {tool["name"] for tool in TOOLS}
    assert len(fewer.tools) == len(TOOLS) - 1
    assert all(tool in TOOLS for tool in fewer.tools)


def test_a_request_for_a_tool_that_is_not_there_is_declined() -> None:
    seen = [each.apply(ROW) for seed in range(20) for each in tool_lists(TOOLS, seed)]
    declined = [row for row in seen if row["scenario"] == "tool_missing"]
    assert declined
    assert all("run_check" not in {tool["name"] for tool in row["tools"]} for row in declined)


def test_a_question_is_asked_only_where_the_tool_it_is_for_must_be_there() -> None:
    asked = {**ROW, "kind": "clarify", "messages": [ROW["messages"][0], say("Which one?")]}
    renamed, fewer, _ = tool_lists(TOOLS, 1)
    assert fewer.apply(asked) == asked
    assert renamed.apply(asked) == {**asked, "tools": renamed.tools}


def test_of_two_tools_none_can_be_missing() -> None:
    assert tool_lists(TOOLS[:2], 1) == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_domains_lists_are_few_and_can_be_declared(domain: str) -> None:
    tools = project().domains[domain].resolved["tool"]
    lists = tool_lists(tools, 42)
    assert len(lists) == LISTS
    for each in lists:
        assert problems(each.tools) == []
        assert len({tool["name"] for tool in each.tools}) == len(each.tools)
