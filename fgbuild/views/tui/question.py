"""A question that has to be answered before something goes on."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.widgets import Static

from fgbuild.views.text import clean
from fgbuild.views.tui.dialog import Dialog

STAY = ""


class Question(Dialog[str]):
    """Gives the key of the chosen answer; escape gives STAY. answers: key → what it does. stay: what escape does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stay", "Cancel")]

    def __init__(self, question: str, answers: dict[str, str], stay: str) -> None:
        super().__init__()
        self._question = question
        self._answers = answers
        self._stay = stay

    def compose(self) -> ComposeResult:
        parts: list[str | tuple[str, str]] = [clean(self._question, 500), "\n"]
        for key, what in [*self._answers.items(), ("Esc", self._stay)]:
            parts += [(f"\n  {key:<5}", "bold"), clean(what, 200)]
        with Vertical(classes="box"):
            yield Static(Content.assemble(*parts), markup=False)

    def on_key(self, event: Key) -> None:
        if event.key in self._answers:
            event.stop()
            self.dismiss(event.key)

    def action_stay(self) -> None:
        self.dismiss(STAY)
