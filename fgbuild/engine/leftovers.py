"""What a build that died left behind: temporary files, and perhaps workers that outlived it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from fgbuild.engine.paths import Paths
from fgbuild.engine.store import remove_tree

_WAIT_SECONDS = 5.0


def clear_leftovers(paths: Paths) -> None:
    """Under the tree's lock: end orphaned workers and empty `cache/tmp`."""
    end_orphans(paths)
    if paths.tmp.is_dir():
        for entry in paths.tmp.iterdir():
            remove(entry)


def end_orphans(paths: Paths) -> None:
    """Under the tree's lock: kill workers whose build is dead, by the job files it left.

    Two workers of one stage would write the same checkpoints. Needs /proc; without it (macOS) a
    worker ends by itself when it next reports to its dead build.
    """
    jobs = [str(job) for job in paths.tmp.glob("*.json")]
    deadline = time.monotonic() + _WAIT_SECONDS
    while jobs and (orphans := _processes(jobs)) and time.monotonic() < deadline:
        for pid in orphans:
            # Workers lead their own group, so that this reaches their children too.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        time.sleep(0.02)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    else:
        path.unlink(missing_ok=True)


def size_on_disk(path: Path) -> int:
    """Bytes of a file, or of all files below a directory; 0 where there is none."""
    if path.is_dir():
        return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(path) for name in names)
    return path.lstat().st_size if os.path.lexists(path) else 0


def _processes(jobs: list[str]) -> list[int]:
    """Ids of the processes whose command line ends in one of these job files."""
    wanted = {os.fsencode(job) for job in jobs}
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (entry / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        except OSError:
            continue
        if arguments[-1] in wanted:
            found.append(int(entry.name))
    return found
