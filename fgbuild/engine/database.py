"""The SQLite file under `cache/`: digests of files and code, actions, artifacts, attempts.

Everything in it can be made again: a lost or outdated database costs time, never correctness.
Write-ahead logging lets `plan` and the dashboard read while a build writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fgbuild.errors import FgbuildError, StageError

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


def open_database(path: Path) -> sqlite3.Connection:
    """The database, made where it is missing; autocommit, transactions through `transaction`."""
    with readable_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=10, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            _make_tables(connection)
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            connection.execute(f"DROP TABLE {name}")
        for name, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE {name} {columns}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


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
