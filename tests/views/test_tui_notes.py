from __future__ import annotations

import time
from pathlib import Path

import pytest
import views_sample as sample
from tui_sample import AT_BOTH_SIZES, dashboard, screen_of, shows, wait_for


@AT_BOTH_SIZES
async def test_a_long_note_leaves_room_for_the_others(tmp_path: Path, size: tuple[int, int]) -> None:
    recorder = sample.Recorder(start=time.time())
    sample.begin(recorder)
    recorder.emit("stage.note", stage="lint:eval", text="lost: " + "View " * 90)
    sample.write_log(tmp_path, recorder.events)
    app = dashboard(tmp_path)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "lint:eval  lost: View", "Notes · what ends in … is whole in the log (l)")
        await wait_for(pilot, lambda: sum("View View" in line for line in screen_of(app).splitlines()) == 3)


async def test_short_notes_have_no_hint(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with dashboard(tmp_path).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "fp32 on cpu")
        assert "in the log (l)" not in screen_of(pilot.app)


@pytest.mark.parametrize("quote", ["'", '"'])
async def test_a_quoted_answer_does_not_push_the_reason_out(tmp_path: Path, quote: str) -> None:
    answer = "View " * 60
    reason = f"argument file is {quote}{answer}{quote}, not 'a.py'; prompt 'What is F841?'"
    recorder = sample.Recorder(start=time.time())
    sample.begin(recorder)
    recorder.emit("stage.check", stage="lint:verify", name="smoke", passed=False, value="2 of 3", reason=reason)
    sample.write_log(tmp_path, recorder.events)
    app = dashboard(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, f"✗ lint:verify  smoke: 2 of 3: argument file is {quote}View View")
        wanted = f"…{quote}, not 'a.py'; prompt 'What is F841?'"
        await wait_for(pilot, lambda: wanted in " ".join(screen_of(app).split()))
