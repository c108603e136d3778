"""Remove temporary files and checkpoints; with --placed or --all what was built, too."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from fgbuild.engine.build import locked
from fgbuild.engine.leftovers import end_orphans, remove
from fgbuild.engine.paths import Paths
from fgbuild.manifest import find_root

_DATABASE_PARTS = ("", "-wal", "-shm")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--placed", action="store_true", help="also the files under agents/ (they can be restored)")
    what.add_argument("--all", action="store_true", help="also the store, the history and all placed files")


def run(args: argparse.Namespace) -> int:
    paths = Paths(find_root(args.root))
    placed = list(_placed(paths.root)) if args.placed or args.all else []
    with locked(paths):
        end_orphans(paths)
        removed = _remove(paths, [paths.tmp, paths.state])
        removed += _remove(paths, placed)
        if args.all:
            databases = [paths.database.with_name(paths.database.name + part) for part in _DATABASE_PARTS]
            removed += _remove(paths, [paths.store, paths.runs, paths.cache / "manifests", *databases])
    print("\n".join(removed) if removed else "nothing to remove")
    return 0


def _placed(root: Path) -> Iterator[Path]:
    """Every file that a stage of the project's domains puts below the root."""
    from fgbuild.manifest import resolve_project
    from fgbuild.stages import PIPELINE

    for domain in resolve_project(root).domains.values():
        for spec in PIPELINE:
            if spec.per_domain:
                yield from (root / item.target for item in spec.placed(domain.resolved))


def _remove(paths: Paths, wanted: Iterable[Path]) -> list[str]:
    """Remove what is there, and directories below `agents/` that this leaves empty; a line for each."""
    lines = []
    for path in wanted:
        if not os.path.lexists(path):
            continue
        size = _size(path)
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


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.lstat().st_size
    return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(path) for name in names)
