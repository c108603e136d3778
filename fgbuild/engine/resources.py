"""What the machine has and what running stages hold of it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from fgbuild.stages.spec import StageSpec

NVIDIA = Path("/dev/nvidiactl")
"""There where the NVIDIA driver is loaded."""
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_GPU_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Need:
    """What a stage holds while it runs: cores, and MB of memory and of GPU memory."""

    cores: int
    memory_mb: float
    gpu_memory_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is; of several GPUs the first, which is the one that a worker uses."""

    cores: int
    memory_mb: float
    gpu_memory_mb: float = 0.0

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
        return cls(cores, memory / 1e6, gpu_memory())


def has_gpu() -> bool:
    """Whether a worker may find an NVIDIA GPU: the driver is loaded, and none is hidden from it."""
    return NVIDIA.exists() and os.environ.get("CUDA_VISIBLE_DEVICES") not in ("", "-1")


def gpu_memory() -> float:
    """MB (1e6 bytes) of the first NVIDIA GPU that may be used; 0 where there is none, or nobody can say."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible == "" or not NVIDIA.exists():
        return 0.0
    import subprocess

    chosen = ["-i", visible.split(",")[0]] if visible else []
    try:
        command = ["nvidia-smi", *chosen, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
        found = subprocess.run(command, capture_output=True, text=True, timeout=_GPU_SECONDS, check=True)
        return float(found.stdout.split()[0]) * 1024 * 1024 / 1e6  # it says MiB
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return 0.0


class Pool:
    """Grants what stages need; never more than there is. jobs: most stages at the same time."""

    def __init__(self, machine: Machine, jobs: int | None = None) -> None:
        self._machine = machine
        self._jobs = jobs
        self._held: dict[str, Need] = {}

    def needs(self, spec: StageSpec) -> Need:
        """For a stage; one that asks for more than the machine has gets all of it."""
        machine = self._machine
        return Need(
            min(spec.cores, machine.cores),
            min(spec.memory_mb, machine.memory_mb),
            min(spec.gpu_memory_mb, machine.gpu_memory_mb),
        )

    def take(self, stage: str, spec: StageSpec) -> int | None:
        """Reserve what a stage needs and return its cores; None where it does not fit now."""
        if self._jobs is not None and len(self._held) >= self._jobs:
            return None
        need = self.needs(spec)
        together = [need, *self._held.values()]
        if (
            sum(each.cores for each in together) > self._machine.cores
            or sum(each.memory_mb for each in together) > self._machine.memory_mb
            or sum(each.gpu_memory_mb for each in together) > self._machine.gpu_memory_mb
        ):
            return None
        self._held[stage] = need
        return need.cores

    def give(self, stage: str) -> None:
        del self._held[stage]
