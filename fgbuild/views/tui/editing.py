"""A view that edits a file: reading, saving, files that others change meanwhile, and leaving with unsaved changes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from fgbuild.errors import FgbuildError
from fgbuild.views.text import clean
from fgbuild.views.tui.draft import Draft, Kept
from fgbuild.views.tui.question import STAY, Question
from fgbuild.views.tui.textfile import ChangedOnDisk, TextFile
from fgbuild.views.tui.threads import in_thread
from fgbuild.views.tui.toml_editor import TomlEditor
from fgbuild.views.tui.view import DetailView

LOOK_SECONDS = 1.0


def nothing() -> None:
    """What follows a save that only saves."""


class EditingView(DetailView):
    """A subclass shows `editor`, and says with `say`, `began`, `stored` and `save_then` what comes of it.

    basis: another object whenever another text was read or saved, so that what was found out meanwhile is known to be
    about the one before.
    """

    def __init__(self) -> None:
        super().__init__()
        # Not asked for by id: a thread may come back when the screen is being taken down already.
        self.editor = TomlEditor(id="text")
        self.file: TextFile | None = None
        self.basis = object()
        self._draft: Draft | None = None
        self._dropped: str | None = None
        """The unsaved text that nobody wants any more."""
        self._saving = False

    @property
    def unsaved(self) -> bool:
        return self.file is not None and self.editor.text != self.file.text

    def say(self, words: str) -> None:
        """Show a sentence until the next one."""
        raise NotImplementedError

    def began(self) -> None:
        """Another text was read."""
        raise NotImplementedError

    def stored(self) -> None:
        """The text was saved."""
        raise NotImplementedError

    def save_then(self, then: Callable[[], None]) -> None:
        """Save, if the text is fit for it, and go on with `then`."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.editor.read_only = True
        self.editor.focus()
        self.set_interval(LOOK_SECONDS, self._look_at_disk)

    def on_unmount(self) -> None:
        """Keep what is not saved: a signal or a browser that is closed ends the dashboard without a question."""
        if self._draft is not None and self.file is not None and self.unsaved and self.editor.text != self._dropped:
            with contextlib.suppress(OSError):  # nobody is there any more who could be told
                self._draft.keep(self.editor.text, self.file.text)

    async def edit(self, path: Path) -> None:
        """Edit that file. Raises FgbuildError where it cannot be read."""
        file, draft = await in_thread(lambda: TextFile(path)), Draft(self.dashboard.desk.root, path)
        kept = await in_thread(draft.read)
        self.file, self._draft = file, draft
        self._take_text()
        if kept is not None and kept.text != file.text:
            self._offer(draft, kept)

    def _offer(self, draft: Draft, kept: Kept) -> None:
        """Ask whether to go on with what was typed and not saved when the dashboard ended."""
        assert self.file is not None

        def decide(answer: str | None) -> None:
            if answer == "t":
                # As an edit, so that undo gives the file's text.
                self.editor.replace(kept.text, (0, 0), self.editor.document.end)
            elif answer == "d":
                draft.drop()
            else:
                self.call_later(self.dashboard.close_view, self)  # once the question is gone

        question = f"{clean(self.file.path.name)} has changes that were not saved when the dashboard ended."
        if not kept.is_of(self.file.text):
            question += " The file was changed since then."
        answers = {"t": "take them up; undo gives what is on disk", "d": "drop them"}
        self.app.push_screen(Question(question, answers, "go back and leave them for later"), decide)

    def _take_text(self) -> None:
        assert self.file is not None
        self.basis = object()
        self.editor.show(self.file.text)
        self.editor.read_only = False
        self.refresh_bindings()  # letters are typed from now on
        self.began()

    async def save(self, written: str, then: Callable[[], None], *, overwrite: bool = False) -> None:
        """Put that text on disk; asks first where the file there is not the one that was read."""
        file, draft = self.file, self._draft
        assert file is not None
        assert draft is not None
        if self._saving:
            self.dashboard.tell("It is being saved already; press the key again once it is.", "warning")
            return
        self._saving = True
        try:
            await in_thread(lambda: file.save(written, overwrite=overwrite))
        except ChangedOnDisk:
            self._ask_about_conflict(file, written, then)
            return
        except FgbuildError as error:
            self.dashboard.refused(error)
            return
        finally:
            self._saving = False
        self.basis = object()
        draft.drop()
        self.stored()
        if then is not nothing:
            self.leave(then)  # something may have been typed while it was saved

    def _ask_about_conflict(self, file: TextFile, written: str, then: Callable[[], None]) -> None:
        def decide(answer: str | None) -> None:
            if answer == "r":
                if self._read_again():
                    self._forget()
            elif answer == "o":
                self.run_worker(self.save(written, then, overwrite=True), group="save")

        question = f"{clean(file.path.name)} was changed on disk since it was read here."
        answers = {"r": "read it again; what was typed here is lost", "o": "overwrite it with what is here"}
        self.app.push_screen(Question(question, answers, "keep editing; nothing is saved"), decide)

    def _read_again(self) -> bool:
        """Take what is on disk now; whether it could be read."""
        assert self.file is not None
        row = self.editor.cursor_location[0]
        try:
            self.file.read()
        except FgbuildError as error:
            self.say(f"✗ {error}")
            return False
        self._take_text()
        self.editor.go_to(row)
        return True

    def _forget(self) -> None:
        """Let go of what is typed and not saved."""
        self._dropped = self.editor.text
        if self._draft is not None:
            self._draft.drop()

    def _look_at_disk(self) -> None:
        """Follow the file where nothing was typed; where something was, saving asks."""
        if self.file is None or self.unsaved or not self.file.is_changed():
            return
        if not self.file.path.exists():
            self.say("✗ The file is gone from disk; ^s asks, and can write it again.")
        elif self._read_again():
            self.dashboard.tell(f"{clean(self.file.path.name)} was changed on disk and read again.")

    def leave(self, then: Callable[[], None]) -> None:
        """Ask about unsaved changes before `then`, which takes this text from the screen."""
        if not self.unsaved:
            then()
            return
        if isinstance(self.app.screen, Question):  # which is to be answered first
            return

        def decide(answer: str | None) -> None:
            if answer == "s":
                self.save_then(then)
            elif answer not in (None, STAY):
                self._forget()
                self.call_later(then)  # once the question is gone

        assert self.file is not None
        question = f"{clean(self.file.path.name)} has changes that are not saved."
        answers = {"s": "save them and go on", "d": "drop them and go on"}
        self.app.push_screen(Question(question, answers, "keep editing"), decide)
