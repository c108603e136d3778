"""What `stat` says of a file, and when it can be believed."""

from __future__ import annotations

import os
from collections.abc import Sequence

Stamp = list[int] | None
"""Size, mtime, ctime (ns) and inode; None where there is no such file."""

_TICK_NS = 20_000_000
_COARSE_TICK_NS = 2_000_000_000


def stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def settled(found: Sequence[int] | None, looked_ns: int) -> bool:
    """Whether a file's last change was at least one tick of its clock before it was looked at: within a tick, a second
    write leaves size and times as they were.

    Linux stamps files with the kernel's tick (1 to 10 ms); whole seconds in both stamps mean a file system that keeps
    no more (FAT rounds to 2 s).
    """
    if found is None:
        return True
    _, modified, changed, _ = found
    coarse = modified % 1_000_000_000 == 0 and changed % 1_000_000_000 == 0
    return looked_ns > max(modified, changed) + (_COARSE_TICK_NS if coarse else _TICK_NS)
