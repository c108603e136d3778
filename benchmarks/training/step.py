"""Seconds an optimizer step, peak memory, and loss: fgbuild's trainer beside TRL's SFTTrainer and padded rows.

    pip install --target /tmp/trl --no-deps trl==1.16.0   # TRL 1.15's loss needs Triton, which a CPU has not
    python benchmarks/training/step.py --trl /tmp/trl

Each contestant is a process of its own, one after the other; all make the same steps on the same rows of lint. Prints
Markdown, and writes benchmarks/results/training_step.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import rows as lint
import torch

HERE = Path(__file__).resolve().parent
CONTESTANTS: dict[str, dict[str, Any]] = {
    "fgbuild, bf16 products": {"kind": "ours", "precision": "bf16"},
    "fgbuild, fp32": {"kind": "ours", "precision": "fp32"},
    "padded, head at targets, bf16 weights": {"kind": "padded", "precision": "bf16"},
    "padded, head at targets, fp32": {"kind": "padded", "precision": "fp32"},
    "TRL, bf16 weights": {"kind": "trl", "precision": "bf16"},
    "TRL, bf16 autocast": {"kind": "trl", "precision": "bf16", "autocast": True},
    "TRL, fp32": {"kind": "trl", "precision": "fp32"},
    "TRL, fp32, checkpointing": {"kind": "trl", "precision": "fp32", "checkpointing": True},
    "TRL, bf16 weights, 2 × 4 rows": {"kind": "trl", "precision": "bf16", "accumulated": 2},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--trl", type=Path, help="directory with a TRL that works on this device (default: the installed)"
    )
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=3, help="optimizer steps; the first is not counted")
    parser.add_argument("--only", nargs="*", default=list(CONTESTANTS), help="contestants whose names begin so")
    args = parser.parse_args()
    lora, trainer = lint.settings()
    given = {
        "base": str(lint.artifact("base")),
        "rows": lint.load(args.batch * args.steps),
        "lora": {**lora, "trainable_tokens": []},  # TRL's head cannot read peft's trained vocabulary rows
        "learning_rate": trainer["learning_rate"],
        "threads": os.cpu_count(),
        "batch": args.batch,
        "steps": args.steps,
    }
    found: dict[str, Any] = {}
    for name, kind in CONTESTANTS.items():
        if not any(name.startswith(chosen) for chosen in args.only):
            continue
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        since = time.time()
        found[name] = run({**given, **kind, "micro_batch": args.batch // kind.get("accumulated", 1)}, args.trl)
        print(f"{time.time() - since:.0f} s", file=sys.stderr)
    record = {"batch": args.batch, "rate": rate(), "contestants": found}
    results = lint.ROOT / "benchmarks" / "results" / "training_step.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    print(table(record))


def run(job: dict[str, Any], trl: Path | None) -> dict[str, Any]:
    """What a contestant measured. trl: goes before the installed packages, for TRL's own trainer."""
    environment = {**os.environ, "PYTHONPATH": str(trl.resolve())} if job["kind"] == "trl" and trl else None
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(job, file)
        file.flush()
        command = [sys.executable, str(HERE / "contestant.py"), file.name]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def rate() -> dict[str, float]:
    """The machine's best rate of matrix products on the shape of an MLP layer, GFLOP/s, by format."""
    found = {}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        left, right = torch.ones(1024, 640, dtype=dtype), torch.ones(4096, 640, dtype=dtype)
        times = []
        for _ in range(20):
            since = time.perf_counter()
            left @ right.T
            times.append(time.perf_counter() - since)
        found[name] = 2 * 1024 * 640 * 4096 / min(times) / 1e9
    return found


def table(record: dict[str, Any]) -> str:
    lines = [
        "| trainer | s a step | CPU-s a step | times as long | peak memory, MB | loss of the steps | gradient norm |",
        "|" + "---|" * 7,
    ]
    ours = None
    for name, found in record["contestants"].items():
        if "error" in found:
            lines.append(f"| {name} | {found['error']} |" + " |" * 5)
            continue
        step = statistics.median(found["seconds"][1:])
        cpu = statistics.median(found["cpu_seconds"][1:])
        ours = ours or step
        losses = ", ".join(f"{loss:.4f}" for loss in found["losses"])
        norms = ", ".join(f"{norm:.2f}" for norm in found["grad_norms"])
        lines.append(
            f"| {name} | {step:.2f} | {cpu:.2f} | {step / ours:.1f} | {found['peak_mb']:.0f} | {losses} | {norms} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
