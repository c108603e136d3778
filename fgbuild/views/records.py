"""What is known of a run: the records that `state.apply` fills and views draw from.

Times are unix seconds, durations seconds, memory megabytes (1e6 bytes), shares 0 to 1. Every text
here is inert already (see `text.clean`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from fgbuild.views.chart import Series

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
MAX_NOTES = 300


@dataclass(frozen=True, slots=True)
class Reason:
    """A component of the action key that changed; `old` or `new` is empty where there was none.

    text: the reason in the build's own words, "" where it gave none. upstream: the kind of stage
    whose changed output is the reason, "" where it is the stage's own input. before, after: `old` and `new` as long
    as they are, line breaks kept; lists and tables as JSON, indented where that is long.
    """

    component: str
    old: str = ""
    new: str = ""
    text: str = ""
    upstream: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file the stage wrote, and the size window it has to fall in (None: no window)."""

    path: str
    bytes: float | None
    predicted_bytes: float | None
    min_mb: float | None
    max_mb: float | None

    @property
    def inside(self) -> bool | None:
        """Whether the size is inside its window; None where either is unknown."""
        if self.bytes is None or self.min_mb is None or self.max_mb is None:
            return None
        return self.min_mb <= self.bytes / 1e6 <= self.max_mb


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    passed: bool | None
    value: str
    expected: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    time: float | None
    stage: str
    text: str


@dataclass
class StageState:
    """One stage. `planned` is what the plan said (run, cached, skip), `action` what happened.

    after: ids of the stages that have to be finished first; None where the log does not say. resumes_at: where it was
    stopped, the step of the checkpoint that the next build goes on from, 0 where there is none; None where the log
    does not say. loss_rose: whether it is a training that ran to its end and made its loss worse (`chart.rose`).
    blocked_by: the stage whose failure, refusal or cancelling keeps this one from running, "" where none does.
    """

    id: str
    kind: str = ""
    domain: str = ""
    planned: str = ""
    after: tuple[str, ...] | None = None
    action: str = ""
    status: str = WAITING
    predicted_seconds: float | None = None
    predicted_memory_mb: float | None = None
    reasons: tuple[Reason, ...] = ()
    started_at: float | None = None
    done: float | None = None
    total: float | None = None
    unit: str = ""
    eta_seconds: float | None = None
    eta_at: float | None = None
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory_mb: float | None = None
    passed: bool | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    loss: Series = field(default_factory=Series)
    eval_loss: Series = field(default_factory=Series)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    summary: dict[str, float] = field(default_factory=dict)
    message: str = ""
    log: str = ""
    exit_code: int | None = None
    resumes_at: int | None = None
    loss_rose: bool = False
    blocked_by: str = ""

    @property
    def fraction(self) -> float | None:
        """Progress from 0 to 1; None where the stage has not said."""
        if self.done is None or not self.total or self.total < 0:
            return None
        return min(max(self.done / self.total, 0.0), 1.0)

    @property
    def refused(self) -> bool:
        """Whether the stage finished and a gate (verification, a threshold) did not pass."""
        return self.status == DONE and self.passed is False


@dataclass
class BuildState:
    """A run so far. `stages` keeps the order of the plan; `notes` holds the newest ones.

    beside: how many stages of domains with nothing to do are up to date and not listed.
    """

    run: str = ""
    command: str = ""
    base: str = ""
    profile: str = ""
    pid: int | None = None
    started_at: float | None = None
    updated_at: float | None = None
    stages: dict[str, StageState] = field(default_factory=dict)
    beside: int = 0
    notes: deque[Note] = field(default_factory=lambda: deque(maxlen=MAX_NOTES))
    peak_parallel: int = 0
    finished: bool = False
    seconds: float | None = None
    exit_code: int | None = None

    def domains(self) -> list[str]:
        """Domains in order of the plan; a shared stage (base) belongs to none."""
        return list(dict.fromkeys(stage.domain for stage in self.stages.values() if stage.domain))

    def kinds(self) -> list[str]:
        """Kinds of the domains' stages, in order of the plan."""
        return list(dict.fromkeys(stage.kind for stage in self.stages.values() if stage.domain))

    def by_domain(self) -> dict[str, list[StageState]]:
        """The stages of each domain in order of the plan; shared ones, if there are any, come first, as ""."""
        found: dict[str, list[StageState]] = {"": []}
        for stage in self.stages.values():
            found.setdefault(stage.domain, []).append(stage)
        if not found[""]:
            del found[""]
        return found

    def settled(self) -> int:
        """How many stages need nothing more: done, or up to date by the plan."""
        return sum(
            stage.status == DONE or (stage.status == WAITING and stage.planned == "skip")
            for stage in self.stages.values()
        )

    def running(self) -> list[StageState]:
        return [stage for stage in self.stages.values() if stage.status == RUNNING]

    def elapsed(self, now: float) -> float | None:
        """Seconds since the run began, up to its end where it has ended."""
        if self.seconds is not None:
            return self.seconds
        end = self.updated_at if self.finished else now
        return None if self.started_at is None or end is None else max(end - self.started_at, 0.0)
