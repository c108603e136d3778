"""What a build is about to do, and what it did, as lines of plain text."""

from __future__ import annotations

from fgbuild.views import describe, text
from fgbuild.views.records import DONE, FAILED, BuildState, StageState

_PLAN_WORDS = {"run": "to run", "cached": "from the cache", "skip": "up to date"}
_UNPLANNED = "planned"
_SHARED = "(shared)"
_HEADINGS = ("domain", "stages", "train", "loss", "GGUF", "verify", "eval", "total", "memory")
_EVAL_SHOWN = 4
_VARIANTS = [*((shown, True, True) for shown in range(_EVAL_SHOWN, 0, -1)), (1, False, True), (1, False, False)]
"""(numbers of the evaluation, predictions?, memory?), the widest table first."""


def header(state: BuildState) -> list[str]:
    """The run, its settings, and per domain what will run and why."""
    stages = list(state.stages.values())
    planned = [_PLAN_WORDS.get(stage.planned, _UNPLANNED) for stage in stages]
    number = {word: planned.count(word) for word in (*_PLAN_WORDS.values(), _UNPLANNED)}
    number[_PLAN_WORDS["skip"]] += state.beside
    counts = [f"{count} {word}" for word, count in number.items() if count]
    total = len(stages) + state.beside
    settings = [f"{name} {value}" for name, value in (("base", state.base), ("profile", state.profile)) if value]
    settings.append(f"{'1 stage' if total == 1 else f'{total} stages'}: {', '.join(counts) or 'none'}")
    work = sum(stage.predicted_seconds or 0.0 for stage in stages if stage.planned != "skip")
    if work >= 1:
        settings.append(f"about {text.seconds(work)} of work")
    title = " · ".join(part for part in (f"fgbuild run {state.run}", state.command) if part)
    nothing_to_do = all(stage.planned == "skip" for stage in stages)
    return [title, " · ".join(settings), *([] if nothing_to_do else _plan_lines(state))]


def _plan_lines(state: BuildState) -> list[str]:
    """One line a domain, with its reasons where the plan gave them."""
    domains = state.by_domain()
    width = max((text.cell_width(name or _SHARED) for name in domains), default=0) + 2
    lines = []
    for name, stages in domains.items():
        parts = []
        for words in (*_PLAN_WORDS.values(), _UNPLANNED):
            kinds = [stage.kind for stage in stages if _PLAN_WORDS.get(stage.planned, _UNPLANNED) == words]
            if kinds:
                parts.append(f"{words}: {_kinds(kinds, stages)}")
        lines.append(f"  {text.pad(name or _SHARED, width)}{' · '.join(parts)}")
        lines += [f"  {' ' * width}{line}" for line in _why(stages)]
    return lines


def _why(stages: list[StageState]) -> list[str]:
    """`train because lora.r: 16 → 32`: stages that run for a reason of their own, by reason."""
    by_reason: dict[str, list[str]] = {}
    for stage in stages:
        own = [reason for reason in stage.reasons if not reason.upstream]
        why = describe.because(own) if stage.planned == "run" else ""
        if why:
            by_reason.setdefault(why, []).append(stage.kind)
    return [f"{_kinds(kinds, stages)} because {why}" for why, kinds in by_reason.items()]


def _kinds(kinds: list[str], stages: list[StageState]) -> str:
    return f"all {len(kinds)}" if len(kinds) == len(stages) > 1 else ", ".join(kinds)


def grouped(stages: list[StageState]) -> str:
    """`base · lint: generate, tokenize`: stages by domain, in the order given."""
    by_domain: dict[str, list[str]] = {}
    for stage in stages:
        by_domain.setdefault(stage.domain, []).append(stage.kind)
    return " · ".join(
        f"{domain}: {', '.join(kinds)}" if domain else ", ".join(kinds) for domain, kinds in by_domain.items()
    )


def result_table(state: BuildState, width: int | None = None) -> list[str]:
    """The headings and a row for each domain and for what they share; columns are padded to fit.

    A column in which no row has anything is left out. Where `width` is given, numbers of the evaluation
    go first, one stays; then the predictions, then the memory.
    """
    domains = state.by_domain()
    if not domains:
        return []
    lines: list[str] = []
    for shown, predicted, memory in _VARIANTS:
        rows = [_row(state, *item, shown, predicted=predicted, memory=memory) for item in domains.items()]
        lines = _aligned([_HEADINGS, *rows])
        if width is None or max(text.cell_width(line) for line in lines) <= width:
            break
    return lines


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    kept = [column for column in range(len(_HEADINGS)) if any(row[column] for row in rows[1:])]
    widths = {column: max(text.cell_width(row[column]) for row in rows) for column in kept}
    return ["  ".join(text.pad(row[column], widths[column]) for column in kept).rstrip() for row in rows]


def summary(state: BuildState, *, going: bool) -> list[str]:
    """A run in short: its header, its results, how it ended or that it still runs."""
    if state.finished:
        ending = describe.outcome(state)
    elif going:
        running = ", ".join(stage.id for stage in state.running()) or "between two stages"
        ending = f"Still running: {running}."
    else:
        ending = "Stopped early: the build process is gone; `fgbuild build` goes on where it ended."
    failed = [stage for stage in state.stages.values() if stage.status == FAILED]
    failures = [f"  {stage.id}: {stage.message or 'failed'}" for stage in failed]
    logs = [f"  log: {stage.log}" for stage in failed if stage.log]
    return [*header(state), "", *result_table(state), "", ending, *failures, *logs]


def _row(
    state: BuildState, domain: str, stages: list[StageState], eval_shown: int, *, predicted: bool, memory: bool
) -> tuple[str, ...]:
    train = _of_kind(stages, "train")
    gguf = describe.model_of(stages)
    loss = train.summary.get("loss", train.metrics.get("loss")) if train else None
    return (
        domain or _SHARED,
        _actions(state, stages),
        text.seconds(train.seconds) if train and train.action == "run" and train.seconds is not None else "",
        text.number(loss) if loss is not None else "",
        _size(gguf.bytes, describe.verdict(gguf)) if gguf and gguf.bytes is not None else "",
        verified(_of_kind(stages, "verify")),
        evaluated(_of_kind(stages, "eval"), eval_shown),
        _total(stages, predicted=predicted),
        _memory(stages, predicted=predicted) if memory else "",
    )


def _total(stages: list[StageState], *, predicted: bool) -> str:
    """`8m 25s (~8m 42s)`: the time it took, and where all of that was predicted, the prediction."""
    took = [stage for stage in stages if stage.seconds is not None and stage.action != "skip"]
    if not took:
        return ""
    shown = text.seconds(sum(stage.seconds or 0.0 for stage in took))
    ran = [stage for stage in took if stage.action == "run"]
    known = [stage.predicted_seconds for stage in ran if stage.predicted_seconds is not None]
    return f"{shown} (~{text.seconds(sum(known))})" if predicted and ran and len(known) == len(ran) else shown


def _memory(stages: list[StageState], *, predicted: bool) -> str:
    """`5.0 GB (~4.9 GB)`: of the stage that took most, its peak and its prediction."""
    ran = [stage for stage in stages if stage.action == "run" and stage.peak_memory_mb]
    if not ran:
        return ""
    most = max(ran, key=lambda stage: stage.peak_memory_mb or 0.0)
    shown = text.megabytes(most.peak_memory_mb or 0.0)
    before = most.predicted_memory_mb
    return f"{shown} (~{text.megabytes(before)})" if predicted and before else shown


def _of_kind(stages: list[StageState], kind: str) -> StageState | None:
    return next((stage for stage in stages if stage.kind == kind), None)


def _actions(state: BuildState, stages: list[StageState]) -> str:
    return ", ".join(f"{count} {word}" for word, count in describe.word_counts(state, stages).items())


def _size(size: float, verdict: str) -> str:
    shown = text.megabytes(size / 1e6)
    return f"{shown} ✗ {verdict}" if verdict.startswith("too") else shown


def verified(stage: StageState | None, noun: str = "") -> str:
    """`✓ 5/5`, `✗ 4/5`, `4 so far` of one that is not done, or "" where nothing is known. noun: behind the number."""
    if stage is None or (stage.status not in (DONE, FAILED) and not stage.checks):
        return ""
    passed = sum(check.passed is True for check in stage.checks.values())
    count = f"{passed}/{len(stage.checks)}{noun}" if stage.checks else ""
    bad = stage.status == FAILED or stage.passed is False or passed < len(stage.checks)
    if stage.status not in (DONE, FAILED):
        return f"✗ {count} so far" if bad else f"{passed}{noun} so far"
    if not count and stage.passed is None and not bad:
        return ""
    return f"{'✗' if bad else '✓'} {count}".rstrip()


def evaluated(stage: StageState | None, most: int = _EVAL_SHOWN) -> str:
    """`✓ valid 100 % · tool 97.5 % · args 85 %`, or "" where nothing is known."""
    if stage is None:
        return ""
    shown = [describe.result(name, stage.summary[name]) for name in describe.EVAL_NAMES if name in stage.summary]
    if not shown:
        return "✗" if stage.status == FAILED or stage.refused else ""
    symbol = {True: "✓ ", False: "✗ ", None: ""}[stage.passed]
    return symbol + " · ".join(shown[:most])
