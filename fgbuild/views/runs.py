"""Where the runs of a project are, whether one is still going, and what each came to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from fgbuild.events import Event, EventReader, decode
from fgbuild.views.records import BuildState, StageState
from fgbuild.views.state import apply

# Seconds by which boot time may have shifted against the wall clock since the run began.
_CLOCK_SLACK = 60.0
_TAIL_BYTES = 1 << 16
_BLOCK_BYTES = 1 << 20
_LONGEST_TAIL = 1 << 24
_SCORE = "tool_accuracy"


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run by the first and the last record of its log, and the results between them.

    started_at: unix seconds; None where the log is empty. exit_code: None where the build still runs or was killed;
    going tells which. ran, cached, failed: numbers of stages; while there is no end, 0. scores: domain → the best share
    of right tools (0 to 1) that its evaluations in this run gave. pid: of the build's process, where the log names one.
    """

    id: str
    command: str = ""
    base: str = ""
    profile: str = ""
    started_at: float | None = None
    seconds: float | None = None
    exit_code: int | None = None
    going: bool = False
    ran: int = 0
    cached: int = 0
    failed: int = 0
    scores: dict[str, float] = field(default_factory=dict)
    pid: int | None = None

    @property
    def outcome(self) -> tuple[str, str]:
        """A symbol and a word for how it ended."""
        if self.exit_code is None:
            return ("●", "running") if self.going else ("■", "stopped early")
        known = {0: ("✓", "done"), 3: ("✗", "not passed"), 130: ("■", "interrupted")}
        return known.get(self.exit_code, ("✗", "failed"))


def runs_directory(root: Path) -> Path:
    return root / "cache" / "runs"


def log_path(root: Path, run: str) -> Path:
    return runs_directory(root) / run / "events.jsonl"


def output_path(root: Path, run: str, stage: str) -> Path | None:
    """What the worker of a stage printed; None where the stage's id can be no file's name."""
    if not stage or "/" in stage or "\0" in stage:
        return None
    return runs_directory(root) / run / "logs" / f"{stage.replace(':', '.')}.log"


def run_ids(root: Path) -> list[str]:
    """Ids of every run that has a log, oldest first (ids sort by time)."""
    try:
        names = sorted(entry.name for entry in os.scandir(runs_directory(root)) if entry.is_dir())
    except OSError:
        return []
    return [name for name in names if log_path(root, name).is_file()]


def latest_run(root: Path) -> str | None:
    ids = run_ids(root)
    return ids[-1] if ids else None


def is_going(state: BuildState) -> bool:
    """Whether the build process of an unfinished run is still there."""
    return not state.finished and is_alive(state.pid, state.started_at)


def goes(root: Path, run: str) -> bool:
    """Whether a run's build is still there, by the two ends of its log."""
    try:
        return is_going(_ends(log_path(root, run))[0])
    except OSError:
        return False


def is_alive(pid: int | None, started_at: float | None) -> bool:
    """Whether the process that began a run at `started_at` (unix seconds) is still there."""
    if pid is None or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    dead, began = _looked_up(pid)
    if dead:
        return False
    # A process that began after the run did has been given the id of one that died.
    return began is None or started_at is None or began <= started_at + _CLOCK_SLACK


def _looked_up(pid: int) -> tuple[bool, float | None]:
    """Whether a process has died and only waits for its parent to ask (in a container, for ever), and the unix time at
    which it began; from /proc (proc(5), fields 3 and 22 of stat), and elsewhere not known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        for line in Path("/proc/stat").read_text("ascii").splitlines():
            if line.startswith("btime "):
                return fields[0] == "Z", int(line.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        pass
    return False, None


def summarise(root: Path, run: str) -> RunSummary:
    """What a run came to; read again only where its log has changed. May take long for a large log."""
    path = log_path(root, run)
    try:
        look = path.stat()
        found = _summarised(path, run, look.st_size, look.st_mtime_ns)
    except OSError:
        return RunSummary(run)
    # Asked each time: a build that is killed leaves its log as it is.
    return replace(found, going=found.exit_code is None and is_alive(found.pid, found.started_at))


@lru_cache(maxsize=4096)
def _summarised(path: Path, run: str, size: int, changed_ns: int) -> RunSummary:
    """What the log says alone. size, changed_ns: of the log, so that a grown one is not taken for what it was."""
    state, last = _ends(path)
    scores = _scores(path)
    counts = [last.get(name) if state.finished else None for name in ("ran", "cached", "failed")]
    ran, cached, failed = (len(names) if isinstance(names, list) else 0 for names in counts)
    return RunSummary(
        id=run,
        command=state.command,
        base=state.base,
        profile=state.profile,
        started_at=state.started_at,
        seconds=state.seconds,
        exit_code=(state.exit_code or 0) if state.finished else None,
        ran=ran,
        cached=cached,
        failed=failed,
        scores=scores,
        pid=state.pid,
    )


def _ends(path: Path) -> tuple[BuildState, Event]:
    """What the first and the last record of a log add up to, and the last one."""
    state = BuildState()
    first = next(iter(EventReader(path).read(limit=1)), {})
    last = _last_event(path)
    for event in (first, last):
        apply(state, event)
    return state, last


def _last_event(path: Path) -> Event:
    """The last whole record; {} where the log has none near its end."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        window = _TAIL_BYTES
        while True:
            stream.seek(max(0, size - window))
            # What precedes the first line break of the window is a whole line only where the window is the whole file.
            lines = stream.read().splitlines()[0 if window >= size else 1 :]
            for line in reversed(lines):
                if (event := decode(line)) is not None:
                    return event
            if window >= min(size, _LONGEST_TAIL):
                return {}
            window *= 8


def _scores(path: Path) -> dict[str, float]:
    found = BuildState()
    best: dict[str, float] = {}
    for line in _lines_with(path, b'"stage.result"'):
        event = decode(line)
        if event is None or event.get("stored") is True:
            continue
        stage_id = event.get("stage")
        apply(found, event)
        stage = found.stages.get(stage_id) if isinstance(stage_id, str) else None
        if stage is not None and stage.domain and _SCORE in stage.summary:
            best[stage.domain] = max(best.get(stage.domain, 0.0), stage.summary[_SCORE])
    return best


def stage_of(root: Path, run: str, stage: str) -> StageState | None:
    """What a run's log says of one stage; None where it does not name it. Takes long for a large log."""
    state = BuildState()
    try:
        for line in _lines_with(log_path(root, run), json.dumps(stage, ensure_ascii=False).encode()):
            event = decode(line)
            if event is not None and event.get("stage") == stage:
                apply(state, event)
    except OSError:
        return None
    return state.stages.get(stage)


def _lines_with(path: Path, mark: bytes) -> Iterator[bytes]:
    """The lines of a file that hold `mark`; read in blocks, so that other threads get their turn."""
    rest = b""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            whole, _, rest = (rest + block).rpartition(b"\n")
            if mark in whole:
                yield from (line for line in whole.split(b"\n") if mark in line)
    if mark in rest:
        yield rest
