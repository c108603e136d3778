"""ShareGPT with calls: `Salesforce/APIGen-MT-5k`, and the files that LLaMA-Factory reads.

A row has `tools`, a list or its JSON text, `conversations`, turns of `from` (human, function_call,
observation, gpt) and `value`, and perhaps `system`, which is kept. A call is
`{"name": …, "arguments": {…}}` as JSON text, or a list of several.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fgbuild.domains.importing.draft import Draft, Message, Refused, calling, list_of, results, text_of, turns_of
from fgbuild.domains.lines import parse_json

_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "developer"}
_RESULTS = ("observation", "tool")


def read(row: Mapping[str, Any]) -> Draft:
    messages: list[Message] = []
    if row.get("system"):
        messages.append({"role": "developer", "content": text_of(row, "system")})
    called: list[Any] = []
    for where, speaker, value in turns_of(row, (*_ROLES, "function_call", *_RESULTS)):
        if speaker == "function_call":
            calls = _calls(value, where)
            called = [name for name, _ in calls]
            messages.append(calling(calls))
        elif speaker in _RESULTS:
            messages.append({"role": "tool", "content": results(value, called)})
        else:
            messages.append({"role": _ROLES[speaker], "content": value})
    return Draft(list_of(row, "tools"), messages)


def _calls(value: str, where: str) -> list[tuple[Any, Any]]:
    try:
        given = parse_json(value)
    except ValueError as error:
        raise Refused(f"{where}.value is not JSON: {error}") from None
    calls = given if isinstance(given, list) else [given]
    if not calls or not all(isinstance(call, dict) for call in calls):
        raise Refused(f'{where}.value must be {{"name": …, "arguments": {{…}}}}, or a list of those')
    return [(call.get("name"), call.get("arguments", {})) for call in calls]
