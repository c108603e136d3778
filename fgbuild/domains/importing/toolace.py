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
from fgbuild.domains.importing.draft import Draft, Message, Refused, calling, json_at, results, text_of, turns_of

_ROLES = {
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt"), "assistant"),
    **dict.fromkeys(("tool", "observation", "function"), "tool"),
}
_LIST = re.compile(r"\[\s*\{")
_WHEN = re.compile(
    r"\b(?:Today is|Today's date is|The current (?:date and time|date|time) is)\s[^\n]*?(?=\.(?!\d)|\n|$)"
)


def read(row: Mapping[str, Any]) -> Draft:
    system = text_of(row, "system")
    tools = _tools(system)
    names = [tool["name"] for tool in tools]
    messages: list[Message] = []
    if when := _WHEN.search(system):
        messages.append({"role": "developer", "content": f"{when[0]}."})
    called: list[str] = []
    for where, speaker, value in turns_of(row, tuple(_ROLES)):
        role = _ROLES[speaker]
        if role == "assistant" and looks_like_calls(value):
            calls = _calls(value, names, where)
            called = [name for name, _ in calls]
            messages.append(calling(calls))
        elif role == "tool":
            messages.append({"role": "tool", "content": results(value, called)})
        elif role == "assistant" and any(f"[{name}(" in value for name in names):
            raise Refused(f"{where}.value has a call among words; a turn is calls alone or words alone")
        else:
            messages.append({"role": role, "content": value})
    return Draft(tools, messages)


def _tools(system: str) -> list[Any]:
    """The first JSON list of tools in the text; an example of how to call has brackets, too."""
    for start in (match.start() for match in _LIST.finditer(system)):
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
