"""Export of a domain beside a plain copy of the file, and beside llama.cpp's converter.

    python benchmarks/export/export.py BASE [--repeat 5] [--work DIR] [--no-converter]

BASE is the artifact of a base stage (a directory with base.json: `cache/store/…`). Each round copies the base's
GGUF, exports with a q/v adapter, exports with one on all linear layers, writes the merged checkpoint and converts
it, each in a process of its own, one after the other; printed are medians, wall and CPU time, as a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import reference
import samples

ROOT = Path(__file__).resolve().parents[2]
COPY = "import sys, shutil; shutil.copyfile(sys.argv[1], sys.argv[2])"
CHECKPOINT = """
import sys
from pathlib import Path
from fgbuild.workers.exporting import gguf_file, tuned
base, train, out = map(Path, sys.argv[1:])
gguf_file.write_checkpoint(base, tuned.load(train), out)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--work", type=Path, help="where files are written (default: a temporary directory)")
    parser.add_argument("--no-converter", action="store_true", help="leave llama.cpp's converter out")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        steps = _steps(args.base.resolve(), Path(work), not args.no_converter)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
        for _ in range(args.repeat):
            for name, step in steps.items():
                times[name].append(_timed(step))
                wall_s, cpu_s = times[name][-1]
                print(f"{name}: {wall_s:.2f} s, {cpu_s:.2f} CPU-s", file=sys.stderr, flush=True)
    wall = {name: statistics.median(seconds for seconds, _ in found) for name, found in times.items()}
    cpu = {name: statistics.median(seconds for _, seconds in found) for name, found in times.items()}
    print("| | s | CPU-s | s beyond the copy |\n|---|---|---|---|")
    for name in steps:
        print(f"| {name} | {wall[name]:.2f} | {cpu[name]:.2f} | {wall[name] - wall['copy']:.2f} |")


def _steps(base: Path, work: Path, with_converter: bool) -> dict[str, Callable[[], None]]:
    source, copied = str(base / "base_q8_0.gguf"), str(work / "copy.gguf")
    steps: dict[str, Callable[[], None]] = {"copy": lambda: _python("-c", COPY, source, copied)}
    trained = {}
    for name, modules in samples.TARGETS.items():
        trained[name] = samples.write_adapter(base, work / f"adapter-{len(trained)}", modules)
        steps[f"export, {name}"] = _export(base, trained[name], work / f"job-{len(trained)}")
    if with_converter:
        checkpoint, train = work / "merged", trained["all-linear"]
        reference.converter()  # fetched before anything is timed
        steps["merged checkpoint"] = lambda: _python("-c", CHECKPOINT, str(base), str(train), str(checkpoint))
        steps["llama.cpp's converter"] = lambda: reference.convert(checkpoint, work / "converted.gguf", "q8_0")
    return steps


def _export(base: Path, train: Path, folder: Path) -> Callable[[], None]:
    """The stage as a build runs it: start of Python, merging, writing, SHA-256, documents."""
    tool = {"name": "explain_rule", "description": "Explains a rule.", "parameters": {"type": "object"}}
    quant = {"type": "q8_0", "min_mb": 250, "max_mb": 320, "converter": "builtin", "converter_path": "", "imatrix": ""}
    manifest: dict[str, Any] = {"name": "lint", "summary": "A benchmark", "tool": [tool], "quant": quant}
    job = {
        "stage": "lint:export",
        "kind": "export",
        "domain": "lint",
        "manifest": manifest,
        "inputs": {"base": str(base), "train": str(train)},
        "output": str(folder / "out"),
        "state": str(folder / "state"),
        "root": str(folder),
    }
    folder.mkdir()
    path = folder / "job.json"
    path.write_text(json.dumps(job), "utf-8")

    def run() -> None:
        shutil.rmtree(folder / "out", ignore_errors=True)
        (folder / "out").mkdir()
        _python("-m", "fgbuild.workers.export", str(path))

    return run


def _python(*arguments: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *arguments], check=True, env=environment, capture_output=True)


def _timed(step: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU seconds, the child's."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    step()
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
