"""The terminal that the dashboard is shown on: it ends with it, and leaves it as it was."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0
"""In which the dashboard has ended by itself once it was told to."""
_MOUSE_IN_CELLS = "\x1b[?1016l"
"""Textual has terminals that can report the mouse in pixels, and leaves them so."""


def is_gone() -> bool:
    """Whether the terminal was closed: who does not own it gets no SIGHUP, and would read its end for ever."""
    try:
        poll = select.poll()
        poll.register(_input(), 0)  # POLLHUP comes unasked
        return any(event & select.POLLHUP for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # no descriptor, or no poll on this system
        return False


def tell(line: str) -> None:
    """A line for whoever is at the terminal, if it is still there."""
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def guarded(end: Callable[[int], object]) -> Iterator[None]:
    """Have signals, and the terminal's end (as SIGHUP), call `end` with their number, in a thread of its own.

    Handlers are there before the terminal is taken, for without them a process dies with it in full-screen mode. Where
    what is guarded does not end in time the process is ended all the same: a terminal that takes nothing more, as over
    a connection that stalls, blocks who writes to it for ever.
    """
    told: queue.SimpleQueue[int | None] = queue.SimpleQueue()  # of all queues the one that handlers may put into
    settings = _settings()
    handlers = {number: signal.signal(number, lambda number, _: told.put(number)) for number in SIGNALS}
    watch = threading.Thread(target=_watch, args=(told, end, settings), daemon=True)
    watch.start()
    try:
        yield
    finally:
        if sys.__stderr__ is not None and sys.__stderr__.isatty():
            with contextlib.suppress(OSError):
                sys.__stderr__.write(_MOUSE_IN_CELLS)
                sys.__stderr__.flush()
        told.put(None)
        watch.join()
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _watch(told: queue.SimpleQueue[int | None], end: Callable[[int], object], settings: list[Any] | None) -> None:
    number = _first(told)
    if number is None:
        return
    end(number)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with contextlib.suppress(queue.Empty):
        while told.get(timeout=max(0.0, deadline - time.monotonic())) is not None:
            pass  # a second signal changes nothing
        return
    if settings is not None:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(_input(), termios.TCSANOW, settings)
    os._exit(128 + number)


def _first(told: queue.SimpleQueue[int | None]) -> int | None:
    """The first signal, or SIGHUP for a terminal that is gone; None where what is guarded ended before."""
    while True:
        with contextlib.suppress(queue.Empty):
            return told.get(timeout=_LOOK_SECONDS)
        if is_gone():
            return signal.SIGHUP


def _input() -> int:
    """Its descriptor; −1 where there is none."""
    return sys.__stdin__.fileno() if sys.__stdin__ is not None else -1


def _settings() -> list[Any] | None:
    try:
        return termios.tcgetattr(_input())
    except (OSError, ValueError, termios.error):
        return None
