"""Glaive function calling v2 (`glaiveai/glaive-function-calling-v2`).

A row has `system`, a sentence and then the functions as JSON objects one after the other, and `chat`:
turns that begin with `USER:`, `ASSISTANT:` or `FUNCTION RESPONSE:`. A call is
`<functioncall> {"name": "f", "arguments": '{"a": 1}'}`, its arguments mostly JSON in single quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fgbuild.domains.importing.draft import Draft, Message, Refused, calling, json_at, text_of
from fgbuild.domains.lines import parse_json

_SPEAKER = re.compile(r"(?:^|(?<=\s))(USER|ASSISTANT|FUNCTION RESPONSE):(?=\s|$)")
_CALL = "<functioncall>"
_END = "<|endoftext|>"
_QUOTED = re.compile(r"""\{\s*"name"\s*:\s*"([^"]*)"\s*,\s*"arguments"\s*:\s*'(.*)'\s*\}""", re.DOTALL)
_USUAL = re.compile(r"You are a helpful assistant with access to the following functions\.\s*Use them if required\s*-?")
"""Says nothing that FunctionGemma's own sentence does not say."""


def read(row: Mapping[str, Any]) -> Draft:
    words, tools = _system(text_of(row, "system"))
    messages: list[Message] = [{"role": "developer", "content": words}] if words else []
    first, *turns = _SPEAKER.split(text_of(row, "chat").replace(_END, ""))
    if first.strip() or not turns:
        raise Refused("chat must begin with USER: or ASSISTANT:")
    for speaker, said in zip(turns[::2], turns[1::2], strict=True):
        messages.append(_message(speaker, said.strip()))
    return Draft(tools, messages)


def _system(text: str) -> tuple[str, list[Any]]:
    """The words of the system text, and the functions after them."""
    text = text.strip().removeprefix("SYSTEM:")
    words, brace, _ = text.partition("{")
    tools: list[Any] = []
    at = len(words)
    while brace and at < len(text):
        try:
            tool, at = json_at(text, at)
        except ValueError as error:
            raise Refused(f"system: function {len(tools) + 1} is not JSON: {error}") from None
        tools.append(tool)
        while at < len(text) and (text[at].isspace() or text[at] == ","):
            at += 1
    return _USUAL.sub("", words).strip(), tools


def _message(speaker: str, said: str) -> Message:
    if speaker == "USER":
        return {"role": "user", "content": said}
    if speaker == "FUNCTION RESPONSE":
        return {"role": "tool", "content": said}
    words, *calls = said.split(_CALL)
    if not calls:
        return {"role": "assistant", "content": said}
    return calling([_call(call.strip()) for call in calls], words.strip())


def _call(text: str) -> tuple[Any, Any]:
    if match := _QUOTED.fullmatch(text):
        return match[1], match[2].replace("\\'", "'")
    try:
        call = parse_json(text)
    except ValueError as error:
        raise Refused(f"chat: a call is not JSON: {error}") from None
    if not isinstance(call, dict):
        raise Refused(f'chat: a call must be {{"name": …, "arguments": …}} after {_CALL}')
    return call.get("name"), call.get("arguments", {})
