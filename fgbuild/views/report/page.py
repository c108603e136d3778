"""The page: a run's parts, put into the templates beside this file.

Everything that is printed is escaped by Jinja and has its invisible characters made visible, at one place for all of
it; the page's policy lets no script run but its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fgbuild.views import describe, text
from fgbuild.views.records import CANCELLED, FAILED, RUNNING, Check, StageState
from fgbuild.views.report import overview
from fgbuild.views.report.dataset import Dataset, dataset_of
from fgbuild.views.report.evaluation import Evaluation, evaluation_of
from fgbuild.views.report.log import RunLog
from fgbuild.views.report.made import Made
from fgbuild.views.report.training import Training, training_of

_SCRIPT = "script.js.jinja"


@dataclass(frozen=True, slots=True)
class StageRow:
    """share, predicted: of the longest stage, in percent."""

    stage: StageState
    symbol: str
    word: str
    share: float
    predicted: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Domain:
    """What the page tells of a domain; name is "" for what all share."""

    name: str
    title: str
    verdict: overview.Verdict
    rows: list[StageRow]
    seconds: float | None
    training: Training | None
    evaluation: Evaluation | None
    checks: list[Check]
    dataset: Dataset | None
    size: overview.Size | None
    failures: list[StageState]


def render(log: RunLog, made: Made, *, project: str) -> str:
    """The whole page as HTML. project: what the page is called by."""
    environment = _environment()
    script = environment.get_template(_SCRIPT).render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    state = log.state
    return environment.get_template("page.html.jinja").render(
        project=project,
        state=state,
        outcome=_outcome(log),
        began=overview.began(state),
        verdict=overview.run_verdict(state),
        tiles=overview.tiles(log),
        rebuilt=overview.rebuilt(state),
        timeline=overview.timeline(log),
        domains=[
            _domain(log, made, name, stages)
            for name, stages in state.by_domain().items()
            if name or _did_something(stages)
        ],
        environment=overview.environment(log, made),
        script=Markup(script),
        digest=digest,
    )


def _outcome(log: RunLog) -> str:
    if log.state.finished:
        return describe.outcome(log.state)
    return "The log has no end: the build still runs, or was killed."


def _did_something(stages: Sequence[StageState]) -> bool:
    return any(stage.action == "run" or stage.status in (RUNNING, FAILED, CANCELLED) for stage in stages)


def _domain(log: RunLog, made: Made, name: str, stages: list[StageState]) -> Domain:
    by_kind = {stage.kind: stage for stage in stages}
    learning = next((stage for stage in stages if stage.kind == "train" or stage.loss), None)
    took = [stage.seconds for stage in stages if stage.seconds is not None and stage.action != "skip"]
    return Domain(
        name=name,
        title=name or "Shared by all",
        verdict=overview.domain_verdict(log.state, stages),
        rows=_rows(log, stages),
        seconds=sum(took) if took else None,
        training=training_of(log, made, learning) if learning else None,
        evaluation=evaluation_of(made, by_kind["eval"]) if name and "eval" in by_kind else None,
        checks=list(by_kind["verify"].checks.values()) if "verify" in by_kind else [],
        dataset=dataset_of(made, name) if name else None,
        size=overview.size_of(stages),
        failures=[stage for stage in stages if stage.message],
    )


def _rows(log: RunLog, stages: Sequence[StageState]) -> list[StageRow]:
    known = [value for stage in stages for value in (stage.seconds, _predicted(stage)) if value is not None]
    longest = max(known, default=0.0) or 1.0
    rows = []
    for stage in stages:
        symbol, word = describe.status(log.state, stage)
        predicted = _predicted(stage)
        rows.append(
            StageRow(
                stage=stage,
                symbol=symbol,
                word=word,
                share=round(100 * (stage.seconds or 0.0) / longest, 1),
                predicted=round(100 * predicted / longest, 1) if predicted else None,
                why=describe.because(stage.reasons, most=6),
            )
        )
    return rows


def _predicted(stage: StageState) -> float | None:
    """What the stage was to take, where it ran at all."""
    return stage.predicted_seconds if stage.action == "run" else None


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fgbuild.views.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_inert,
    )
    environment.filters |= {
        "percent": text.percent,
        "number": text.number,
        "seconds": text.seconds,
        "megabytes": text.megabytes,
        "anchor": _anchor,
    }
    return environment


def _inert(value: Any) -> Any:
    """Text without characters that hide or reorder what a person sees; markup of ours stays what it is."""
    return text.clean(value, None, keep_newlines=True) if type(value) is str else value


def _anchor(name: str) -> str:
    """A domain's name as an id on the page."""
    return "domain-" + "".join(character if character.isalnum() else "-" for character in name or "shared")
