"""Calls compared as the Berkeley Function-Calling Leaderboard's AST check does, without its rules for strings.

Parallel calls may come in any order, a number equals another of the same value, and an argument that is left out has
its declared default. Strings are equal character for character: BFCL drops case, spaces and punctuation, which in a
path or a rule are the difference between right and wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fgbuild.functiongemma import Call
from fgbuild.workers.inference.tool_calls import same_json

Parameters = Mapping[str, Mapping[str, Any]]
"""Tool → the JSON Schema of its arguments."""


def same_syntax(left: Sequence[Call], right: Sequence[Call], parameters: Parameters) -> bool:
    """Whether two turns make the same calls, in any order, declared defaults filled in."""
    if len(left) != len(right):
        return False
    waiting = list(right)
    for call in left:
        # Equality is transitive, so any equal one will do.
        found = next((other for other in waiting if same_call(call, other, parameters)), None)
        if found is None:
            return False
        waiting.remove(found)
    return True


def same_call(left: Call, right: Call, parameters: Parameters) -> bool:
    """Whether two calls are of one tool with the same arguments, declared defaults filled in."""
    return left.name == right.name and same_json(_complete(left, parameters), _complete(right, parameters))


def _complete(call: Call, parameters: Parameters) -> dict[str, Any]:
    properties = (parameters.get(call.name) or {}).get("properties") or {}
    defaults = {name: schema["default"] for name, schema in properties.items() if "default" in schema}
    return {**defaults, **call.arguments}
