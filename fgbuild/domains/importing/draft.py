"""What a format's reader makes of a row, before anything is checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fgbuild.domains.lines import no_constant, parse_json

Message = dict[str, Any]

_RESULT_KEYS = ("results", "result", "response", "data")


class Refused(ValueError):
    """A row that cannot be read as its format; the message says what is wrong with it."""


class Draft(NamedTuple):
    """tools: as the source declares them. messages: in a shape that `own_messages` reads, with the source's names."""

    tools: list[Any]
    messages: list[Message]


def text_of(row: Mapping[str, Any], key: str) -> str:
    """A field that must be text. Raises Refused."""
    value = row.get(key)
    if not isinstance(value, str):
        raise Refused(f"{key} must be text, not {kind_of(value)}")
    return value


def list_of(row: Mapping[str, Any], key: str) -> list[Any]:
    """A field that is a list, or a list as a JSON string. Raises Refused."""
    value = row.get(key)
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except ValueError as error:
            raise Refused(f"{key} is not JSON: {error}") from None
    if not isinstance(value, list):
        raise Refused(f"{key} must be a list, or a list as a JSON string, not {kind_of(value)}")
    return value


def kind_of(value: Any) -> str:
    names: dict[type, str] = {
        type(None): "nothing",
        str: "text",
        dict: "an object",
        list: "a list",
        bool: "a truth value",
    }
    return names.get(type(value), "a number")


def calling(calls: list[tuple[Any, Any]], content: str = "") -> Message:
    """An assistant's message that makes calls: (name, arguments) each."""
    message: Message = {"role": "assistant"}
    if content:
        message["content"] = content
    functions = [{"name": name, "arguments": arguments} for name, arguments in calls]
    return {**message, "tool_calls": [{"type": "function", "function": function} for function in functions]}


def turns_of(row: Mapping[str, Any], speakers: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """The turns of ShareGPT's `conversations`: (where, speaker, what it says). Raises Refused."""
    for index, turn in enumerate(list_of(row, "conversations")):
        where = f"conversations[{index}]"
        if not isinstance(turn, Mapping) or turn.get("from") not in speakers:
            raise Refused(f"{where} must have `from`, one of {', '.join(speakers)}, and `value`")
        if not isinstance(turn.get("value"), str):
            raise Refused(f"{where}.value must be text, not {kind_of(turn.get('value'))}")
        yield where, turn["from"], turn["value"].strip()


def results(value: str, called: Sequence[str]) -> Any:
    """A tool's turn as content of a message: results with their tools' names, or one for each call, or words.

    called: the tools of the calls before it.
    """
    try:
        found = parse_json(value)
    except ValueError:
        return value
    if not isinstance(found, list) or not found:
        return value
    if all(_names_tool(result) for result in found):
        return [{"name": result["name"], "response": _result(result)} for result in found]
    if len(found) == len(called):
        return [{"name": name, "response": result} for name, result in zip(called, found, strict=True)]
    return value


def _names_tool(result: Any) -> bool:
    if not isinstance(result, dict) or not isinstance(result.get("name"), str):
        return False
    return any(key in result for key in _RESULT_KEYS)


def _result(result: Mapping[str, Any]) -> Any:
    return next(result[key] for key in _RESULT_KEYS if key in result)


def json_at(text: str, start: int) -> tuple[Any, int]:
    """The JSON value that begins at `start`, and where it ends. Raises ValueError."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value, end


_DECODER = json.JSONDecoder(parse_constant=no_constant)
