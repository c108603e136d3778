"""Versions of installed distributions, by one listing of each site-packages directory.

`importlib.metadata` gives the same, but costs more than a whole build in which nothing changed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

_SUFFIX = ".dist-info"


class Libraries:
    def __init__(self, directories: Iterable[str] | None = None) -> None:
        self._directories = list(sys.path if directories is None else directories)
        self._installed: dict[str, str] | None = None

    def versions(self, names: Iterable[str]) -> dict[str, str | None]:
        """Version by distribution name; None for one that is not installed."""
        if self._installed is None:
            self._installed = {}
            for directory in self._directories:
                self._scan(directory)
        return {name: self._installed.get(normalised(name)) for name in names}

    def _scan(self, directory: str) -> None:
        assert self._installed is not None
        try:
            entries = os.listdir(directory or ".")
        except OSError:
            return
        for entry in entries:
            if entry.endswith(_SUFFIX):
                name, _, version = entry[: -len(_SUFFIX)].partition("-")
                # The first directory on the path is the one that is imported from.
                self._installed.setdefault(normalised(name), version)


def normalised(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return name.lower().replace("_", "-").replace(".", "-")
