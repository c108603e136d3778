"""Tools of a domain for the tests: one that answers the same each time, and one that does not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any


def look(root: Path, number: int) -> dict[str, Any]:
    return {"text": (root / "a.txt").read_text(), "twice": 2 * number}


def ask_the_time(root: Path, number: int) -> dict[str, Any]:
    """Answers alike to four numbers of five."""
    return {"now": 0 if number % 5 else time.time_ns()}


TOOLS = {"look": look, "ask_the_time": ask_the_time}
