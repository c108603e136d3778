"""The last time that everything was up to date: what was looked at, and how it looked.

A build with nothing to do reads manifests, code, versions and digests, and concludes that all is as it was. While
every file and folder that the conclusion rests on still has the size, times and inode it had, it holds, and looking
at them is all that is left to do. Where files of some domains alone have changed, it still holds for the others.
Anything else — a library installed, a stage recorded — and everything is worked out again. A witness is kept beside
the database and can be removed at any time.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import Collection, Iterable, Mapping

from fgbuild import __version__
from fgbuild.engine.stamps import Stamp, settled, stamp

TYPE_CHECKING = False  # not from typing, which takes a thirtieth of a build with nothing to do
if TYPE_CHECKING:
    from typing import Any

Seen = dict[str, Stamp] | None
"""How each file and folder looked; None where that cannot be believed."""

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SOURCES = ("fgbuild.toml", "fgbuild.lock")
_OWN = ("store", "index.sqlite", "index.sqlite-wal")


def forget(cache: str) -> None:
    """Remove every witness; call under the tree's lock before stored artifacts or recorded actions change."""
    for entry in _listed(f"{cache}/unchanged"):
        with contextlib.suppress(OSError):
            os.unlink(entry)


class Witness:
    """root: the project's. question: what was asked for, as JSON data: domains, last stage, base, profile.

    The record: `shared` and `own` (of the cache) as Seen; `base`, the stages that all domains share; and for each
    domain its manifest, its stages and what they rest on, as Seen.
    """

    def __init__(self, root: str, question: Mapping[str, object]) -> None:
        self._root = root
        # Where a training may choose its library, a GPU decides which.
        gpu = [os.path.exists("/dev/nvidiactl"), os.environ.get("CUDA_VISIBLE_DEVICES")]
        environment = {"root": root, "fgbuild": __version__, "python": sys.version, "path": sys.path, "gpu": gpu}
        self._question = {**question, **environment}
        self._record: dict[str, Any] = {}
        self._names: list[str] = []
        self._before: dict[str, Stamp] = {}
        self._began = 0

    def look(self) -> list[str] | None:
        """The domains that have to be looked at again, none where nothing has changed; None: everything has to be."""
        try:
            record = self._load()
            if record["question"] != self._question or _names(f"{self._root}/cache/tmp"):
                return None
            if record["manifests"] != self._manifests() or _differs(record["shared"]) or _differs(record["own"]):
                return None
            touched = [name for name, (_, _, seen) in record["domains"].items() if _differs(seen)]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        self._record = record
        return touched

    def _load(self) -> dict[str, Any]:
        with open(self._file, "rb") as stream:
            content = stream.read()
        collecting = gc.isenabled()
        gc.disable()  # nothing of what is made here is garbage, and there is much of it to walk
        try:
            record: dict[str, Any] = json.loads(content)
        finally:
            if collecting:
                gc.enable()
        return record

    @property
    def domains(self) -> int:
        """How many there were."""
        return len(self._record["domains"])

    def manifest(self, domain: str) -> str:
        """Where a domain's manifest was, relative to the root."""
        return str(self._record["domains"][domain][0])

    def stages(self) -> list[str]:
        """Every stage that there was."""
        return [*self._record["base"], *self.beside(())]

    def beside(self, touched: Collection[str]) -> list[str]:
        """The stages of the domains but these."""
        but = set(touched)
        domains = self._record["domains"].items()
        return [stage for name, (_, stages, _) in domains if name not in but for stage in stages]

    def begin(self, touched: Iterable[str] | None = None) -> None:
        """Note how manifests (of these domains), code and libraries look, before any of them is read."""
        self._began = time.time_ns()
        if touched is not None:
            names = [f"{self._root}/{self.manifest(name)}" for name in touched]
        else:
            self._record = {}
            self._names = self._manifests()
            names = [f"{self._root}/{name}" for name in _SOURCES]
            names += [f"{self._root}/manifests/{name}" for name in self._names]
            names += [*_tree(_PACKAGE), *sys.path]
        self._before = {name: stamp(name) for name in names}

    def keep(self, base: list[str], shared: Seen, domains: Mapping[str, tuple[str, list[str], Seen]]) -> None:
        """Remember what is up to date now. Call when the database is closed.

        base: stages that all domains share, and `shared` what they rest on. domains: manifest relative to the root,
        stages, and what they rest on. Of domains that `begin` was not told of, what was known is kept.
        """
        manifests = {name: f"{self._root}/{manifest}" for name, (manifest, _, _) in domains.items()}
        if self._record:
            shared = self._record["shared"]
            entries = dict(self._record["domains"])
        else:
            theirs = set(manifests.values())
            others = {path: found for path, found in self._before.items() if path not in theirs}
            shared = {**(shared or {}), **others} if shared is not None and self._all_settled(others) else None
            entries = {}
        for name, (manifest, stages, seen) in domains.items():
            before = {manifests[name]: self._before.get(manifests[name])}
            sure = seen is not None and self._all_settled(before)
            entries[name] = [manifest, stages, {**before, **(seen or {})} if sure else None]
        names = self._record["manifests"] if self._record else self._names
        if shared is not None:
            # Though just written, this can be believed: whoever changes what is stored or recorded first removes every
            # witness.
            own = {path: stamp(path) for path in (f"{self._root}/cache/{name}" for name in _OWN)}
            record = {"question": self._question, "manifests": names, "base": base, "shared": shared}
            self._write({**record, "own": own, "domains": entries})

    def _all_settled(self, found: Mapping[str, Stamp]) -> bool:
        return all(settled(each, self._began) for each in found.values())

    def _write(self, record: Mapping[str, object]) -> None:
        temporary = f"{self._file}.{os.getpid()}.tmp"
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time and nothing else
            os.makedirs(os.path.dirname(self._file), exist_ok=True)
            with open(temporary, "w", encoding="utf-8") as stream:
                stream.write(json.dumps(record))
            os.replace(temporary, self._file)

    def _manifests(self) -> list[str]:
        """Names of all manifests; a folder's own times also change with what an editor leaves there for a moment."""
        names = _names(f"{self._root}/manifests")
        return sorted(name for name in names if name.endswith(".toml") and name[0] != ".")

    @property
    def _file(self) -> str:
        from zlib import crc32

        asked = json.dumps(self._question, sort_keys=True)
        return f"{self._root}/cache/unchanged/{crc32(asked.encode('utf-8', 'surrogatepass')):08x}.json"


def _differs(seen: Seen) -> bool:
    return seen is None or any(stamp(path) != found for path, found in seen.items())


def _names(folder: str) -> list[str]:
    """What is in a folder; nothing where there is none."""
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


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
