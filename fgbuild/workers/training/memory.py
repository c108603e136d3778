"""Keeps freed memory in the process, where the next operation finds it without a page fault."""

from __future__ import annotations

import ctypes
import sys

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8


def keep_freed_memory() -> bool:
    """Tell glibc's malloc not to give large blocks back to the kernel; True where it was told.

    A training step allocates and frees the same few hundred blocks of 4–140 MB over and over.
    By default each is a fresh mmap, and the kernel zeroes its pages at every use, which costs
    more than many of the operations themselves. No effect on results, and none outside Linux.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # a libc without it, such as musl
        return False
    largest = 2**31 - 1
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, largest), (_M_TOP_PAD, 64 << 20), (_M_ARENA_MAX, 1))
    accepted = [mallopt(option, value) == 1 for option, value in settings]  # all of them, whatever one says
    return all(accepted)
