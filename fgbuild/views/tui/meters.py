"""What the machine is doing: processor, memory, graphics card, and the build's own share of them."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

import psutil

from fgbuild.views import text
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.styles import MUTED
from fgbuild.views.tui.widgets import Panel, Part

_BAR_CELLS = 8
_MEMORY_SECONDS = 10.0
"""Between two readings of the build's memory: for one, the kernel goes through all its pages and holds them."""


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
        self._looked = False
        self._times = _times()
        self._build: tuple[int, float, float | None] | None = None

    def read(self, pid: int | None) -> Reading:
        """What it does now, and has done since it was read last. For a thread, one at a time: the driver may take
        seconds to begin. pid: of the build process, None where none runs."""
        memory = psutil.virtual_memory()
        return Reading(
            self._busy(),
            (memory.total - memory.available) / 1e6,
            memory.total / 1e6,
            self._build_mb(pid) if pid else None,
            tuple(self._gpus()),
        )

    def _build_mb(self, pid: int) -> float | None:
        now = time.monotonic()
        if self._build is None or self._build[0] != pid or now - self._build[1] >= _MEMORY_SECONDS:
            self._build = pid, now, _resident_mb(pid)
        return self._build[2]

    def _busy(self) -> float:
        # psutil.cpu_percent begins anew in each thread.
        before, self._times = self._times, _times()
        busy, every = (now - then for now, then in zip(self._times, before))
        return min(max(busy / every, 0.0), 1.0) if every > 0 else 0.0

    def _look_for_cards(self) -> None:
        self._looked = True
        with contextlib.suppress(Exception):  # no package, no driver or no card: each is told by another error
            import pynvml

            pynvml.nvmlInit()
            self._nvml = pynvml

    def _gpus(self) -> list[Gpu]:
        if not self._looked:
            self._look_for_cards()
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


def _times() -> tuple[float, float]:
    """Seconds of all cores since the machine began: busy ones, and all."""
    times = psutil.cpu_times()
    # A guest's time is in the user's time too, on Linux.
    every = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return every - times.idle - getattr(times, "iowait", 0.0), every


def _resident_mb(pid: int) -> float | None:
    """Of a process and those below it; a page that some share is shared out among them, where the system tells."""
    try:
        build = psutil.Process(pid)
        return sum(_resident(each) for each in [build, *build.children(recursive=True)]) / 1e6
    except psutil.Error:
        return None


def _resident(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
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
