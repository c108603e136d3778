"""What generating costs: each domain's 200 rows, and how time and memory grow with the number of rows.

    python benchmarks/generate/scale.py [--counts 1000 10000] [--processes 1 2]

The stage as a build runs it, with real tools and replay: time, CPU time and the largest process's peak memory (the
sandboxes' included), and a digest of the files, which is the same for any number of processes.
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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOMAINS = ("docstring", "lint", "sample_data", "test")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--counts", type=int, nargs="*", default=[1000, 10_000], help="rows of lint")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    args = parser.parse_args()
    print("| domain | rows | processes | s | CPU-s | peak memory, MB | files |\n|---|---|---|---|---|---|---|")
    for domain, count in [*((domain, 200) for domain in DOMAINS), *(("lint", count) for count in args.counts)]:
        for cores in args.processes:
            with tempfile.TemporaryDirectory(prefix="fgbuild-generate-") as name:
                seconds, cpu, memory = stage(Path(name), domain, count, cores)
                found = digest(Path(name, "out"))
            row = (domain, f"{count:,}", cores, f"{seconds:.1f}", f"{cpu:.1f}", f"{memory:.0f}", found)
            print(f"| {' | '.join(map(str, row))} |", flush=True)


def stage(folder: Path, domain: str, count: int, cores: int) -> tuple[float, float, float]:
    """Seconds, CPU seconds and MB of the worker on a job of so many rows, with all that it started and waited for."""
    (folder / "out").mkdir()
    dataset = {"generator": domain, "count": count, "seed": 7, "eval_fraction": 0.2, "files": []}
    limits = {"max_leakage": 1.0, "max_bad": 0, "tool_variants": 0.15}
    job = {
        "stage": f"{domain}:generate",
        "kind": "generate",
        "domain": domain,
        "manifest": {"name": domain, "dataset": dataset | limits, "tool": tools(domain)},
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


def tools(domain: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((ROOT / "manifests" / f"{domain}.toml").read_text("utf-8"))["tool"]
    return found


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


if __name__ == "__main__":
    main()
