"""How long a stage will take and how much memory it will need, from what past actions took."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from fgbuild.engine.graph import Stage


class Prediction(NamedTuple):
    seconds: float
    memory_mb: float


class History:
    """The last action of the same stage; where there is none, of the same kind."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._by_name: dict[str, Prediction] | None = None

    def predict(self, stage: Stage) -> Prediction | None:
        if self._by_name is None:
            self._by_name = {}
            rows = self._database.execute(
                "SELECT stage, kind, seconds, peak_memory_mb FROM actions ORDER BY finished_at"
            )
            for name, kind, seconds, memory in rows:
                self._by_name[name] = self._by_name[f"*:{kind}"] = Prediction(seconds, memory)
        return self._by_name.get(stage.id) or self._by_name.get(f"*:{stage.kind}")
