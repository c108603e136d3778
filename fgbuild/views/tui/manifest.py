"""The manifest editor: a domain's manifest, or fgbuild.toml, checked as one types, with what saving would rerun."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from fgbuild.views.tui.desk import Field, Problem
from fgbuild.views.tui.editing import LOOK_SECONDS, EditingView, nothing
from fgbuild.views.tui.find import FindLine
from fgbuild.views.tui.manifest_check import Findings, check
from fgbuild.views.tui.manifest_panels import FieldsScreen, Line, Problems
from fgbuild.views.tui.threads import in_thread

DEBOUNCE_SECONDS = 0.25
STARTED = "Build started with this file; Esc shows it."
RUNS = "✓ A build runs with this file; Esc shows it."
_NO_DOMAIN = (
    "No domain is chosen: go back with Esc, choose one of its stages and press m; or press F4 to edit fgbuild.toml."
)


class ManifestView(EditingView):
    NAME = "Manifest"
    TYPING = True
    KEYS: ClassVar[list[Binding]] = [
        Binding("ctrl+s", "save", "Save", key_display="^s", tooltip="save; with problems, press it twice"),
        Binding("f8", "next_problem", "Problem", key_display="F8", tooltip="go to the next problem's line"),
        Binding("f9", "build_domain", "Build", key_display="F9", tooltip="build what the file describes, as saved"),
        Binding("f4", "other_file", "File", key_display="F4", tooltip="go to fgbuild.toml, and back"),
        Binding("ctrl+f", "find", "Find", key_display="^f", tooltip="find words; Enter: the next, ↑: the one before"),
        Binding("ctrl+o", "fields", "Fields", key_display="^o", tooltip="list the fields of the table at the cursor"),
        Binding("f1", "app.help", "Help", key_display="F1", tooltip="show this help (? is typed here)"),
        Binding("ctrl+z", "editor_undo", "Undo", key_display="^z", show=False, tooltip="undo; ^y: redo"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    DEFAULT_CSS = """
    ManifestView {
        & Line { height: auto; padding: 0 1; }
        & #manifest-name { background: $boost; }
        & #manifest-field { color: $foreground-muted; min-height: 2; }
        & #manifest-effect { min-height: 2; }
        & Problems { height: auto; padding: 0 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._path_line = Line("Reading…", id="manifest-name")
        self._field = Line("", id="manifest-field", most=3)
        self._verdict = Line("", id="manifest-effect", most=8)
        self._problems = Problems(id="manifest-problems")
        self._home: Path | None = None
        self._domain = ""
        """What the file's domain was called last; "" for fgbuild.toml."""
        self._fields: Mapping[str, Field] = {}
        self._findings: Findings | None = None
        self._warned: str | None = None
        """The text with problems that another ctrl+s saves all the same."""
        self._then: Callable[[], None] | None = None
        """What to do once the text is saved; None where no save is asked for."""
        self._checking = False
        self._find = FindLine(self.editor)
        self._cursors: dict[Path, tuple[int, int]] = {}
        """Where the cursor was in each file."""
        self._built: str | None = None
        """The text that a build was started with here; None once it has ended."""
        self._timer: Timer | None = None

    def body(self) -> Iterable[Widget]:
        yield self._path_line
        yield self.editor
        yield self._find
        yield self._field
        yield self._verdict
        yield self._problems

    def on_mount(self) -> None:
        self.set_interval(LOOK_SECONDS, self._follow_build)
        stage = self.dashboard.stage
        if stage is None:
            self._path_line.show("no file")
            self.say(_NO_DOMAIN)
        else:
            self.run_worker(self._open(stage.domain), exclusive=True, group="open")

    def say(self, words: str) -> None:
        self._verdict.show(words)

    async def _open(self, domain: str) -> None:
        """Show a domain's manifest; "": fgbuild.toml, which has the base that all share."""
        desk = self.dashboard.desk
        try:
            self._home = await in_thread(lambda: desk.manifest(domain)) if domain else desk.root / PROJECT_FILE
            self._domain = domain
            self._show_path(self._home)
            await self._show(self._home)
        except FgbuildError as error:
            self.say(f"✗ {error}")

    async def _show(self, path: Path) -> None:
        """Edit that file. Raises FgbuildError where it cannot be read."""
        if self.file is not None:
            self._cursors[self.file.path] = self.editor.cursor_location
        await self.edit(path)
        self.editor.move_cursor(self._cursors.get(path, (0, 0)), center=True)
        desk = self.dashboard.desk
        self._fields = await in_thread(lambda: desk.fields(path))
        self._show_field()

    def began(self) -> None:
        self._findings = self._warned = self._then = None
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
            while self.file is not None and not self._is_checked():
                self.say("Checking…")
                desk, basis, written = self.dashboard.desk, self.basis, self.editor.text
                show = partial(self._show_problems, of=basis)
                found = await check(desk, self.file.path, written, self.dashboard.variant, show)
                if self.basis is basis:
                    self._take(found)
        finally:
            self._checking = False
        if self._then is not None:
            self._save_checked()

    def _take(self, found: Findings) -> None:
        self._findings = found
        if found.effect is not None:
            self._domain = found.effect.domain
        self._show_verdict()

    def _show_verdict(self) -> None:
        if self._built is not None and self._built == self.editor.text:
            self.say(RUNS)
        elif self._findings is not None:
            self.say(self._findings.words())

    def _is_checked(self) -> bool:
        return self._findings is not None and self._findings.text == self.editor.text

    def _show_problems(self, problems: Sequence[Problem], of: object) -> None:
        """of: the basis of the text that has them."""
        if of is self.basis:
            self.editor.mark(Findings("", problems).lines)
            self._problems.show(problems)

    def _show_name(self) -> None:
        if self.file is not None:
            self._show_path(self.file.path, "  * not saved" if self.unsaved else "")

    def _show_path(self, path: Path, state: str = "") -> None:
        root = self.dashboard.desk.root
        shown = path.relative_to(root) if path.is_relative_to(root) else path
        self._path_line.show(f"{shown}{state}")

    def _show_field(self) -> None:
        lines, row = self.editor.document.lines, self.editor.cursor_location[0]
        found = manifest_text.field_at(self._fields, manifest_text.place(lines, row))
        self._field.show(manifest_text.field_words(*found) if found else "")

    # Saving

    def action_save(self) -> None:
        """Save the text once it is checked; with problems only where it is asked for twice."""
        if self.file is not None and not self.unsaved and not self.file.is_changed():
            self.dashboard.tell("Nothing to save: the file has this text already.")
        else:
            self.save_then(nothing)

    def save_then(self, then: Callable[[], None]) -> None:
        if self.file is None:
            return
        self._then = then
        if self._is_checked():
            self._save_checked()
        else:
            self._check_now()

    def _save_checked(self) -> None:
        """Save, or say what is wrong with the text and wait for a second request.

        Not refused for good: a half-done edit may have to wait until tomorrow, and an editor that keeps it would lose
        it. Not saved at once: no build starts with a bad manifest.
        """
        then, self._then = self._then, None
        doubt, written = self._doubt(), self.editor.text
        if doubt and self._warned != written:
            self._warned = written
            self.say(f"✗ Not saved: ^s again saves it anyway. A build would not start: {doubt}.")
            return
        self.run_worker(self.save(written, then or nothing), group="save")

    def stored(self) -> None:
        assert self.file is not None
        builds = f" F9 builds {self._domain or 'every domain'}." if not self._doubt() else ""
        self.dashboard.tell(text.clean(f"Saved {self.file.path.name}.{builds}", 200))
        self._findings = None  # what saving would rerun is another now
        self._show_name()
        self._check_now()

    def _doubt(self) -> str:
        return self._findings.doubt if self._findings is not None else ""

    # The other keys

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

    def action_next_problem(self) -> None:
        """Show the next problem whole, and go to its line: the next one below the cursor, after the last the first."""
        if not self._problems.display:
            self.dashboard.tell("There is no problem to go to.")
        elif (row := self._problems.go_on(self.editor.cursor_location[0])) is not None:
            self.editor.go_to(row)

    def on_problems_chosen(self, event: Problems.Chosen) -> None:
        self.editor.go_to(event.row)

    def action_build_domain(self) -> None:
        """Build what is saved."""
        if self.file is None:
            return
        if self.unsaved:
            self.dashboard.tell("Not built: save first, with ^s.", "warning")
            return
        if self._findings is not None and self._findings.own:
            self.dashboard.tell("Not built: the file has problems.", "warning")
            return
        if self.dashboard.start_build((self._domain,) if self._domain else (), told=STARTED):
            self._built = self.editor.text
            self._show_verdict()

    def _follow_build(self) -> None:
        """Once the build that was started here has ended, saving leads to something else."""
        if self._built is not None and not self.dashboard.building:
            self._built = self._findings = None
            self._check_now()

    def action_find(self) -> None:
        self._find.open()

    def action_leave_entry(self) -> None:
        self._find.close()

    def action_fields(self) -> None:
        path = manifest_text.place(self.editor.document.lines, self.editor.cursor_location[0])
        self.app.push_screen(FieldsScreen(manifest_text.beside(self._fields, path)))

    def action_editor_undo(self) -> None:
        self.editor.undo()
