"""How long a stage will take and how much memory it will need: what past actions took, or what it declares."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from fgbuild.engine.graph import Stage


class Prediction(NamedTuple):
    """guessed: nothing like it was ever measured here, and the machine may be another than the guess is for."""

    seconds: float
    memory_mb: float
    guessed: bool = False


class _Past(NamedTuple):
    key: str
    seconds: float
    memory_mb: float


class History:
    """The last action of the same stage on the same base; where there is none, of the same kind of stage.

    Where the manifest asks for more or less than that action did, its time is scaled by what the stage declares as
    its cost.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._past: dict[tuple[str, str, str | None], _Past | None] = {}

    def predict(self, stage: Stage, base: str | None) -> Prediction | None:
        """base: digest of the base artifact that the stage reads; None where it reads none or is yet to be made."""
        past = self._last("stage", stage.id, base) or self._last("kind", stage.kind, base)
        cost = stage.spec.cost(stage.manifest)
        if past is None:
            return Prediction(cost, stage.spec.memory_mb, guessed=True) if cost and not stage.toy else None
        return Prediction(past.seconds * self._scale(stage, past.key, cost), past.memory_mb)

    def _scale(self, stage: Stage, key: str, cost: float) -> float:
        if not cost:
            return 1.0
        (text,) = self._database.execute("SELECT components FROM actions WHERE key = ?", (key,)).fetchone()
        before = stage.spec.cost(_overlaid(stage.manifest, json.loads(text)["fields"]))
        return cost / before if before else 1.0

    def _last(self, column: str, value: str, base: str | None) -> _Past | None:
        """The last action with that value in that column, on that base (None: on any)."""
        asked = (column, value, base)
        if asked not in self._past:
            on_base = "AND json_extract(components, '$.inputs.base') = ?" if base is not None else ""
            row = self._database.execute(
                f"SELECT key, seconds, peak_memory_mb FROM actions WHERE {column} = ? {on_base} "
                "ORDER BY finished_at DESC LIMIT 1",
                (value, base) if base is not None else (value,),
            ).fetchone()
            self._past[asked] = _Past(*row) if row else None
        return self._past[asked]


def _overlaid(manifest: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest with an action's fields (dotted prefix → value) in place of its own."""
    merged = dict(manifest)
    for prefix, value in fields.items():
        if not prefix:
            merged |= value
            continue
        *sections, name = prefix.split(".")
        inner = merged
        for section in sections:
            inner[section] = dict(inner.get(section) or {})
            inner = inner[section]
        inner[name] = value
    return merged
