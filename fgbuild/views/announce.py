"""A run in full sentences, for a screen reader: no symbols, each change of state once. A pure fold."""

from __future__ import annotations

from fgbuild.events import Event
from fgbuild.views import text
from fgbuild.views.describe import EVAL_NAMES, is_model, resuming
from fgbuild.views.estimate import stage_remaining
from fgbuild.views.records import CANCELLED, DONE, FAILED, Artifact, Check, Reason, StageState
from fgbuild.views.state import BuildState, apply

QUARTERS = (0.25, 0.5, 0.75)
QUIET_SECONDS = 5.0
"""How far a stage is goes unsaid for as long after something else was said of it."""
_MOST = 5
_SPOKEN = str.maketrans({"→": "to", "·": ",", "–": " to ", "≥": "at least ", "≤": "at most ", "%": " percent", "✓": ""})


class Announcer:
    """Folds a run's events and says what changed."""

    def __init__(self) -> None:
        self.state = BuildState()
        self._said_at: dict[str, float] = {}
        self._said_share: dict[str, float] = {}
        self._said_end: dict[str, str] = {}  # stage → the message of its failure

    def announce(self, event: Event) -> list[str]:
        """Fold one event; the sentences it is worth, often none."""
        apply(self.state, event)
        kind, stage_id = event.get("kind"), event.get("stage")
        if kind == "run.started":
            return [self._begin()]
        if kind == "build.finished":
            return [self._end()]
        stage = self.state.stages.get(text.clean(stage_id, 200)) if isinstance(stage_id, str) else None
        if stage is None or event.get("stored") is True:
            return []
        sentences = [sentence for sentence in self._said(str(kind), stage) if sentence]
        if sentences and self.state.updated_at is not None:
            self._said_at[stage.id] = self.state.updated_at
        return sentences

    def standing(self) -> list[str]:
        """Where a build that one attaches to is now."""
        state = self.state
        verb = "is" if state.settled() == 1 else "are"
        sentences = [f"The build is running. Of {_count(len(state.stages), 'stage')}, {state.settled()} {verb} done."]
        for stage in state.running():
            self._said_share[stage.id] = stage.fraction or 0.0
            sentences.append(f"{_name(stage)} is running{self._how_far(stage)}.")
        failed = [stage for stage in state.stages.values() if stage.status == FAILED]
        return sentences + [f"{_name(stage)} has failed{_because(stage.message)}" for stage in failed]

    def _begin(self) -> str:
        to_run = [stage for stage in self.state.stages.values() if stage.planned == "run"]
        if not to_run:
            return "Build started; no stage has to run."
        known = [stage.predicted_seconds for stage in to_run]
        about = f"; about {duration(sum(filter(None, known)))} of work" if None not in known else ""
        return f"Build started; {_count(len(to_run), 'stage')} to run{about}."

    def _said(self, kind: str, stage: StageState) -> list[str]:
        if kind == "stage.started":
            self._said_share[stage.id] = 0.0
            about = f"; about {duration(stage.predicted_seconds)} expected" if stage.predicted_seconds else ""
            return [f"{_name(stage)} started{about}.", _reasons(stage.reasons)]
        if kind == "stage.progress":
            return [self._progress(stage)]
        if kind == "stage.artifact" and stage.artifacts:
            return [_model(list(stage.artifacts.values())[-1])]
        if kind == "stage.check" and stage.checks:
            return [_check(stage, list(stage.checks.values())[-1])]
        if kind == "stage.result" and stage.kind == "eval":
            return [_evaluation(stage)]
        if kind == "stage.finished":
            return [_finished(stage)]
        if kind == "stage.failed" and self._said_end.get(stage.id) in (None, "") != stage.message:
            first = stage.id not in self._said_end
            self._said_end[stage.id] = stage.message
            return [f"{_name(stage)} failed{_because(stage.message)}"] if first or stage.message else []
        if kind == "stage.cancelled":
            return ["; ".join(filter(None, [f"{_name(stage)} was cancelled", resuming(stage)])) + "."]
        return []

    def _progress(self, stage: StageState) -> str:
        fraction, said = stage.fraction or 0.0, self._said_share.get(stage.id, 0.0)
        passed = [quarter for quarter in QUARTERS if said < quarter <= fraction]
        if not passed or fraction >= 1.0:
            return ""
        self._said_share[stage.id] = passed[-1]
        now = self.state.updated_at or 0.0
        if now - self._said_at.get(stage.id, 0.0) < QUIET_SECONDS:
            return ""
        return f"{_name(stage)}{self._how_far(stage).replace(',', ' is', 1)}."

    def _how_far(self, stage: StageState) -> str:
        """`, 50 percent done; about 3 minutes left`."""
        if stage.fraction is None:
            return ""
        left = stage_remaining(stage, self.state.updated_at or 0.0)
        return f", {int(stage.fraction * 100)} percent done" + (f"; about {duration(left)} left" if left else "")

    def _end(self) -> str:
        state = self.state
        took = f" after {duration(state.seconds)}" if state.seconds is not None else ""
        failed = [stage for stage in state.stages.values() if stage.status == FAILED]
        refused = [stage for stage in state.stages.values() if stage.refused]
        ran = sum(stage.status == DONE and stage.action == "run" for stage in state.stages.values())
        if failed:
            return f"Build failed{took}: {_list([_name(stage).lower() for stage in failed])} failed."
        if state.exit_code == 130 or any(stage.status == CANCELLED for stage in state.stages.values()):
            return f"Build interrupted{took}; finished stages stay finished."
        if refused:
            return f"Build finished{took}, but {_list([_name(stage).lower() for stage in refused])} did not pass."
        if state.exit_code:
            return f"Build stopped{took} with exit code {state.exit_code}."
        return f"Build finished{took}; {_count(ran, 'stage')} ran." if ran else f"Everything is up to date{took}."


def duration(seconds: float) -> str:
    """`6 minutes 39 seconds`, `1 hour 2 minutes`, `less than a second`."""
    whole = round(max(seconds, 0.0))
    if whole < 1:
        return "less than a second"
    if whole < 60:
        return _count(whole, "second")
    big, small, names = (whole // 60, whole % 60, ("minute", "second"))
    if whole >= 3600:
        big, small, names = (whole // 3600, whole % 3600 // 60, ("hour", "minute"))
    return _count(big, names[0]) + (f" {_count(small, names[1])}" if small else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _list(words: list[str]) -> str:
    shown = words if len(words) <= _MOST else [*words[: _MOST - 1], f"{len(words) - _MOST + 1} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else ""


def _spoken(words: str) -> str:
    """One line without what a screen reader spells out."""
    return " ".join(words.translate(_SPOKEN).replace("_", " ").split()).replace(" ,", ",").rstrip(".;:, ")


def _name(stage: StageState) -> str:
    return f"Stage {stage.kind} of {stage.domain}" if stage.domain else f"Stage {stage.id}"


def _because(message: str) -> str:
    first = next((line for line in message.splitlines() if line.strip()), "")
    return f": {_spoken(first)}." if first else "."


def _reasons(reasons: tuple[Reason, ...]) -> str:
    said = [reason.text or _reason(reason) for reason in reasons if reason.text or reason.component]
    return f"It runs because {_spoken(_list(said))}." if said else ""


def _reason(reason: Reason) -> str:
    if reason.old and reason.new:
        return f"{reason.component} changed from {reason.old} to {reason.new}"
    return f"{reason.component} {'is new' if reason.new else 'changed'}"


def _model(item: Artifact) -> str:
    if not is_model(item) or item.bytes is None:
        return ""
    inside = {True: ", inside its size window", False: ", outside its size window", None: ""}[item.inside]
    return f"The model has {text.number(round(item.bytes / 1e6, 1))} megabytes{inside}."


def _check(stage: StageState, check: Check) -> str:
    """Only what did not pass; those that did are counted at the end."""
    if check.passed is not False:
        return ""
    expected = f", expected {_spoken(check.expected)}" if check.expected else ""
    name = f"Check {_spoken(check.name)} of {stage.domain or stage.id}"
    return f"{name} did not pass: {_spoken(check.value) or 'no value'}{expected}{_because(check.reason)}"


def _evaluation(stage: StageState) -> str:
    parts = [
        f"{name.replace('_', ' ')} {text.number(round(stage.summary[name] * 100, 1))} percent"
        for name in EVAL_NAMES
        if name in stage.summary
    ]
    return f"Evaluation of {stage.domain or stage.id}: {', '.join(parts)}." if parts else ""


def _finished(stage: StageState) -> str:
    if stage.action in ("cached", "skip") and not stage.refused:
        restored = stage.action == "cached"
        return f"{_name(stage)} was restored from the cache." if restored else ""
    took = f" after {duration(stage.seconds)}" if stage.seconds is not None else ""
    loss = stage.metrics.get("loss")
    details = [f"loss {text.number(float(f'{loss:.2g}'))}"] if loss is not None else []
    if stage.checks:
        passed = sum(check.passed is True for check in stage.checks.values())
        details.append(f"{passed} of {_count(len(stage.checks), 'check')} passed")
    ending = f"; {', '.join(details)}" if details else ""
    return f"{_name(stage)} {'finished but did not pass' if stage.refused else 'finished'}{took}{ending}."
