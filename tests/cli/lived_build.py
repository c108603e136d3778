"""A real build on the tiny base, as a user sees it who starts it, looks around and leaves."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chaos import processes
from terminal_driver import ESCAPE, LEFT, RIGHT, SECONDS, Terminal
from toy_domain import NO_THRESHOLDS

from fgbuild.events import Event, read_events
from fgbuild.views import runs

MANIFEST = f"""
[trainer]
max_steps = 6
{NO_THRESHOLDS}"""
STAGES = ("base", *(f"toy:{kind}" for kind in ("generate", "tokenize", "train", "export", "verify", "eval")))
SIZE, OTHER_SIZE = (100, 30), (80, 24)


@dataclass
class Lived:
    """What a user saw who built the project at `root`: a name for the moment → the screen then.

    first: the run whose export's worker was killed. second: the one that tried again.
    """

    root: Path
    screens: dict[str, str] = field(default_factory=dict)
    first: str = ""
    second: str = ""
    goodbye: str = ""

    def events(self, run: str) -> list[Event]:
        return list(read_events(runs.log_path(self.root, run)))


@contextmanager
def live(root: Path) -> Iterator[Lived]:
    """Build a project of `MANIFEST` as a user does who tries everything; at its end nothing runs any more."""
    lived = Lived(root)
    try:
        with Terminal(root, size=SIZE) as terminal:
            _build_and_look(terminal, lived)
            _build_again_and_leave(terminal, lived)
        wait_for(lambda: "toy:export" in finished(lived.events(lived.second)))  # no dashboard shows it
        with Terminal(root, size=SIZE) as terminal:
            terminal.shows("Done in", "7/7 stages", "Help", gone="cpu ")
            lived.screens["end"] = terminal.settled()
            terminal.press(b"q")
            assert terminal.exit_code() == 0
        yield lived
    finally:
        if (pid := _build_pid(root)) is not None:
            os.kill(pid, signal.SIGKILL)  # its workers die with it


def _build_and_look(terminal: Terminal, lived: Lived) -> None:
    """Build everything, and look at it while the training stands still."""
    lived.screens["empty"] = terminal.shows("No build has run here yet.", "Help")
    terminal.press(b"b")
    lived.screens["nothing chosen"] = terminal.shows("yet; B builds")
    terminal.press(b"B")
    lived.screens["training"] = terminal.shows("▸ toy:train  ● running", "base tiny")
    worker = _worker(lived.root)
    os.kill(worker, signal.SIGSTOP)
    for key, name, word in ((b"l", "log", "Esc Back"), (b"w", "why", "Esc Back"), (b"m", "manifest", "summary = ")):
        terminal.press(key)
        lived.screens[name] = terminal.shows(word, "toy", gone="▸ toy:train")
        terminal.press(ESCAPE)
        terminal.shows("▸ toy:train  ● running", "q Quit")
    for name, size in (("small", OTHER_SIZE), ("large", SIZE)):
        terminal.resize(*size)
        across = "─Notes".ljust(size[0], "─")
        lived.screens[name] = terminal.shows("▸ toy:train  ● running", across, "Help")
    os.kill(worker, signal.SIGCONT)
    lived.first = runs.latest_run(lived.root) or ""
    os.kill(_worker(lived.root, after=worker), signal.SIGKILL)
    lived.screens["crashed"] = terminal.shows("▸ toy:export  ✗ failed", "Failed in", "✗ toy:export  the")


def _build_again_and_leave(terminal: Terminal, lived: Lived) -> None:
    """Build up to the last stage, and close the dashboard while the export stands still."""
    terminal.press(RIGHT, RIGHT, RIGHT, LEFT, RIGHT)  # the edge holds
    terminal.shows("▸ toy:eval")
    terminal.press(b"b")
    worker = _worker(lived.root)
    os.kill(worker, signal.SIGSTOP)
    lived.screens["again"] = terminal.shows("▸ toy:eval  ○ waiting", "● running", gone=f"fgbuild {lived.first}")
    lived.second = runs.latest_run(lived.root) or ""
    terminal.press(b"q")
    assert terminal.exit_code() == 0
    terminal.assert_restored()
    lived.goodbye = terminal.afterwards
    os.kill(worker, signal.SIGCONT)


def wait_for(holds: Callable[[], object], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def finished(events: list[Event]) -> dict[str, str]:
    """Stage → whether it ran or was there already, of those that are done."""
    return {event["stage"]: event["kind"] for event in events if event["kind"] in ("stage.finished", "stage.skipped")}


def _build_pid(root: Path) -> int | None:
    """Of the latest run's process, while there is one."""
    run = runs.latest_run(root)
    started = next(iter(read_events(runs.log_path(root, run))), None) if run else None
    return started["pid"] if started is not None and runs.is_alive(started["pid"], started["t"]) else None


def _worker(root: Path, after: int | None = None) -> int:
    """The process of the stage that runs, once it is another than `after`."""
    seen: list[int] = []

    def look() -> bool:
        pid = _build_pid(root)
        worker = processes(pid, root).get("worker", after) if pid is not None else after
        seen.extend([worker] if worker not in (None, after) else [])
        return bool(seen)

    wait_for(look)
    return seen[0]
