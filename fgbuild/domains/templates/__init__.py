"""Domains without Python: trajectories from the slots and scenarios of a manifest (`generator = "templates"`)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from fgbuild.domains.sampling import Row, trajectories
from fgbuild.domains.templates.commands import Commands
from fgbuild.domains.templates.scenarios import declared_scenarios
from fgbuild.domains.templates.slots import Slots


def draw(manifest: dict[str, Any], root: Path) -> tuple[list[Row], Counter[str]]:
    """The rows of a resolved manifest, and reason → draws that could not be used for it.

    Where the tools are commands, all that they printed is replayed at the end, and the rows are drawn again without
    what was not the same.
    """
    settings = manifest["dataset"]
    with Commands(manifest["command"], manifest["workspace"], root) as commands:
        while True:
            dropped: Counter[str] = Counter()
            scenarios = declared_scenarios(manifest["scenario"], Slots(manifest["slots"], root), commands, dropped)
            rows = trajectories(
                manifest["name"],
                scenarios,
                count=settings["count"],
                eval_fraction=settings["eval_fraction"],
                seed=settings["seed"],
            )
            if not commands.replay():
                return rows, dropped
