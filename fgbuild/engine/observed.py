"""What a build's conclusions rest on, outside the store and fgbuild itself: files and folders, by domain."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Iterable, Mapping, Set
from pathlib import Path

from fgbuild.engine.graph import Graph, Stage
from fgbuild.engine.stamps import Stamp, settled, stamp
from fgbuild.engine.witness import Seen
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import FgbuildError

Stamps = Mapping[str, tuple[Stamp, bool]]
"""File or folder → how it looked, and whether that can be believed."""

_UNKNOWN: tuple[Stamp, bool] = (None, False)


def stamps_before(graph: Graph, root: Path, named: Mapping[str, Iterable[Path]]) -> Stamps:
    """How things look that a build reads without asking for their digests; call before it does.

    They are the folders whose listing decides which files are read, and the files that the manifest of each domain
    names, which have to be there.
    """
    now = time.time_ns()
    folders = {str(path) for stage in graph.stages.values() for path in stage.spec.folders(stage.manifest, root)}
    files = {os.path.abspath(path) for paths in named.values() for path in paths}
    found = {path: stamp(path) for path in folders | files}
    return {path: (seen, settled(seen, now) and (path in folders or seen is not None)) for path, seen in found.items()}


def look_at_placed(workspace: Workspace, graph: Graph, placed: Collection[str]) -> None:
    """Look again at the files that these stages have put below the root: they have to be what was put there."""
    for stage_id in placed:
        stage = graph.stages[stage_id]
        for item in stage.spec.placed(stage.manifest):
            with contextlib.suppress(FgbuildError, OSError):  # then how it looked before is not believed
                workspace.digests.of(workspace.paths.root / item.target)


def observed(
    workspace: Workspace,
    graph: Graph,
    done: Set[str],
    before: Stamps,
    named: Mapping[str, Iterable[Path]],
) -> dict[str, tuple[list[str], Seen]]:
    """The stages of each domain ("": of all), and what they rest on.

    done: stages that are up to date now. before, named: see `stamps_before`. Where one of a domain's stages is not
    up to date, or a file has not looked the same all the time, nothing about it is believed.
    """
    looks = {**before, **workspace.digests.looked_at, **workspace.environments.looked_at}
    stages: dict[str, list[str]] = {"": []}
    paths: dict[str, set[str]] = {"": set()}
    for stage in graph.stages.values():
        stages.setdefault(stage.domain or "", []).append(stage.id)
        paths.setdefault(stage.domain or "", set()).update(_files(stage, workspace.paths.root))
    for domain, files in named.items():
        paths[domain if domain in paths else ""].update(map(os.path.abspath, files))
    owned = set[str]().union(*(mine for domain, mine in paths.items() if domain))
    paths[""].update(looks.keys() - owned)
    found: dict[str, tuple[list[str], Seen]] = {}
    for domain, mine in paths.items():
        seen = {path: looks.get(path, _UNKNOWN) for path in mine}
        sure = done >= set(stages[domain]) and all(sure for _, sure in seen.values())
        found[domain] = (stages[domain], {path: look for path, (look, _) in seen.items()} if sure else None)
    return found


def _files(stage: Stage, root: Path) -> list[str]:
    """What is asked for by the stage, as `Digests` names it."""
    spec, manifest = stage.spec, stage.manifest
    placed = [root / item.target for item in spec.placed(manifest)]
    paths = (*spec.files(manifest, root), *spec.folders(manifest, root), *placed)
    return [os.path.abspath(path) for path in paths]
