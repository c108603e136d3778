from __future__ import annotations

from textual import events
from textual.app import App, ComposeResult

from fgbuild.views.tui.toml_editor import TomlEditor


class Editing(App[None]):
    def compose(self) -> ComposeResult:
        yield TomlEditor(id="editor")

    def on_mount(self) -> None:
        editor = self.query_one(TomlEditor)
        editor.show("first = 1\nsecond = 2\nthird = 3\n")
        editor.focus()


async def test_keys_work_in_the_order_in_which_they_were_typed() -> None:
    """As a fast typist or a paste of keys gives them: the app is still busy with the first when the last one comes."""
    app = Editing()
    async with app.run_test() as pilot:
        await pilot.pause()
        typed = ["down", "end", *["backspace"] * 5, *"ed = 7", "home", "down", "end", *"0"]
        for key in typed:
            name = {" ": "space", "=": "equals_sign"}.get(key, key)
            app.post_message(events.Key(name, key if len(key) == 1 else None))
        await pilot.pause()
        await pilot.pause()
        assert app.query_one(TomlEditor).text == "first = 1\nseconed = 7\nthird = 30\n"
