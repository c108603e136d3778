"""Remove temporary files and checkpoints; with --placed or --all what was built, too."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from fgbuild.cli.output import say
from fgbuild.engine.actions import ActionCache
from fgbuild.engine.build import locked
from fgbuild.engine.database import open_database, readable_errors
from fgbuild.engine.leftovers import end_orphans, remove, size_on_disk
from fgbuild.engine.paths import Paths
from fgbuild.errors import FgbuildError, ManifestError
from fgbuild.root import find_root
from fgbuild.stages import PIPELINE
from fgbuild.views.text import clean

_KEPT = "README.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--placed", action="store_true", help="also the files under agents/ (they can be restored)")
    what.add_argument("--all", action="store_true", help="also everything else in cache/, and all placed files")


def run(args: argparse.Namespace) -> int:
    paths = Paths(find_root(args.root))
    with locked(paths):
        end_orphans(paths)
        placed = _placed(paths) if args.placed or args.all else []
        removed = _remove(paths, [paths.tmp, paths.state])
        removed += _remove(paths, placed)
        if args.all:
            kept = {_KEPT, paths.lock.name}
            removed += _remove(paths, sorted(entry for entry in paths.cache.iterdir() if entry.name not in kept))
    print("\n".join(removed) if removed else "nothing to remove")
    return 0


def _placed(paths: Paths) -> list[Path]:
    """Every file that a stage puts below the root: those of the domains as their manifests say now,
    and those of past builds, whose manifests may be gone or broken."""
    targets = dict.fromkeys([*_by_manifests(paths.root), *_by_past_builds(paths)])
    return [paths.root / target for target in targets]


def _by_manifests(root: Path) -> Iterator[str]:
    from fgbuild.manifest import resolve_project

    try:
        domains = resolve_project(root).domains.values()
    except ManifestError as error:
        say(clean(f"{error}\ngoing on with the domains that are known from past builds", None, keep_newlines=True))
        return
    for domain in domains:
        for spec in PIPELINE:
            if spec.per_domain:
                yield from (item.target for item in spec.placed(domain.resolved))


def _by_past_builds(paths: Paths) -> Iterator[str]:
    """Each action keeps the parts of its manifest that decide what it places."""
    if not paths.database.is_file():
        return
    try:
        with readable_errors(paths.database), contextlib.closing(open_database(paths.database)) as database:
            actions = ActionCache(database)
            found = [(spec, action) for spec in PIPELINE for action in actions.standing_actions(spec.kind)]
    except FgbuildError as error:
        say(clean(str(error), None))
        return
    for spec, action in found:
        yield from (item.target for item in spec.placed(action.components["fields"]))


def _remove(paths: Paths, wanted: Iterable[Path]) -> list[str]:
    """Remove what is there, and directories below `agents/` that this leaves empty; a line for each."""
    lines = []
    for path in wanted:
        if not os.path.lexists(path):
            continue
        size = size_on_disk(path)
        remove(path)
        if not size:
            continue
        lines.append(f"removed {paths.relative(path)} ({size / 1e6:.1f} MB)")
        if path.is_relative_to(paths.root / "agents"):
            _remove_empty(path.parent, paths.root / "agents")
    return lines


def _remove_empty(directory: Path, top: Path) -> None:
    with contextlib.suppress(OSError):
        while directory != top:
            directory.rmdir()
            directory = directory.parent
