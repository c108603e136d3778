from __future__ import annotations

from pathlib import Path
from typing import Any

import views_sample as sample
from textual.command import CommandList
from textual.pilot import Pilot
from textual.widgets import Input
from tui_sample import SIZES, dashboard, shows, wait_for

from fgbuild.views.tui.app import DashboardApp


async def test_the_palette_has_every_key(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[1]) as pilot:
        await shows(pilot, "✓ done")
        await pilot.press("ctrl+p")
        await pilot.press(*"report")
        await shows(pilot, "Report (o)")
        await pilot.press("enter")
        await wait_for(pilot, lambda: ("report", sample.RUN) in app.desk.asked)
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert all(any(title.startswith(binding.description) for title in titles) for binding in DashboardApp.KEYS)


async def found_in_palette(pilot: Pilot[Any], query: str) -> list[str]:
    """The titles that the command palette lists for a query, from the top."""
    await pilot.press("ctrl+p", *query)
    palette = pilot.app.screen.query_one(CommandList)
    await wait_for(pilot, lambda: pilot.app.screen.query_one(Input).value == query and palette.option_count > 0)
    await pilot.pause(0.1)
    titles = [str(option.prompt).splitlines()[0] for option in palette.options]
    await pilot.press("escape")
    return titles


async def test_the_palette_finds_keys_by_what_they_do_and_titles_first(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    async with dashboard(tmp_path).run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "✓ done")
        assert await found_in_palette(pilot, "comp") == ["Runs (h)"]
        assert await found_in_palette(pilot, "past builds") == ["Runs (h)"]
        assert await found_in_palette(pilot, "edit") == ["Edit (m)"]
        assert (await found_in_palette(pilot, "log"))[0] == "Log (l)"
        builds = await found_in_palette(pilot, "build")
        assert builds[:2] == ["Build (b)", "Build all (B)"]
        assert "Runs (h)" not in builds[:2]
        assert await found_in_palette(pilot, "nothing has this") == []


async def test_the_palette_has_of_textuals_commands_what_fits(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shows(pilot, "✓ done")
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert {"Theme", "Quit (q)", "Help (?)"} <= {*titles}
        assert not {"Keys", "Maximize", "Screenshot", "Quit"} & {*titles}
        await pilot.press("p")
        await shows(pilot, "Ask lint")
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert "Quit (^q)" in titles
