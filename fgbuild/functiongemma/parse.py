"""What the model wrote → tool calls and words."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from fgbuild.functiongemma.tokens import (
    END_CALL,
    END_OF_TURN,
    EOS,
    ESCAPE,
    KEY,
    MAX_DEPTH,
    START_CALL,
    START_RESPONSE,
    TOOL_NAME,
    special_token_in,
)

_TERMINATOR = re.compile("|".join(map(re.escape, (END_OF_TURN, START_RESPONSE, EOS))))
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "None": None}
_WORD = re.compile("|".join(_WORDS))


@dataclass(frozen=True)
class Call:
    """One tool call. arguments: JSON values by name."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Turn:
    """What the model said in one turn.

    calls: in the order written; text: the words around them, stripped; malformed: "" when all
    was well-formed, else the first fault. After a fault, calls and text are what stood before it.
    """

    calls: tuple[Call, ...]
    text: str
    malformed: str


class _Malformed(Exception):
    """Not the format; the message says what was expected where."""


def parse_turn(text: str) -> Turn:
    """Parse what the model produced, with control tokens as their text.

    The turn ends at the first `<start_function_response>`, `<end_of_turn>` or `<eos>`, or where
    the text does. The notation is read strictly: whitespace or quotes where the renderer writes
    none, bare strings, repeated keys and special tokens out of place are faults. A null value may
    be `null` or `None`. Never raises; takes time in proportion to the length.
    """
    turn = _TERMINATOR.split(text, maxsplit=1)[0]
    calls: list[Call] = []
    words: list[str] = []
    position = 0
    malformed = ""
    try:
        while position < len(turn):
            start = turn.find(START_CALL, position)
            between = turn[position:] if start < 0 else turn[position:start]
            if token := special_token_in(between):
                words.append(between[: between.index(token)])
                raise _Malformed(f"`{token}` outside a call")
            words.append(between)
            if start < 0:
                break
            reader = _Reader(turn, start + len(START_CALL))
            calls.append(reader.call())
            position = reader.position
    except _Malformed as fault:
        malformed = str(fault)
    return Turn(tuple(calls), "".join(words).strip(), malformed)


class _Reader:
    """A recursive-descent reader of one call."""

    def __init__(self, text: str, position: int) -> None:
        self.text = text
        self.position = position

    def call(self) -> Call:
        """`call:NAME{…}<end_function_call>`, `<start_function_call>` having been read."""
        self._expect("call:", "`call:`")
        name = self._match(TOOL_NAME, "a tool name").group()
        self._expect("{", f"`{{` after the name {name}")
        arguments = self._object(1)
        self._expect(END_CALL, f"`{END_CALL}` after the arguments of {name}")
        return Call(name, arguments)

    def _value(self, depth: int) -> Any:
        if self._skip(ESCAPE):
            return self._string()
        if self._skip("{"):
            return self._object(depth)
        if self._skip("["):
            return self._array(depth)
        if word := _WORD.match(self.text, self.position):
            self.position = word.end()
            return _WORDS[word.group()]
        return self._number()

    def _object(self, depth: int) -> dict[str, Any]:
        self._limit(depth)
        fields: dict[str, Any] = {}
        if self._skip("}"):
            return fields
        while True:
            key = self._match(KEY, "a key").group()
            if key in fields:
                raise _Malformed(f"the key {key} is there twice")
            self._expect(":", f"`:` after the key {key}")
            fields[key] = self._value(depth + 1)
            if self._skip("}"):
                return fields
            self._expect(",", f"`,` or `}}` after the value of {key}")

    def _array(self, depth: int) -> list[Any]:
        self._limit(depth)
        items: list[Any] = []
        if self._skip("]"):
            return items
        while True:
            items.append(self._value(depth + 1))
            if self._skip("]"):
                return items
            self._expect(",", "`,` or `]` after a list's item")

    def _string(self) -> str:
        end = self.text.find(ESCAPE, self.position)
        if end < 0:
            raise _Malformed("a string is not closed")
        value = self.text[self.position : end]
        if token := special_token_in(value):
            raise _Malformed(f"`{token}` inside a string")
        self.position = end + len(ESCAPE)
        return value

    def _number(self) -> int | float:
        found = self._match(_NUMBER, "a value")
        try:
            value = float(found.group()) if found.group(1) or found.group(2) else int(found.group())
        except ValueError:  # Python refuses integers of more than 4,300 digits
            raise _Malformed("a number has too many digits") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise _Malformed("a number is too large")
        return value

    def _match(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = pattern.match(self.text, self.position)
        if not found:
            raise self._fault(what)
        self.position = found.end()
        return found

    def _skip(self, literal: str) -> bool:
        found = self.text.startswith(literal, self.position)
        if found:
            self.position += len(literal)
        return found

    def _expect(self, literal: str, what: str) -> None:
        if not self._skip(literal):
            raise self._fault(what)

    def _limit(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _Malformed(f"nested deeper than {MAX_DEPTH} levels")

    def _fault(self, expected: str) -> _Malformed:
        rest = self.text[self.position : self.position + 20]
        return _Malformed(f"expected {expected}, found {rest!r}" if rest else f"cut off: expected {expected}")
