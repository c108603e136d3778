"""Time, CPU time and peak memory of a whole build, stage by stage.

    python benchmarks/build_times.py                 # builds everything anew (--force) and measures it
    python benchmarks/build_times.py --run latest    # a build that has already run

Writes benchmarks/results/build_times.json and prints the same as a Markdown table. Wall times
are this machine's; the shares and the CPU-seconds travel better.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from fgbuild.events import read_events

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "build_times.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", help="measure this run (an id, or `latest`) instead of building")
    parser.add_argument("--base", default=None, help="base model to build on")
    args = parser.parse_args()
    if args.run is None:
        command = [sys.executable, "-m", "fgbuild", "build", "--all", "--headless", "--force"]
        code = subprocess.run(command + (["--base", args.base] if args.base else []), cwd=ROOT).returncode
        if code not in (0, 3):
            return code
    record = measure(find(args.run or "latest"))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    print(table(record))
    return 0


def find(run: str) -> Path:
    runs = ROOT / "cache" / "runs"
    names = sorted(path.parent.name for path in runs.glob("*/events.jsonl"))
    name = names[-1] if names and run == "latest" else run
    if name not in names:
        raise SystemExit(f"there is no run {run}; `fgbuild runs` lists them")
    return runs / name / "events.jsonl"


def measure(log: Path) -> dict[str, Any]:
    """Per-stage figures of a finished run."""
    stages, total, base = [], None, None
    for event in read_events(log):
        if event["kind"] == "run.started":
            base = event.get("base")
        elif event["kind"] == "stage.finished":
            stages.append(
                {key: event.get(key) for key in ("stage", "action", "seconds", "cpu_seconds", "peak_memory_mb")}
            )
        elif event["kind"] == "build.finished":
            total = event["seconds"]
    if total is None:
        raise SystemExit(f"{log.parent.name} has not finished; measure it when it has")
    return {
        "base": base,
        "machine": {"cpus": os.cpu_count(), "arch": platform.machine(), "python": platform.python_version()},
        "total_seconds": total,
        "stages": stages,
    }


def table(record: dict[str, Any]) -> str:
    """Domains down, stages across, seconds in the cells."""
    seconds: dict[str, dict[str, float]] = {}
    for row in record["stages"]:
        domain, _, kind = row["stage"].rpartition(":")
        seconds.setdefault(domain or "(all)", {})[kind] = row["seconds"]
    kinds = list(dict.fromkeys(kind for row in seconds.values() for kind in row))
    lines = ["| domain | " + " | ".join(kinds) + " | sum |", "|---" * (len(kinds) + 2) + "|"]
    for domain, row in seconds.items():
        cells = [f"{row[kind]:.1f}" if kind in row else "" for kind in kinds]
        lines.append(f"| {domain} | " + " | ".join(cells) + f" | {sum(row.values()):.1f} |")
    lines.append(f"\n{len(record['stages'])} stages in {record['total_seconds']:.0f} s, seconds each.")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
