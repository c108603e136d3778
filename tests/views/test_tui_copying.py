from __future__ import annotations

import stat
from pathlib import Path

import views_sample as sample
from tui_sample import SIZES, dashboard, shows

from fgbuild.views.tui.copying import copied_path, copy


async def test_it_is_kept_in_a_private_file_too(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, "✓ done")
        for text in ("something longer than the next", "é\nb"):
            copy(app, text, "2 lines")
            assert app.clipboard == text
            assert copied_path(tmp_path).read_text("utf-8") == text
        await shows(pilot, "Copied 2 lines, also to cache/ui/copied.txt.")
    assert stat.S_IMODE(copied_path(tmp_path).stat().st_mode) == 0o600
    assert [each.name for each in copied_path(tmp_path).parent.iterdir()] == ["copied.txt"]


async def test_where_the_file_cannot_be_written_it_is_copied_all_the_same(tmp_path: Path) -> None:
    sample.write_log(tmp_path, sample.whole_run())
    copied_path(tmp_path).mkdir(parents=True)
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await shows(pilot, "✓ done")
        copy(app, "words", "1 line")
        assert app.clipboard == "words"
        await shows(pilot, "Copied 1 line; cache/ui/copied.txt", "cannot be written")


async def test_half_a_character_is_copied_as_json_writes_it(tmp_path: Path) -> None:
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        copy(app, '"\ud800"', "the row as JSON")
        await shows(pilot, "Copied the row as JSON, also to")
        assert app.clipboard == '"\\ud800"' == copied_path(tmp_path).read_text("utf-8")
