"""What the keys of every view do to the build: start it up to a stage, stop it, write its report."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fgbuild.views.text import clean
from fgbuild.views.tui.stopping import Choice, StopDialog
from fgbuild.views.tui.threads import ask

if TYPE_CHECKING:
    from fgbuild.views.tui.app import DashboardApp

_BROWSER_SECONDS = 5.0
"""In which a browser that cannot start has said so; a thread waits for that, and no one for the thread."""
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
        latest = "; r goes to the one that does" if app.feed.later_going else ""
        app.tell(f"This build does not run, so there is nothing to stop{latest}.", "warning")
        return

    def decided(choice: Choice | None) -> None:
        if choice is None:
            return
        asked = f"Asked the build to stop {choice.name}; it shows here once it has."
        ask(
            app,
            lambda unwanted: app.desk.cancel(run, choice.stage),
            lambda _: app.tell(clean(asked)),
            lambda problem: app.tell(problem, "error"),
            group=f"cancel {choice.stage or ''}",
        )

    app.push_screen(StopDialog(app.feed, app.selected), decided)


def report(app: DashboardApp) -> None:
    """Write the report of the run that is shown, and open it where there is a display."""
    run = app.feed.run
    if run is None:
        app.tell("No build has run here yet, so there is nothing to report; B starts one.", "warning")
        return
    app.tell("Writing the report…")
    ask(
        app,
        lambda unwanted: _report(app, run),
        lambda told: app.tell(told),
        lambda problem: app.tell(problem, "error"),
        group="report",
    )


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
    """Have a browser show a file; whether one could be started, as far as is known after a moment."""
    command = [sys.executable, "-P", "-c", _OPEN, path.resolve().as_uri()]
    nowhere = subprocess.DEVNULL
    try:
        browser = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)
        return browser.wait(_BROWSER_SECONDS) == 0
    except OSError:
        return False
    except subprocess.TimeoutExpired:
        return True  # one that shows the page until it is closed: left to itself
