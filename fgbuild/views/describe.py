"""A state in words: the same ones in plain lines, in the result table and on the dashboard."""

from __future__ import annotations

from collections.abc import Iterable

from fgbuild.views import text
from fgbuild.views.records import (
    CANCELLED,
    DONE,
    FAILED,
    RUNNING,
    Artifact,
    BuildState,
    Reason,
    StageState,
)

_SHARE_WORDS = ("validity", "accuracy", "match", "precision", "recall")
# How the numbers of an evaluation are called where there is little room, in order of interest.
EVAL_NAMES = {
    "tool_accuracy": "tool",
    "argument_match": "args",
    "call_validity": "valid",
    "sequence_accuracy": "seq",
    "abstention_precision": "abst.p",
    "abstention_recall": "abst.r",
}
_WORD_ORDER = [
    "failed",
    "not passed",
    "cancelled",
    "running",
    "loss rose",
    "done",
    "cached",
    "current",
    "waiting",
    "not run",
]
_SHORT_NAMES = EVAL_NAMES | {"decode_tokens_per_s": "tok/s"}


def status(state: BuildState, stage: StageState) -> tuple[str, str]:
    """A symbol and a word for what became of a stage; no meaning rests on colour alone."""
    if stage.status == FAILED:
        return "✗", "failed"
    if stage.status == CANCELLED:
        return "■", "cancelled"
    if stage.status == RUNNING:
        return "●", "running"
    if stage.status == DONE:
        if stage.passed is False:
            return "✗", "not passed"
        if stage.loss_rose:
            return "!", "loss rose"
        return {"cached": ("≡", "cached"), "skip": ("≡", "current")}.get(stage.action, ("✓", "done"))
    if stage.planned == "skip":
        return "≡", "current"
    return ("○", "not run") if state.finished or stage.blocked_by else ("○", "waiting")


def because(reasons: Iterable[Reason], most: int = 3) -> str:
    """`lora.r: 16 → 32, dataset.seed: 7 → 8`, at most `most` of them and how many more there are."""
    parts = [_reason(reason) for reason in reasons if reason.text or reason.component]
    more = len(parts) - most
    return ", ".join(parts[:most]) + (f", and {more} more" if more > 0 else "")


def _reason(reason: Reason) -> str:
    if reason.text:
        return text.crop(reason.text, 300)
    if reason.old and reason.new:
        return f"{reason.component}: {reason.old} → {reason.new}"
    if reason.new:
        return f"{reason.component}: {reason.new} (new)"
    return f"{reason.component}: {reason.old} (removed)" if reason.old else reason.component


def progress(stage: StageState) -> str:
    """`18/40 steps`, or "" where the stage has not said."""
    if stage.done is None:
        return ""
    count = text.number(stage.done)
    total = f"/{text.number(stage.total)}" if stage.total else ""
    return f"{count}{total} {stage.unit}".rstrip()


def metrics(stage: StageState) -> list[str]:
    """`loss 0.1234`, `512 tok/s`, `3.1 GB`: the newest of each metric, the most telling first."""
    known = stage.metrics
    parts = []
    if "loss" in known:
        parts.append(f"loss {text.number(known['loss'])}")
    if "eval_loss" in known:
        parts.append(f"eval loss {text.number(known['eval_loss'])}")
    if "learning_rate" in known:
        parts.append(f"lr {known['learning_rate']:.1e}")
    return parts + load(stage)


def last_loss(stage: StageState) -> str:
    """`loss 0.1234`, `loss 8.1, which rose` where it ended worse; "" where there was none."""
    if "loss" not in stage.metrics:
        return ""
    return f"loss {text.number(stage.metrics['loss'])}{', which rose' if stage.loss_rose else ''}"


def load(stage: StageState) -> list[str]:
    """`512 tok/s`, `3.1 GB`: how fast the stage is and how much memory it holds."""
    rate, memory = stage.metrics.get("tokens_per_s"), stage.metrics.get("memory_mb")
    parts = [f"{text.number(round(rate))} tok/s"] if rate is not None else []
    return parts + ([text.megabytes(memory)] if memory is not None else [])


def resuming(stage: StageState) -> str:
    """Where the next build goes on with a training that was stopped; "" of other stages, and where nobody knows."""
    if stage.status != CANCELLED or stage.resumes_at is None:
        return ""
    if stage.resumes_at:
        return f"the next build goes on from step {text.number(stage.resumes_at)}"
    trains = stage.kind == "train" or stage.unit == "steps"
    return "no checkpoint yet: the next build begins it anew" if trains else ""


def artifact(item: Artifact) -> str:
    """`291.5 MB (predicted 291.5 MB, window 250–320 MB: inside)`."""
    if item.bytes is None:
        return "size unknown"
    notes = []
    if item.predicted_bytes is not None:
        notes.append(f"predicted {text.megabytes(item.predicted_bytes / 1e6)}")
    if item.inside is not None:
        notes.append(f"window {window(item)}: {verdict(item)}")
    size = text.megabytes(item.bytes / 1e6)
    return f"{size} ({', '.join(notes)})" if notes else size


def window(item: Artifact) -> str:
    """`250–320 MB`, or "" where there is none."""
    if item.min_mb is None or item.max_mb is None:
        return ""
    return f"{text.number(item.min_mb)}–{text.number(item.max_mb)} MB"


def verdict(item: Artifact) -> str:
    """`inside`, `too small` or `too large`; "" where size or window is unknown."""
    if item.inside is None or item.bytes is None or item.min_mb is None:
        return ""
    if item.inside:
        return "inside"
    return "too small" if item.bytes / 1e6 < item.min_mb else "too large"


def is_model(item: Artifact) -> bool:
    """Whether the file is what a domain ships: a GGUF, or whatever has a size window."""
    return item.min_mb is not None or item.path.endswith(".gguf")


def model_of(stages: Iterable[StageState]) -> Artifact | None:
    """The newest model among the stages' artifacts, or None."""
    found = [item for stage in stages for item in stage.artifacts.values() if is_model(item)]
    return found[-1] if found else None


def checks(stage: StageState) -> str:
    """`5 of 5 checks passed`, or "" where there were none."""
    if not stage.checks:
        return ""
    passed = sum(check.passed is True for check in stage.checks.values())
    return f"{passed} of {len(stage.checks)} checks passed"


def missed(stage: StageState) -> list[str]:
    """`smoke: 1 of 3, expected 3 of 3: no call`, for each check that did not pass."""
    return [
        f"{check.name}: {check.value or 'no value'}"
        + (f", expected {check.expected}" if check.expected else "")
        + (f": {check.reason}" if check.reason else "")
        for check in stage.checks.values()
        if check.passed is False
    ]


def is_share(name: str) -> bool:
    """Whether a result of that name is a share from 0 to 1."""
    return name.endswith(_SHARE_WORDS)


def result(name: str, value: float) -> str:
    """`tool 97 %`, `loss 0.12`, `examples 40`."""
    share = is_share(name) and 0 <= value <= 1
    words = _SHORT_NAMES.get(name, name.replace("_", " "))
    return f"{words} {text.percent(value) if share else text.number(value)}"


def results(stage: StageState, most: int = 6) -> str:
    """A stage's results in one line."""
    return " · ".join(result(name, value) for name, value in list(stage.summary.items())[:most])


def outcome(state: BuildState) -> str:
    """One sentence on how the build ended."""
    took = f" in {text.seconds(state.seconds)}" if state.seconds is not None else ""
    failed = [stage.id for stage in state.stages.values() if stage.status == FAILED]
    refused = [stage.id for stage in state.stages.values() if stage.refused]
    counts = count_words(state)
    if failed:
        return f"Failed{took}: {', '.join(failed)} ({counts})."
    if state.exit_code == 130:
        return f"Interrupted{took}; finished stages stay finished ({counts})."
    if refused:
        return f"Built{took}, but not passed: {', '.join(refused)} ({counts})."
    if state.exit_code:
        return f"Stopped{took} with exit code {state.exit_code} ({counts})."
    if all(stage.action == "skip" or not stage.action for stage in state.stages.values()):
        return f"Everything is up to date{took} ({counts})."
    return f"Done{took}: {counts}."


def count_words(state: BuildState) -> str:
    """`18 ran, 2 cached, 5 up to date`."""
    names = {
        "done": "ran",
        "not passed": "did not pass",
        "loss rose": "ran with a rising loss",
        "current": "up to date",
    }
    counts = word_counts(state, state.stages.values())
    if state.beside:
        counts["current"] = counts.get("current", 0) + state.beside
    return ", ".join(f"{count} {names.get(word, word)}" for word, count in counts.items()) or "no stages"


def word_counts(state: BuildState, stages: Iterable[StageState]) -> dict[str, int]:
    """How many stages each word of `status` holds for, the most important word first."""
    words = [status(state, stage)[1] for stage in stages]
    return {word: words.count(word) for word in _WORD_ORDER if word in words}
