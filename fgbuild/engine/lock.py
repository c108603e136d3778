"""One build at a time on a tree.

The lock belongs to the open file, not to its existence: it ends with the process that holds it,
however that dies, and a file left behind locks nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from fgbuild.errors import FgbuildError, LockHeldError


class TreeLock:
    """Use as a context manager; LockHeldError where another process has it."""

    def __init__(self, path: Path) -> None:
        self._path = path
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
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 100, 0)
            os.close(self._descriptor)
            raise self._refusal(error, holder) from error
        # Of fixed width: cutting the file would cost a journal commit in every build.
        os.pwrite(self._descriptor, f"{os.getpid():<10} {int(time.time()):<12}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def _refusal(self, error: OSError, holder: bytes) -> FgbuildError:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return LockHeldError(f"another build{_described(holder)} holds this tree; wait for it or stop it")
        return FgbuildError(
            f"{self._path}: this file system cannot lock files ({error.strerror}); put the project on one that can"
        )


def _described(holder: bytes) -> str:
    """` (pid 123, since 12:03:11)`, or nothing while the holder has not written it yet."""
    try:
        pid, since = (int(part) for part in holder.split())
    except ValueError:
        return ""
    return f" (pid {pid}, since {time.strftime('%H:%M:%S', time.localtime(since))})"
