"""What a build's conclusions rest on, outside the store and fgbuild itself: files and folders, by domain."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from fgbuild.engine.graph import Graph, Stage
from fgbuild.engine.stamps import Stamp, settled, stamp
from fgbuild.engine.witness import Seen
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import FgbuildError

Folders = Mapping[str, tuple[Stamp, bool]]
"""Folder → how it looked, and whether that can be believed."""


def folders_now(graph: Graph, root: Path, now: int) -> Folders:
    """How the folders look whose listing decides which files are read; call before they are listed.

    now: unix nanoseconds.
    """
    paths = {str(path) for stage in graph.stages.values() for path in stage.spec.folders(stage.manifest, root)}
    found = {path: stamp(path) for path in paths}
    return {path: (seen, settled(seen, now)) for path, seen in found.items()}


def look_at_placed(workspace: Workspace, graph: Graph, placed: Collection[str]) -> None:
    """Look again at the files that these stages have put below the root: they have to be what was put there."""
    for stage_id in placed:
        stage = graph.stages[stage_id]
        for item in stage.spec.placed(stage.manifest):
            with contextlib.suppress(FgbuildError, OSError):  # then how it looked before is not believed
                workspace.digests.of(workspace.paths.root / item.target)


def observed(
    workspace: Workspace, graph: Graph, done: Collection[str], folders: Folders
) -> dict[str, tuple[list[str], Seen]]:
    """The stages of each domain ("": of all), and what they rest on.

    done: stages that are up to date now. Where one of a domain's is not, or a file has not looked the same all the
    time, nothing about it is believed.
    """
    root = workspace.paths.root
    looks = workspace.digests.looked_at
    found: dict[str, tuple[list[str], Seen]] = {"": ([], {})}
    owned = set[str]()
    for stage in graph.stages.values():
        name = stage.domain or ""
        stages, seen = found.get(name, ([], {}))
        paths = {path: look for path in _files(stage, root) if (look := looks.get(path))}
        paths |= {path: folders[path] for path in map(str, stage.spec.folders(stage.manifest, root))}
        sure = stage.id in done and all(sure for _, sure in paths.values())
        together = {**seen, **{path: look for path, (look, _) in paths.items()}} if seen is not None and sure else None
        found[name] = ([*stages, stage.id], together)
        owned.update(paths if stage.domain else ())
    stages, seen = found[""]
    others = {path: look for path, look in looks.items() if path not in owned}
    if seen is not None and all(sure for _, sure in others.values()):
        seen |= {path: look for path, (look, _) in others.items()}
    else:
        found[""] = (stages, None)
    return found


def _files(stage: Stage, root: Path) -> list[str]:
    """As `Digests` names them."""
    placed = [root / item.target for item in stage.spec.placed(stage.manifest)]
    return [os.path.abspath(path) for path in (*stage.spec.files(stage.manifest, root), *placed)]
