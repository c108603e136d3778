"""What a run's events add up to: a pure fold that every view draws from.

`apply` looks at the event alone: no clock, no file, no process. It never raises on what a log may
hold: unknown kinds and fields are skipped, a field of the wrong type counts as missing, and all
text is made inert (`text.clean`) on its way in, so that views can print what they find here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fgbuild.events import Event
from fgbuild.views.chart import Series, rose
from fgbuild.views.dependencies import upstream
from fgbuild.views.records import (
    CANCELLED,
    DONE,
    FAILED,
    RUNNING,
    WAITING,
    Artifact,
    BuildState,
    Check,
    Note,
    Reason,
    StageState,
)
from fgbuild.views.text import MAX_MESSAGE, MAX_TEXT, clean, scalar, whole

__all__ = ["Artifact", "BuildState", "Check", "Note", "Reason", "StageState", "apply", "reasons_of"]

_METRICS = frozenset(("step", "loss", "eval_loss", "learning_rate", "grad_norm", "tokens_per_s", "memory_mb"))
# Larger than any count of bytes, steps or seconds a stage can mean; keeps arithmetic finite.
_LARGEST = 1e15


def apply(state: BuildState, event: Event) -> BuildState:
    """Fold one event into `state`, which is changed and returned."""
    time = _number(event.get("t"))
    if time is not None:
        state.updated_at = time
    if not state.run:
        state.run = _text(event.get("run"), 200)
    kind = event.get("kind")
    if kind == "run.started":
        _run_started(state, event)
    elif kind == "build.finished":
        _build_finished(state, event)
    elif isinstance(kind, str) and (handle := _STAGE_HANDLERS.get(kind)) is not None:
        stage_id = _text(event.get("stage"), 200)
        if stage_id:
            handle(state, _stage(state, stage_id), event)
    return state


def _run_started(state: BuildState, event: Event) -> None:
    command = event.get("command")
    state.command = " ".join(scalar(part) for part in command) if isinstance(command, list) else _text(command)
    state.base = _text(event.get("base"), 200)
    state.profile = _text(event.get("profile"), 200)
    state.pid = _whole(event.get("pid"))
    state.started_at = _number(event.get("t"))
    state.beside = max(_whole(event.get("beside")) or 0, 0)
    for entry in _list(event.get("stages")):
        stage_id = _text(entry.get("id"), 200) if isinstance(entry, dict) else ""
        if not stage_id:
            continue
        stage = _stage(state, stage_id)
        stage.kind = _text(entry.get("kind"), 100) or stage.kind
        if "domain" in entry:
            stage.domain = _text(entry["domain"], 100)
        stage.planned = _text(entry.get("action"), 20)
        if isinstance(entry.get("after"), list):
            stage.after = tuple(filter(None, (_text(name, 200) for name in entry["after"])))
        stage.predicted_seconds = _number(entry.get("predicted_seconds"))
        stage.predicted_memory_mb = _number(entry.get("predicted_memory_mb"))
        stage.reasons = reasons_of(entry.get("reasons"))


def _build_finished(state: BuildState, event: Event) -> None:
    state.finished = True
    state.seconds = _number(event.get("seconds"))
    state.exit_code = _whole(event.get("exit_code"))
    for name, action in (("ran", "run"), ("cached", "cached"), ("skipped", "skip")):
        for stage_id in _list(event.get(name)):
            stage = state.stages.get(_text(stage_id, 200))
            if stage is not None and stage.status in (WAITING, RUNNING):
                stage.status, stage.action = DONE, action
    for stage_id in _list(event.get("failed")):
        stage = state.stages.get(_text(stage_id, 200))
        if stage is not None and not stage.refused:
            stage.status = FAILED
    for stage in state.running():
        stage.status = CANCELLED


def _started(state: BuildState, stage: StageState, event: Event) -> None:
    fresh = StageState(stage.id, stage.kind, stage.domain, stage.planned, stage.after, status=RUNNING)
    fresh.reasons = reasons_of(event.get("reasons")) or stage.reasons
    predicted = _number(event.get("predicted_seconds"))
    fresh.predicted_seconds = stage.predicted_seconds if predicted is None else predicted
    fresh.predicted_memory_mb = stage.predicted_memory_mb
    fresh.started_at = _number(event.get("t"))
    state.stages[stage.id] = fresh
    if stage.status in (FAILED, CANCELLED) or stage.refused:
        _block(state)  # tried again
    state.peak_parallel = max(state.peak_parallel, len(state.running()))


def _progress(state: BuildState, stage: StageState, event: Event) -> None:
    _mark_running(stage, event)
    stage.done = _number(event.get("done"))
    stage.total = _number(event.get("total"))
    stage.unit = _text(event.get("unit"), 30)
    stage.eta_seconds = _number(event.get("eta_seconds"))
    stage.eta_at = _number(event.get("t"))


def _metric(state: BuildState, stage: StageState, event: Event) -> None:
    _mark_running(stage, event)
    known = stage.metrics
    for name, value in event.items():
        if name in _METRICS and (number := _number(value)) is not None:
            known[name] = number
            if name == "loss":
                _point(stage.loss, event, number)
            elif name == "eval_loss":
                _point(stage.eval_loss, event, number)


def _point(series: Series, event: Event, value: float) -> None:
    """Without a step it is the one after the last."""
    step = _number(event.get("step"))
    series.add(step if step is not None else (series.x[-1] + 1 if series.x else 0.0), value)


def _mark_running(stage: StageState, event: Event) -> None:
    if stage.status == WAITING:
        stage.status = RUNNING
        stage.started_at = _number(event.get("t"))


def _note(state: BuildState, stage: StageState, event: Event) -> None:
    text = _text(event.get("text"))
    if text:
        state.notes.append(Note(_number(event.get("t")), stage.id, text))


def _artifact(state: BuildState, stage: StageState, event: Event) -> None:
    path = _text(event.get("path"))
    fields = (_number(event.get(name)) for name in ("bytes", "predicted_bytes", "min_mb", "max_mb"))
    stage.artifacts.pop(path, None)  # so that the newest is the last
    stage.artifacts[path] = Artifact(path, *fields)


def _check(state: BuildState, stage: StageState, event: Event) -> None:
    name = _text(event.get("name"), 100)
    stage.checks.pop(name, None)
    stage.checks[name] = Check(
        name=name,
        passed=_flag(event.get("passed")),
        value=scalar(event.get("value")),
        expected=scalar(event.get("expected")),
        reason=_text(event.get("reason")),
    )


def _result(state: BuildState, stage: StageState, event: Event) -> None:
    summary = event.get("summary")
    if isinstance(summary, dict):
        numbers = {clean(str(name), 60): _number(value) for name, value in summary.items()}
        stage.summary.update({name: value for name, value in numbers.items() if value is not None})


def _finished(state: BuildState, stage: StageState, event: Event) -> None:
    stage.status = DONE
    stage.action = _text(event.get("action"), 20) or "run"
    stage.seconds = _number(event.get("seconds"))
    stage.cpu_seconds = _number(event.get("cpu_seconds"))
    stage.peak_memory_mb = _number(event.get("peak_memory_mb"))
    stage.passed = _flag(event.get("passed"))
    stage.loss_rose = rose(stage.loss)
    if stage.refused:
        _block(state)


def _failed(state: BuildState, stage: StageState, event: Event) -> None:
    # The worker says why it failed; the build process then adds log and exit code.
    if stage.status == RUNNING and stage.started_at is not None and state.updated_at is not None:
        stage.seconds = max(state.updated_at - stage.started_at, 0.0)
    stage.status = FAILED
    message = event.get("message")
    if isinstance(message, str) and message:
        stage.message = clean(message, MAX_MESSAGE, keep_newlines=True)
    stage.log = _text(event.get("log")) or stage.log
    exit_code = _whole(event.get("exit_code"))
    stage.exit_code = stage.exit_code if exit_code is None else exit_code
    _block(state)


def _cancelled(state: BuildState, stage: StageState, event: Event) -> None:
    stage.status = CANCELLED
    if "checkpoint" in event:
        stage.resumes_at = max(_whole(event["checkpoint"]) or 0, 0)
    _block(state)


def _block(state: BuildState) -> None:
    """Note for every stage which one that went wrong it waits for, directly or not."""
    above = upstream(state)
    for stage in state.stages.values():
        stage.blocked_by = ""
    wrong = [stage.id for stage in state.stages.values() if stage.status in (FAILED, CANCELLED) or stage.refused]
    for culprit in wrong:
        reached = {culprit}
        while below := [name for name, ups in above.items() if name not in reached and not reached.isdisjoint(ups)]:
            reached.update(below)
            for name in below:
                state.stages[name].blocked_by = state.stages[name].blocked_by or culprit


_STAGE_HANDLERS: dict[str, Callable[[BuildState, StageState, Event], None]] = {
    "stage.started": _started,
    "stage.progress": _progress,
    "stage.metric": _metric,
    "stage.note": _note,
    "stage.artifact": _artifact,
    "stage.check": _check,
    "stage.result": _result,
    "stage.finished": _finished,
    "stage.failed": _failed,
    "stage.cancelled": _cancelled,
}


def _stage(state: BuildState, stage_id: str) -> StageState:
    """The stage of that id, added at the end where the plan did not name it."""
    stage = state.stages.get(stage_id)
    if stage is None:
        domain, colon, kind = stage_id.partition(":")
        stage = StageState(stage_id, kind if colon else stage_id, domain if colon else "")
        state.stages[stage_id] = stage
    return stage


def reasons_of(value: Any) -> tuple[Reason, ...]:
    """A list of reasons as events have it; what is none is left out."""
    return tuple(
        Reason(
            component=scalar(entry.get("component")),
            old=scalar(entry.get("old")),
            new=scalar(entry.get("new")),
            text=_text(entry.get("text")),
            upstream=_text(entry.get("upstream"), 100),
            before=whole(entry.get("old")),
            after=whole(entry.get("new")),
        )
        for entry in _list(value)
        if isinstance(entry, dict)
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any, limit: int = MAX_TEXT) -> str:
    return clean(value, limit) if isinstance(value, str) else ""


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    kind = type(value)  # JSON gives no subclasses, and a bool is no number here
    if kind is not float and kind is not int:
        return None
    return value if -_LARGEST <= value <= _LARGEST else None  # NaN and infinity fail the comparison


def _whole(value: Any) -> int | None:
    return int(number) if (number := _number(value)) is not None else None
