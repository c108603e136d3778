"""Tool lists beside the manifest's, for a share of the training rows.

A model that always sees one list learns its names by heart and never reads it. In these rows tools stand in another
order, some under other names and with other parameter names, and some are missing: a request for one of those is
declined. There are few lists, so that the rows of a batch can share one.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fgbuild.domains.scenario import NO_TOOL, say

Row = dict[str, Any]
Tool = dict[str, Any]

LISTS = 3
"""Lists beside the manifest's. Each is a prompt of its own, which training computes once a batch."""

_VERBS = {
    "run": "execute", "fix": "repair", "format": "tidy", "explain": "describe", "show": "display", "add": "insert",
    "list": "enumerate", "find": "locate", "measure": "compute", "get": "fetch", "read": "view", "write": "compose",
    "check": "inspect", "convert": "change", "infer": "detect", "preview": "peek_at", "generate": "produce",
    "validate": "verify", "anonymize": "mask", "export": "save", "rerun": "repeat", "create": "make",
    "delete": "remove", "set": "assign", "search": "look_up", "update": "modify", "send": "deliver",
}  # fmt: skip
_PARAMETERS = {
    "path": "target", "line": "line_number", "rule": "rule_code", "keyword": "pattern", "node_id": "test_id",
    "package": "module", "minimum": "at_least", "count": "limit", "symbol": "qualified_name", "style": "convention",
    "table": "table_name", "seed": "random_seed", "column": "field", "format": "file_type", "name": "title",
    "text": "content", "file": "filename", "message": "note", "branch": "branch_name", "query": "question",
}  # fmt: skip


@dataclass(frozen=True)
class ToolList:
    """Another list of the same tools.

    names: tool → its name here; parameters: tool → parameter → its name here. whole: none of the tools is missing.
    """

    tools: list[Tool]
    names: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, str]]
    whole: bool

    def apply(self, row: Row) -> Row:
        """The row with these tools; where one that it calls is missing, the request is declined.

        A row that asks back does not say for which tool, and so it stays as it is where one is missing.
        """
        if row["kind"] == "clarify" and not self.whole:
            return row
        called = [call["function"]["name"] for turn in row["messages"] for call in turn.get("tool_calls", ())]
        if not set(called) <= set(self.names):
            declined = [row["messages"][0], say(NO_TOOL)]
            return {**row, "kind": "decline", "scenario": "tool_missing", "messages": declined, "tools": self.tools}
        return {**row, "messages": [self._renamed(turn) for turn in row["messages"]], "tools": self.tools}

    def _renamed(self, turn: dict[str, Any]) -> dict[str, Any]:
        if "tool_calls" in turn:
            return {**turn, "tool_calls": [self._call(call["function"]) for call in turn["tool_calls"]]}
        if turn["role"] == "tool":
            return {**turn, "content": [{**each, "name": self.names[each["name"]]} for each in turn["content"]]}
        return turn

    def _call(self, function: Mapping[str, Any]) -> dict[str, Any]:
        renamed = self.parameters[function["name"]]
        arguments = {renamed[key]: value for key, value in function["arguments"].items()}
        return {"type": "function", "function": {"name": self.names[function["name"]], "arguments": arguments}}


def tool_lists(tools: Sequence[Tool], seed: int) -> list[ToolList]:
    """`LISTS` lists by the seed, or none where there are too few tools to leave one out."""
    if len(tools) < 3:
        return []
    return [_drawn(tools, random.Random(f"{seed}/tools/{number}"), number) for number in range(LISTS)]


def _drawn(tools: Sequence[Tool], rng: random.Random, number: int) -> ToolList:
    kept = rng.sample(list(tools), len(tools) - min(number, len(tools) - 2))
    share = (1.0, 0.0, 0.5)[number % 3]
    taken = {tool["name"] for tool in tools}
    names, parameters, declared = {}, {}, []
    for tool in kept:
        other = rng.random() < share
        schema = tool["parameters"]
        renamed = {key: _other(key, schema["properties"]) if other else key for key in schema.get("properties", {})}
        name = _other_name(tool["name"], rng) if other else tool["name"]
        if name in taken:
            name = tool["name"]
        taken.add(name)
        names[tool["name"]], parameters[tool["name"]] = name, renamed
        declared.append({**tool, "name": name, "parameters": _with_names(schema, renamed)})
    return ToolList(declared, names, parameters, len(kept) == len(tools))


def _other(key: str, properties: Mapping[str, Any]) -> str:
    found = _PARAMETERS.get(key, key)
    return key if found in properties else found


def _other_name(name: str, rng: random.Random) -> str:
    """runLint, lint_run or execute_lint for run_lint."""
    first, *rest = name.split("_")
    if not rest:
        return _VERBS.get(name, name)
    way = rng.choice(("camel", "turned", "synonym"))
    if way == "camel":
        return first + "".join(part.capitalize() for part in rest)
    if way == "turned":
        return "_".join([*rest, first])
    return "_".join([_VERBS.get(first, first), *rest])


def _with_names(schema: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    renamed = dict(schema)
    if "properties" in schema:
        renamed["properties"] = {names[key]: value for key, value in schema["properties"].items()}
    if "required" in schema:
        renamed["required"] = [names[key] for key in schema["required"]]
    return renamed
