"""What the stages of a past run made, as far as the store still has it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from fgbuild.engine.keys import Components
from fgbuild.engine.workspace import Workspace

_LARGEST = 64_000_000
"""Bytes of the largest file that is read whole."""

_OF_RUN = "SELECT outputs FROM actions WHERE stage = ? AND run = ? ORDER BY finished_at DESC LIMIT 1"
_BEFORE = "SELECT outputs, run FROM actions WHERE stage = ? AND finished_at <= ? ORDER BY finished_at DESC"
_MAKER = "SELECT run FROM actions WHERE stage = ? AND outputs = ? ORDER BY finished_at LIMIT 1"
_COMPONENTS = """SELECT components FROM actions WHERE stage = ? AND outputs = ? AND finished_at <= ?
                 ORDER BY run = ? DESC, finished_at DESC LIMIT 1"""
# An evaluation that passed, of a model that was exported from this training.
_PASSED = """SELECT 1 FROM actions AS eval JOIN actions AS export
             ON json_extract(eval.components, '$.inputs.export') = export.outputs
             WHERE eval.stage = ? AND export.stage = ?
             AND json_extract(export.components, '$.inputs.train') = ? LIMIT 1"""


class Training(NamedTuple):
    """An earlier training: its run, whether its model passed its evaluation, and its metrics.jsonl."""

    run: str
    passed: bool
    metrics: bytes


class Made:
    """Files of the artifacts of one run.

    recorded: stage id → digest of its artifact, where the run's log says so. untouched: stages that had nothing to do.
    until: unix time at which the run ended. Logs that older versions wrote hold no digests: then the action of that
    run is taken, and for an untouched stage the last one before.
    """

    def __init__(
        self, workspace: Workspace, run: str, recorded: Mapping[str, str], untouched: Collection[str], until: float
    ) -> None:
        self._workspace = workspace
        self._run = run
        self._recorded = recorded
        self._untouched = untouched
        self._until = until

    def digest(self, stage: str) -> str | None:
        """Of the stage's artifact; None where it made none, or nobody knows which."""
        if stage in self._recorded:
            return self._recorded[stage]
        row = self._workspace.database.execute(_OF_RUN, (stage, self._run)).fetchone()
        if row is not None:
            return str(row[0])
        attempt = self._workspace.actions.attempt(stage)
        if attempt is not None and attempt.run == self._run:
            return attempt.outputs
        if stage not in self._untouched:
            return None
        row = self._workspace.database.execute(_BEFORE, (stage, self._until)).fetchone()
        return str(row[0]) if row else None

    def components(self, stage: str) -> Components | None:
        """What decided the stage's output in this run (see `keys`); None where nobody knows."""
        attempt = self._workspace.actions.attempt(stage)
        if attempt is not None and attempt.run == self._run:
            return attempt.components
        asked = (stage, self.digest(stage), self._until, self._run)
        row = self._workspace.database.execute(_COMPONENTS, asked).fetchone()
        return json.loads(row[0]) if row else None

    def folder(self, stage: str) -> Path | None:
        """Where the stage's artifact lies; None where it is not in the store."""
        digest = self.digest(stage)
        store = self._workspace.store
        return store.path(digest) if digest is not None and store.has(digest) else None

    def read(self, stage: str, name: str) -> bytes | None:
        """A file of the stage's artifact; None where it is missing, damaged or larger than 64 MB."""
        digest = self.digest(stage)
        return self._read(digest, name) if digest is not None else None

    def made_by(self, stage: str) -> str | None:
        """The run that made the stage's artifact, which may be an earlier one; None where nobody knows."""
        row = self._workspace.database.execute(_MAKER, (stage, self.digest(stage))).fetchone()
        return str(row[0]) if row else None

    def training_before(self, domain: str) -> Training | None:
        """The last training of a domain before this run's whose model passed; where none did, the last one."""
        stage = f"{domain}:train"
        mine = self.digest(stage)
        last: Training | None = None
        for outputs, run in self._workspace.database.execute(_BEFORE, (stage, self._until)).fetchall():
            if outputs == mine or run == self._run:
                continue
            metrics = self._read(outputs, "metrics.jsonl")
            if metrics is None:
                continue
            asked = (f"{domain}:eval", f"{domain}:export", outputs)
            if self._workspace.database.execute(_PASSED, asked).fetchone() is not None:
                return Training(run, True, metrics)
            last = last or Training(run, False, metrics)
        return last

    def _read(self, digest: str, name: str) -> bytes | None:
        store = self._workspace.store
        if not store.has(digest):
            return None
        try:
            if (store.path(digest) / name).stat().st_size > _LARGEST:
                return None
        except OSError:
            return None
        return store.read(digest, name)
