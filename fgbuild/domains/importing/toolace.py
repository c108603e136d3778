"""ToolACE (`Team-ACE/ToolACE`).

A row has `system`, a text with the tools as a JSON list in it, and `conversations`, turns of
`from` (user, assistant, tool) and `value`. Calls are written `[Name of tool(a="x", b=1), Other()]`.
What the system text says of tools and of how to write calls is left out, as FunctionGemma is told
in its own way; a sentence with the date or time is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fgbuild.domains.importing.calls import looks_like_calls, read_calls
from fgbuild.domains.importing.draft import Draft, Message, Refused, calling, json_at, list_of, text_of
from fgbuild.domains.lines import parse_json

_ROLES = {
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt"), "assistant"),
    **dict.fromkeys(("tool", "observation", "function"), "tool"),
}
_WHEN = re.compile(
    r"\b(?:Today is|Today's date is|The current (?:date and time|date|time) is)\s[^\n]*?(?=\.(?!\d)|\n|$)"
)
_RESULT_KEYS = ("results", "result", "response", "data")


def read(row: Mapping[str, Any]) -> Draft:
    system = text_of(row, "system")
    tools = _tools(system)
    names = [tool["name"] for tool in tools]
    messages: list[Message] = []
    if when := _WHEN.search(system):
        messages.append({"role": "developer", "content": f"{when[0]}."})
    called: list[str] = []
    for index, turn in enumerate(list_of(row, "conversations")):
        where = f"conversations[{index}]"
        if not isinstance(turn, Mapping) or turn.get("from") not in _ROLES:
            raise Refused(f"{where} must have `from`, one of {', '.join(_ROLES)}, and `value`")
        value = text_of(turn, "value").strip()
        role = _ROLES[turn["from"]]
        if role == "assistant" and looks_like_calls(value):
            calls = _calls(value, names, where)
            called = [name for name, _ in calls]
            messages.append(calling(calls))
        elif role == "tool":
            messages.append({"role": "tool", "content": _results(value, called)})
        else:
            messages.append({"role": role, "content": value})
    return Draft(tools, messages)


def _tools(system: str) -> list[Any]:
    """The first JSON list of tools in the text; an example of how to call has brackets, too."""
    for start in (match.start() for match in re.finditer(r"\[", system)):
        try:
            tools, _ = json_at(system, start)
        except ValueError:
            continue
        if tools and all(isinstance(tool, dict) and isinstance(tool.get("name"), str) for tool in tools):
            return list(tools)
    raise Refused("system has no list of tools in JSON")


def _calls(value: str, names: list[str], where: str) -> list[tuple[str, dict[str, Any]]]:
    try:
        return read_calls(value, names)
    except ValueError as error:
        raise Refused(f"{where}.value: {error}") from None


def _results(value: str, called: list[str]) -> Any:
    """A tool's turn: results with their tools' names, or one for each call before it, or words."""
    try:
        results = parse_json(value)
    except ValueError:
        return value
    if not isinstance(results, list) or not results:
        return value
    if all(_names_tool(result) for result in results):
        return [{"name": result["name"], "response": _result(result)} for result in results]
    if len(results) == len(called):
        return [{"name": name, "response": result} for name, result in zip(called, results, strict=True)]
    return value


def _names_tool(result: Any) -> bool:
    return (
        isinstance(result, dict) and isinstance(result.get("name"), str) and any(key in result for key in _RESULT_KEYS)
    )


def _result(result: Mapping[str, Any]) -> Any:
    return next(result[key] for key in _RESULT_KEYS if key in result)
