"""A run as a trace that Perfetto (ui.perfetto.dev) and chrome://tracing open.

The format is Chrome's Trace Event Format: times in microseconds, a row ("thread") for each domain,
a complete event ("X") for each stage that ran, counters ("C") for what trainings measure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fgbuild.events import Event
from fgbuild.views.records import BuildState, StageState
from fgbuild.views.state import apply

_COUNTERS = ("loss", "eval_loss", "tokens_per_s", "memory_mb")
_PROCESS = 1
_SHARED = "(shared)"


def trace(events: Iterable[Event]) -> dict[str, Any]:
    """The whole document; a stage that has no end yet ends with the log."""
    state = BuildState()
    open_since: dict[str, float] = {}
    found: list[dict[str, Any]] = []
    for event in events:
        apply(state, event)
        stage = state.stages.get(str(event.get("stage", "")))
        if stage is None or state.updated_at is None or event.get("stored") is True:
            continue
        kind = event.get("kind")
        if kind == "stage.started":
            open_since[stage.id] = state.updated_at
        elif kind == "stage.metric":
            found += _counters(stage, state.updated_at, event)
        elif kind in ("stage.finished", "stage.failed", "stage.cancelled") and stage.id in open_since:
            found.append(_complete(stage, open_since.pop(stage.id), state.updated_at))
    end = state.updated_at or 0.0
    found += [_complete(state.stages[name], since, end) for name, since in open_since.items()]
    rows = {domain: row for row, domain in enumerate([_SHARED, *state.domains()])}
    for record in found:
        record["tid"] = rows[record["tid"]]
    return {"displayTimeUnit": "ms", "otherData": _about(state), "traceEvents": [*_names(state, rows), *found]}


def _complete(stage: StageState, since: float, until: float) -> dict[str, Any]:
    details = {
        "outcome": "not passed" if stage.refused else stage.status,
        "because": ", ".join(reason.text or reason.component for reason in stage.reasons),
        "predicted_seconds": stage.predicted_seconds,
        "cpu_seconds": stage.cpu_seconds,
        "peak_memory_mb": stage.peak_memory_mb,
        **stage.summary,
    }
    return {
        "ph": "X",
        "name": stage.id,
        "cat": stage.kind,
        "pid": _PROCESS,
        "tid": stage.domain or _SHARED,
        "ts": _micro(since),
        "dur": max(_micro(until) - _micro(since), 0),
        "args": {name: value for name, value in details.items() if value not in (None, "")},
    }


def _counters(stage: StageState, at: float, event: Event) -> list[dict[str, Any]]:
    return [
        {
            "ph": "C",
            "name": f"{stage.id} {name}",
            "pid": _PROCESS,
            "tid": stage.domain or _SHARED,
            "ts": _micro(at),
            "args": {name: stage.metrics[name]},
        }
        for name in _COUNTERS
        if name in event and name in stage.metrics
    ]


def _names(state: BuildState, rows: dict[str, int]) -> list[dict[str, Any]]:
    head = {"ph": "M", "pid": _PROCESS}
    process = {**head, "name": "process_name", "args": {"name": state.command or f"fgbuild run {state.run}"}}
    return [process, *({**head, "tid": row, "name": "thread_name", "args": {"name": n}} for n, row in rows.items())]


def _about(state: BuildState) -> dict[str, Any]:
    return {"run": state.run, "command": state.command, "base": state.base, "profile": state.profile}


def _micro(seconds: float) -> int:
    return round(seconds * 1_000_000)
