"""JSON values, calls and responses in FunctionGemma's notation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from fgbuild.errors import FormatError
from fgbuild.functiongemma.tokens import (
    END_CALL,
    END_RESPONSE,
    ESCAPE,
    KEY,
    MAX_DEPTH,
    START_CALL,
    START_RESPONSE,
    TOOL_NAME,
    unfit_text,
)


def render_value(value: Any, where: str = "value") -> str:
    """A JSON value: strings between `<escape>` tokens, keys bare and sorted without regard to case.

    Keys that differ in case only keep their order. Numbers are written as Python's `repr` writes
    them. Raises FormatError, naming the field after `where`, for NaN and infinity, special tokens
    in a string, keys outside `tokens.KEY`, nesting beyond `tokens.MAX_DEPTH`, and what is not JSON.
    """
    return _value(value, where, 1)


def render_call(name: Any, arguments: Any, where: str = "call") -> str:
    """One tool call, control tokens included. Raises FormatError, as `render_value` does."""
    return f"{START_CALL}call:{_tool_name(name, where)}{_object(arguments, f'{where}.arguments')}{END_CALL}"


def render_response(name: Any, response: Any, where: str = "response") -> str:
    """One tool's response, control tokens included. Raises FormatError, as `render_value` does."""
    return f"{START_RESPONSE}response:{_tool_name(name, where)}{_object(response, f'{where}.response')}{END_RESPONSE}"


def escaped(text: str, where: str) -> str:
    """A string between `<escape>` tokens. Raises FormatError."""
    return f"{ESCAPE}{carriable(text, where)}{ESCAPE}"


def carriable(text: str, where: str) -> str:
    """`text` itself. Raises FormatError where it cannot stand in a prompt."""
    if reason := unfit_text(text):
        raise FormatError(f"{where}: {reason}.")
    return text


def by_key(items: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """(key, value) pairs in the order of Jinja's `dictsort`: without regard to case, stable."""
    return sorted(items, key=lambda item: item[0].lower())


def _tool_name(name: Any, where: str) -> str:
    if not isinstance(name, str) or not TOOL_NAME.fullmatch(name):
        raise FormatError(
            f"{where}.name: {name!r} is not a tool name; use letters, digits, `_`, `-` and `.`, not first a digit."
        )
    return name


def _object(value: Any, where: str) -> str:
    if not isinstance(value, Mapping):
        raise FormatError(f"{where} must be an object, not {type(value).__name__}; write {{…}}.")
    return _value(value, where, 1)


def _value(value: Any, where: str, depth: int) -> str:
    if isinstance(value, str):
        return escaped(value, where)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number(value, where)
    if not isinstance(value, (Mapping, list, tuple)):
        raise FormatError(f"{where}: a {type(value).__name__} is not a JSON value; write it as a string.")
    if depth > MAX_DEPTH:
        raise FormatError(f"{where}: nested deeper than {MAX_DEPTH} levels; make the value flatter.")
    if isinstance(value, Mapping):
        fields = by_key((_key(key, where), item) for key, item in value.items())
        return "{" + ",".join(f"{key}:{_value(item, f'{where}.{key}', depth + 1)}" for key, item in fields) + "}"
    return "[" + ",".join(_value(item, f"{where}[{index}]", depth + 1) for index, item in enumerate(value)) + "]"


def _number(value: int | float, where: str) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        raise FormatError(f"{where}: {value!r} is not a JSON number; leave the field out or use null.")
    try:
        return repr(value)
    except ValueError:
        raise FormatError(f"{where}: the number has too many digits; write it as a string.") from None


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise FormatError(f"{where}: {key!r} cannot be a key; use letters, digits, `_`, `-`, `.` and `/` only.")
    return key
