"""What the log view shows of a run: what happened, in words, and what each stage's worker printed."""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path

from fgbuild.views import runs, text
from fgbuild.views.bulk import BulkReader
from fgbuild.views.lines import FileLines, TextLines
from fgbuild.views.narration import Line, Narration
from fgbuild.views.records import FAILED, RUNNING, StageState

_BATCH = 200


class Happenings:
    """The events of a run in words: of each stage, and under None of the whole build."""

    def __init__(self, root: Path, run: str) -> None:
        self._reader = BulkReader(runs.log_path(root, run))
        self._narration = Narration()
        self._of: dict[str | None, TextLines] = defaultdict(TextLines)

    def of(self, stage: str | None) -> TextLines:
        return self._of[stage]

    def grow(self, deadline: float) -> bool:
        """Tell what the log has gained; whether there is more."""
        while events := self._reader.read(_BATCH):
            for event in events:
                for line in self._narration.tell(event):
                    self._add(line)
            if time.monotonic() > deadline:
                return True
        return False

    def _add(self, line: Line) -> None:
        moment = time.strftime("%H:%M:%S", time.localtime(line.time)) if line.time is not None else " " * 8
        if not line.stage:
            self._of[None].add(f"{moment}  {line.text}")
            return
        said = f"{line.word:<10} {line.text}".rstrip()
        self._of[line.stage].add(f"{moment}  {said}", bad=line.bad)
        if not line.aside:
            cells = max((text.cell_width(stage) for stage in self._narration.state.stages), default=0)
            self._of[None].add(f"{moment}  {text.pad(line.stage, min(cells, 32))}  {said}", bad=line.bad)


def output_of(root: Path, run: str, stage: str | None) -> FileLines | None:
    """What the worker of that stage printed; None where there can be no such file."""
    path = runs.output_path(root, run, stage) if stage is not None else None
    return FileLines(path) if path is not None else None


def is_of_interest(stage: StageState) -> bool:
    """Whether it did something in this run, so that it has a log worth going to."""
    return stage.started_at is not None or stage.status in (RUNNING, FAILED) or stage.refused
