"""Domains without Python: trajectories from the slots and scenarios of a manifest (`generator = "templates"`)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from fgbuild.domains.sampling import SPLITS, Plan, Requests, Row, mark_of
from fgbuild.domains.templates.commands import Commands
from fgbuild.domains.templates.scenarios import declared_scenarios
from fgbuild.domains.templates.slots import Slots


class Drawn(NamedTuple):
    """Rows; how often one was drawn again for its request; reason → draws that could not be used for it."""

    rows: list[Row]
    again: int
    dropped: Counter[str]


def draw(manifest: dict[str, Any], root: Path) -> Drawn:
    """The rows of a resolved manifest.

    Where the tools are commands, all that they printed is replayed at the end, and the rows are drawn again without
    what was not the same.
    """
    settings = manifest["dataset"]
    with Commands(manifest["command"], manifest["workspace"], root) as commands:
        while True:
            dropped: Counter[str] = Counter()
            scenarios = declared_scenarios(manifest["scenario"], Slots(manifest["slots"], root), commands, dropped)
            plan = Plan(
                manifest["name"],
                scenarios,
                count=settings["count"],
                eval_fraction=settings["eval_fraction"],
                seed=settings["seed"],
            )
            rows, again = _all_rows(plan)
            if not commands.replay():
                return Drawn(rows, again, dropped)


def _all_rows(plan: Plan) -> tuple[list[Row], int]:
    rows: list[Row] = []
    again = 0
    for split in SPLITS:
        asked = Requests()
        drawn: list[Row] = []
        for number in range(plan.sizes[split]):
            attempt = 0
            while (row := plan.draw(split, number, attempt)) is None or not asked.is_new(mark_of(row)):
                attempt += 1
            drawn.append(row)
            again += attempt
        rows += [drawn[number] for number in plan.order(split)]
    return [{"id": plan.row_id(number), **row} for number, row in enumerate(rows)], again
