"""What the keys of every view do to the build: start it up to a stage, stop it, write its report."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fgbuild.errors import FgbuildError
from fgbuild.views.text import clean
from fgbuild.views.tui.stopping import Choice, StopDialog

if TYPE_CHECKING:
    from fgbuild.views.tui.app import DashboardApp

_BROWSER_SECONDS = 20.0
# In a process without this terminal: where there is no other browser, one that draws in terminals would take it.
_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"


def build_chosen(app: DashboardApp) -> None:
    """Build the chosen stage's domain up to that stage; what they all share, for all."""
    stage = app.stage
    if stage is None:
        app.tell("No build has shown any stage yet; B builds everything.", "warning")
        return
    app.start_build((stage.domain,) if stage.domain else (), until=stage.kind)


def cancel(app: DashboardApp) -> None:
    """Ask in a dialog what to stop."""
    run = app.feed.run
    if run is None or not app.feed.going:
        app.tell("This build does not run, so there is nothing to stop; r goes to the latest one.", "warning")
        return
    state = app.feed.state

    def decided(choice: Choice | None) -> None:
        if choice is not None:
            _in_thread(app, lambda: _cancel(app, run, choice))

    app.push_screen(StopDialog.of(state, app.selected), decided)


def _cancel(app: DashboardApp, run: str, choice: Choice) -> str:
    app.desk.cancel(run, choice.stage)
    return f"Asked the build to stop {choice.name}; it shows here once it has."


def report(app: DashboardApp) -> None:
    """Write the report of the run that is shown, and open it where there is a display."""
    run = app.feed.run
    if run is None:
        app.tell("No build has run here yet, so there is nothing to report; B starts one.", "warning")
        return
    app.tell("Writing the report…")
    _in_thread(app, lambda: _report(app, run))


def _report(app: DashboardApp, run: str) -> str:
    path = app.desk.report(run)
    shown = clean(str(path))
    if not has_display():
        return f"The report is in {shown}; there is no display to open it on."
    return f"The report is in {shown}." if open_page(path) else f"No browser could be started; open {shown} yourself."


def has_display() -> bool:
    """Whether a browser would have a screen to open on."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_page(path: Path) -> bool:
    """Have a browser show a file; whether one could be started."""
    command = [sys.executable, "-P", "-c", _OPEN, path.resolve().as_uri()]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=_BROWSER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _in_thread(app: DashboardApp, work: Callable[[], str]) -> None:
    """Do it while keys are answered, and tell what comes of it."""

    def run() -> None:
        try:
            told, severity = work(), "information"
        except FgbuildError as error:
            told, severity = str(error), "error"
        except OSError as error:
            told, severity = f"{error.filename}: {error.strerror}; put that right and press the key again.", "error"
        app.call_from_thread(app.tell, clean(told, keep_newlines=True), severity)

    app.run_worker(run, thread=True)
