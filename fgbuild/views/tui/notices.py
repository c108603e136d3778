"""Notices: what happened, told for a while at the top right."""

from __future__ import annotations

_LEAST_SECONDS = {"information": 2.5, "warning": 4.0, "error": 8.0}
_READ_A_SECOND = 15
"""Characters; slow readers manage that."""


def seconds(message: str, severity: str) -> float:
    """How long it is shown: what confirms goes soon, and what is long can be read to its end."""
    return max(_LEAST_SECONDS[severity], 1.0 + len(message) / _READ_A_SECOND)
