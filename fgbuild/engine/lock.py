"""One build at a time on a tree.

The lock belongs to the open file, not to its existence: it ends with the process that holds it,
however that dies, and a file left behind locks nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from fgbuild.errors import FgbuildError, LockHeldError


class TreeLock:
    """Use as a context manager.

    Where another process has it: LockHeldError, or, given `waiting`, that is told who has it and the lock waited for.
    """

    def __init__(self, path: Path, waiting: Callable[[str], None] | None = None) -> None:
        self._path = path
        self._waiting = waiting
        self._descriptor = -1

    def __enter__(self) -> TreeLock:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise FgbuildError(
                f"{self._path}: cannot be written ({error.strerror}); make the cache folder writable"
            ) from error
        try:
            self._take()
        except BaseException:
            os.close(self._descriptor)
            raise
        # Of fixed width: cutting the file would cost a journal commit in every build.
        os.pwrite(self._descriptor, f"{os.getpid():<10} {int(time.time()):<12}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def _take(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise FgbuildError(
                    f"{self._path}: this file system cannot lock files ({error.strerror}); "
                    "put the project on one that can"
                ) from error
            held = f"another build{_described(os.pread(self._descriptor, 100, 0))} holds this tree"
            if self._waiting is None:
                raise LockHeldError(f"{held}; wait for it (`fgbuild build --wait`) or stop it") from error
            self._waiting(f"{held}; waiting for its end")
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)


def holder(path: Path) -> tuple[int, int] | None:
    """Process id of the last build that has had the lock, and since when (unix seconds); without asking for the lock,
    which could keep it from a build."""
    try:
        return _parsed(path.read_bytes())
    except OSError:
        return None


def _described(content: bytes) -> str:
    """` (pid 123, since 12:03:11)`, or nothing while the holder has not written it yet."""
    if (found := _parsed(content)) is None:
        return ""
    return f" (pid {found[0]}, since {time.strftime('%H:%M:%S', time.localtime(found[1]))})"


def _parsed(content: bytes) -> tuple[int, int] | None:
    try:
        pid, since = (int(part) for part in content.split())
    except ValueError:
        return None
    return pid, since
