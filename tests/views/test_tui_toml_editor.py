from __future__ import annotations

from textual.app import App, ComposeResult
from tui_sample import type_at_once

from fgbuild.views.tui.toml_editor import TomlEditor


class Editing(App[None]):
    def compose(self) -> ComposeResult:
        yield TomlEditor(id="editor")

    def on_mount(self) -> None:
        editor = self.query_one(TomlEditor)
        editor.show("first = 1\nsecond = 2\nthird = 3\n")
        editor.focus()


async def test_keys_work_in_the_order_in_which_they_were_typed() -> None:
    app = Editing()
    async with app.run_test() as pilot:
        await pilot.pause()
        type_at_once(app, "down", "end", *["backspace"] * 5, *"ed = 7", "home", "down", "end", *"0")
        await pilot.pause()
        await pilot.pause()
        assert app.query_one(TomlEditor).text == "first = 1\nseconed = 7\nthird = 30\n"
