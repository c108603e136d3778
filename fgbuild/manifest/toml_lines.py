"""Where each key of a TOML text stands: tomllib gives values without positions.

A scanner over text that `tomllib` has accepted already, so it needs to tell tokens apart and
nothing more. It follows the TOML 1.0 grammar for headers, dotted keys, strings and nesting.

A key path is a tuple of keys and list indices: the `type` of the first tool's parameters is
`("tool", 0, "parameters", "type")`, written `tool[0].parameters.type` for people.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

KeyPath = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACES = re.compile(r"[ \t]*")
_SCALAR = re.compile(r"[^,\]}#\n]+")
_STRINGS = (
    # A multi-line string may end with one or two quotes of its own before the closing three.
    ('"""', re.compile(r'"""(?:\\.|[^\\])*?"""("{0,2})', re.DOTALL)),
    ("'''", re.compile(r"'''.*?'''('{0,2})", re.DOTALL)),
    ('"', re.compile(r'"(?:\\.|[^"\\])*"')),
    ("'", re.compile(r"'[^']*'")),
)


class Lines:
    """Line numbers (1-based) of the keys, list elements and tables of one TOML text."""

    def __init__(self, positions: dict[KeyPath, int]) -> None:
        self.positions = positions
        self._by_field = {dotted(path): line for path, line in positions.items()}

    def of(self, path: KeyPath) -> int | None:
        """The line of a key, or of the nearest table or list around it that is written there."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.positions:
                return self.positions[path[:end]]
        return None

    def of_field(self, field: str) -> int | None:
        """As `of`, for a field in dotted form, whose keys may have dots of their own."""
        for end in range(len(field), 0, -1):
            if (end == len(field) or field[end] in ".[") and field[:end] in self._by_field:
                return self._by_field[field[:end]]
        return None


def dotted(path: KeyPath) -> str:
    """`("tool", 0, "name")` as `tool[0].name`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def scan(text: str) -> Lines:
    """Positions of every key, list element and table of `text`, which must be valid TOML."""
    scanner = _Scanner(text)
    scanner.document()
    return Lines(scanner.positions)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.positions: dict[KeyPath, int] = {}
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._array_lengths: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        """`[a.b]` or `[[a.b]]`; returns the path of the table it opens."""
        is_array = self.text.startswith("[[", self.at)
        self.at += 2 if is_array else 1
        keys = self._key()
        self.at += 2 if is_array else 1
        path: KeyPath = ()
        for number, (key, offset) in enumerate(keys):
            path += (key,)
            self._record(path, offset)
            last = number == len(keys) - 1
            if is_array and last:
                self._array_lengths[path] = self._array_lengths.get(path, 0) + 1
            if path in self._array_lengths:
                path += (self._array_lengths[path] - 1,)
                self._record(path, offset)
        return path

    def _pair(self, table: KeyPath) -> None:
        path = table
        for key, offset in self._key():
            path += (key,)
            self._record(path, offset)
        self.at += 1  # the equals sign
        self._value(path)

    def _key(self) -> list[tuple[str, int]]:
        """A dotted key as (part, offset) pairs; stops at what follows it."""
        parts = []
        while True:
            start = self._skip(_SPACES)
            if self.text[start] in "\"'":
                raw = self._string()
                part = next(iter(tomllib.loads(f"{raw} = 0")))
            else:
                self._skip(_BARE_KEY)
                part = self.text[start : self.at]
            parts.append((part, start))
            if self.text[self._skip(_SPACES)] != ".":
                return parts
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        first = self.text[self._skip(_SPACES)]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while self.text[self._skip(_BLANK)] != "]":
            self._record((*path, index), self.at)
            self._value((*path, index))
            index += 1
            if self.text[self._skip(_BLANK)] == ",":
                self.at += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while self.text[self._skip(_BLANK)] != "}":
            self._pair(path)
            if self.text[self._skip(_BLANK)] == ",":
                self.at += 1
        self.at += 1

    def _string(self) -> str:
        """A string of any of the four kinds, as written."""
        start = self.at
        for opening, pattern in _STRINGS:
            if self.text.startswith(opening, start):
                return self.text[start : self._skip(pattern)]
        raise ValueError(f"no string at offset {start}; the text was to be valid TOML")

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return self.at

    def _record(self, path: KeyPath, offset: int) -> None:
        self.positions.setdefault(path, bisect_right(self._newlines, offset) + 1)
