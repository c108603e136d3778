"""Every view at two sizes, in colour and with NO_COLOR, as it is meant to look."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import tui_snapshot
import views_sample as sample
from tui_sample import SIZES, dashboard, shows


@pytest.fixture(autouse=True)
def _one_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.parametrize("colour", ["colour", "no-color"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", ["done", "failed"])
async def test_overview(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, size: tuple[int, int], colour: str
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if colour == "no-color":
        monkeypatch.setenv("NO_COLOR", "1")
    sample.write_log(tmp_path, sample.whole_run() if name == "done" else sample.failed_run())
    async with dashboard(tmp_path).run_test(size=size) as pilot:
        await shows(pilot, sample.RUN, "▸ ", "? Help")
        await pilot.pause(0.2)
        tui_snapshot.check(pilot.app, f"overview-{name}-{size[0]}x{size[1]}-{colour}")
