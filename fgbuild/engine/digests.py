"""Content digests of files, read again only when the file may have changed.

A row holds what `stat` said when the file was hashed. It is believed while `stat` says the same
and the file had been left alone for a moment when it was hashed (the racy-timestamp rule: within
one tick of the file system's clock, a second write leaves `stat` as it was).

xxh3_128 notices local changes; BLAKE3 is the digest that names things.
"""

from __future__ import annotations

import os
import sqlite3
import stat as stat_module
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from blake3 import blake3
from xxhash import xxh3_128

from fgbuild.engine.database import Rows, transaction
from fgbuild.engine.stamps import Stamp, settled
from fgbuild.errors import DataError

_CHUNK = 4 << 20
_ATTEMPTS = 5
_MANY = "many"


class _Row(NamedTuple):
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    recorded_ns: int
    xxh3: bytes
    blake3: str


class Digests:
    """BLAKE3 digests of files by path, remembered in the database."""

    def __init__(self, database: sqlite3.Connection, clock: Callable[[], int] = time.time_ns) -> None:
        self._database = database
        self._clock = clock
        self._rows = Rows(database, "SELECT * FROM files", "path", _Row)
        self._changed: dict[str, _Row] = {}
        self.looked_at: dict[str, tuple[Stamp, bool]] = {}
        """Every file that was asked for: how it looked last, and whether it has had one content all the time."""
        self._contents: dict[str, str | None] = {}

    def of(self, path: Path | str) -> str | None:
        """The BLAKE3 digest (hex) of a regular file's content; None where there is none."""
        name = os.path.abspath(path)
        row = self._row(name)
        digest, look = (None, None) if row is None else (row.blake3, list(row[:4]))
        if self._contents.setdefault(name, digest) != digest:
            self._contents[name] = _MANY
        sure = row is None or settled(look, row.recorded_ns)
        self.looked_at[name] = (look, sure and self._contents[name] != _MANY)
        return digest

    def written(self, path: Path | str, digest: str) -> None:
        """A file was just written by us: what it was before does not count, what it is from now on does."""
        name = os.path.abspath(path)
        self._contents[name] = digest
        self.looked_at[name] = (None, False)

    def _row(self, name: str) -> _Row | None:
        try:
            status = os.stat(name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat_module.S_ISREG(status.st_mode):
            return None
        row = self._rows.get(name)
        if row is not None and _same(row, status) and settled(row[:4], row.recorded_ns):
            return row
        # Of a file that we have written since, the old row saves no work.
        known = row if row is not None and self._contents.get(name, row.blake3) == row.blake3 else None
        fresh = self._hash(name, known)
        if fresh is not None:
            self._rows[name] = self._changed[name] = fresh
        return fresh

    def save(self) -> None:
        """Write what was learnt. Rows are an economy: where they cannot be written, nothing is lost."""
        if not self._changed:
            return
        rows = [(name, *row) for name, row in self._changed.items()]
        try:
            with transaction(self._database):
                self._database.executemany("REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        except sqlite3.OperationalError:
            return
        self._changed.clear()

    def _hash(self, name: str, known: _Row | None) -> _Row | None:
        """Read the file; again where it changed meanwhile."""
        for _ in range(_ATTEMPTS):
            try:
                with open(name, "rb", buffering=0) as stream:
                    started = self._clock()
                    before = os.fstat(stream.fileno())
                    xxh3, digest = _read(stream, known)
                    after = os.stat(name)
            except FileNotFoundError:
                return None
            except PermissionError as error:
                raise DataError(f"{name}: cannot be read; make it readable") from error
            row = _Row(before.st_size, before.st_mtime_ns, before.st_ctime_ns, before.st_ino, started, xxh3, digest)
            if _same(row, after):
                return row
        raise DataError(f"{name}: keeps changing while it is read; build again when it is at rest")


def _read(stream: Any, known: _Row | None) -> tuple[bytes, str]:
    """Both digests of a stream; BLAKE3 is taken from `known` where xxh3 says the content is the same."""
    if known is not None:
        quick = xxh3_128()
        _feed(stream, quick.update)
        if quick.digest() == known.xxh3:
            return known.xxh3, known.blake3
        stream.seek(0)
    quick = xxh3_128()
    strong = blake3(max_threads=blake3.AUTO)
    _feed(stream, quick.update, strong.update)
    return quick.digest(), strong.hexdigest()


def _feed(stream: Any, *updates: Callable[[memoryview], Any]) -> None:
    # Read and not mapped: a file cut short by its owner meanwhile would kill the process.
    buffer = bytearray(min(_CHUNK, os.fstat(stream.fileno()).st_size + 1))
    view = memoryview(buffer)
    while count := stream.readinto(buffer):
        for update in updates:
            update(view[:count])


def _same(row: _Row, status: os.stat_result) -> bool:
    return (
        row.size == status.st_size
        and row.mtime_ns == status.st_mtime_ns
        and row.ctime_ns == status.st_ctime_ns
        and row.inode == status.st_ino
    )
