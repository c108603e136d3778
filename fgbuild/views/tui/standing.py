"""How the project stands beside the run that is shown: what its files have made stale since, and the stages that the
run did not plan."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbuild.views import runs
from fgbuild.views.bulk import BulkReader
from fgbuild.views.records import BuildState, StageState
from fgbuild.views.state import apply
from fgbuild.views.tui.threads import Unwanted, ask

if TYPE_CHECKING:
    from fgbuild.views.tui.app import DashboardApp

_FOLDERS = ("manifests", "data")
_MOST_RUNS = 50
"""How many runs back a stage is looked for."""


@dataclass(frozen=True)
class Standing:
    """plan: what a build of everything would do with the files as they are, stages as of a run that has not begun; a
    build of `seconds` (None: not all is predicted). others: stages that the shown run did not plan, as the last run
    that did left them; runs: which one that was, nothing for a stage that none planned. going: whether a build ran
    meanwhile, so that what is due is another matter once it has ended. problem: why there is no plan, a sentence."""

    plan: Mapping[str, StageState] = field(default_factory=dict)
    seconds: float | None = None
    others: Mapping[str, StageState] = field(default_factory=dict)
    runs: Mapping[str, str] = field(default_factory=dict)
    going: bool = False
    problem: str = ""

    @property
    def due(self) -> list[str]:
        """What a build would run, or take from the cache."""
        return [name for name, stage in self.plan.items() if stage.planned != "skip"]

    def whole(self, state: BuildState) -> BuildState:
        """The run with all stages of the project, as it or an earlier one left them, in the plan's order."""
        if not self.others:
            return state
        known = {**state.stages, **self.others}
        order = dict.fromkeys([*self.plan, *known])
        return replace(state, stages={name: known[name] for name in order if name in known})


NOTHING = Standing()


def look(
    root: Path, run: str, planned: set[str], entries: Sequence[Mapping[str, Any]], unwanted: Unwanted = lambda: False
) -> Standing:
    """How things stand by the plan's `entries` (as `plan --json` has them), beside a run that planned `planned`."""
    plan = apply(BuildState(), {"kind": "run.started", "stages": list(entries)}).stages
    seconds = [stage.predicted_seconds for stage in plan.values() if stage.planned != "skip"]
    missing = {
        name: StageState(name, stage.kind, stage.domain, after=stage.after)
        for name, stage in plan.items()
        if name not in planned
    }
    others: dict[str, StageState] = {}
    found: dict[str, str] = {}
    for earlier in [name for name in reversed(runs.run_ids(root)) if name < run][:_MOST_RUNS]:
        if len(others) == len(missing) or unwanted():
            break
        reader, state = BulkReader(runs.log_path(root, earlier)), BuildState()
        for event in reader.read(1):  # which has the plan
            apply(state, event)
        wanted = missing.keys() & state.stages.keys() - others.keys()
        while wanted and (batch := reader.read()):
            for event in batch:
                apply(state, event)
        for name in wanted:
            others[name], found[name] = state.stages[name], earlier
    known = [each for each in seconds if each is not None]
    return Standing(plan, sum(known) if len(known) == len(seconds) else None, {**missing, **others}, found)


def stamp(root: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes where a manifest, or data that lies where it usually does, is written anew."""
    looked = []
    for folder in (root, *(root / name for name in _FOLDERS)):
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_file():
                        found = entry.stat()
                        looked.append((entry.path, found.st_mtime_ns, found.st_size))
        except OSError:
            continue
    return tuple(sorted(looked))


class Lookout:
    """Finds out how the project stands beside the latest run whenever that may have changed."""

    def __init__(self, app: DashboardApp) -> None:
        self._app = app
        self._looked: tuple[object, ...] = ()

    def look(self) -> None:
        """To be called now and then; what is found is the feed's `standing`, and drawn."""
        app, feed = self._app, self._app.feed
        if not feed.follow or feed.run is None or not feed.state.stages:
            return
        now = (feed.generation, feed.going, stamp(feed.root))
        if now == self._looked:
            return
        self._looked = now
        run, planned, variant = feed.run, set(feed.state.stages), app.variant

        def found(standing: Standing) -> None:
            if feed.generation == now[0]:
                feed.standing = replace(standing, going=now[1])
                app.draw()

        ask(
            app,
            lambda unwanted: look(feed.root, run, planned, app.desk.plan(variant), unwanted),
            found,
            lambda problem: found(Standing(problem=problem)),
            group="standing",
        )
