"""What the machine is doing: processor, memory, graphics card, and the build's own share of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psutil

from fgbuild.views import text
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.styles import MUTED
from fgbuild.views.tui.widgets import Panel, Part

_BAR_CELLS = 8


@dataclass(frozen=True, slots=True)
class Gpu:
    """busy: share of time, 0 to 1. used_mb, total_mb: memory."""

    busy: float
    used_mb: float
    total_mb: float


@dataclass(frozen=True, slots=True)
class Reading:
    """busy: share of all cores, 0 to 1. build_mb: memory of the build and its workers; None where it is over."""

    busy: float
    used_mb: float
    total_mb: float
    build_mb: float | None = None
    gpus: tuple[Gpu, ...] = ()


class Meter:
    """Reads the machine. NVIDIA cards are read where their driver is; on other machines there are none."""

    def __init__(self) -> None:
        self._nvml: Any = None
        try:
            import pynvml

            pynvml.nvmlInit()
            self._nvml = pynvml
        except Exception:  # no package, no driver or no card: each is told by another error
            self._nvml = None
        psutil.cpu_percent(None)  # the first call only begins to measure

    def read(self, pid: int | None) -> Reading:
        """pid: of the build process, None where none runs."""
        memory = psutil.virtual_memory()
        return Reading(
            psutil.cpu_percent(None) / 100,
            (memory.total - memory.available) / 1e6,
            memory.total / 1e6,
            _resident_mb(pid) if pid else None,
            tuple(self._gpus()),
        )

    def _gpus(self) -> list[Gpu]:
        if self._nvml is None:
            return []
        found = []
        try:
            for index in range(self._nvml.nvmlDeviceGetCount()):
                handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
                memory = self._nvml.nvmlDeviceGetMemoryInfo(handle)
                busy = self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu
                found.append(Gpu(busy / 100, memory.used / 1e6, memory.total / 1e6))
        except self._nvml.NVMLError:
            self._nvml = None  # the driver went away
        return found


def _resident_mb(pid: int) -> float | None:
    """Of a process and those below it; pages that they share count once for each."""
    try:
        build = psutil.Process(pid)
        return sum(_resident(each) for each in [build, *build.children(recursive=True)]) / 1e6
    except psutil.Error:
        return None


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


class MetersPanel(Panel):
    """The last reading in one line; nothing where none was taken."""

    reading: Reading | None = None

    def parts(self, snapshot: Snapshot, width: int, height: int) -> list[Part]:
        reading = self.reading
        if reading is None:
            return [""]
        pieces = [
            f"cpu {text.bar(reading.busy, _BAR_CELLS)} {reading.busy:.0%}",
            f"memory {_of(reading.used_mb, reading.total_mb)}",
            _build(reading, snapshot),
            *(
                f"gpu{number if len(reading.gpus) > 1 else ''} {text.bar(gpu.busy, _BAR_CELLS)} {gpu.busy:.0%} "
                f"{_of(gpu.used_mb, gpu.total_mb)}"
                for number, gpu in enumerate(reading.gpus)
            ),
        ]
        return [(" " + text.joined(pieces, " · ", width - 1), MUTED)]


def _of(used: float, total: float) -> str:
    return f"{used / 1000:.1f}/{total / 1000:.1f} GB"


def _build(reading: Reading, snapshot: Snapshot) -> str:
    """The build's memory beside the peak that was predicted for what runs."""
    if reading.build_mb is None:
        return ""
    expected = [stage.predicted_memory_mb for stage in snapshot.state.running()]
    known = [each for each in expected if each is not None]
    if not known or len(known) < len(expected):
        return f"build {text.megabytes(reading.build_mb)}"
    return f"build {text.megabytes(reading.build_mb)} of {text.megabytes(sum(known))} expected"
