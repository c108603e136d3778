"""The manifest editor: a domain's manifest, or fgbuild.toml, checked as one types, with what saving would rerun."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import TextArea

from fgbuild.errors import FgbuildError
from fgbuild.root import PROJECT_FILE
from fgbuild.views import text
from fgbuild.views.tui import manifest_text
from fgbuild.views.tui.desk import Effect, Field, Problem
from fgbuild.views.tui.manifest_panels import FieldsScreen, Line, Problems
from fgbuild.views.tui.question import STAY, Question
from fgbuild.views.tui.textfile import ChangedOnDisk, TextFile
from fgbuild.views.tui.toml_editor import TomlEditor
from fgbuild.views.tui.view import DetailView

DEBOUNCE_SECONDS = 0.25
LOOK_SECONDS = 1.0
_CHECKING = "Checking…"
_NO_DOMAIN = (
    "No domain is chosen: go back with Esc, choose one of its stages and press m; or press F4 to edit fgbuild.toml."
)


class ManifestView(DetailView):
    NAME = "Manifest"
    KEYS: ClassVar[list[Binding]] = [
        Binding("ctrl+s", "save", "Save", key_display="^s", tooltip="save; with problems, press it twice"),
        Binding("f8", "next_problem", "Problem", key_display="F8", tooltip="go to the next problem's line"),
        Binding("f9", "build_domain", "Build", key_display="F9", tooltip="build what the file describes, as saved"),
        Binding("f4", "other_file", "File", key_display="F4", tooltip="go to fgbuild.toml, and back"),
        Binding("ctrl+o", "fields", "Fields", key_display="^o", tooltip="list the fields of the table at the cursor"),
        Binding("f1", "app.help", "Help", key_display="F1", tooltip="show this help (? is typed here)"),
        Binding("ctrl+z", "editor_undo", "Undo", key_display="^z", show=False, tooltip="undo; ^y: redo"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    DEFAULT_CSS = """
    ManifestView {
        & Line { height: 1; padding: 0 1; }
        & #manifest-name { background: $boost; }
        & #manifest-field { color: $foreground-muted; height: 2; }
        & #manifest-effect { height: 2; }
        & Problems { height: auto; max-height: 6; padding: 0 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.file: TextFile | None = None
        self._home: Path | None = None
        self._domain = ""
        """What the file's domain was called last; "" for fgbuild.toml."""
        self._fields: Mapping[str, Field] = {}
        self._found: tuple[str, tuple[Problem, ...]] | None = None
        """The text that was checked last, and what is wrong with it."""
        self._unchecked = ""
        """Why the text could not be checked, "" where it could."""
        self._effect: Effect | None = None
        self._warned: str | None = None
        """The text with problems that another ctrl+s saves all the same."""
        self._then: Callable[[], None] | None = None
        """What to do once the text is saved; None where no save is asked for."""
        self._checking = False
        self._timer: Timer | None = None

    @property
    def editor(self) -> TomlEditor:
        return self.query_one(TomlEditor)

    @property
    def unsaved(self) -> bool:
        return self.file is not None and self.editor.text != self.file.text

    def body(self) -> Iterable[Widget]:
        yield Line("Reading…", id="manifest-name")
        yield TomlEditor(id="manifest-text")
        yield Line("", id="manifest-field")
        yield Line("", id="manifest-effect")
        yield Problems(id="manifest-problems")

    def on_mount(self) -> None:
        super().on_mount()
        self.editor.read_only = True
        self.editor.focus()
        stage = self.dashboard.stage
        if stage is None:
            self._tell(_NO_DOMAIN)
        else:
            self.run_worker(self._open(stage.domain), exclusive=True, group="open")
        self.set_interval(LOOK_SECONDS, self._look_at_disk)

    async def _open(self, domain: str) -> None:
        """Show a domain's manifest; "": fgbuild.toml, which has the base that all share."""
        desk = self.dashboard.desk
        try:
            path = await asyncio.to_thread(desk.manifest, domain) if domain else desk.root / PROJECT_FILE
            self._home = path
            self._domain = domain
            await self._show(path)
        except FgbuildError as error:
            self._tell(str(error))

    async def _show(self, path: Path) -> None:
        """Edit that file. Raises FgbuildError where it cannot be read."""
        self.file = await asyncio.to_thread(TextFile, path)
        self._take_text()
        self._fields = await asyncio.to_thread(self.dashboard.desk.fields, path)
        self._show_field()

    def _take_text(self) -> None:
        """Begin with what was read: nothing to undo, nothing known of it."""
        assert self.file is not None
        self._found = self._effect = self._warned = self._then = None
        self.editor.show(self.file.text)
        self.editor.read_only = False
        self._show_name()
        self._check_now()

    # What is wrong, and what saving would do

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self.file is None:
            return
        self._show_name()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE_SECONDS, self._check_now)

    def on_text_area_selection_changed(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        self._show_field()

    def _check_now(self) -> None:
        if not self._checking:
            self._checking = True
            self.run_worker(self._check(), group="check")

    async def _check(self) -> None:
        """One check after the other, until it is the text as it stands that was checked."""
        try:
            while self.file is not None and (self._found is None or self._found[0] != self.editor.text):
                await self._check_text(self.file.path, self.editor.text)
        finally:
            self._checking = False
        if self._then is not None:
            self._save_checked()

    async def _check_text(self, path: Path, written: str) -> None:
        desk, variant = self.dashboard.desk, self.dashboard.variant
        problems: tuple[Problem, ...] = ()
        self._effect, self._unchecked = None, ""
        self._tell(_CHECKING)
        try:
            problems = tuple(await asyncio.to_thread(desk.problems, path, written, variant))
            self._show_problems(written, problems)
            if not any(not problem.path for problem in problems):
                self._effect = await asyncio.to_thread(desk.effect, path, written, variant)
                self._domain = self._effect.domain
        except FgbuildError as error:
            self._unchecked = str(error)
        except Exception as error:
            # Text that validation was not made for is no reason to lose it.
            self._unchecked = f"cannot be checked ({type(error).__name__}: {error})"
        self._found = (written, problems)
        self._show_effect()

    def _show_problems(self, written: str, problems: tuple[Problem, ...]) -> None:
        self.editor.mark({problem.line - 1 for problem in problems if problem.line and not problem.path})
        self.query_one(Problems).show(problems)

    def _own_problems(self) -> list[Problem]:
        return [problem for problem in self._found[1] if not problem.path] if self._found else []

    def _show_effect(self) -> None:
        own = self._own_problems()
        if self._unchecked:
            self._tell(f"✗ {self._unchecked}")
        elif own:
            self._tell(f"✗ {_count(own)}; F8 goes to the next one.")
        elif self._effect is not None:
            self._tell(f"✓ {manifest_text.effect_words(self._effect)}")

    def _tell(self, words: str) -> None:
        self.query_one("#manifest-effect", Line).show(words)

    def _show_name(self) -> None:
        if self.file is None:
            return
        name = self.file.path
        shown = name.relative_to(self.dashboard.desk.root) if name.is_relative_to(self.dashboard.desk.root) else name
        state = "  * not saved" if self.unsaved else ""
        self.query_one("#manifest-name", Line).show(f"{shown}{state}")

    def _show_field(self) -> None:
        lines, row = self.editor.document.lines, self.editor.cursor_location[0]
        found = manifest_text.field_at(self._fields, manifest_text.place(lines, row))
        self.query_one("#manifest-field", Line).show(manifest_text.field_words(*found) if found else "")

    # Saving

    def action_save(self) -> None:
        """Save the text once it is checked; with problems only where it is asked for twice."""
        self._save_then(lambda: None)

    def _save_then(self, then: Callable[[], None]) -> None:
        if self.file is None:
            return
        self._then = then
        if self._found is not None and self._found[0] == self.editor.text:
            self._save_checked()
        else:
            self._check_now()

    def _save_checked(self) -> None:
        """Save, or say what is wrong with the text and wait for a second request.

        Not refused for good: a half-done edit may have to wait until tomorrow, and an editor that keeps it would lose
        it. Not saved at once: with a bad manifest on disk no domain can be built.
        """
        own, written = self._own_problems(), self.editor.text
        if (own or self._unchecked) and self._warned != written:
            self._warned, self._then = written, None
            why = _count(own) if own else f"not checked ({self._unchecked})"
            self._tell(f"✗ Not saved: ^s again saves it anyway. A build would not start: {why}.")
            return
        self.run_worker(self._save(written, overwrite=False), group="save")

    async def _save(self, written: str, *, overwrite: bool) -> None:
        assert self.file is not None
        then, self._then = self._then, None
        try:
            await asyncio.to_thread(partial(self.file.save, written, overwrite=overwrite))
        except ChangedOnDisk:
            self._ask_about_conflict(written, then)
            return
        except FgbuildError as error:
            self.dashboard.refused(error)
            return
        self._show_name()
        builds = "" if self._own_problems() else f" F9 builds {text.clean(self._domain, 40) or 'every domain'}."
        self.dashboard.tell(f"Saved {self.file.path.name}.{builds}")
        self._found = None  # the plan for the file on disk is another now
        self._check_now()
        if then is not None:
            then()

    def _ask_about_conflict(self, written: str, then: Callable[[], None] | None) -> None:
        assert self.file is not None
        question = f"{self.file.path.name} was changed on disk since it was read here."
        answers = {"r": "read it again; what was typed here is lost", "o": "overwrite it with what is here"}

        def decide(answer: str | None) -> None:
            if answer == "r":
                self._read_again()
            elif answer == "o":
                self._then = then
                self.run_worker(self._save(written, overwrite=True), group="save")

        self.app.push_screen(Question(question, answers, "keep editing; nothing is saved"), decide)

    def _read_again(self) -> None:
        assert self.file is not None
        row = self.editor.cursor_location[0]
        try:
            self.file.read()
        except FgbuildError as error:
            self.dashboard.refused(error)
            return
        self._take_text()
        self.editor.go_to(row)

    def _look_at_disk(self) -> None:
        """Follow the file where nothing was typed; where something was, saving asks."""
        if self.file is not None and not self.unsaved and not self._checking and self.file.is_changed():
            if not self.file.path.exists():
                self._tell("✗ The file is gone from disk; ^s asks, and can write it again.")
                return
            self._read_again()
            self.dashboard.tell(f"{self.file.path.name} was changed on disk and read again.")

    # Leaving

    def leave(self, then: Callable[[], None]) -> None:
        """Ask about unsaved changes before `then`, which takes this text from the screen."""
        if not self.unsaved:
            then()
            return
        if isinstance(self.app.screen, Question):
            return
        assert self.file is not None
        answers = {"s": "save them and go on", "d": "drop them and go on"}

        def decide(answer: str | None) -> None:
            if answer == "s":
                self._save_then(then)
            elif answer not in (None, STAY):
                self.call_later(then)  # once the question is gone

        question = f"{self.file.path.name} has changes that are not saved."
        self.app.push_screen(Question(question, answers, "keep editing"), decide)

    def action_other_file(self) -> None:
        """fgbuild.toml in place of the manifest, and back."""
        project = self.dashboard.desk.root / PROJECT_FILE
        here = self.file.path if self.file is not None else None
        other = self._home if here == project else project
        if other is None or other == here:
            self.dashboard.tell("There is no other file: no domain's manifest was chosen.", "warning")
            return
        self.leave(lambda: self._go_to_file(other))

    def _go_to_file(self, path: Path) -> None:
        async def show() -> None:
            try:
                await self._show(path)
            except FgbuildError as error:
                self.dashboard.refused(error)

        self.run_worker(show(), exclusive=True, group="open")

    # The other keys

    def action_next_problem(self) -> None:
        """Go to the line of the next problem below the cursor, from the last one to the first."""
        lines = sorted({problem.line - 1 for problem in self._own_problems() if problem.line})
        if not lines:
            self.dashboard.tell("No line of this file has a problem.")
            return
        row = self.editor.cursor_location[0]
        self.go_to_line(next((line for line in lines if line > row), lines[0]))

    def go_to_line(self, row: int) -> None:
        self.editor.go_to(row)
        self.query_one(Problems).point_at(row + 1)

    def on_problems_chosen(self, event: Problems.Chosen) -> None:
        self.go_to_line(event.row)

    def action_build_domain(self) -> None:
        """Build what is saved."""
        if self.file is None:
            return
        if self.unsaved:
            self.dashboard.tell("Not built: save first, with ^s.", "warning")
            return
        if self._own_problems():
            self.dashboard.tell("Not built: the file has problems.", "warning")
            return
        self.dashboard.start_build((self._domain,) if self._domain else ())

    def action_fields(self) -> None:
        path = manifest_text.place(self.editor.document.lines, self.editor.cursor_location[0])
        self.app.push_screen(FieldsScreen(manifest_text.beside(self._fields, path)))

    def action_editor_undo(self) -> None:
        self.editor.undo()


def _count(problems: list[Problem]) -> str:
    return f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
