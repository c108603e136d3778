"""TOML text → checked data, with every problem found and its line."""

from __future__ import annotations

import datetime
import math
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from fgbuild.errors import ManifestError
from fgbuild.manifest.messages import explain
from fgbuild.manifest.toml_lines import KeyPath, Lines, dotted, scan

Problem = tuple[int | None, str, str]
"""Line (1-based, or None), dotted field, message."""

_MAX_DEPTH = 64
"""Deepest nesting of tables and lists in one file; the formats here need a quarter of it."""


@dataclass(frozen=True)
class Document:
    """One TOML file: its path relative to the project, its data, and where each key stands."""

    path: Path
    data: dict[str, Any]
    lines: Lines

    def at(self, path: KeyPath) -> str:
        """`manifests/lint.toml:9` for a key."""
        line = self.lines.of(path)
        return f"{self.path.as_posix()}:{line}" if line else self.path.as_posix()


def parse(path: Path, content: bytes) -> Document:
    """TOML bytes as a document. Raises ManifestError, with the line, for what is not UTF-8 or not TOML."""
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ManifestError(path, [(line, "", "is not UTF-8 text; save the file as UTF-8")]) from None
    try:
        data = tomllib.loads(text)
        if _depth(data) > _MAX_DEPTH:
            raise RecursionError
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(path, [_syntax_problem(str(error), text)]) from None
    except RecursionError:
        raise ManifestError(path, [(None, "", f"is nested deeper than {_MAX_DEPTH} levels; make it flatter")]) from None
    except ValueError as error:  # a date that does not exist, a number of thousands of digits
        raise ManifestError(path, [(None, "", f"is not valid TOML ({error}); correct it")]) from None
    return Document(path, data, scan(text))


def faults(document: Document, model: type[BaseModel]) -> dict[KeyPath, str]:
    """Unknown and missing keys, wrong types and numbers out of range: key path → message, one a key."""
    found: dict[KeyPath, str] = dict(_values_without_json(document.data, ()))
    try:
        model.model_validate(document.data)
    except ValidationError as error:
        schema = model.model_json_schema()
        for detail in error.errors():
            path, message = explain(detail, schema)
            found.setdefault(path, message)
    return found


def placed(document: Document, found: dict[KeyPath, str]) -> list[Problem]:
    """Faults as problems with their lines, in order."""
    return in_order([(document.lines.of(path), dotted(path), message) for path, message in found.items()])


def in_order(problems: list[Problem]) -> list[Problem]:
    """Problems by line; those of the whole file first."""
    return sorted(problems, key=lambda problem: problem[0] or 0)


def _syntax_problem(message: str, text: str) -> Problem:
    """tomllib ends its messages with `(at line 3, column 5)` or `(at end of document)`."""
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL)
    if not match:
        return None, "", f"is not valid TOML: {message}"
    reason, line, column = match.groups()
    if line is None:
        return text.rstrip("\n").count("\n") + 1, "", f"is not valid TOML: {reason} at the end of the file"
    return int(line), "", f"is not valid TOML: {reason} at column {column}"


def _values_without_json(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Values that TOML has and JSON has not: what is resolved goes to workers as JSON."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _values_without_json(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values_without_json(item, (*path, index))
    elif isinstance(value, (datetime.date, datetime.time)):
        yield path, "dates and times are not used here; write it as text in quotes"
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, "must be a finite number"


def _depth(data: Any) -> int:
    """Levels of nesting, counted without recursion."""
    deepest, waiting = 0, [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, (dict, list)):
            deepest = max(deepest, depth)
            items = value.values() if isinstance(value, dict) else value
            waiting.extend((item, depth + 1) for item in items)
    return deepest
