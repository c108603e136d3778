"""What the engine asks of whoever runs its workers (`fgbuild.executors`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """One worker to start: `python -m module job`, in `directory`, its output to `log`.

    cores: how many it was granted. preload: modules that it may find imported already. python: the interpreter, of
    an environment that need not have fgbuild; None: the build's own.
    """

    module: str
    job: Path
    log: Path
    directory: Path
    cores: int
    preload: tuple[str, ...] = ()
    python: Path | None = None


class WorkerExit(NamedTuple):
    """code: exit status, negative for the signal that ended it. Memory in MB (1e6 bytes)."""

    code: int
    cpu_seconds: float
    peak_memory_mb: float


class RunningWorker(Protocol):
    @property
    def events(self) -> int:
        """Descriptor that the worker's JSON lines are read from; non-blocking."""

    def poll(self) -> WorkerExit | None:
        """How it ended, once it has; then nothing of it is left running."""

    def terminate(self) -> None:
        """Ask it and its children to stop (SIGTERM)."""

    def kill(self) -> None:
        """Stop it and its children at once (SIGKILL)."""

    def close(self) -> None:
        """Release what belongs to it here."""


class Executor(Protocol):
    def prepare(self, modules: Iterable[str]) -> None:
        """Have these modules imported for workers to come, without waiting for it."""

    def start(self, request: WorkerRequest) -> RunningWorker: ...

    def close(self) -> None:
        """Release what it keeps between workers; none is running any more."""
