"""Copies of stored files below the project root, and whether they still are what was put there.

A placed file is never a link into the store: a user may edit it without harming the cache.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from blake3 import blake3

from fgbuild.engine.actions import ActionCache
from fgbuild.engine.digests import Digests
from fgbuild.engine.graph import Stage
from fgbuild.engine.reasons import Reason, output_changed, output_missing
from fgbuild.engine.store import DamagedArtifact, FileEntry, Store, sync_directory
from fgbuild.errors import StageError
from fgbuild.stages.spec import Placed

# linux/fs.h: _IOW(0x94, 9, int), the same on every architecture that we know.
_FICLONE = 0x40049409
_CHUNK = 4 << 20


class Placer:
    def __init__(self, root: Path, store: Store, digests: Digests, actions: ActionCache) -> None:
        self._root = root
        self._store = store
        self._digests = digests
        self._actions = actions

    def out_of_place(self, stage: Stage, outputs: str) -> list[Reason]:
        """What of the stage's placed files is not the artifact's; empty where all of it is."""
        found: list[Reason] = []
        for item, entry in self._files(stage, outputs):
            digest = self._digests.of(self._root / item.target)
            if digest is None:
                found.append(output_missing(item.target))
            elif digest != entry.blake3 and digest != self._finished(stage, outputs, item):
                found.append(output_changed(item.target))
        return found

    def sizes(self, stage: Stage, outputs: str) -> list[tuple[Placed, int]]:
        """The stage's placed files and the bytes of each."""
        return [(item, entry.size) for item, entry in self._files(stage, outputs)]

    def place(self, stage: Stage, outputs: str) -> None:
        """Put the stage's files where they belong; those that a gate has finished since are left.

        StageError where a place cannot be written, DamagedArtifact where the stored file is not
        what its artifact says (nothing is placed then).
        """
        for item, entry in self._files(stage, outputs):
            digest = self._digests.of(self._root / item.target)
            if digest != entry.blake3 and (digest is None or digest != self._finished(stage, outputs, item)):
                self._put(outputs, entry, self._root / item.target)

    def withdraw(self, stage: Stage, outputs: str, gate: str) -> None:
        """Put the stage's own files back where a gate (its kind) had finished them: it no longer passes."""
        for item, entry in self._files(stage, outputs):
            if item.finished_by == gate and self._digests.of(self._root / item.target) != entry.blake3:
                self._put(outputs, entry, self._root / item.target)

    def _finished(self, stage: Stage, outputs: str, item: Placed) -> str | None:
        """BLAKE3 of a placed file as the gate below has finished it; None where that did not pass on this artifact."""
        standing = self._actions.standing(f"{stage.domain}:{item.finished_by}") if item.finished_by else None
        action = self._actions.action(standing[0]) if standing else None
        if standing is None or action is None or action.components["inputs"].get(stage.kind) != outputs:
            return None
        return next((entry.blake3 for entry in self._store.listing(standing[1]) if entry.path == item.source), None)

    def _put(self, outputs: str, entry: FileEntry, target: Path) -> None:
        self._copy(outputs, entry, target)
        self._digests.written(target, entry.blake3)

    def _files(self, stage: Stage, outputs: str) -> Iterator[tuple[Placed, FileEntry]]:
        wanted = stage.spec.placed(stage.manifest)
        if not wanted:
            return
        listing = {entry.path: entry for entry in self._store.listing(outputs)}
        for item in wanted:
            if item.source not in listing:
                raise StageError(f"{stage.id}: the worker did not write {item.source}; report this as a defect")
            yield item, listing[item.source]

    def _copy(self, outputs: str, entry: FileEntry, target: Path) -> None:
        source = self._store.path(outputs) / entry.path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # One name for all tries: under the tree's lock nobody else writes it, and what a dead build left is
            # written over.
            temporary = target.with_name(f".{target.name}.tmp")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise _unwritable(target, error) from error
        try:
            with open(descriptor, "wb") as copy, open(source, "rb") as stored:
                if _clone_or_copy(stored.fileno(), copy.fileno()) != entry.blake3:
                    raise DamagedArtifact(outputs, entry.path)
                os.fsync(copy.fileno())
                os.fchmod(copy.fileno(), 0o644)
            os.replace(temporary, target)
            sync_directory(target.parent)
        except FileNotFoundError as error:
            raise DamagedArtifact(outputs, entry.path) from error
        except OSError as error:
            raise _unwritable(target, error) from error
        finally:
            temporary.unlink(missing_ok=True)


def _clone_or_copy(source: int, target: int) -> str:
    """Share the blocks where the file system can, else copy; returns the content's BLAKE3 (hex)."""
    hasher = blake3(max_threads=blake3.AUTO)
    try:
        fcntl.ioctl(target, _FICLONE, source)
        copying = False
    except OSError:
        copying = True
    while chunk := os.read(source, _CHUNK):
        hasher.update(chunk)
        if copying:
            view = memoryview(chunk)
            while view:
                view = view[os.write(target, view) :]
    return hasher.hexdigest()


def _unwritable(target: Path, error: OSError) -> StageError:
    step = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "make it writable"
    return StageError(f"{target}: cannot be written ({error.strerror}); {step} and build again")
