"""Rows of a JSON Lines file of any size: where each begins and what it is about; a row is read when it is looked at."""

from __future__ import annotations

import json
import re
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from fgbuild.views.report.values import document, items, mapping
from fgbuild.views.text import cell_width, clean

_LONGEST = 1_000_000
"""Bytes of the longest line that is read as a row."""
_KEPT = 256
_TURN = 64
"""Rows after which a thread sleeps for _REST seconds: a busy one would hold up every key."""
_REST = 0.001

_PLAIN = re.compile(r"[\w./-]+")
"""What JSON writes as it is, and in one piece."""

Row = dict[str, Any]


class RowFile:
    """A data set's split. `scan` fills it, in a thread; meanwhile the rows found so far can be looked at.

    done: whether all of it was scanned. problem: why it could not be read, "" where it could. scenario_cells: of the
    longest name of a scenario.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done = False
        self.problem = ""
        self.scenario_cells = 0
        self._starts = array("Q")
        self._scenarios = array("I")
        self._tools = array("I")
        self._scenario_numbers: dict[str, int] = {}
        self._tools_numbers: dict[tuple[str, ...], int] = {}
        self._scenario_names: list[str] = []
        self._tools_names: list[tuple[str, ...]] = []
        self._stream: BinaryIO | None = None
        self._kept: dict[int, Row] = {}

    def __len__(self) -> int:
        return len(self._tools)  # what `scan` adds last of a row

    def scan(self, stopped: Callable[[], bool]) -> None:
        """Index the file from its start until its end or until `stopped`."""
        try:
            with self.path.open("rb") as stream:
                for start, line in _lines(stream):
                    if len(self) % _TURN == 0:
                        if stopped():
                            return
                        time.sleep(_REST)
                    self._add(start, document(line))
        except OSError as error:
            self.problem = f"{self.path.name}: {error.strerror}"
        self.done = True

    def _add(self, start: int, row: Row) -> None:
        scenario = scenario_of(row)
        self.scenario_cells = max(self.scenario_cells, cell_width(scenario))
        self._starts.append(start)
        self._scenarios.append(_numbered(scenario, self._scenario_numbers, self._scenario_names))
        self._tools.append(_numbered(tuple(sorted(set(called(row)))), self._tools_numbers, self._tools_names))

    def find(self, words: str, stopped: Callable[[], bool], found: Callable[[int], object]) -> None:
        """Call `found` with the number of each row whose text has `words`, case aside. For a thread."""
        wanted = words.casefold()
        plain = [part for part in wanted.split() if _PLAIN.fullmatch(part)]
        try:
            with self.path.open("rb") as stream:
                for number, (_, line) in enumerate(_lines(stream)):
                    if number % _TURN == 0:
                        if stopped():
                            return
                        time.sleep(_REST)
                    if _may_hold(line, plain) and wanted in text_of(document(line)).casefold():
                        found(number)
        except OSError as error:
            self.problem = f"{self.path.name}: {error.strerror}"

    def row(self, number: int) -> Row:
        """{} where the line holds no JSON object, is longer than 1 MB or cannot be read any more."""
        row = self._kept.get(number)
        if row is None:
            row = document(self._line(number))
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[number] = row
        return row

    def _line(self, number: int) -> bytes | None:
        try:
            if self._stream is None:
                self._stream = self.path.open("rb")
            self._stream.seek(self._starts[number])
            return self._stream.readline(_LONGEST)
        except OSError:
            return None

    def scenario(self, number: int) -> str:
        return self._scenario_names[self._scenarios[number]]

    def tools(self, number: int) -> tuple[str, ...]:
        """Names of the tools that the row calls."""
        return self._tools_names[self._tools[number]]

    def scenarios(self) -> list[tuple[str, int]]:
        """(name, rows) of what was scanned so far, the most common first."""
        counted = Counter(self._scenarios[: len(self)])
        return sorted(((self._scenario_names[key], count) for key, count in counted.items()), key=_most_first)

    def called(self) -> list[tuple[str, int]]:
        """(tool, rows that call it); the tool "" stands for rows without a call."""
        counted: Counter[str] = Counter()
        for key, count in Counter(self._tools[: len(self)]).items():
            for tool in self._tools_names[key] or ("",):
                counted[tool] += count
        return sorted(counted.items(), key=_most_first)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _may_hold(line: bytes, parts: list[str]) -> bool:
    """Whether a line may have all these parts of a text: most lines need not be read as JSON."""
    folded = line.decode("utf-8", "replace").casefold()
    return "\\u" in folded or all(part in folded for part in parts)


def _most_first(entry: tuple[str, int]) -> tuple[int, str]:
    return -entry[1], entry[0]


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(where it begins, line) of every line that is not blank; b"" for one that is too long."""
    end = 0
    while line := stream.readline(_LONGEST):
        start, end = end, end + len(line)
        part = line
        while len(part) == _LONGEST and not part.endswith(b"\n"):
            part = stream.readline(_LONGEST)
            end += len(part)
        if part is not line:
            yield start, b""
        elif not line.isspace():
            yield start, line


def _numbered(name: Any, numbers: dict[Any, int], names: list[Any]) -> int:
    number = numbers.get(name)
    if number is None:
        number = numbers[name] = len(names)
        names.append(name)
    return number


def scenario_of(row: Row) -> str:
    name = row.get("scenario")
    return clean(name, 60) if isinstance(name, str) else ""


def messages_of(row: Row) -> list[Row]:
    return [mapping(message) for message in items(row.get("messages"))]


def calls_of(message: Row) -> list[Row]:
    """The calls of a message, each {"name", "arguments"}."""
    calls = [mapping(call) for call in items(message.get("tool_calls"))]
    return [mapping(call.get("function")) or call for call in calls]


def called(row: Row) -> list[str]:
    """Names of the tools that the row calls, in order."""
    names = (call.get("name") for message in messages_of(row) for call in calls_of(message))
    return [clean(name, 60) for name in names if isinstance(name, str)]


def request_of(row: Row) -> str:
    """What the user says first; "" where no user says anything."""
    said = (message.get("content") for message in messages_of(row) if message.get("role") == "user")
    return next((words for words in said if isinstance(words, str)), "")


def turns_of(row: Row) -> int:
    """How many messages are the model's."""
    return sum(message.get("role") in ("assistant", "model") for message in messages_of(row))


def text_of(row: Row) -> str:
    """What a search looks at: id, scenario, and all that is said, called and answered."""
    parts = [str(row.get("id", "")), scenario_of(row)]
    for message in messages_of(row):
        content = message.get("content")
        parts.append(content if isinstance(content, str) else _json(content))
        parts += [f"{call.get('name')} {_json(call.get('arguments'))}" for call in calls_of(message)]
    return "\n".join(parts)


def _json(value: Any) -> str:
    try:
        return "" if value is None else json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        return ""
