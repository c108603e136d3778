"""The last time that nothing had to be done: what was looked at, and how it looked.

A build with nothing to do reads manifests, code, versions and digests, and concludes that all is as it was. While
every file and folder that the conclusion rests on still has the size, times and inode it had, it holds, and looking
at them is all that is left to do. Anything else — one file touched, a library installed, a stage recorded — and
everything is worked out again. A witness is kept beside the database and can be removed at any time.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping

from fgbuild import __version__
from fgbuild.engine.stamps import Stamp, settled, stamp

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SOURCES = ("fgbuild.toml", "fgbuild.lock", "manifests")


class Witness:
    """root: the project's. question: what was asked for, as JSON data: domains, last stage, base, profile."""

    def __init__(self, root: str, question: Mapping[str, object]) -> None:
        self._root = root
        self._question = {**question, "fgbuild": __version__, "python": sys.version, "path": sys.path}
        self._before: dict[str, Stamp] = {}
        self._began = 0

    def answer(self) -> list[str] | None:
        """The stages that are up to date, where nothing has changed since that was found; else None."""
        try:
            with open(self._file, "rb") as stream:
                record = json.load(stream)
            if record["question"] != self._question or os.listdir(f"{self._root}/cache/tmp"):
                return None
            for path, seen in record["seen"].items():
                if stamp(path) != seen:
                    return None
            stages: list[str] = record["stages"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return stages

    def begin(self) -> None:
        """Note how manifests, code and libraries look, before any of them is read."""
        self._began = time.time_ns()
        names = [f"{self._root}/{name}" for name in _SOURCES]
        names += [entry.path for entry in _listed(f"{self._root}/manifests") if entry.name.endswith(".toml")]
        names += _tree(_PACKAGE)
        names += sys.path
        self._before = {name: stamp(name) for name in names}

    def keep(self, stages: list[str], files: Mapping[str, Stamp], folders: Iterable[str]) -> None:
        """Nothing had to be done: remember that, unless something was written a moment ago.

        files: those that were read, as they looked then. Call when the database is closed.
        """
        own = [f"{self._root}/cache/{name}" for name in ("store", "index.sqlite", "index.sqlite-wal")]
        self._before |= {name: stamp(name) for name in (*folders, *own)}
        seen = {**files, **self._before}
        if not all(settled(found, self._began) for found in seen.values()):
            return
        record = {"question": self._question, "stages": stages, "seen": seen}
        temporary = f"{self._file}.{os.getpid()}.tmp"
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time and nothing else
            os.makedirs(os.path.dirname(self._file), exist_ok=True)
            with open(temporary, "w", encoding="utf-8") as stream:
                json.dump(record, stream)
            os.replace(temporary, self._file)

    @property
    def _file(self) -> str:
        from zlib import crc32

        asked = json.dumps(self._question, sort_keys=True)
        return f"{self._root}/cache/unchanged/{crc32(asked.encode('utf-8', 'surrogatepass')):08x}.json"


def _tree(top: str) -> list[str]:
    """Every folder and file of a package, compiled code apart."""
    found, pending = [], [top]
    while pending:
        folder = pending.pop()
        found.append(folder)
        for entry in _listed(folder):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    pending.append(entry.path)
            else:
                found.append(entry.path)
    return found


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
