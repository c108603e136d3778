from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
import views_sample as sample
from tui_sample import AT_BOTH_SIZES, SIZES, begun_now, dashboard, screen_of, shows, wait_for

from fgbuild.views.tui import meters
from fgbuild.views.tui import overview as overview_module
from fgbuild.views.tui.meters import Gpu, Meter, MetersPanel, Reading
from fgbuild.views.tui.overview import Overview


def test_a_reading_is_of_this_machine() -> None:
    reading = Meter().read(None)
    assert reading.total_mb == pytest.approx(psutil.virtual_memory().total / 1e6)
    assert 0 < reading.used_mb < reading.total_mb
    assert 0 <= reading.busy <= 1
    assert reading.build_mb is None


def test_memory_of_a_build_counts_its_workers() -> None:
    code = "import time; held = bytearray(80_000_000); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        meter = Meter()
        alone = meter.read(child.pid).build_mb
        with_me = meter.read(os.getpid()).build_mb
        child.kill()
    assert alone is not None
    assert with_me is not None
    assert alone > 80
    assert with_me > alone + 20  # this process too


def test_memory_of_a_build_that_is_gone_is_unknown() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert Meter().read(child.pid).build_mb is None


@AT_BOTH_SIZES
async def test_a_running_build_shows_the_machine(tmp_path: Path, size: tuple[int, int]) -> None:
    events = begun_now()
    for stage in events[0]["stages"]:
        stage["predicted_memory_mb"] = 3600
    sample.write_log(tmp_path, events)
    async with dashboard(tmp_path).run_test(size=size) as pilot:
        await shows(pilot, "cpu ", "memory ", "build ", " of 3.6 GB expected")
        panel = pilot.app.screen.query_one(MetersPanel)
        panel.reading = Reading(0.5, 6_100, 24_000, 3_100, (Gpu(0.25, 12_000, 80_000),))
        panel.show(pilot.app.feed.snapshot())  # type: ignore[attr-defined]
        screen = await shows(pilot, "cpu ████░░░░ 50% · memory 6.1/24.0 GB · build 3.1 GB of 3.6 GB expected")
        assert ("gpu ██░░░░░░ 25% 12.0/80.0 GB" in screen) == (size[0] > 80)


async def test_a_build_that_is_over_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    monkeypatch.setattr(Meter, "read", lambda meter, pid: read.append(pid))
    sample.write_log(tmp_path, sample.whole_run())
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "✓ done")
        overview = pilot.app.screen
        assert isinstance(overview, Overview)
        overview._measure()
        await pilot.pause()
        assert read == []
        assert "cpu " not in screen_of(pilot.app)


async def test_a_driver_that_takes_long_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, asked = threading.Event(), threading.Event()
    look = Meter._look_for_cards

    def slow(meter: Meter) -> None:
        asked.set()
        gate.wait(20)
        look(meter)

    monkeypatch.setattr(Meter, "_look_for_cards", slow)
    monkeypatch.setattr(overview_module, "METER_SECONDS", 0.02)
    sample.write_log(tmp_path, begun_now())
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await wait_for(pilot, asked.is_set)
        screen = await shows(pilot, "● running")
        assert "cpu " not in screen
        gate.set()
        await shows(pilot, "cpu ", "memory ")


def test_how_busy_the_machine_is_counts_from_the_last_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([(10.0, 100.0), (13.0, 104.0), (13.0, 104.0)])
    monkeypatch.setattr(meters, "_times", lambda: next(times))
    meter = Meter()
    assert [meter.read(None).busy, meter.read(None).busy] == [0.75, 0.0]


def test_the_memory_of_a_build_is_not_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reading has the kernel go through all pages of a training."""
    readings = iter([100.0, 200.0, 300.0])
    clock = iter([0.0, 2.0, 4.0, 12.0])
    monkeypatch.setattr(meters, "_resident_mb", lambda pid: next(readings))
    monkeypatch.setattr(meters.time, "monotonic", lambda: next(clock))
    meter = Meter()
    assert [meter.read(pid).build_mb for pid in (7, 7, 8, 8)] == [100.0, 100.0, 200.0, 200.0]
    assert meter.read(None).build_mb is None
