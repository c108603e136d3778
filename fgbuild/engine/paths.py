"""Where the engine keeps things below the project root.

cache/
  index.sqlite   digests, actions, history (SQLite)
  build.lock     held by the running build
  store/         artifacts by tree digest, read-only
  tmp/           job files and outputs of running stages; what a dead build left is removed
  state/         what workers keep between attempts (checkpoints)
  environments.json  where other Python environments keep their libraries (`environments`)
  unchanged/     what everything being up to date rests on, by request (`witness`)
  runs/<id>/     events.jsonl and logs/ of each run, and requests/ while it runs; ids sort by time
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    root: Path

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def database(self) -> Path:
        return self.cache / "index.sqlite"

    @property
    def lock(self) -> Path:
        return self.cache / "build.lock"

    @property
    def environments(self) -> Path:
        return self.cache / "environments.json"

    @property
    def store(self) -> Path:
        return self.cache / "store"

    @property
    def tmp(self) -> Path:
        return self.cache / "tmp"

    @property
    def state(self) -> Path:
        return self.cache / "state"

    @property
    def runs(self) -> Path:
        return self.cache / "runs"

    def run(self, run: str) -> Path:
        return self.runs / run

    def events(self, run: str) -> Path:
        return self.runs / run / "events.jsonl"

    def requests(self, run: str) -> Path:
        return self.runs / run / "requests"

    def log(self, run: str, stage: str) -> Path:
        return self.runs / run / "logs" / f"{file_name(stage)}.log"

    def relative(self, path: Path) -> str:
        """`path` as people are shown it: below the root where it lies there."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return str(path)


def file_name(stage: str) -> str:
    """A stage's id as a file name: `lint:train` → `lint.train`."""
    return stage.replace(":", ".")
