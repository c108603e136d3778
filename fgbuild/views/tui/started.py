"""The build that was started from this dashboard, until it has a log of its own to show."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from fgbuild.views import runs
from fgbuild.views.tui import launch

if TYPE_CHECKING:
    from fgbuild.views.tui.app import DashboardApp


class StartedBuild:
    """Of that app; at most one at a time."""

    def __init__(self, app: DashboardApp) -> None:
        self._app = app
        self._process: subprocess.Popen[bytes] | None = None
        self._run_before: str | None = None

    @property
    def going(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, domains: tuple[str, ...], until: str | None, told: str) -> bool:
        """Start it; whether that could be done. told: what to say then."""
        app = self._app
        self._run_before = runs.latest_run(app.desk.root)
        try:
            self._process = app.desk.build(domains, app.variant, until=until)
        except OSError as error:
            app.tell(f"{error.filename}: {error.strerror}; put that right and press the key again.", "error")
            return False
        app.feed.follow = True
        app.tell(told)
        return True

    def check(self) -> None:
        """Say why it ended, where it did so before it had a log to show."""
        if self._process is None or (code := self._process.poll()) is None:
            return
        self._process = None
        app, root = self._app, self._app.desk.root
        if runs.latest_run(root) != self._run_before:
            return
        said = launch.last_line(root)
        if code == 0:
            app.tell(said or "There was nothing to build.")
        else:
            app.tell(f"The build ended with exit code {code}: {said or f'see {launch.output_path(root)}'}", "error")
