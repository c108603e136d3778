"""Signals as something a `select` can wait for."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType
from typing import Any

WAKE = signal.SIGUSR1
"""Tells a build that somebody has left a request (`requests`)."""

_STOP = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def bear_wake_ups() -> None:
    """Until this process ends, WAKE does nothing, in place of ending it. Main thread only.

    A handler, and not to ignore it: what is ignored would be so in workers too.
    """
    signal.signal(WAKE, _nothing)


class SignalWatch:
    """While it is entered, SIGINT, SIGTERM and SIGHUP are counted and not acted on, WAKE is noted, and these and
    SIGCHLD make `descriptor` readable. Main thread only. A signal that was ignored (nohup) stays so.

    stops: how many signals asked for an end. woken: set by WAKE, for the reader to take back.
    """

    def __init__(self) -> None:
        self.stops = 0
        self.woken = False
        self.descriptor = -1
        self._write_end = -1
        self._old_handlers: dict[int, Any] = {}
        self._old_wakeup = -1

    def drain(self) -> None:
        """Take what made `descriptor` readable."""
        try:
            while os.read(self.descriptor, 4096):
                pass
        except BlockingIOError:
            return

    def __enter__(self) -> SignalWatch:
        self.descriptor, self._write_end = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._write_end, False)
        self._old_wakeup = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        for number in _STOP:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._old_handlers[number] = signal.signal(number, self._count)
        self._old_handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, _nothing)
        self._old_handlers[WAKE] = signal.signal(WAKE, self._wake)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        os.close(self.descriptor)
        os.close(self._write_end)

    def _count(self, number: int, frame: FrameType | None) -> None:
        self.stops += 1

    def _wake(self, number: int, frame: FrameType | None) -> None:
        self.woken = True


def _nothing(number: int, frame: FrameType | None) -> None:
    """SIGCHLD needs a handler of Python's to reach the descriptor."""
