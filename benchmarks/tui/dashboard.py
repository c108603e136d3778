"""How fast the dashboard is, seen from outside: a real `fgbuild ui` on a pseudo-terminal, beside a log that grows.

    .venv/bin/python benchmarks/tui/dashboard.py [--json]

attach      seconds from the start of the process until a log of 100,000 events is on the screen, and of that what a
            log of 100 events takes too (Python, Textual, the first frame): the difference is the log's own
event       milliseconds from a record being written to its text leaving for the terminal
key         milliseconds from a key to the frame that answers it, while 10 events a second come from 4 domains
chart       milliseconds to draw the loss of 100,000 steps into 120 × 30 cells
idle        share of a core of a dashboard on a finished run
watching    share of a core of a dashboard on a build with those 10 events a second: what the build can lose by it
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import random
import select
import statistics
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from fgbuild.events import EventLog, encode
from fgbuild.views.chart import Series, braille, scale_of

RUN = "20260101-000000-0000"
DOMAINS = ("lint", "test", "docstring", "sample_data")
KINDS = ("generate", "tokenize", "train", "export", "verify", "eval")
ROWS, COLUMNS = 40, 120


class Terminal:
    """`fgbuild ui` on a pseudo-terminal."""

    def __init__(self, root: Path) -> None:
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (ROWS, COLUMNS))
        environment = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")}
        environment |= {"TERM": "xterm-256color", "PYTHONPATH": str(Path(__file__).parents[2])}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "fgbuild", "--root", str(root), "ui"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)

    def wait_for(self, words: bytes, seconds: float = 60.0) -> float:
        """When the words left for the terminal (time.monotonic)."""
        seen = b""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if select.select([self.master], [], [], 0.5)[0]:
                seen = seen[-200:] + os.read(self.master, 1 << 16)
                if words in seen:
                    return time.monotonic()
        raise SystemExit(f"{words!r} did not come; the end of the screen's bytes: {seen!r}")

    def drain(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                os.read(self.master, 1 << 16)

    def close(self) -> None:
        self.process.terminate()
        with suppress(OSError):  # it has closed its end
            self.drain(10)
        self.process.wait(10)
        os.close(self.master)


@contextmanager
def project() -> Iterator[tuple[Path, EventLog]]:
    """A project with a run that this process leads."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "fgbuild.toml").write_text('schema = 1\nbase = "tiny"\n')
        log = EventLog(root / "cache" / "runs" / RUN / "events.jsonl", RUN)
        stages = [{"id": f"{domain}:{kind}", "domain": domain, "kind": kind} for domain in DOMAINS for kind in KINDS]
        log.emit("run.started", command=["fgbuild", "build"], base="tiny", pid=os.getpid(), stages=stages)
        for domain in DOMAINS:
            log.emit("stage.started", stage=f"{domain}:train", reasons=[], predicted_seconds=3600)
        yield root, log
        log.close()


def step(log: EventLog, number: int) -> None:
    """One event as a training's: progress and a metric in turn, of one domain after the other."""
    stage = f"{DOMAINS[number % 4]}:train"
    at = number // 8 + 1
    if number // 4 % 2:
        log.emit("stage.progress", stage=stage, done=at, total=100_000, unit="steps", eta_seconds=3600)
    else:
        log.emit("stage.metric", stage=stage, step=at, loss=3 / at + random.random() / 10, tokens_per_s=900.0)


def attach(events: int) -> float:
    with project() as (root, log):
        record = {"v": 1, "t": time.time(), "run": RUN, "kind": "stage.metric", "tokens_per_s": 900.0}
        lines = [
            encode(record | {"stage": f"{DOMAINS[index % 4]}:train", "step": index // 4, "loss": 2 / (index + 1)})
            for index in range(events)
        ]
        with log.path.open("ab") as stream:
            stream.write(b"".join(lines))
        log.emit("stage.note", stage="lint:train", text="the-last-of-the-log")
        started = time.monotonic()
        terminal = Terminal(root)
        seconds = terminal.wait_for(b"the-last-of-the-log") - started
        terminal.close()
        return seconds


def latencies(count: int) -> tuple[list[float], list[float], float]:
    """Event to screen and key to frame in milliseconds, and the dashboard's share of a core, during a build."""
    with project() as (root, log):
        terminal = Terminal(root)
        terminal.wait_for(b"waiting")
        terminal.drain(1.0)
        random.seed(7)
        events, keys = [], []
        for index in range(count):
            events.append(_taken(terminal, lambda index=index: _note(log, index), f"note-{index:04}".encode()))
            _steps(log, terminal, index)
            where, key = ((b"test:train", b"\x1b[B"), (b"lint:train", b"\x1b[A"))[index % 2]
            keys.append(_taken(terminal, lambda key=key: os.write(terminal.master, key), b"\xe2\x96\xb8 " + where))
            _steps(log, terminal, index)
        share = _share(terminal, lambda: _steps(log, terminal, 0, 100))
        terminal.close()
        return events, keys, share


def _note(log: EventLog, index: int) -> None:
    log.emit("stage.note", stage="lint:train", text=f"note-{index:04}")


def _taken(terminal: Terminal, act: Callable[[], Any], words: bytes) -> float:
    started = time.monotonic()
    act()
    return (terminal.wait_for(words) - started) * 1000


def _steps(log: EventLog, terminal: Terminal, seed: int, count: int = 4) -> None:
    """Events at 10 a second, not in step with what is measured."""
    for index in range(count):
        step(log, seed * 8 + index)
        terminal.drain(0.1 + random.random() * 0.02 - 0.01)


def idle() -> float:
    with project() as (root, log):
        log.emit("build.finished", ran=[], cached=[], skipped=[], failed=[], seconds=1.0, exit_code=0)
        terminal = Terminal(root)
        terminal.wait_for(b"^p")
        terminal.drain(2.0)
        share = _share(terminal, lambda: terminal.drain(15.0))
        terminal.close()
        return share


def _share(terminal: Terminal, act: Callable[[], None]) -> float:
    process = psutil.Process(terminal.process.pid)
    before, started = sum(process.cpu_times()[:2]), time.monotonic()
    act()
    return (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - started)


def chart() -> float:
    series = Series()
    for index in range(100_000):
        series.add(float(index), 3 / (index + 1) + random.random())
    scale = scale_of(series)
    assert scale is not None
    times = []
    for _ in range(50):
        started = time.perf_counter()
        braille(series, scale, 120, 30)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=60, metavar="N", help="events and keys that are timed")
    args = parser.parse_args()
    found: dict[str, float] = {}

    def say(**figures: float) -> None:
        for name, value in figures.items():
            found[name] = round(value, 3)
            print(f"{name:28}{found[name]}", file=sys.stderr)

    events, keys, watching = latencies(args.count)
    say(event_to_screen_median_ms=statistics.median(events), event_to_screen_p95_ms=p95(events))
    say(key_to_frame_median_ms=statistics.median(keys), key_to_frame_p95_ms=p95(keys))
    say(watching_share_of_a_core=watching)
    say(attach_100000_events_s=attach(100_000), attach_100_events_s=attach(100))
    say(chart_100000_points_ms=chart())
    say(idle_share_of_a_core=idle())
    if args.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
