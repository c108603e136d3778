"""Ask a domain's shipped model something, and see which calls it makes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from fgbuild.views import text
from fgbuild.views.text import MAX_MESSAGE, clean
from fgbuild.views.tui.entry import Entry
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.styles import BAD, MUTED
from fgbuild.views.tui.threads import ask
from fgbuild.views.tui.view import DetailView
from fgbuild.views.tui.widgets import Part

_MAX_PROMPT = 4_000
_MAX_EXCHANGES = 100
_TICK_SECONDS = 0.5
_HINT = (
    "Write what a user would say to the agent and press enter. The shipped model answers, knowing the tools that it "
    "was trained with. Its calls are shown; nothing is run."
)
_NO_DOMAIN = "No domain is known yet, because no build has run here. Go back (Esc) and press B to build."


class DomainLine(Static):
    """Which domain is asked; a click goes to the next."""

    def on_click(self) -> None:
        assert isinstance(self.screen, PromptView)
        self.screen.action_domain(1)


class PromptView(DetailView):
    NAME = "Prompt"
    TYPING = True
    KEYS: ClassVar[list[Binding]] = [
        Binding("enter", "take_entry", "Ask", tooltip="ask the domain's model"),
        Binding("tab", "domain(1)", "Next domain", tooltip="ask the next domain's model"),
        Binding("shift+tab", "domain(-1)", "Previous domain", show=False, tooltip="ask the one before"),
        Binding("up", "recall(-1)", "Earlier prompt", key_display="↑", tooltip="bring an earlier prompt back"),
        Binding("down", "recall(1)", "Later prompt", key_display="↓", show=False, tooltip="bring a later prompt back"),
        Binding("pageup", "page(-1)", "Scroll up", show=False, tooltip="scroll to earlier answers"),
        Binding("pagedown", "page(1)", "Scroll down", show=False, tooltip="scroll to later answers"),
        Binding("f1", "app.help", "Help", tooltip="show this help, for a ? is part of the prompt here"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    AUTO_FOCUS = "Entry"
    DEFAULT_CSS = """
    PromptView DomainLine { height: 1; padding: 0 1; background: $boost; }
    PromptView #answers { height: 1fr; padding: 0 1; }
    PromptView #answers > Static { height: auto; margin-bottom: 1; }
    PromptView #asking { height: 1; padding: 0 1; }
    PromptView Entry { height: 3; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._domains: list[str] = []
        self._domain = ""
        self._prompts: list[str] = []
        self._recalled = 0
        self._asked_at: float | None = None
        self._asked = ""

    def body(self) -> Iterable[Widget]:
        yield DomainLine("", markup=False)
        yield VerticalScroll(Static(_HINT, id="hint", markup=False), id="answers", can_focus=False)
        yield Static("", id="asking", markup=False)
        yield Entry(placeholder="what the user says", max_length=_MAX_PROMPT)

    def on_mount(self) -> None:
        stage = self.dashboard.stage
        self._domain = stage.domain if stage is not None else ""
        self.query_one(Entry).value, self.dashboard.prompt_text = self.dashboard.prompt_text, ""
        self.set_interval(_TICK_SECONDS, self._tick)

    def draw(self, snapshot: Snapshot) -> None:
        super().draw(snapshot)
        self._domains = snapshot.whole.domains()
        if self._domain not in self._domains:
            self._domain = next(iter(self._domains), "")
        self._show_domain()

    def _show_domain(self) -> None:
        if not self._domain:
            self.query_one(DomainLine).update(Content.assemble(("No domain", "bold")))
            self.query_one("#hint", Static).update(_NO_DOMAIN)
            return
        self.query_one("#hint", Static).update(_HINT)
        count = len(self._domains)
        place = f"  {self._domains.index(self._domain) + 1} of {count} domains" if count > 1 else ""
        self.query_one(DomainLine).update(Content.assemble("Ask ", (self._domain, "bold"), (place, MUTED)))

    def action_domain(self, step: int) -> None:
        """Ask another domain's model from now on."""
        if self._domains:
            self._domain = self._domains[(self._domains.index(self._domain) + step) % len(self._domains)]
            self._show_domain()

    def action_recall(self, step: int) -> None:
        """Put another prompt of this view into the input; after the newest it is empty."""
        self._recalled = min(max(self._recalled + step, 0), len(self._prompts))
        field = self.query_one(Entry)
        field.value = self._prompts[self._recalled] if self._recalled < len(self._prompts) else ""
        field.cursor_position = len(field.value)

    def action_page(self, step: int) -> None:
        answers = self.query_one("#answers", VerticalScroll)
        answers.scroll_relative(y=step * max(answers.size.height - 1, 1), animate=False)

    def action_take_entry(self) -> None:
        """Ask what the input says, unless a model is still answering."""
        field = self.query_one(Entry)
        prompt = field.value.strip()
        if not self._domain:
            self._say(_NO_DOMAIN)
        elif not prompt:
            self._say("The prompt is empty: write what the user says, then press enter.")
        elif self._asked_at is not None:
            self.dashboard.tell(f"{self._asked} still answers; press enter again once it has.", "warning")
        else:
            field.value = ""
            self._prompts.append(prompt)
            self._recalled = len(self._prompts)
            self._begin(prompt)

    def _begin(self, prompt: str) -> None:
        domain, desk, variant = self._domain, self.dashboard.desk, self.dashboard.variant
        head: list[Part] = [(f"{domain} › ", MUTED), (clean(prompt, _MAX_PROMPT), "bold")]
        shown = Static(Content.assemble(*head), markup=False)
        answers = self.query_one("#answers", VerticalScroll)
        self.query_one("#hint").display = False
        answers.mount(shown)
        for oldest in answers.query(Static).exclude("#hint")[:-_MAX_EXCHANGES]:
            oldest.remove()
        self._asked, self._asked_at = domain, time.monotonic()
        self._tick()

        ask(
            self,
            lambda unwanted: answer_parts(desk.call(domain, prompt, variant, unwanted)),
            lambda parts: self._answered(shown, [*head, "\n", *parts]),
            lambda problem: self._answered(shown, [*head, "\n", (f"✗ {problem}", BAD)]),
            group="call",
        )
        self.call_after_refresh(answers.scroll_end, animate=False)

    def _answered(self, shown: Static, parts: list[Part]) -> None:
        self._asked_at = None
        self._say("")
        shown.update(Content.assemble(*parts))
        self.call_after_refresh(self.query_one("#answers", VerticalScroll).scroll_end, animate=False)

    def _tick(self) -> None:
        if self._asked_at is not None:
            self._say(f"● {self._asked} answers…  {text.seconds(time.monotonic() - self._asked_at)}")

    def _say(self, words: str) -> None:
        self.query_one("#asking", Static).update(Content(words))


def answer_parts(answer: Mapping[str, Any]) -> list[Part]:
    """The document of `fgbuild call` as people read it: calls, text, and how it ended."""
    parts: list[Part] = []
    if calls := answer.get("calls"):
        parts.append(_json(calls) + "\n")
    else:
        parts.append(("no call\n", MUTED))
    if words := answer.get("text"):
        parts += [("says  ", MUTED), clean(str(words), MAX_MESSAGE, keep_newlines=True) + "\n"]
    if malformed := answer.get("malformed"):
        parts.append((f"✗ not well formed: {text.scalar(malformed, 500)}\n", BAD))
        parts += [("wrote  ", MUTED), clean(str(answer.get("raw", "")), MAX_MESSAGE, keep_newlines=True) + "\n"]
    seconds = answer.get("seconds")
    took = text.seconds(seconds) if isinstance(seconds, (int, float)) else "? s"
    parts.append((f"stopped on {text.scalar(answer.get('stopped_on')) or 'nothing'} · {took}", MUTED))
    return parts


def _json(value: Any) -> str:
    return clean(json.dumps(value, ensure_ascii=False, indent=2), MAX_MESSAGE, keep_newlines=True)
