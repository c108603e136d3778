"""What files say, taken as what it should be or not at all: reports come from models and other versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fgbuild.views.chart import Series

_LARGEST = 1e15
_MOST_LINES = 200_000


def number(value: Any) -> float | None:
    """A finite number of ordinary size; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if -_LARGEST <= value <= _LARGEST else None


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object; {} for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """A JSON array; [] for anything else."""
    return value if isinstance(value, list) else []


def document(content: bytes | None) -> dict[str, Any]:
    """A file that holds a JSON object; {} where it holds none."""
    try:
        return mapping(json.loads(content)) if content is not None else {}
    except (ValueError, RecursionError):
        return {}


def lines(content: bytes | None) -> list[dict[str, Any]]:
    """The JSON objects of a file with one a line; other lines are left out."""
    return [found for line in (content or b"").splitlines()[:_MOST_LINES] if (found := document(line))]


def counts(value: Any) -> dict[str, float]:
    """A JSON object's numbers by name."""
    found = {str(name): number(count) for name, count in mapping(value).items()}
    return {name: count for name, count in found.items() if count is not None}


def series(rows: list[dict[str, Any]], name: str) -> Series:
    """A value over `step`, of rows that have both."""
    found = Series()
    for row in rows:
        step, value = number(row.get("step")), number(row.get(name))
        if step is not None and value is not None:
            found.add(step, value)
    return found


def of_keys(value: Mapping[str, Any], *names: str) -> Any:
    """The first of these fields that is there."""
    return next((value[name] for name in names if name in value), None)
