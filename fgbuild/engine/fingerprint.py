"""The code of a worker as a component of the action key.

A fingerprint covers the worker's module and every module of the known packages that it imports,
directly or through others, by their normalised source; and the data files that lie beside them
(templates), by content. What each file gave is remembered, so that unchanged code is not parsed.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from blake3 import blake3

from fgbuild.engine.database import transaction
from fgbuild.engine.digests import Digests
from fgbuild.engine.source import Source, read_source
from fgbuild.engine.stamps import Stamp, settled, stamp
from fgbuild.errors import FgbuildError

REPORTING = frozenset({"fgbuild", "fgbuild.errors", "fgbuild.events", "fgbuild.workers.protocol"})
"""Modules that do not count, nor what they import.

How a worker reports decides none of its bytes. The top package holds the version number alone: a
release that changes nothing else must not train again (a model card keeps the version that wrote it).
"""

DATA_SUFFIXES = (".jinja", ".json", ".toml", ".txt")


class CodeFingerprints:
    """packages: top-level package → its directory; imports of anything else are libraries' business."""

    def __init__(
        self,
        database: sqlite3.Connection,
        digests: Digests,
        packages: Mapping[str, Path],
        excluded: frozenset[str] = REPORTING,
    ) -> None:
        self._database = database
        self._digests = digests
        self._packages = packages
        self._excluded = excluded
        self._known: dict[tuple[str, ...], str] = {}
        self._seen: dict[str, str] = {}
        self._files: dict[str, tuple[Path, bool] | None] = {}
        self._sources: dict[str, Source] = {}
        self._data: dict[Path, dict[str, str]] = {}
        self._looked: dict[str, tuple[Stamp, int]] = {}
        self._python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        self._remembered: dict[str, tuple[str, ...]] | None = None
        self._changed: dict[str, tuple[str, ...]] = {}

    def of(self, worker: str, more: Iterable[str] = ()) -> str:
        """The fingerprint of a worker's code. `more`: modules it loads by name; missing ones do not count."""
        modules = (worker, *more)
        if modules not in self._known:
            if self._locate(worker) is None:
                raise FgbuildError(f"there is no module {worker}; install fgbuild again")
            parts = self._parts(modules)
            text = json.dumps(parts, sort_keys=True)
            digest = blake3(text.encode()).hexdigest()
            self._known[modules] = digest
            self._seen[digest] = text
        return self._known[modules]

    def parts(self, digest: str) -> dict[str, str]:
        """File → digest of a fingerprint seen before; empty where it never was."""
        if digest in self._seen:
            return json.loads(self._seen[digest])
        row = self._database.execute("SELECT modules FROM fingerprints WHERE digest = ?", (digest,)).fetchone()
        return json.loads(row[0]) if row else {}

    def look_again(self) -> None:
        """Drop what was found, unless every file and folder it rests on still looks the same: it holds for one
        moment, and a build takes many."""
        if all(stamp(path) == seen and settled(seen, when) for path, (seen, when) in self._looked.items()):
            return
        for memory in (self._known, self._files, self._sources, self._data, self._looked):
            memory.clear()

    def save(self) -> None:
        """Write what was learnt; where that cannot be done, the code is parsed again next time."""
        stored = {digest for (digest,) in self._database.execute("SELECT digest FROM fingerprints")}
        new = [(digest, text) for digest, text in self._seen.items() if digest not in stored]
        if not new and not self._changed:
            return
        try:
            with transaction(self._database):
                self._database.executemany("REPLACE INTO fingerprints VALUES (?, ?)", new)
                self._database.executemany(
                    "REPLACE INTO sources VALUES (?, ?, ?, ?, ?)",
                    [(module, *row) for module, row in self._changed.items()],
                )
        except sqlite3.OperationalError:
            return
        self._changed.clear()

    def _parts(self, modules: tuple[str, ...]) -> dict[str, str]:
        found: dict[str, str] = {}
        seen: set[str] = set()
        pending = list(modules)
        while pending:
            name = pending.pop()
            if name in seen or name in self._excluded or name.partition(".")[0] not in self._packages:
                continue
            seen.add(name)
            pending.append(name.rpartition(".")[0])
            located = self._locate(name)
            if located is None:
                continue
            path, is_package = located
            source = self._source(name, path, is_package)
            found[self._shown(path)] = source.normal
            found.update(self._data_beside(path.parent))
            pending.extend(source.imports)
        return found

    def _locate(self, module: str) -> tuple[Path, bool] | None:
        """A module's file and whether it is a package; None for an attribute or a missing module."""
        if module not in self._files:
            top, *rest = module.split(".")
            directory = self._packages.get(top)
            located: tuple[Path, bool] | None = None
            if directory is not None:
                path = directory.joinpath(*rest)
                if self._is_file(path / "__init__.py"):
                    located = (path / "__init__.py", True)
                elif rest and self._is_file(file := path.with_name(path.name + ".py")):
                    located = (file, False)
            self._files[module] = located
        return self._files[module]

    def _is_file(self, path: Path) -> bool:
        self._look_at(path)
        return path.is_file()

    def _look_at(self, path: Path) -> None:
        """Note how a file or folder looks; call before it is read."""
        self._looked[str(path)] = (stamp(str(path)), time.time_ns())

    def _source(self, module: str, path: Path, is_package: bool) -> Source:
        if module not in self._sources:
            content = self._digests.of(path) or ""
            row = self._rows().get(module)
            if row is not None and row[:2] == (content, self._python):
                source = Source(row[2], tuple(json.loads(row[3])))
            else:
                source = read_source(path.read_bytes(), module, is_package)
                row = (content, self._python, source.normal, json.dumps(source.imports))
                self._rows()[module] = self._changed[module] = row
            self._sources[module] = source
        return self._sources[module]

    def _rows(self) -> dict[str, tuple[str, ...]]:
        if self._remembered is None:
            rows = self._database.execute("SELECT * FROM sources")
            self._remembered = {module: tuple(row) for module, *row in rows}
        return self._remembered

    def _data_beside(self, directory: Path) -> dict[str, str]:
        if directory not in self._data:
            self._look_at(directory)
            names = sorted(name for name in os.listdir(directory) if name.endswith(DATA_SUFFIXES))
            paths = [directory / name for name in names]
            for path in paths:
                self._look_at(path)
            self._data[directory] = {self._shown(path): self._digests.of(path) or "" for path in paths}
        return self._data[directory]

    def _shown(self, path: Path) -> str:
        """`fgbuild/workers/train.py`: the same wherever the package is installed."""
        for top, directory in self._packages.items():
            if path.is_relative_to(directory):
                return f"{top}/{path.relative_to(directory).as_posix()}"
        return str(path)
