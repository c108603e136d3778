"""What a build has made, for commands that use it without building."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fgbuild.engine.graph import build_graph
from fgbuild.engine.plan import Planner
from fgbuild.engine.workspace import Workspace
from fgbuild.stages import PIPELINE

if TYPE_CHECKING:
    from fgbuild.manifest import Project


def current_artifact(project: Project, stage: str) -> Path | None:
    """The directory of a stage's artifact, checked against its digest; None where there is none.

    That is the one a build would use. Where only code or libraries have changed since, it is the
    one last built: another manifest or base makes another artifact, a newer worker the same kind.
    """
    graph = build_graph(project, PIPELINE).upto([stage])
    with Workspace(project.root) as workspace:
        decision = Planner(workspace).plan(graph)[stage]
        digest = decision.outputs
        standing = workspace.actions.standing(stage)
        if digest is None and standing is not None:
            action = workspace.actions.action(standing[0])
            if action is not None and action.components["fields"] == decision.components["fields"]:
                digest = standing[1]
        if digest is None or not workspace.store.has(digest) or not workspace.store.is_sound(digest):
            return None
        return workspace.store.path(digest)
