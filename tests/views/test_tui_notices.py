from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import views_sample as sample
from browse_sample import data_app
from editor_sample import EditorDesk, write_manifest
from textual.widgets._toast import Toast
from tui_sample import SIZES, dashboard, screen_of, shows, wait_for, write_output

from fgbuild.views.tui import notices
from fgbuild.views.tui.app import DashboardApp

LONG = "The build ended with exit code 1: " + "a reason that takes many words " * 4 + "ends here"


def log_app(root: Path) -> DashboardApp:
    sample.write_log(root, sample.whole_run())
    write_output(root, "a line\n")
    return dashboard(root)


def editor_app(root: Path) -> DashboardApp:
    write_manifest(root)
    app = DashboardApp(EditorDesk(root))
    app.selected = "lint:train"
    return app


@pytest.mark.parametrize("size", [SIZES[0], (50, 15)])
@pytest.mark.parametrize(
    ("make", "keys", "words"),
    [
        (log_app, ("l", "slash"), "following"),
        (data_app, ("d", "slash"), "words to look for"),
        (editor_app, ("m",), "✓ Nothing changes"),
    ],
)
async def test_they_cover_no_line_that_is_typed_into_or_says_how_it_went(
    tmp_path: Path, make: Callable[[Path], Any], keys: tuple[str, ...], words: str, size: tuple[int, int]
) -> None:
    app = make(tmp_path)
    async with app.run_test(size=size, notifications=True) as pilot:
        await shows(pilot, "Help")
        await pilot.press(*keys)
        before = (await shows(pilot, words)).splitlines()
        app.tell("Copied.")
        after = (await shows(pilot, "Copied.")).splitlines()
        assert [number for number, line in enumerate(after) if line != before[number]] == [1]
        app.tell(LONG, "error")
        after = (await shows(pilot, "ends here")).splitlines()
        assert "Copied." not in screen_of(app)
        assert after[0] == before[0]
        assert after[7:] == before[7:]


async def test_one_at_a_time_also_of_textuals_own(tmp_path: Path) -> None:
    app = log_app(tmp_path)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, "✓ done")
        app.tell("The older one.")
        await shows(pilot, "The older one.")
        app.notify("One of textual's.")
        await shows(pilot, "One of textual's.")
        await wait_for(pilot, lambda: len(app.screen.query(Toast)) == 1)
        app.tell("The newer one.")
        await shows(pilot, "The newer one.")
        await wait_for(pilot, lambda: len(app.screen.query(Toast)) == 1)


def test_what_confirms_goes_soon_and_what_is_long_can_be_read() -> None:
    assert notices.seconds("Copied.", "information") < 3 < notices.seconds("Copied.", "error")
    assert notices.seconds(LONG, "information") > 8
