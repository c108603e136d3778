"""What the views of rows share: a domain's stage, its rows in a list, and the chosen one as text beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from fgbuild.views import dependencies, describe
from fgbuild.views.records import CANCELLED, FAILED, RUNNING, WAITING
from fgbuild.views.text import clean
from fgbuild.views.tui.copying import copy
from fgbuild.views.tui.reader import Reader, RowList
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.threads import Unwanted, ask
from fgbuild.views.tui.view import NO_RUN, DetailView
from fgbuild.views.tui.widgets import Part, wrapped

WIDE = 110
"""Cells from which on the list stands beside the text and not above it."""


def column(name: str, longest: int, most: int) -> int:
    """Cells of a column: room for its name and for a value of `longest` cells, `most` at most."""
    return min(max(len(name), longest), most)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is shown: a domain's stage of a run, and what had become of it.

    generation: the feed's. stage: "" where there is no domain.
    """

    generation: int
    run: str
    domain: str
    stage: str
    status: str


class BrowseView(DetailView):
    """KIND: of the stage whose artifact is shown. WHAT: it holds."""

    KIND: ClassVar[str] = ""
    WHAT: ClassVar[str] = ""
    MOVES: ClassVar[list[Binding]] = [
        Binding("up", "move(-1)", "Before", show=False, key_display="↑", tooltip="the row before"),
        Binding("down", "move(1)", "After", show=False, key_display="↓", tooltip="the row after"),
        Binding("pageup", "page(-1)", "Page up", show=False, key_display="PgUp", tooltip="a page of rows back"),
        Binding("pagedown", "page(1)", "Page down", show=False, key_display="PgDn", tooltip="a page of rows on"),
        Binding("home", "end(0)", "First", show=False, key_display="Home", tooltip="the first row"),
        Binding("end", "end(1)", "Last", show=False, key_display="End", tooltip="the last row"),
        Binding("left", "domain(-1)", "Domain before", show=False, key_display="←", tooltip="the domain before"),
        Binding("right", "domain(1)", "Next domain", show=False, key_display="→", tooltip="the next domain"),
        Binding("tab", "app.focus_next", "Text", show=False, key_display="Tab", tooltip="scroll the text; again: rows"),
        Binding("y", "copy", "Copy", tooltip="copy the chosen row as JSON"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*MOVES]
    DEFAULT_CSS = """
    BrowseView {
        #about { width: 100%; height: auto; max-height: 6; padding: 0 1; background: $boost; }
        #missing { width: 100%; height: 1fr; content-align: center middle; text-align: center; padding: 0 4; }
        #browse { height: 1fr; layout: vertical; }
        #rows { width: 100%; height: 35%; min-height: 4; }
        #text { width: 100%; height: 1fr; border-top: solid $foreground 25%; padding: 0 1; }
        #text:focus { border-top: heavy $primary; }
    }
    BrowseView.-wide {
        #browse { layout: horizontal; }
        #rows { width: 46%; height: 100%; }
        #text { width: 1fr; height: 100%; border-top: none; border-left: solid $foreground 25%; }
        #text:focus { border-top: none; border-left: heavy $primary; }
    }
    """

    class Opened(Message):
        """What was to be shown (`content`), or why it could not be read (`problem`, a sentence); neither: there is
        nothing."""

        def __init__(self, subject: Subject, content: Any = None, problem: str = "") -> None:
            super().__init__()
            self.subject = subject
            self.content = content
            self.problem = problem

    def __init__(self) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
        self.subject: Subject | None = None
        self._about = Content("")
        self._above: tuple[list[Part], ...] = ()

    def body(self) -> Iterable[Widget]:
        yield Static("", id="about", markup=False)
        yield Static("", id="missing", markup=False)
        with Container(id="browse"):
            yield RowList(self.line, self.heading, id="rows")
            yield Reader(id="text")

    @property
    def rows(self) -> RowList:
        return self.query_one("#rows", RowList)

    @property
    def text(self) -> Reader:
        return self.query_one("#text", Reader)

    def draw(self, snapshot: Snapshot) -> None:
        """Read the artifact again where the stage made a new one, or a run is shown anew."""
        super().draw(snapshot)
        subject = self._subject_of(snapshot)
        if subject != self.subject:
            self.subject = subject
            self._open(subject)

    def _subject_of(self, snapshot: Snapshot) -> Subject:
        state, chosen = snapshot.whole, self.dashboard.stage
        domains = state.domains()
        domain = self.subject.domain if self.subject else ""
        if domain not in domains:
            domain = chosen.domain if chosen and chosen.domain else next(iter(domains), "")
        stage = f"{domain}:{self.KIND}" if domain else ""
        known = state.stages.get(stage)
        feed = self.dashboard.feed
        return Subject(feed.generation, feed.run_of(stage), domain, stage, known.status if known else "")

    def _open(self, subject: Subject) -> None:
        self.forget()
        if not subject.run or not subject.domain:
            self.miss(NO_RUN if not subject.run else "This run has no domain yet: it shows when its build has begun.")
            return
        self.miss(f"Reading what {subject.stage} made …")
        ask(
            self,
            lambda stopped: self.read(subject, stopped),
            lambda _: None,  # it has posted what it read
            lambda problem: self.post_message(self.Opened(subject, problem=f"{problem}\nPress r to read it again.")),
            group="open",
        )

    def on_browse_view_opened(self, event: Opened) -> None:
        if event.subject != self.subject:
            return
        if event.problem or event.content is None:
            self.miss(event.problem or self.why_nothing())
        else:
            self.have(event.content)

    def miss(self, sentence: str) -> None:
        """Show why there is nothing, and what to do, in place of the rows."""
        self.query_one("#missing", Static).update(Content(clean(sentence, None, keep_newlines=True)))
        self._swap(missing=True)
        self.about([(self.subject.domain if self.subject else "", "bold")])

    def found(self) -> None:
        self._swap(missing=False)

    def _swap(self, *, missing: bool) -> None:
        self.query_one("#missing").display = missing
        self.query_one("#browse").display = not missing
        if not missing and self.focused is None:
            self.rows.focus()

    def about(self, *lines: list[Part]) -> None:
        """The lines above the list; those that are too long go on in the next."""
        self._above = lines
        width = max(self.size.width - 2, 1)
        content = Content("\n").join(part for line in lines for part in wrapped(Content.assemble(*line), width))
        if not content.is_same(self._about):
            self._about = content
            self.query_one("#about", Static).update(content)

    def on_resize(self) -> None:
        self.about(*self._above)

    def why_nothing(self) -> str:
        """Why the stage's artifact is not there, and the next step; its keys are of the stage that is chosen then."""
        subject, what, state = self.subject, self.WHAT, self.dashboard.feed.whole
        stage = state.stages.get(subject.stage) if subject else None
        if subject is None or stage is None:
            return f"This run has no stage that makes {what} of this domain; press ← or → for another one."
        _, word = describe.status(state, stage)
        if self.dashboard.feed.going and word in ("waiting", "running"):
            return f"There is no {what} of {subject.domain} yet: {stage.id} is {word}. It shows here when that is done."
        if word == "failed":
            self.dashboard.selected = stage.id
            return f"{stage.id} failed, so there is no {what}: l shows its log; b tries it again."
        missed = stage.status == WAITING and stage.planned != "skip"
        if missed and (above := dependencies.blocker(state, stage)) is not None:
            self.dashboard.selected = above.id
            verb = {FAILED: "failed", CANCELLED: "was stopped"}.get(above.status, "did not pass")
            return f"{above.id} {verb}, so {stage.id} did not run: l shows its log."
        self.dashboard.selected = stage.id
        if missed or stage.status in (RUNNING, CANCELLED):
            return f"{stage.id} did not end in this run, so there is no {what}: b builds it."
        return f"The {what} of {subject.domain} is no longer in the store (cache/store): b makes it again."

    def action_move(self, by: int) -> None:
        self.rows.choose(self.rows.cursor + by)

    def action_page(self, by: int) -> None:
        self.rows.choose(self.rows.cursor + by * self.rows.page)

    def action_end(self, last: int) -> None:
        self.rows.choose(self.rows.count - 1 if last else 0)

    def action_domain(self, by: int) -> None:
        """Show another domain; what is opened from here is of that one too."""
        state = self.dashboard.feed.whole
        domains = state.domains()
        if self.subject is None or self.subject.domain not in domains or len(domains) < 2:
            return
        domain = domains[(domains.index(self.subject.domain) + by) % len(domains)]
        ids = [stage.id for stage in state.by_domain()[domain]]
        wanted = f"{domain}:{self.KIND}"
        self.dashboard.selected = wanted if wanted in ids else ids[0]
        self.subject = None
        self.draw(self.dashboard.feed.snapshot())

    def action_copy(self) -> None:
        row = self.chosen()
        if row is None:
            self.dashboard.tell("There is no row to copy.", "warning")
            return
        copy(self.dashboard, json.dumps(row, ensure_ascii=False), "the row as JSON")

    def read(self, subject: Subject, stopped: Unwanted) -> None:
        """In a thread: read what is to be shown, and post `Opened`. What it raises is shown as a sentence."""
        raise NotImplementedError

    def have(self, content: Any) -> None:
        """Show what `read` has posted."""
        raise NotImplementedError

    def forget(self) -> None:
        """Let go of what is shown."""

    def heading(self) -> str:
        """What stands above the list."""
        raise NotImplementedError

    def line(self, place: int, width: int) -> list[Part]:
        """What the list shows in a place."""
        raise NotImplementedError

    def chosen(self) -> dict[str, Any] | None:
        """The chosen row's JSON object."""
        raise NotImplementedError
