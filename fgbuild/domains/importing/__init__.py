"""Public function-calling data sets → rows in the shape of `own_data`, each with its own tools."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fgbuild.domains.importing import glaive, openai, sharegpt, toolace, xlam
from fgbuild.domains.importing.draft import Draft, Message, Refused
from fgbuild.domains.importing.records import Record, read_records
from fgbuild.domains.importing.schemas import declared
from fgbuild.domains.own_data import inspect_row
from fgbuild.errors import DataError

Row = dict[str, Any]

FORMATS: dict[str, Callable[[Mapping[str, Any]], Draft]] = {
    "xlam": xlam.read,
    "glaive": glaive.read,
    "sharegpt": sharegpt.read,
    "toolace": toolace.read,
    "mobile-actions": openai.read,
}
_KEYS = {
    "xlam": {"query", "tools", "answers"},
    "glaive": {"system", "chat"},
    "sharegpt": {"conversations", "tools"},
    "toolace": {"conversations", "system"},
    "mobile-actions": {"messages", "tools"},
}
"""Keys that tell a format; the first that a row has all keys of counts."""


class Problem(NamedTuple):
    path: str
    line: int
    message: str


class Importer:
    """Reads files and counts what it finds.

    format: one of FORMATS; None: guessed from the first row and then held to. only: key and value (as
    text) that a row must have to be looked at. read, kept: rows; passed_over: those without `only`.
    problems: of the refused rows. tools: name → rows kept that declare it. renamed: names of tools
    that the format cannot carry → what they are called now.
    """

    def __init__(self, format: str | None, only: tuple[str, str] | None = None) -> None:
        self.format = format
        self.passed_over = 0
        self._only = only
        self.read = 0
        self.kept = 0
        self.problems: list[Problem] = []
        self.tools: Counter[str] = Counter()
        self.renamed: dict[str, str] = {}
        self._places: dict[str, str] = {}

    @property
    def refused(self) -> int:
        return self.read - self.kept - self.passed_over

    def rows(self, path: Path, display: str, progress: Callable[[int], None]) -> Iterator[Row]:
        """The rows of a file that can be used. progress is called with the bytes read so far. Raises DataError."""
        for record in read_records(path, display, progress):
            self.read += 1
            if self._passes_over(record):
                self.passed_over += 1
                continue
            row, problems = self._row(record, display)
            if problems:
                self.problems += [Problem(display, record.line, message) for message in problems]
                continue
            self.kept += 1
            self.tools.update(tool["name"] for tool in row["tools"])
            yield row

    def _passes_over(self, record: Record) -> bool:
        if self._only is None or not isinstance(record.value, dict):
            return False
        key, value = self._only
        found = record.value.get(key, "")
        return (found if isinstance(found, str) else json.dumps(found)) != value

    def _row(self, record: Record, display: str) -> tuple[Row, list[str]]:
        if record.problem:
            return {}, [record.problem]
        if not isinstance(record.value, dict):
            return {}, ["must be a JSON object"]
        if self.format is None:
            self.format = guessed(record.value, f"{display}:{record.line}")
        try:
            draft = FORMATS[self.format](record.value)
            tools, renamed = declared(draft.tools)
        except Refused as error:
            return {}, [str(error)]
        except RecursionError:
            return {}, ["a tool or a call is nested too deeply"]
        if not tools:
            return {}, ["declares no tools, so there is no call to learn"]
        messages = [_with_names(message, renamed) for message in draft.messages]
        checked, problems = inspect_row({"tools": tools, "messages": messages}, [], display)
        if problems:
            return {}, problems
        identifier, taken = self._identifier(record, checked, display)
        if taken:
            return {}, [taken]
        self.renamed |= renamed
        family = record.value.get("family")
        family = family if isinstance(family, str) and family and family.isprintable() else identifier
        return {"id": identifier, "family": family, **{key: checked[key] for key in ("tools", "messages")}}, []

    def _identifier(self, record: Record, row: Row, display: str) -> tuple[str, str]:
        """The source's id with the format before it (where it has none, a digest of the row), and its problem."""
        given = record.value.get("id")
        if isinstance(given, (str, int)) and not isinstance(given, bool) and given != "" and str(given).isprintable():
            identifier, problem = f"{self.format}-{given}", "has the id of {}; give it another"
        else:
            content = json.dumps([row["tools"], row["messages"]], sort_keys=True).encode()
            identifier = f"{self.format}-{hashlib.sha256(content).hexdigest()[:16]}"
            problem = "is a copy of {}; remove one of them"
        if identifier in self._places:
            return "", problem.format(self._places[identifier])
        self._places[identifier] = f"{display}:{record.line}"
        return identifier, ""


def guessed(row: Mapping[str, Any], place: str) -> str:
    """The format of which a row has the keys. Raises DataError."""
    found = next((name for name, keys in _KEYS.items() if keys <= row.keys()), None)
    if found is None:
        shapes = ", ".join(f"{name} ({', '.join(sorted(keys))})" for name, keys in _KEYS.items())
        raise DataError(f"{place}: the format cannot be told from the keys of this row; there are {shapes}")
    return found


def _with_names(message: Message, renamed: Mapping[str, str]) -> Message:
    """A message with tools called by their names in the declarations."""
    if not renamed:
        return message
    changed = dict(message)
    if isinstance(calls := message.get("tool_calls"), list):
        changed["tool_calls"] = [_renamed_call(call, renamed) for call in calls]
    if message.get("role") == "tool":
        content = message.get("content")
        if isinstance(content, list):
            changed["content"] = [_renamed(entry, renamed) for entry in content]
        changed = _renamed(changed, renamed)
    return changed


def _renamed_call(call: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(call, dict) and "function" in call:
        return {**call, "function": _renamed(call["function"], renamed)}
    return _renamed(call, renamed)


def _renamed(entry: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(entry, dict) and isinstance(entry.get("name"), str):
        return {**entry, "name": renamed.get(entry["name"], entry["name"])}
    return entry
