"""Tool calls held against their declarations, and compared with one another; shared by verify and eval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema

from fgbuild.functiongemma import Call
from fgbuild.functiongemma.tokens import bare_tool

Tool = Mapping[str, Any]


class ToolSet:
    """A domain's tools, ready to check calls against. parameters: tool → the JSON Schema of its arguments."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self.tools = [dict(bare_tool(tool)) for tool in tools]
        self.parameters = {tool["name"]: dict(tool.get("parameters") or {}) for tool in self.tools}
        self._validators = {
            tool["name"]: jsonschema.Draft202012Validator(closed(tool.get("parameters") or {"type": "object"}))
            for tool in self.tools
        }

    def problem(self, call: Call) -> str:
        """Why a call does not fit its tool's declaration, or "" where it does."""
        validator = self._validators.get(call.name)
        if validator is None:
            return f"no tool is named {call.name}"
        error = jsonschema.exceptions.best_match(validator.iter_errors(call.arguments))
        if error is None:
            return ""
        where = ".".join(map(str, error.absolute_path))
        return f"{call.name}: {where}: {error.message}" if where else f"{call.name}: {error.message}"


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with undeclared properties refused, at every level that does not allow them itself.

    JSON Schema allows them by default, but to a tool an argument that it does not declare is an error.
    """
    result = dict(schema)
    if result.get("type") == "object":
        properties = result.get("properties") or {}
        result["properties"] = {name: closed(value) for name, value in properties.items()}
        result.setdefault("additionalProperties", False)
    if isinstance(result.get("items"), Mapping):
        result["items"] = closed(result["items"])
    return result


def message_calls(message: Mapping[str, Any]) -> tuple[Call, ...]:
    """The tool calls of an assistant message, in order."""
    functions = [bare_tool(entry) for entry in message.get("tool_calls") or ()]
    return tuple(Call(function["name"], dict(function["arguments"])) for function in functions)


def same_json(left: Any, right: Any) -> bool:
    """Equality of JSON values: 1 equals 1.0, and no number equals a truth value."""
    if isinstance(left, bool) or isinstance(right, bool):
        return isinstance(left, bool) and isinstance(right, bool) and left == right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same_json(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same_json, left, right))
    return bool(left == right)


def same_calls(left: Sequence[Call], right: Sequence[Call]) -> bool:
    """Whether two turns call the same tools with the same arguments, in the same order."""
    return len(left) == len(right) and all(
        ours.name == theirs.name and same_json(ours.arguments, theirs.arguments) for ours, theirs in zip(left, right)
    )
