"""What generating costs by the number of rows, and what several processes give where each row runs a command.

    python benchmarks/generate/scale.py [--counts 1000 10000] [--commands 200] [--processes 1 2]

Two tables. The stage as a build runs it, on lint's scenarios: time, CPU time (all processes), the largest process's
peak memory, and a digest of the files, which is the same for any number of processes. Then rows that each run a
command, as tools of a real workspace do: the command is a Python that starts and ends.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fgbuild.domains.scenario import Draw, Episode, Scenario
from fgbuild.workers.generate import scenarios_of
from fgbuild.workers.generating.making import Recipe, write_generated

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-I", "-c", "import json")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--commands", type=int, default=200, help="rows that each run a command")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    args = parser.parse_args()
    stages(args.counts, args.processes)
    commands(args.commands, args.processes)


def stages(counts: list[int], processes: list[int]) -> None:
    print("| rows | processes | s | CPU-s | peak memory, MB | files |\n|---|---|---|---|---|---|")
    for count in counts:
        for cores in processes:
            with tempfile.TemporaryDirectory(prefix="fgbuild-generate-") as name:
                seconds, cpu, memory = stage(Path(name), count, cores)
                found = digest(Path(name, "out"))
            print(f"| {count:,} | {cores} | {seconds:.2f} | {cpu:.2f} | {memory:.0f} | {found} |", flush=True)


def stage(folder: Path, count: int, cores: int) -> tuple[float, float, float]:
    """Seconds, CPU seconds and MB of the worker on a job of so many rows."""
    (folder / "out").mkdir()
    dataset = {"generator": "lint", "count": count, "seed": 7, "eval_fraction": 0.2, "files": [], "max_leakage": 1.0}
    job = {
        "stage": "lint:generate",
        "kind": "generate",
        "domain": "lint",
        "manifest": {"name": "lint", "dataset": dataset, "tool": tools()},
        "inputs": {},
        "output": str(folder / "out"),
        "state": str(folder),
        "root": str(ROOT),
        "options": {"cores": cores},
    }
    (folder / "job.json").write_text(json.dumps(job), "utf-8")
    started = time.perf_counter()
    with (folder / "log").open("wb") as log:
        worker = [sys.executable, "-P", "-m", "fgbuild.workers.generate", str(folder / "job.json")]
        process = subprocess.Popen(worker, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit((folder / "log").read_text("utf-8")[-2000:])
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def tools() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((ROOT / "manifests" / "lint.toml").read_text("utf-8"))["tool"]
    return found


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def commands(count: int, processes: list[int]) -> None:
    recipe = Recipe("lint", with_a_command, tools(), count=count, eval_fraction=0.2, seed=7)
    print("\n| rows, a command each | processes | s | rows a second |\n|---|---|---|---|")
    for cores in processes:
        with tempfile.TemporaryDirectory(prefix="fgbuild-generate-") as name:
            started = time.perf_counter()
            write_generated(recipe, Path(name), cores=cores, progress=lambda done, total: None)
            seconds = time.perf_counter() - started
        print(f"| {count:,} | {cores} | {seconds:.2f} | {count / seconds:.1f} |", flush=True)


def with_a_command() -> Sequence[Scenario]:
    return [replace(scenario, build=_Running(scenario)) for scenario in scenarios_of("lint")]


class _Running:
    """Runs a command, and then builds as the scenario does."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario

    def __call__(self, draw: Draw) -> Episode:
        subprocess.run(COMMAND, check=True)
        return self._scenario.build(draw)


if __name__ == "__main__":
    main()
