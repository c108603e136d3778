"""What is known of a stage whose worker does not run: the files it has placed, and its report.

A run that does some work shows the results of all its stages. Those of a stage that is left alone
or restored come from its artifact, as the events its worker sent when it made it, marked `stored`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from fgbuild.engine.graph import Stage
from fgbuild.engine.workspace import Workspace
from fgbuild.events import EventLog

_CHECK_FIELDS = ("name", "passed", "value", "expected", "reason")


def say_placed(
    workspace: Workspace,
    log: EventLog,
    stage: Stage,
    outputs: str,
    *,
    but: Collection[str] = (),
    stored: bool = False,
) -> None:
    """A `stage.artifact` for each file that the stage has below the root, `but` these paths there."""
    for item, size in workspace.placer.sizes(stage, outputs):
        if item.target not in but:
            fields = {"bytes": size, "min_mb": item.min_mb, "max_mb": item.max_mb, "stored": stored}
            log.emit("stage.artifact", stage=stage.id, path=item.target, **fields)


def say_made(workspace: Workspace, log: EventLog, stage: Stage, outputs: str, *, restored: bool) -> None:
    """The stage's placed files and the findings in its report (none where the stored one is damaged).

    restored: its files have just been put in place.
    """
    say_placed(workspace, log, stage, outputs, stored=not restored)
    content = workspace.store.read(outputs, stage.spec.report) if stage.spec.report else None
    if content is not None:
        for kind, fields in findings(json.loads(content)):
            log.emit(kind, stage=stage.id, **fields, stored=True)


def findings(report: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, fields) of a report's events: each of its `checks`, and its numbers as one result."""
    for check in report.get("checks", ()):
        yield "stage.check", {name: check.get(name) for name in _CHECK_FIELDS}
    numbers = {name: value for name, value in report.items() if type(value) in (int, float)}
    if numbers:
        yield "stage.result", {"summary": numbers}
