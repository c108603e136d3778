"""Builds that die at a chosen moment, as by `kill -9`: no handler runs, nothing is cleaned up.

A moment is just before or just after one of the calls that change something outside the process: files, folders, their
modes, the database. They are counted, so that every one of them can be tried.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

from toy_project import ToyProject

FILES = ("chmod", "fchmod", "mkdir", "open", "remove", "rename", "replace", "rmdir", "unlink", "utime")
CONTENTS = ("execute", "executemany", "fsync", "ioctl", "pwrite", "write")
CALLS = {*FILES, *CONTENTS}
KILLED = 137


def build_and_die(toy: ToyProject, moment: int, **options: Any) -> bool:
    """Build in a child that dies at the moment of that number (from 1 on); False where it ended before."""
    child = os.fork()
    if child == 0:
        code = KILLED + 1
        try:
            sys.setprofile(_Death(moment))
            code = toy.build(**options).exit_code
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), f"the build ended with exit code {code}"
    return code == KILLED


class _Death:
    def __init__(self, moment: int) -> None:
        self._left = moment

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event in ("c_call", "c_return") and argument.__name__ in CALLS:
            self._left -= 1
            if self._left == 0:
                os._exit(KILLED)
