"""Two runs side by side: what each domain's stages gave, row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fgbuild.views import describe, runs, text
from fgbuild.views.bulk import read_events
from fgbuild.views.chart import Series, resumed_from
from fgbuild.views.records import BuildState, Reason, StageState
from fgbuild.views.report.log import RunLog
from fgbuild.views.report.made import Made
from fgbuild.views.report.scores import scores_of
from fgbuild.views.report.values import document, lines, number, series
from fgbuild.views.runs import RunSummary

Row = tuple[str, str, str, str]
"""Name, the first run's value, the second's, and the difference in words; "" where there is none."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training reported over its steps, and of its end."""

    loss: Series = field(default_factory=Series)
    eval_loss: float | None = None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """summary, state: of the run. trained, evaluated: by domain; shares are from 0 to 1. made_with: version and
    machine."""

    summary: RunSummary
    state: BuildState
    trained: Mapping[str, Trained]
    evaluated: Mapping[str, Mapping[str, float]]
    made_with: Mapping[str, Any]

    @property
    def stages(self) -> Mapping[str, StageState]:
        return self.state.stages

    def status(self, stage: str) -> str:
        """The word for what became of a stage."""
        known = self.stages.get(stage)
        word = describe.status(self.state, known)[1] if known is not None else "not there"
        return word if self.summary.going else {"running": "stopped", "waiting": "not run"}.get(word, word)

    def domains(self) -> list[str]:
        return list(dict.fromkeys(stage.domain for stage in self.stages.values() if stage.domain))

    def of_domain(self, domain: str) -> dict[str, StageState]:
        """Kind → stage."""
        return {stage.kind: stage for stage in self.stages.values() if stage.domain == domain}


def facts_of(root: Path, run: str, made: Made) -> RunFacts:
    """Read a run's log and what its stages made; may take some seconds."""
    log = RunLog(read_events(runs.log_path(root, run)))
    trained, evaluated = {}, {}
    for domain in log.state.domains():
        stages = {stage.kind: stage for stage in log.state.stages.values() if stage.domain == domain}
        if "train" in stages:
            trained[domain] = _trained(stages["train"], made)
        if "eval" in stages:
            evaluated[domain] = _evaluated(stages["eval"], made)
    return RunFacts(runs.summarise(root, run), log.state, trained, evaluated, log.made_with)


def _trained(stage: StageState, made: Made) -> Trained:
    """What the artifact has is taken before the log, which may begin at a checkpoint, or hold no training."""
    loss = series(lines(made.read(stage.id, "metrics.jsonl")), "loss")
    facts = document(made.read(stage.id, "train.json")) or stage.summary
    eval_loss = stage.eval_loss.last if len(stage.eval_loss) else number(facts.get("eval_loss"))
    return Trained(loss if len(loss) else stage.loss, eval_loss)


def _evaluated(stage: StageState, made: Made) -> Mapping[str, float]:
    if stage.summary:
        return stage.summary
    report = document(made.read(stage.id, "report.json"))
    return {score.name: score.value for score in scores_of(report, {}).shares if score.value is not None}


def losses(first: Trained, second: Trained) -> list[Row]:
    return _present(
        _row("final loss", first.loss.last, second.loss.last, text.number, _plain),
        _row("eval loss", first.eval_loss, second.eval_loss, text.number, _plain),
        _row("last step", _end(first.loss), _end(second.loss), text.number, _plain),
    )


def evaluations(first: Mapping[str, float], second: Mapping[str, float]) -> list[Row]:
    """Shares in percent, their differences in percentage points; numbers as they are."""
    rows = []
    for name in {**first, **second}:
        values = first.get(name), second.get(name)
        share = describe.is_share(name) and all(value is None or 0 <= value <= 1 for value in values)
        show, differ = (text.percent, _points) if share else (text.number, _plain)
        rows.append(_row(name.replace("_", " "), *values, show, differ, _shown_share if share else lambda value: value))
    return _present(*rows)


def durations(first: RunFacts, second: RunFacts, domain: str) -> list[Row]:
    """The stages that ran in either run, and the whole builds. A training that went on from a checkpoint is not held
    against a whole one."""
    before, after = first.of_domain(domain), second.of_domain(domain)
    rows = []
    for kind in {**before, **after}:
        took = _seconds(before.get(kind)), _seconds(after.get(kind))
        row = _row(kind, *took, text.seconds, _time, _shown_seconds)
        steps = [_resumed(stages.get(kind)) for stages in (before, after)]
        if any(steps):
            began = [text.number((step or 0) + 1) if value is not None else "–" for step, value in zip(steps, took)]
            rows += [(*row[:3], ""), ("  from step", began[0], began[1], "resumed")]
        else:
            rows.append(row)
    whole = first.summary.seconds, second.summary.seconds
    return _present(*rows, _row("whole build", *whole, text.seconds, _time, _shown_seconds))


def _resumed(stage: StageState | None) -> float | None:
    """The step of the checkpoint that it went on from in its run."""
    return resumed_from(stage.loss) if stage is not None and _seconds(stage) is not None else None


def models(first: RunFacts, second: RunFacts, domain: str) -> list[Row]:
    """Sizes of the files that are shipped."""
    sizes = _megabytes(first.of_domain(domain)), _megabytes(second.of_domain(domain))
    return _present(_row("GGUF size", *sizes, _size, lambda change: f"{change:+,.3f} MB".replace("-", "−")))


def _size(megabytes: float) -> str:
    """As finely as differences of sizes are told."""
    return f"{megabytes:,.3f} MB"


def _megabytes(stages: Mapping[str, StageState]) -> float | None:
    item = describe.model_of(stages.values())
    return item.bytes / 1e6 if item is not None and item.bytes is not None else None


def machines(first: RunFacts, second: RunFacts) -> list[Reason]:
    """What the two were built with, where that differs."""
    known = {**first.made_with, **second.made_with}
    values = [(name, first.made_with.get(name), second.made_with.get(name)) for name in known]
    variant = [(name, getattr(first.summary, name), getattr(second.summary, name)) for name in ("base", "profile")]
    return [
        Reason(name.replace("_", " "), text.scalar(old), text.scalar(new))
        for name, old, new in variant + values
        if old != new
    ]


def swapped(reason: Reason) -> Reason:
    """The same difference seen from the other run; words that tell a direction are dropped."""
    words = reason.text if reason.old and reason.new else ""
    before, after = reason.after, reason.before
    return replace(reason, old=reason.new, new=reason.old, text=words, before=before, after=after)


def _row(
    name: str,
    first: float | None,
    second: float | None,
    show: Callable[[float], str],
    differ: Callable[[float], str],
    shown: Callable[[float], float] = lambda value: value,
) -> Row:
    """shown: the value that `show` shows, so that the difference is the one that a reader would compute."""
    if first is None and second is None:
        return name, "", "", ""
    before, after = ("–" if value is None else show(value) for value in (first, second))
    if first is None or second is None:
        return name, before, after, ""
    change = shown(second) - shown(first)
    return name, before, after, differ(change) if change else "="


def _present(*rows: Row) -> list[Row]:
    return [row for row in rows if row[1] or row[2]]


def _plain(change: float) -> str:
    return f"{'+' if change > 0 else '−'}{text.number(abs(change))}"


def _points(change: float) -> str:
    return f"{change * 100:+.1f} points".replace("-", "−")


def _time(change: float) -> str:
    return f"{'+' if change > 0 else '−'}{text.seconds(abs(change))}"


def _shown_seconds(value: float) -> float:
    return round(value, 1) if value < 9.95 else round(value)


def _shown_share(value: float) -> float:
    return round(value, 3)


def _seconds(stage: StageState | None) -> float | None:
    """How long it ran; None where it was left alone or restored."""
    return stage.seconds if stage is not None and stage.action in ("run", "") else None


def _end(loss: Series) -> float | None:
    return loss.x[-1] if len(loss) else None
