"""The terminal that the dashboard is shown on."""

from __future__ import annotations

import select
import sys


def is_gone() -> bool:
    """Whether the terminal was closed: who does not own it gets no SIGHUP, and would read its end for ever."""
    try:
        descriptor = sys.__stdin__.fileno() if sys.__stdin__ is not None else -1
        poll = select.poll()
        poll.register(descriptor, 0)  # POLLHUP comes unasked
        return any(event & select.POLLHUP for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # no descriptor, or no poll on this system
        return False
