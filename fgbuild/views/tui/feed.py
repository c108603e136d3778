"""The run that the dashboard shows: its log folded as it grows, in slices so that keys are answered meanwhile."""

from __future__ import annotations

import time
from pathlib import Path

from fgbuild.views import runs
from fgbuild.views.bulk import BulkReader
from fgbuild.views.state import BuildState, apply
from fgbuild.views.text import clean
from fgbuild.views.tui.snapshot import Snapshot
from fgbuild.views.tui.standing import NOTHING, Standing

SLICE_SECONDS = 0.045
SLICE_EVENTS = 1_500


class Feed:
    """run: the run to show; None follows the latest run of the project at `root`.

    generation: how often a run was shown anew; what was read for an earlier one is to be read again. later_going:
    whether the latest run is another, and its build runs. standing: how the project stands beside the latest run.
    """

    def __init__(self, root: Path, run: str | None = None) -> None:
        self.root = root
        self.follow = run is None
        self.going = self.later_going = False
        self.generation = 0
        self.run: str | None = None
        self.standing: Standing = NOTHING
        self.state = BuildState()
        self._reader: BulkReader | None = None
        self._newest = runs.latest_run(root)
        self.show(run or self._newest)

    def show(self, run: str | None) -> None:
        """Show that run from its first event on; None where there is none."""
        self.generation += 1
        self.run = run
        self.going = False
        self.standing = NOTHING
        self.state = BuildState(run=clean(run or ""))
        self._reader = BulkReader(runs.log_path(self.root, run)) if run is not None else None
        self._look_at_latest()

    @property
    def latest(self) -> bool:
        """Whether no run is later than the one that is shown."""
        return (self.run or "") >= (self._newest or "")

    @property
    def whole(self) -> BuildState:
        """This run with the stages that it did not plan."""
        return self.standing.whole(self.state)

    def run_of(self, stage: str | None) -> str:
        """The run in which that stage was planned last; "" where it was in none."""
        if stage is None or stage in self.state.stages or stage not in self.standing.others:
            return self.run or ""
        return self.standing.runs.get(stage, "")

    def newer(self) -> bool:
        """Whether there is a run later than known; it is shown then, where runs are followed."""
        known, self._newest = self._newest, runs.latest_run(self.root)
        if self.follow and self._newest is not None and self._newest != self.run:
            self.show(self._newest)
            return True
        return self._newest != known

    def fold(self) -> tuple[bool, bool]:
        """Fold what the log has gained: (whether it was anything, whether there is more than one slice of it)."""
        if self._reader is None:
            return False, False
        deadline = time.monotonic() + SLICE_SECONDS
        gained = False
        while batch := self._reader.read(SLICE_EVENTS):
            gained = True
            for event in batch:
                apply(self.state, event)
            if time.monotonic() > deadline:
                break
        else:
            return gained and self._look(), False
        return self._look(), True

    def check(self) -> bool:
        """Look whether the build process is still there, and that of the latest run where another is shown; whether
        there is news: one of them is there, or was until now."""
        was = self.going or self.later_going
        self._look()
        self._look_at_latest()
        return self.going or self.later_going or was

    def snapshot(self) -> Snapshot:
        return Snapshot(self.state, time.time(), self.going, self.latest, self.later_going, self.standing)

    def _look_at_latest(self) -> None:
        latest = self._newest
        self.later_going = latest is not None and latest != self.run and runs.goes(self.root, latest)

    def _look(self) -> bool:
        self.going = runs.is_going(self.state)
        return True
