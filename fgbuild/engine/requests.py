"""What other processes ask of a running build: a file for each request, and a signal that wakes the build.

The folder `requests` is in the run's own from before its log begins until the build ends, and as long as it is there
the build bears the signal: who finds it may send one.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
from collections.abc import Callable
from pathlib import Path

from fgbuild.engine.signals import WAKE, bear_wake_ups

_MAX_BYTES = 1 << 12


class Requests:
    """directory: `Paths.requests` of the run. A request names a stage to stop; None asks for the whole build."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def open(self) -> None:
        """The build takes requests from here on. Main thread only."""
        bear_wake_ups()
        self._directory.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """It takes none any more; what was not taken is removed."""
        with contextlib.suppress(OSError):
            for path in self._directory.iterdir():
                path.unlink()
            self._directory.rmdir()

    def put(self, stage: str | None) -> None:
        """Leave a request there; FileNotFoundError where no build takes any."""
        name = secrets.token_hex(8)
        path = self._directory / f".{name}"
        path.write_text(json.dumps({"stop": stage}), "utf-8")
        path.rename(self._directory / name)

    def take(self) -> list[str | None]:
        """The stages to stop (None: everything) that were asked for since; what is no request is thrown away."""
        found: list[str | None] = []
        with contextlib.suppress(OSError):
            for name in sorted(os.listdir(self._directory)):
                if not name.startswith("."):
                    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
                        found.append(_taken(self._directory / name))
        return found


def _taken(path: Path) -> str | None:
    with path.open("rb") as stream:
        data = stream.read(_MAX_BYTES)
    path.unlink()
    stage = json.loads(data)["stop"]
    if stage is not None and not isinstance(stage, str):
        raise TypeError
    return stage


def wake(pid: int, is_build: Callable[[], bool]) -> None:
    """Have the build look for requests now; without it, it looks within a second.

    is_build: whether the process with that id is still the build. Where the system has descriptors of processes it
    is asked once one is held, so that no other can be signalled that was given the id since.
    """
    # Another user's build cannot be signalled; one that has just ended need not be.
    with contextlib.suppress(PermissionError, ProcessLookupError):
        if (descriptor := _descriptor(pid)) is None:
            if is_build():
                os.kill(pid, WAKE)
            return
        try:
            if is_build():
                signal.pidfd_send_signal(descriptor, WAKE)
        finally:
            os.close(descriptor)


def _descriptor(pid: int) -> int | None:
    """Of a process; None where it has ended, or the system has no such descriptors or gives none here."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:  # ENOSYS from an older kernel, EPERM from a container that does not know the call
        return None
