"""The run as a whole: its verdict, what was rebuilt and why, when what ran, and on what."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fgbuild import __version__
from fgbuild.views import describe, text
from fgbuild.views.records import DONE, FAILED, RUNNING, Artifact, BuildState, StageState
from fgbuild.views.report.log import RunLog
from fgbuild.views.report.made import Made
from fgbuild.views.report.values import document, items, mapping, number
from fgbuild.views.table import grouped

GOOD, BAD, OPEN = "good", "bad", "open"
_EXIT = {
    0: "done",
    1: "a stage failed",
    2: "bad usage, manifest or configuration",
    3: "built, but a check or threshold did not pass",
    4: "another build held the tree",
    130: "interrupted",
}
_SHARED = "shared"
_CLOCK_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
_MACHINE = {
    "fgbuild": "fgbuild",
    "python": "Python",
    "system": "System",
    "cores": "Cores",
    "memory_mb": "Memory",
    "gpu_memory_mb": "GPU memory",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """tone: good, bad or open. The symbol says the same: nothing rests on colour alone."""

    tone: str
    symbol: str
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A stage on the timeline; left and width in percent."""

    kind: str
    left: float
    width: float
    told: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """ticks: (percent, label). rows: domain → its stages. kinds: those that are on it."""

    ticks: list[tuple[float, str]]
    rows: list[tuple[str, list[Bar]]]
    kinds: list[str]


@dataclass(frozen=True, slots=True)
class Size:
    """A model's size beside its prediction and its window; marks in percent of the scale."""

    item: Artifact
    words: str
    actual: float
    predicted: float | None
    window: tuple[float, float] | None


def run_verdict(state: BuildState) -> Verdict:
    if not state.finished:
        going = ", ".join(stage.id for stage in state.running())
        return Verdict(OPEN, "●", f"No end yet{f': {going}' if going else ''}")
    if state.exit_code == 0:
        return Verdict(GOOD, "✓", "Passed")
    if any(stage.status == FAILED for stage in state.stages.values()):
        return Verdict(BAD, "✗", "Failed")
    if state.exit_code == 130:
        return Verdict(OPEN, "■", "Interrupted")
    return Verdict(BAD, "✗", "Did not pass" if state.exit_code == 3 else "Stopped")


def domain_verdict(state: BuildState, stages: Sequence[StageState]) -> Verdict:
    failed = [stage.kind for stage in stages if stage.status == FAILED]
    refused = [stage.kind for stage in stages if stage.refused]
    running = [stage.kind for stage in stages if stage.status == RUNNING]
    if failed:
        return Verdict(BAD, "✗", f"{', '.join(failed)} failed")
    if refused:
        return Verdict(BAD, "✗", f"{', '.join(refused)} did not pass")
    if running:
        return Verdict(OPEN, "●", f"{', '.join(running)} running")
    if all(stage.status == DONE or stage.planned == "skip" for stage in stages):
        gates = {stage.kind for stage in stages} & {"verify", "eval"}
        return Verdict(GOOD, "✓", "passed" if gates else "built")
    return Verdict(OPEN, "○", "not finished")


def tiles(log: RunLog) -> list[tuple[str, str, str]]:
    """(what, how much, more of it)."""
    state = log.state
    verdicts = [domain_verdict(state, stages) for name, stages in state.by_domain().items() if name]
    passed = sum(verdict.tone == GOOD for verdict in verdicts)
    took = state.elapsed(log.ended_at)
    work = sum(stage.cpu_seconds or 0.0 for stage in state.stages.values())
    peak = max(state.stages.values(), key=lambda stage: stage.peak_memory_mb or 0.0, default=None)
    found = [("Domains", f"{passed} of {len(verdicts)}", "passed")] if verdicts else []
    found.append(
        ("Time", text.seconds(took) if took is not None else "–", f"{text.seconds(work)} of CPU" if work else "")
    )
    ran = sum(stage.action == "run" for stage in state.stages.values())
    found.append(("Stages that ran", str(ran), f"of {len(state.stages) + state.beside}"))
    if peak is not None and peak.peak_memory_mb:
        found.append(("Peak memory", text.megabytes(peak.peak_memory_mb), peak.id))
    if state.exit_code is not None:
        found.append(("Exit code", str(state.exit_code), _EXIT.get(state.exit_code, "")))
    return found


def rebuilt(state: BuildState) -> list[tuple[str, str]]:
    """Why what ran had to, as (reason, stages): what changed itself, not what follows from it."""
    found: dict[str, list[StageState]] = {}
    for stage in state.stages.values():
        if stage.action == "run" or stage.status in (RUNNING, FAILED):
            for reason in stage.reasons:
                if not reason.upstream and (words := describe.because([reason])):
                    found.setdefault(words, []).append(stage)
    return [(words, grouped(stages)) for words, stages in found.items()]


def timeline(log: RunLog) -> Timeline | None:
    """None where nothing ran."""
    if not log.spans:
        return None
    whole = max(*(span.end for span in log.spans), log.state.seconds or 0.0, 0.001)
    rows: dict[str, list[Bar]] = {}
    for name in log.state.by_domain():
        spans = [span for span in log.spans if span.stage.domain == name]
        if spans:
            rows[name or _SHARED] = [
                Bar(
                    kind=span.stage.kind,
                    left=round(100 * max(span.start, 0.0) / whole, 3),
                    width=round(100 * (span.end - span.start) / whole, 3),
                    told=f"{span.stage.id}: {text.seconds(span.end - span.start)}, "
                    f"{describe.status(log.state, span.stage)[1]}, from {text.seconds(span.start)} on",
                )
                for span in spans
            ]
    step = next((step for step in _CLOCK_STEPS if whole / step <= 6), 86400 * 7)
    ticks = [(round(100 * at * step / whole, 2), _clock(at * step)) for at in range(int(whole / step) + 1)]
    kinds = list(dict.fromkeys(span.stage.kind for span in log.spans))
    return Timeline(ticks, list(rows.items()), [kind for kind in _kind_order(log.state) if kind in kinds])


def _kind_order(state: BuildState) -> list[str]:
    return list(dict.fromkeys(stage.kind for stage in state.stages.values()))


def _clock(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 3600 else f"{seconds // 3600}:{seconds % 3600 // 60:02d} h"


def size_of(stages: Sequence[StageState]) -> Size | None:
    """Of the domain's model; None where it is unknown."""
    item = describe.model_of(stages)
    if item is None or item.bytes is None:
        return None
    known = [item.bytes / 1e6, (item.predicted_bytes or 0.0) / 1e6, item.max_mb or 0.0]
    whole = max(known) * 1.1 or 1.0
    window = None
    if item.min_mb is not None and item.max_mb is not None:
        window = (_percent(item.min_mb, whole), _percent(item.max_mb, whole))
    predicted = _percent(item.predicted_bytes / 1e6, whole) if item.predicted_bytes is not None else None
    return Size(item, describe.artifact(item), _percent(item.bytes / 1e6, whole), predicted, window)


def _percent(value: float, whole: float) -> float:
    return round(min(max(100 * value / whole, 0.0), 100.0), 2)


def began(state: BuildState) -> str:
    """When, by the clock of whoever looks; "" where the log does not say."""
    if state.started_at is None:
        return ""
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(state.started_at))


def environment(log: RunLog, made: Made) -> list[tuple[str, str]]:
    state = log.state
    found = [
        ("Run", state.run),
        ("Command", state.command),
        ("Began", began(state)),
        ("Profile", state.profile),
        ("Base", state.base),
        *_base(log, made),
        *_machine(log),
    ]
    return [(name, value) for name, value in found if value]


def _base(log: RunLog, made: Made) -> Iterator[tuple[str, str]]:
    base = next((stage.id for stage in log.state.stages.values() if not stage.domain), "base")
    about = document(made.read(base, "base.json"))
    yield "Base revision", text.scalar(about.get("revision"))
    yield "Base licence", text.scalar(about.get("licence"))
    yield "Parameters", text.scalar(about.get("parameters"))
    for source in items(about.get("sources"))[:8]:
        sha256 = mapping(source).get("sha256")
        if isinstance(sha256, str):
            yield f"SHA-256 of {text.scalar(mapping(source).get('file'))}", text.clean(sha256, 80)


def _machine(log: RunLog) -> Iterator[tuple[str, str]]:
    for name, value in log.made_with.items():
        amount = number(value) if name.endswith("memory_mb") else None
        if value:  # no GPU has no memory
            shown = text.scalar(value) if amount is None else text.megabytes(amount)
            yield _MACHINE.get(name, name.replace("_", " ")), shown
    if "fgbuild" not in log.made_with:
        yield "fgbuild", f"not in the log; this page is by {__version__}"
    for note in dict.fromkeys(note.text for note in log.state.notes if note.text.startswith("training in ")):
        yield "Training", note.removeprefix("training in ")
