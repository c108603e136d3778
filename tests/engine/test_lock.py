from __future__ import annotations

import errno
import fcntl
import os
import re
import threading
from pathlib import Path

import pytest

from fgbuild.engine.database import open_database
from fgbuild.engine.leftovers import clear_leftovers
from fgbuild.engine.lock import TreeLock
from fgbuild.engine.paths import Paths
from fgbuild.errors import FgbuildError, LockHeldError


def test_held_by_one_and_free_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "build.lock"
    with (
        TreeLock(path),
        pytest.raises(LockHeldError, match=rf"pid {os.getpid()}, since .*; wait for it .* or stop it"),
        TreeLock(path),
    ):
        pass
    with TreeLock(path):
        assert path.read_text().split()[0] == str(os.getpid())


def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(FgbuildError, match="cannot lock files") as caught, TreeLock(tmp_path / "build.lock"):
        pass
    assert caught.value.exit_code == 2


def test_an_unwritable_cache_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(FgbuildError, match="make the cache folder writable"), TreeLock(tmp_path / "cache/build.lock"):
        pass


def test_leftovers_of_a_dead_build_are_removed(tmp_path: Path) -> None:
    tmp = Paths(tmp_path).tmp
    (tmp / "run-x.train" / "deep").mkdir(parents=True)
    (tmp / "run-x.train" / "deep").chmod(0o555)
    (tmp / "run-x.train.json").write_text("{}")
    clear_leftovers(Paths(tmp_path))
    assert list(tmp.iterdir()) == []


def test_a_database_that_is_none_and_one_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(FgbuildError, match="remove the file and build again"):
        open_database(path)
    path.unlink()
    database = open_database(path)
    database.execute("INSERT INTO current VALUES ('a', 'b')")
    database.execute("PRAGMA user_version = 999")
    database.close()
    assert open_database(path).execute("SELECT count(*) FROM current").fetchone() == (0,)


def test_who_waits_is_told_for_whom_and_gets_it_when_it_is_free(tmp_path: Path) -> None:
    path, said = tmp_path / "build.lock", list[str]()
    holder = TreeLock(path)
    holder.__enter__()
    threading.Timer(0.2, holder.__exit__, (None, None, None)).start()
    with TreeLock(path, waiting=said.append):
        (line,) = said
    assert re.fullmatch(
        rf"another build \(pid {os.getpid()}, since [\d:]+\) holds this tree; waiting for its end", line
    )
