"""The SQLite file under `cache/`: digests of files and code, actions, artifacts, attempts.

Everything in it can be made again: a lost or outdated database costs time, never correctness.
Write-ahead logging lets `plan` and the dashboard read while a build writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from fgbuild.errors import FgbuildError, StageError

Row = TypeVar("Row")

VERSION = 1
"""Raised when tables change; an older database is emptied and filled again."""

_TABLES = {
    "files": """(path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER,
                 recorded_ns INTEGER, xxh3 BLOB, blake3 TEXT) WITHOUT ROWID""",
    "sources": """(module TEXT PRIMARY KEY, content TEXT, python TEXT, normal TEXT, imports TEXT)
                 WITHOUT ROWID""",
    "fingerprints": "(digest TEXT PRIMARY KEY, modules TEXT) WITHOUT ROWID",
    "artifacts": "(digest TEXT PRIMARY KEY, bytes INTEGER, listing TEXT) WITHOUT ROWID",
    "actions": """(key TEXT PRIMARY KEY, stage TEXT, kind TEXT, outputs TEXT, seconds REAL,
                 cpu_seconds REAL, peak_memory_mb REAL, components TEXT, run TEXT, finished_at REAL)""",
    "current": "(stage TEXT PRIMARY KEY, key TEXT) WITHOUT ROWID",
    "attempts": """(stage TEXT PRIMARY KEY, key TEXT, outcome TEXT, outputs TEXT, reasons TEXT,
                 components TEXT, run TEXT, seconds REAL, finished_at REAL) WITHOUT ROWID""",
}


_INDEXES = {"actions_by_stage": "actions (stage, finished_at)", "actions_by_kind": "actions (kind, finished_at)"}
_FEW = 100


def open_database(path: Path) -> sqlite3.Connection:
    """The database, made where it is missing; autocommit, transactions through `transaction`."""
    with readable_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=10, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            _make_tables(connection)
        for name, columns in _INDEXES.items():
            connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            connection.execute(f"DROP TABLE {name}")
        for name, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE {name} {columns}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


class Rows(Generic[Row]):
    """A table by its key: asked for row by row at first, and read as a whole once many are wanted.

    query: gives (key, columns…); `where` names the key's column. make: a row from these columns.
    """

    def __init__(self, database: sqlite3.Connection, query: str, where: str, make: Callable[..., Row]) -> None:
        self._database = database
        self._query = query
        self._where = where
        self._make = make
        self._found: dict[str, Row | None] = {}
        self._whole = False

    def get(self, key: str) -> Row | None:
        if key not in self._found and not self._whole:
            if len(self._found) >= _FEW:
                return self.whole().get(key)
            row = self._database.execute(f"{self._query} WHERE {self._where} = ?", (key,)).fetchone()
            self._found[key] = None if row is None else self._make(*row[1:])
        return self._found.get(key)

    def __setitem__(self, key: str, row: Row) -> None:
        """Know a row that is, or will be, written."""
        self._found[key] = row

    def whole(self) -> Mapping[str, Row | None]:
        """Every row, and None for some keys that have none."""
        if not self._whole:
            rows = {key: self._make(*columns) for key, *columns in self._database.execute(self._query)}
            self._found = {**rows, **self._found}
            self._whole = True
        return self._found


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block's changes or none of them."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """SQLite's errors, and a folder that cannot be made, as one sentence with a next step."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
            raise StageError(f"{path}: the disk is full; free some space and build again") from error
        raise FgbuildError(f"{path}: {error}; check that the cache folder can be written") from error
    except sqlite3.DatabaseError as error:
        raise FgbuildError(f"{path}: {error}; remove the file and build again") from error
    except OSError as error:
        raise FgbuildError(
            f"{path.parent}: cannot be made ({error.strerror}); make the cache folder writable"
        ) from error
