"""The action cache: what each key gave, which key each stage stands at, and how its last try ended."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from fgbuild.engine.database import Rows, transaction

OK, GATE, FAILED, CANCELLED = "ok", "gate", "failed", "cancelled"
"""How an attempt ended. `gate`: built, but a check or threshold did not pass."""

_STANDING = "SELECT current.stage, actions.key, actions.outputs FROM current JOIN actions USING (key)"


@dataclass(frozen=True, slots=True)
class Action:
    """A stage that succeeded. `outputs` is its artifact's digest; memory in MB (1e6 bytes)."""

    key: str
    stage: str
    kind: str
    outputs: str
    seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    components: dict[str, Any]
    run: str
    finished_at: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last time a stage was tried, whatever came of it. `outputs` is None where there are none."""

    stage: str
    key: str
    outcome: str
    outputs: str | None
    reasons: list[dict[str, Any]]
    components: dict[str, Any]
    run: str
    seconds: float
    finished_at: float


class ActionCache:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._standing = Rows(database, _STANDING, "current.stage", lambda key, outputs: (str(key), str(outputs)))

    def standing(self, stage: str) -> tuple[str, str] | None:
        """(key, outputs) at which the stage stands: its last success, built or restored."""
        return self._standing.get(stage)

    def standing_actions(self, kind: str) -> list[Action]:
        """The action at which each stage of a kind stands."""
        found = (self.action(standing[0]) for standing in self._standing.whole().values() if standing)
        return [action for action in found if action is not None and action.kind == kind]

    def outputs(self, key: str) -> str | None:
        """The artifact that the action of this key gave; None where it was never done."""
        row = self._database.execute("SELECT outputs FROM actions WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def action(self, key: str) -> Action | None:
        row = self._database.execute("SELECT * FROM actions WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        key, stage, kind, outputs, seconds, cpu_seconds, memory_mb, components, run, finished_at = row
        found = json.loads(components)
        return Action(key, stage, kind, outputs, seconds, cpu_seconds, memory_mb, found, run, finished_at)

    def attempt(self, stage: str) -> Attempt | None:
        row = self._database.execute("SELECT * FROM attempts WHERE stage = ?", (stage,)).fetchone()
        if row is None:
            return None
        name, key, outcome, outputs, reasons, components, run, seconds, finished_at = row
        return Attempt(
            name, key, outcome, outputs, json.loads(reasons), json.loads(components), run, seconds, finished_at
        )

    def record(self, action: Action) -> None:
        with transaction(self._database):
            self._database.execute(
                "REPLACE INTO actions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    action.key,
                    action.stage,
                    action.kind,
                    action.outputs,
                    action.seconds,
                    action.cpu_seconds,
                    action.peak_memory_mb,
                    json.dumps(action.components),
                    action.run,
                    action.finished_at,
                ),
            )

    def record_attempt(self, attempt: Attempt) -> None:
        with transaction(self._database):
            self._database.execute(
                "REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    attempt.stage,
                    attempt.key,
                    attempt.outcome,
                    attempt.outputs,
                    json.dumps(attempt.reasons),
                    json.dumps(attempt.components),
                    attempt.run,
                    attempt.seconds,
                    attempt.finished_at,
                ),
            )

    def stand_at(self, stage: str, key: str, outputs: str) -> None:
        """The stage's outputs are those of `key` now, and where they belong."""
        with transaction(self._database):
            self._database.execute("REPLACE INTO current VALUES (?, ?)", (stage, key))
        self._standing[stage] = (key, outputs)
