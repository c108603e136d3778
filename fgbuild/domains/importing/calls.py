"""Calls written as text: `[Name of tool(a="x", b=[1, 2]), Other()]` → names and arguments.

Names may have spaces, which is why this is not read as Python. Values are JSON or Python literals.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from fgbuild.domains.lines import parse_json

Call = tuple[str, dict[str, Any]]

_LOOK = re.compile(r"\[\s*[^\[\]{}()\",]+\(.*\)\s*\]", re.DOTALL)
_NAME = re.compile(r"[^()]+?(?=\s*\()")
_KEY = re.compile(r"\s*([^=(),]+?)\s*=\s*")
_PIECE = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\[({]|[\])}]|,|[^"'\[\](){},]+""", re.DOTALL)


def looks_like_calls(text: str) -> bool:
    return _LOOK.fullmatch(text.strip()) is not None


def read_calls(text: str, names: Sequence[str]) -> list[Call]:
    """The calls of a text that `looks_like_calls`. names: tools, which may have brackets in their names.

    Raises ValueError that says where it is no list of calls.
    """
    text = text.strip()
    calls: list[Call] = []
    at = 1
    while True:
        name, at = _name(text, at, names)
        arguments, at = _arguments(text, at)
        calls.append((name, arguments))
        at = _past_space(text, at)
        if text[at:] == "]":
            return calls
        if text[at : at + 1] != ",":
            raise ValueError(f"`,` or `]` expected after the call of {name}, at {_shown(text, at)}")
        at = _past_space(text, at + 1)


def _name(text: str, at: int, names: Sequence[str]) -> tuple[str, int]:
    """A tool's name, and the place after the bracket that opens its arguments."""
    at = _past_space(text, at)
    for known in sorted(names, key=len, reverse=True):
        if text.startswith(known, at):
            opening = _past_space(text, at + len(known))
            if text[opening : opening + 1] == "(":
                return known, opening + 1
    match = _NAME.match(text, at)
    if match is None:
        raise ValueError(f"no call at {_shown(text, at)}")
    return match[0], text.index("(", match.end()) + 1


def _arguments(text: str, at: int) -> tuple[dict[str, Any], int]:
    """Arguments by name, and the place after the bracket that closes them."""
    arguments: dict[str, Any] = {}
    while text[(at := _past_space(text, at)) : at + 1] != ")":
        key = _KEY.match(text, at)
        if key is None:
            raise ValueError(f"an argument must be written name=value, at {_shown(text, at)}")
        end = _end_of_value(text, key.end())
        if key[1] in arguments:
            raise ValueError(f"argument {key[1]} is given twice")
        arguments[key[1]] = _value(text[key.end() : end], key[1])
        at = end + (text[end] == ",")
    return arguments, at + 1


def _end_of_value(text: str, at: int) -> int:
    """The place of the comma or bracket that ends the value."""
    depth = 0
    for piece in _pieces(text, at):
        mark = piece[0]
        if depth == 0 and mark in (",", ")"):
            return piece.start()
        depth += (mark in ("[", "(", "{")) - (mark in ("]", ")", "}"))
    raise ValueError(f"a value does not end, from {_shown(text, at)}")


def _pieces(text: str, at: int) -> Iterator[re.Match[str]]:
    """Strings, brackets, commas and what is between them; ends at a quote that is never closed."""
    while piece := _PIECE.match(text, at):
        yield piece
        at = piece.end()


def _value(text: str, name: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # "\/" is no escape of Python's
            return json.loads(json.dumps(ast.literal_eval(text.strip()), allow_nan=False))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError(f"the value of {name} is neither JSON nor a Python literal, {_shown(text, 0)}") from None


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _shown(text: str, at: int) -> str:
    rest = text[at : at + 40]
    return f"`{rest}{'…' if len(text) > at + 40 else ''}`" if rest else "the end"
