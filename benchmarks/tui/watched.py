"""What a real training loses by being watched: stretches of one, without and with a dashboard, in turn.

    .venv/bin/python benchmarks/tui/watched.py PROJECT [--seconds 40] [--rounds 10]

PROJECT has a build whose training runs and goes on for so long. Per stretch: the training's computed tokens a second
(mean over its steps), events a second, and the dashboard's share of a core. Steps differ in length: only the means of
many stretches say anything.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import psutil
from dashboard import Terminal

_FIRST_FRAMES_SECONDS = 6.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--rounds", type=int, default=10)
    args = parser.parse_args()
    log = max(args.project.glob("cache/runs/*/events.jsonl"), key=lambda path: path.stat().st_mtime)
    print(
        "| | steps | computed tokens a second | events a second | dashboard, share of a core |\n|---|---|---|---|---|"
    )
    speeds: dict[bool, list[float]] = {False: [], True: []}
    for number in range(args.rounds):
        watched = number % 2 == 1
        terminal = Terminal(args.project) if watched else None
        try:
            share, events = _stretch(log, args.seconds, terminal)
        finally:
            if terminal:
                terminal.close()
        steps = [event["computed_tokens_per_s"] for event in events if "computed_tokens_per_s" in event]
        if not steps:
            raise SystemExit(f"{log}: no training reported a step for {args.seconds:g} s")
        speeds[watched].append(statistics.mean(steps))
        row = [len(steps), f"{speeds[watched][-1]:.0f}", f"{len(events) / args.seconds:.2f}", f"{share:.1%}"]
        print(f"| {'watched' if watched else 'alone'} | {' | '.join(map(str, row))} |", flush=True)
    print(f"watched against alone: {statistics.mean(speeds[True]) / statistics.mean(speeds[False]) - 1:+.1%}")


def _stretch(log: Path, seconds: float, terminal: Terminal | None) -> tuple[float, list[dict[str, Any]]]:
    """The dashboard's share of a core, and the events of that time."""
    process = psutil.Process(terminal.process.pid) if terminal else None
    if terminal:
        terminal.drain(_FIRST_FRAMES_SECONDS)
    before, offset = _cpu_seconds(process), log.stat().st_size
    if terminal:
        terminal.drain(seconds)
    else:
        time.sleep(seconds)
    with log.open("rb") as stream:
        stream.seek(offset)
        events = [json.loads(line) for line in stream.read().splitlines(keepends=True) if line.endswith(b"\n")]
    return (_cpu_seconds(process) - before) / seconds, events


def _cpu_seconds(process: psutil.Process | None) -> float:
    return sum(process.cpu_times()[:2]) if process else 0.0


if __name__ == "__main__":
    main()
