"""A run's events as a report needs them: the state they fold into, and what that fold leaves out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fgbuild.events import Event
from fgbuild.views.chart import Series
from fgbuild.views.records import DONE, WAITING, BuildState, Note, StageState
from fgbuild.views.report.values import mapping, number
from fgbuild.views.state import apply
from fgbuild.views.text import clean
from fgbuild.views.trace import trace

MEASURED = ("learning_rate", "grad_norm", "tokens_per_s", "memory_mb")
"""What trainings measure beside their losses."""


@dataclass(frozen=True, slots=True)
class Span:
    """When a stage ran: seconds since the run began."""

    stage: StageState
    start: float
    end: float


class RunLog:
    """state: the run. outputs: stage id → digest of its artifact, where the log says so. measured: stage id → name →
    values over steps. made_with: version and machine, as far as they were written down."""

    def __init__(self, events: Iterable[Event]) -> None:
        whole = list(events)
        self.state = BuildState()
        self.outputs: dict[str, str] = {}
        self.measured: dict[str, dict[str, Series]] = defaultdict(dict)
        self.made_with: dict[str, Any] = {}
        for event in whole:
            apply(self.state, event)
            self._note(event)
        self.spans = self._spans(whole)

    @property
    def ended_at(self) -> float:
        """Unix time of the last event; 0 where the log is empty."""
        return self.state.updated_at or 0.0

    def untouched(self) -> set[str]:
        """Ids of the stages whose outputs were there already."""
        return {
            stage.id
            for stage in self.state.stages.values()
            if (stage.status == DONE and stage.action != "run")
            or (stage.status == WAITING and stage.planned in ("skip", "cached"))
        }

    def notes_of(self, stage: str) -> list[Note]:
        return [note for note in self.state.notes if note.stage == stage]

    def _note(self, event: Event) -> None:
        kind, stage = event.get("kind"), event.get("stage")
        if kind == "run.started":
            self.made_with = {clean(name, 60): value for name, value in mapping(event.get("made_with")).items()}
            for entry in event.get("stages") or ():
                self._output(mapping(entry).get("id"), mapping(entry).get("outputs"))
        elif kind == "stage.started":
            self.outputs.pop(str(stage), None)
            self.measured.pop(str(stage), None)
        elif kind == "stage.finished":
            self._output(stage, event.get("outputs"))
        elif kind == "stage.metric":
            self._measure(str(stage), event)

    def _output(self, stage: Any, digest: Any) -> None:
        # A digest names a directory: anything else must not become a path.
        if isinstance(stage, str) and isinstance(digest, str) and digest.isalnum() and digest.isascii():
            self.outputs[stage] = digest

    def _measure(self, stage: str, event: Event) -> None:
        step = number(event.get("step"))
        for name in MEASURED:
            value = number(event.get(name))
            if step is not None and value is not None and "eval_loss" not in event:
                self.measured[stage].setdefault(name, Series()).add(step, value)

    def _spans(self, events: list[Event]) -> list[Span]:
        """Of every stage that ran, in order of their ends."""
        began = self.state.started_at or 0.0
        spans = []
        for record in trace(events)["traceEvents"]:
            stage = self.state.stages.get(record["name"])
            if record["ph"] == "X" and stage is not None:
                start = record["ts"] / 1e6 - began
                spans.append(Span(stage, start, start + record["dur"] / 1e6))
        return spans
