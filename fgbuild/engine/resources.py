"""What the machine has and what running stages hold of it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from fgbuild.stages.spec import StageSpec

_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, slots=True)
class Machine:
    cores: int
    memory_mb: float

    @classmethod
    def detect(cls) -> Machine:
        """Cores this process may use, and memory: the machine's, or its control group's where less."""
        if hasattr(os, "sched_getaffinity"):
            cores = len(os.sched_getaffinity(0))
        else:
            cores = os.cpu_count() or 1
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        with contextlib.suppress(OSError, ValueError):
            memory = min(memory, int(_CGROUP_LIMIT.read_text("ascii")))
        return cls(cores, memory / 1e6)


class Pool:
    """Grants cores and memory; never more than there is. jobs: most stages at the same time."""

    def __init__(self, machine: Machine, jobs: int | None = None) -> None:
        self._machine = machine
        self._jobs = jobs
        self._held: dict[str, tuple[int, float]] = {}

    def needs(self, spec: StageSpec) -> tuple[int, float]:
        """Cores and MB for a stage; one that asks for more than the machine has gets all of it."""
        return min(spec.cores, self._machine.cores), min(spec.memory_mb, self._machine.memory_mb)

    def take(self, stage: str, spec: StageSpec) -> int | None:
        """Reserve what a stage needs and return its cores; None where it does not fit now."""
        cores, memory = self.needs(spec)
        if self._jobs is not None and len(self._held) >= self._jobs:
            return None
        if sum(held[0] for held in self._held.values()) + cores > self._machine.cores:
            return None
        if sum(held[1] for held in self._held.values()) + memory > self._machine.memory_mb:
            return None
        self._held[stage] = (cores, memory)
        return cores

    def give(self, stage: str) -> None:
        del self._held[stage]
