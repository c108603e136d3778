"""Upkeep of the store: what lies there and who needs it, whether it is sound, and what may go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from fgbuild.engine.witness import forget
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import StageError

_DIGEST_LENGTH = 64


class Stored(NamedTuple):
    """An artifact: its bytes, the stage that last gave it ("" where none is known), when that was
    (unix seconds, 0.0 where unknown), and whether a current output needs it."""

    digest: str
    bytes: int
    stage: str
    finished_at: float
    needed: bool


@dataclass(frozen=True, slots=True)
class Check:
    """What `verify_store` found: artifacts and bytes read, and the damaged ones, which are gone now."""

    artifacts: int
    bytes: int
    damaged: tuple[Stored, ...]


def stored_artifacts(workspace: Workspace) -> list[Stored]:
    """Every artifact in the store, the one used longest ago first.

    Needed is what a stage stands at, and what the last try of one gave that did not pass its checks:
    `verify`, `eval` and the dashboard show its report.
    """
    database = workspace.database
    given = {
        digest: (stage, finished_at)
        for digest, stage, finished_at in database.execute(
            "SELECT outputs, stage, finished_at FROM actions UNION ALL "
            "SELECT outputs, stage, finished_at FROM attempts WHERE outputs IS NOT NULL ORDER BY finished_at"
        )
    }
    needed = {
        digest
        for (digest,) in database.execute(
            "SELECT actions.outputs FROM current JOIN actions USING (key) UNION "
            "SELECT outputs FROM attempts WHERE outputs IS NOT NULL"
        )
    }
    found = [
        Stored(digest, _size(workspace, digest), *given.get(digest, ("", 0.0)), needed=digest in needed)
        for digest in _digests(workspace)
    ]
    return sorted(found, key=lambda artifact: (artifact.finished_at, artifact.digest))


def verify_store(workspace: Workspace, progress: Callable[[int, int, int], None]) -> Check:
    """Read every artifact and remove those that are not what their name says, so that they are built again.

    Call under the tree's lock. progress: artifacts read, of how many, bytes read.
    """
    forget(str(workspace.paths.cache))
    found = stored_artifacts(workspace)
    damaged, read = [], 0
    for number, artifact in enumerate(found, 1):
        if not workspace.store.is_sound(artifact.digest):
            workspace.store.remove(artifact.digest)
            damaged.append(artifact)
        read += artifact.bytes
        progress(number, len(found), read)
    _sweep(workspace)
    return Check(len(found), read, tuple(damaged))


def collectable(workspace: Workspace, keep_last: int, max_bytes: int | None) -> list[Stored]:
    """What `gc` removes: all but the newest `keep_last` results of each stage, and then, oldest first, as
    much as it takes to come down to `max_bytes`. Never what a current output needs."""
    found = stored_artifacts(workspace)
    kept = set(_newest(workspace, keep_last)) | {a.digest for a in found if a.needed}
    doomed = [artifact for artifact in found if artifact.digest not in kept]
    if max_bytes is not None:
        total = sum(artifact.bytes for artifact in found) - sum(artifact.bytes for artifact in doomed)
        for artifact in found:
            if total <= max_bytes:
                break
            if artifact.digest in kept and not artifact.needed:
                doomed.append(artifact)
                total -= artifact.bytes
    return doomed


def collect(workspace: Workspace, doomed: list[Stored]) -> None:
    """Remove artifacts from the store; call under the tree's lock."""
    forget(str(workspace.paths.cache))
    for artifact in doomed:
        workspace.store.remove(artifact.digest)
    _sweep(workspace)


def _newest(workspace: Workspace, count: int) -> Iterator[str]:
    """The last `count` different results of each stage."""
    seen: dict[str, list[str]] = {}
    rows = workspace.database.execute("SELECT stage, outputs FROM actions ORDER BY finished_at DESC")
    for stage, outputs in rows:
        results = seen.setdefault(stage, [])
        if outputs not in results and len(results) < count and workspace.store.has(outputs):
            results.append(outputs)
            yield outputs


def _digests(workspace: Workspace) -> list[str]:
    return sorted(name for name in _entries(workspace) if _is_digest(name))


def _entries(workspace: Workspace) -> list[str]:
    try:
        return os.listdir(workspace.paths.store)
    except FileNotFoundError:
        return []


def _is_digest(name: str) -> bool:
    return len(name) == _DIGEST_LENGTH and set(name) <= set("0123456789abcdef")


def _size(workspace: Workspace, digest: str) -> int:
    try:
        return sum(entry.size for entry in workspace.store.listing(digest))
    except (OSError, StageError):
        return 0  # the database has lost it and its files cannot be read


def _sweep(workspace: Workspace) -> None:
    """Remove what removals that were cut off left in the store."""
    from fgbuild.engine.leftovers import remove

    for name in _entries(workspace):
        if not _is_digest(name):
            remove(workspace.paths.store / name)
