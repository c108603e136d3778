from __future__ import annotations

from pathlib import Path

import pytest
import views_sample as sample
from tui_sample import dashboard, shows, wait_for

from fgbuild.views.tui.log import LogView


@pytest.mark.parametrize("width", [30, 50, 80, 81, 85, 120, 250])
async def test_keys_are_whole_and_the_help_is_always_among_them(tmp_path: Path, width: int) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path)
    names = {f"{key.key_display or key.key} {key.description}" for key in app.KEYS if key.show}
    async with app.run_test(size=(width, 24)) as pilot:
        screen = await shows(pilot, "? Help")
        assert " ▏ ? Help" in screen.splitlines()[-1]
        line = screen.splitlines()[-1].replace("▏", "  ")
        shown = [piece for piece in line.split("  ") if piece.strip()]
        assert {piece.strip() for piece in shown} <= names
        assert len(shown) == len(names) or width - len(line.rstrip().replace("? Help", "").rstrip()) < 30


async def test_the_views_own_keys_come_first(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path)
    async with app.run_test(size=(120, 24)) as pilot:
        await shows(pilot, "? Help")
        await pilot.press("l")
        await wait_for(pilot, lambda: isinstance(app.screen, LogView))
        screen = await shows(pilot, "? Help", "/ Search", "W Wrap")
        assert "q Quit" not in screen.splitlines()[-1].partition("W Wrap")[0]


async def test_a_wider_terminal_shows_more_keys(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with dashboard(tmp_path).run_test(size=(50, 24)) as pilot:
        screen = await shows(pilot, "? Help", "b Build")
        assert "q Quit" not in screen
        await pilot.resize_terminal(140, 24)
        await shows(pilot, "m Edit", "q Quit", "? Help")


async def test_what_a_newcomer_needs_is_shown_on_80_columns(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with dashboard(tmp_path).run_test(size=(80, 24)) as pilot:
        line = (await shows(pilot, "? Help")).splitlines()[-1]
        assert "b Build  B Build all  x Stop  l Log  w Why  h Runs  m Edit  q Quit" in line
