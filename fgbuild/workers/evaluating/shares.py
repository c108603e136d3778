"""Shares of right answers, and how far they can be trusted."""

from __future__ import annotations

import math
from collections.abc import Iterable

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: two-sided 95 %."""


class Shares:
    """Named shares of outcomes. values: name → share, 0 to 1, or None over nothing. intervals: name → [low, high]."""

    def __init__(self) -> None:
        self.values: dict[str, float | None] = {}
        self.intervals: dict[str, list[float]] = {}

    def add(self, name: str, outcomes: Iterable[bool], due: bool = False) -> None:
        """due: whether a share over nothing is 0, as something should have been there."""
        counted = list(outcomes)
        found = share(counted)
        self.values[name] = 0.0 if found is None and due else found
        if counted:
            low, high = wilson(sum(counted), len(counted))
            self.intervals[name] = [round(low, 4), round(high, 4)]


def share(outcomes: Iterable[bool]) -> float | None:
    """Of outcomes, those that are true; None where there are none."""
    counted = list(outcomes)
    return round(sum(counted) / len(counted), 4) if counted else None


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share, without continuity correction. trials: at least 1."""
    center = successes + Z**2 / 2
    # Not through the share: of whole numbers the root is exact where all or none succeeded.
    half = Z * math.sqrt(successes * (trials - successes) / trials + Z**2 / 4)
    whole = trials + Z**2
    low = 0.0 if successes == 0 else (center - half) / whole
    high = 1.0 if successes == trials else (center + half) / whole
    return low, high
