"""JSON lines in the bytes of `workers.jsonl`, one row at a time: data sets need not fit in memory.

Apart from it, as trainings read their rows by that module, and would run again for each change of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def encoded(row: dict[str, Any]) -> bytes:
    """A row's line, its newline included."""
    return (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8")


def append(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Add rows to a file, which is made where there is none."""
    with path.open("ab") as stream:
        for row in rows:
            stream.write(encoded(row))


def iterate(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)
