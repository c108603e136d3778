"""`google/mobile-actions`, and other files in the OpenAI shape: `messages` and `tools`.

Nulls are left out: libraries that keep rows in columns fill every key that another row has with
one, arguments and properties too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fgbuild.domains.importing.draft import Draft, Refused, list_of
from fgbuild.domains.lines import parse_json


def read(row: Mapping[str, Any]) -> Draft:
    messages = list_of(row, "messages")
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            raise Refused(f"messages[{index}] must be an object with role and content")
    return Draft(list_of(row, "tools"), [_without_nulls(message) for message in messages])


def _without_nulls(message: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in message.items() if value is not None}
    if isinstance(calls := kept.get("tool_calls"), list):
        kept["tool_calls"] = [_call(call) for call in calls]
    return kept


def _call(call: Any) -> Any:
    if not isinstance(call, dict) or not isinstance(function := call.get("function", call), dict):
        return call
    arguments = function.get("arguments")
    if arguments is None:
        arguments = {}
    if isinstance(arguments, str):
        try:
            arguments = parse_json(arguments)
        except ValueError:
            return call  # which is refused with its place
    if isinstance(arguments, dict):
        arguments = {key: value for key, value in arguments.items() if value is not None}
    return {**call, "function": {**function, "arguments": arguments}}
