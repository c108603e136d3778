"""A run's events in words, each line with its time and its stage: a pure fold."""

from __future__ import annotations

from dataclasses import dataclass

from fgbuild.events import Event
from fgbuild.views import describe, table, text
from fgbuild.views.estimate import stage_remaining
from fgbuild.views.plain import PROGRESS_SECONDS, PROGRESS_SHARE, SILENCE_SECONDS
from fgbuild.views.records import BuildState, Check, StageState
from fgbuild.views.state import apply

_STORED = " (when it last ran)"


@dataclass(frozen=True, slots=True)
class Line:
    """time: unix seconds. stage: its id, "" where the line is the build's. word: what kind of thing happened.
    aside: whether it says little about the build as a whole (a stage with nothing to do). bad: whether it tells of
    something that failed or did not pass."""

    time: float | None
    stage: str
    word: str
    text: str
    aside: bool = False
    bad: bool = False


class Narration:
    """Folds a run's events and says what each means."""

    def __init__(self) -> None:
        self.state = BuildState()
        self._said_progress: dict[str, tuple[float, float]] = {}  # stage → (time, fraction)
        self._said_failure: dict[str, tuple[str, str]] = {}  # stage → (message, log)

    def tell(self, event: Event) -> list[Line]:
        """Fold one event; the lines it is worth."""
        apply(self.state, event)
        kind, stage_id = event.get("kind"), event.get("stage")
        if kind == "run.started":
            return self._lines("", [("", line) for line in table.header(self.state) if line])
        if kind == "build.finished":
            return self._lines("", [("", describe.outcome(self.state))])
        stage = self.state.stages.get(text.clean(stage_id, 200)) if isinstance(stage_id, str) else None
        if stage is None:
            return []
        stored = event.get("stored") is True
        said = self._said(str(kind), stage, event)
        aside = stored or (kind == "stage.finished" and stage.action == "skip")
        told = [(word, words + (_STORED if stored else "")) for word, words in said if word or words]
        return self._lines(stage.id, told, aside, _is_bad(str(kind), stage))

    def _lines(self, stage: str, said: list[tuple[str, str]], aside: bool = False, bad: bool = False) -> list[Line]:
        return [Line(self.state.updated_at, stage, word, words, aside, bad) for word, words in said]

    def _said(self, kind: str, stage: StageState, event: Event) -> list[tuple[str, str]]:
        if kind == "stage.started":
            self._said_progress[stage.id] = (stage.started_at or 0.0, 0.0)
            why = describe.because(stage.reasons)
            about = f"about {text.seconds(stage.predicted_seconds)}" if stage.predicted_seconds else ""
            return [("started", _joined(f"because {why}" if why else "", about))]
        if kind in ("stage.progress", "stage.metric"):
            return self._progress(kind, stage, event)
        if kind == "stage.note":
            return [("note", text.clean(event["text"]))] if isinstance(event.get("text"), str) else []
        if kind == "stage.artifact" and stage.artifacts:
            item = list(stage.artifacts.values())[-1]
            return [("wrote", f"{item.path}  {describe.artifact(item)}")]
        if kind == "stage.check" and stage.checks:
            return [("check", check_words(list(stage.checks.values())[-1]))]
        if kind == "stage.result":
            return [("result", describe.results(stage, most=100))] if stage.summary else []
        if kind == "stage.finished":
            return [_finished(stage)]
        if kind == "stage.failed":
            return self._failed(stage)
        return [("cancelled", describe.resuming(stage))] if kind == "stage.cancelled" else []

    def _progress(self, kind: str, stage: StageState, event: Event) -> list[tuple[str, str]]:
        """A measured eval loss always; how far the stage is now and then."""
        if kind == "stage.metric" and isinstance(event.get("eval_loss"), (int, float)) and "eval_loss" in stage.metrics:
            step = f"step {text.number(stage.metrics['step'])}" if "step" in stage.metrics else ""
            return [("measured", _joined(f"eval loss {text.number(stage.metrics['eval_loss'])}", step))]
        now, fraction = self.state.updated_at, stage.fraction or 0.0
        if now is None:
            return []
        said_at, said = self._said_progress.setdefault(stage.id, (now, 0.0))
        waited = now - said_at
        if waited < PROGRESS_SECONDS or (fraction - said < PROGRESS_SHARE and waited < SILENCE_SECONDS):
            return []
        self._said_progress[stage.id] = (now, fraction)
        share = text.percent(round(fraction, 2)) if stage.fraction is not None else ""
        left = stage_remaining(stage, now)
        ending = f"{text.seconds(left)} left" if left is not None else ""
        return [("running", _joined(share, describe.progress(stage), *describe.metrics(stage), ending))]

    def _failed(self, stage: StageState) -> list[tuple[str, str]]:
        """The message once, then the log and the exit code that the build process adds."""
        said_message, said_log = self._said_failure.get(stage.id, ("", ""))
        self._said_failure[stage.id] = (stage.message, stage.log)
        message = stage.message if stage.message != said_message else ""
        log = f"log: {stage.log}" if stage.log and stage.log != said_log else ""
        exit_code = f"exit code {stage.exit_code}" if stage.exit_code is not None else ""
        first, *rest = message.split("\n")
        lines = [("failed", first)] if message or not said_message else []
        ending = _joined(exit_code, log)
        return [*lines, *(("", f"    {line}") for line in rest), *([("", f"    {ending}")] if ending else [])]


def _is_bad(kind: str, stage: StageState) -> bool:
    if kind == "stage.check" and stage.checks:
        return list(stage.checks.values())[-1].passed is False
    return kind == "stage.failed" or (kind == "stage.finished" and stage.refused)


def check_words(check: Check) -> str:
    """`size passed: 291.5` or `size did not pass: 330, expected 250–320: too large`."""
    if check.passed is not False:
        return f"{check.name} passed{f': {check.value}' if check.value else ''}"
    expected = f", expected {check.expected}" if check.expected else ""
    why = f": {check.reason}" if check.reason else ""
    return f"{check.name} did not pass: {check.value or 'no value'}{expected}{why}"


def _finished(stage: StageState) -> tuple[str, str]:
    word = "not passed" if stage.refused else "finished"
    if stage.action in ("cached", "skip"):
        return word, "up to date" if stage.action == "skip" else "restored from the cache"
    peak = f"peak {text.megabytes(stage.peak_memory_mb)}" if stage.peak_memory_mb else ""
    took = text.seconds(stage.seconds) if stage.seconds is not None else ""
    return word, _joined(took, describe.last_loss(stage), peak, describe.checks(stage))


def _joined(*pieces: str) -> str:
    return " · ".join(filter(None, pieces))
