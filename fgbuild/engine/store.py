"""Content-addressed artifacts: `cache/store/<digest>/`, each an immutable directory.

The digest is BLAKE3 over the sorted (relative path, size, BLAKE3 of content) of its files, so that
an artifact can be checked against its own name.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat as stat_module
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from fgbuild.engine.database import transaction
from fgbuild.errors import StageError


class DamagedArtifact(Exception):
    """An artifact whose content is not what its name says; `digest` names it."""

    def __init__(self, digest: str, path: str) -> None:
        self.digest = digest
        super().__init__(f"stored artifact {digest[:12]} is damaged ({path})")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of an artifact: path relative to it, size in bytes, BLAKE3 of the content (hex)."""

    path: str
    size: int
    blake3: str


class Store:
    def __init__(self, directory: Path, database: sqlite3.Connection) -> None:
        self.directory = directory
        self._database = database
        self._present: set[str] | None = None

    def path(self, digest: str) -> Path:
        return self.directory / digest

    def has(self, digest: str) -> bool:
        return digest in self._names()

    def listing(self, digest: str) -> tuple[FileEntry, ...]:
        """The files of an artifact that is in the store."""
        row = self._database.execute("SELECT listing FROM artifacts WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            return list_files(self.path(digest))
        return tuple(FileEntry(*entry) for entry in json.loads(row[0]))

    def read(self, digest: str, path: str) -> bytes | None:
        """A file of an artifact; None where it is missing or not what the artifact says."""
        wanted = next((entry.blake3 for entry in self.listing(digest) if entry.path == path), None)
        try:
            content = (self.path(digest) / path).read_bytes()
        except OSError:
            return None
        return content if blake3(content).hexdigest() == wanted else None

    def publish(self, directory: Path) -> str:
        """Make a finished directory an artifact and return its digest; `directory` is gone afterwards.

        Everything is on disk before the artifact gets its name: a crash leaves either the whole
        artifact or none.
        """
        listing = list_files(directory)
        digest = tree_digest(listing)
        target = self.path(digest)
        if target.exists():
            if self.is_sound(digest):
                remove_tree(directory)
                return self._record(digest, listing)
            self.remove(digest)
        _make_durable(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        os.rename(directory, target)
        os.chmod(target, 0o555)
        sync_directory(self.directory)
        return self._record(digest, listing)

    def is_sound(self, digest: str) -> bool:
        """Whether the artifact's content is what its name says."""
        try:
            return tree_digest(list_files(self.path(digest))) == digest
        except (OSError, StageError):
            return False

    def remove(self, digest: str) -> None:
        """Take an artifact out of the store; a crash on the way leaves nothing under its name."""
        path = self.path(digest)
        if path.exists():
            doomed = self.directory / f".removing-{digest}"
            remove_tree(doomed)
            os.chmod(path, 0o755)
            os.rename(path, doomed)
            remove_tree(doomed)
        self._names().discard(digest)

    def is_complete(self) -> bool:
        """Whether everything that should be in the store is there, as far as names tell."""
        try:
            return self._names() <= set(os.listdir(self.directory))
        except FileNotFoundError:
            return not self._names()

    def _record(self, digest: str, listing: tuple[FileEntry, ...]) -> str:
        text = json.dumps([[entry.path, entry.size, entry.blake3] for entry in listing])
        with transaction(self._database):
            self._database.execute(
                "REPLACE INTO artifacts VALUES (?, ?, ?)",
                (digest, sum(entry.size for entry in listing), text),
            )
        self._names().add(digest)
        return digest

    def _names(self) -> set[str]:
        # One directory listing in place of one `stat` per artifact.
        if self._present is None:
            try:
                self._present = set(os.listdir(self.directory))
            except FileNotFoundError:
                self._present = set()
        return self._present


def list_files(directory: Path) -> tuple[FileEntry, ...]:
    """Every file below `directory` with its digest, sorted by path; StageError for what is no file."""
    found: list[FileEntry] = []
    for folder, folders, names in os.walk(directory, onerror=_raise):
        for name in [*folders, *names]:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if not (stat_module.S_ISREG(mode) or stat_module.S_ISDIR(mode)):
                raise StageError(f"{path}: an output must be a plain file; write a copy in place of a link")
        for name in names:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, directory).replace(os.sep, "/")
            found.append(FileEntry(relative, os.path.getsize(path), file_digest(path)))
    return tuple(sorted(found, key=lambda entry: entry.path))


def tree_digest(listing: tuple[FileEntry, ...]) -> str:
    rows = [[entry.path, entry.size, entry.blake3] for entry in listing]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return blake3(b"fgbuild tree 1\n" + text.encode("utf-8", "surrogateescape")).hexdigest()


def file_digest(path: str | Path) -> str:
    """BLAKE3 (hex) of a file that nobody else writes: mapped, on all cores."""
    return blake3(max_threads=blake3.AUTO).update_mmap(path).hexdigest()


def remove_tree(path: Path) -> None:
    """Remove a directory whose contents may be read-only; fine where there is none."""
    if not os.path.lexists(path):
        return
    import shutil  # brings three compression libraries along; a build with nothing to do needs none

    for folder, _, _ in os.walk(path):
        os.chmod(folder, 0o755)
    shutil.rmtree(path)


def sync_directory(path: Path) -> None:
    """Make renames in `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_durable(directory: Path) -> None:
    """Flush every file, and make all but the top directory (which is still to be renamed) read-only."""
    for folder, folders, names in os.walk(directory, topdown=False):
        for name in names:
            path = os.path.join(folder, name)
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.fchmod(descriptor, 0o444)
            finally:
                os.close(descriptor)
        for name in folders:
            os.chmod(os.path.join(folder, name), 0o555)
        sync_directory(Path(folder))


def _raise(error: OSError) -> None:
    raise error
