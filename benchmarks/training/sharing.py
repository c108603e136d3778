"""Tokens computed against tokens represented, by number of tools and by batch size; with --time, seconds as well.

python benchmarks/training/sharing.py
python benchmarks/training/sharing.py --time
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys

import rows as lint
import step

from fgbuild.workers.training.batches import PrefixCollator

TOOLS = (2, 4, 8, 16)
BATCHES = (1, 2, 4, 8, 16, 32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", action="store_true", help="train as well, beside padded rows, eight rows a step")
    args = parser.parse_args()
    print("| tools declared | " + " | ".join(f"{batch} rows" for batch in BATCHES) + " |")
    print("|" + "---|" * (1 + len(BATCHES)))
    for tools in TOOLS:
        print(f"| {tools} | " + " | ".join(ratio(tools, batch) for batch in BATCHES) + " |")
    if args.time:
        times()


def ratio(tools: int, batch: int) -> str:
    """Represented tokens for each computed one, over the same 320 rows."""
    rows, collate = lint.load(320, tools), PrefixCollator(sharing=True)
    batches = [collate(rows[start : start + batch]) for start in range(0, len(rows), batch)]
    represented = sum(int(found["represented"]) for found in batches)
    computed = sum(found["input_ids"].numel() for found in batches)
    return f"{represented / computed:.1f} ({computed / len(batches):.0f} of {represented / len(batches):.0f})"


def times() -> None:
    lora, trainer = lint.settings()
    print("\n| tools declared | fgbuild, s a step | padded, head at targets | times as long |\n|---|---|---|---|")
    for tools in TOOLS:
        job = {
            "base": str(lint.artifact("base")),
            "rows": lint.load(24, tools),
            "lora": lora,
            "learning_rate": trainer["learning_rate"],
            "threads": os.cpu_count(),
            "batch": 8,
            "micro_batch": 8,
            "steps": 3,
            "precision": "bf16",
        }
        seconds = []
        for kind in ("ours", "padded"):
            print(f"{tools} tools, {kind} …", file=sys.stderr)
            seconds.append(statistics.median(step.run({**job, "kind": kind}, None)["seconds"][1:]))
        print(f"| {tools} | {seconds[0]:.2f} | {seconds[1]:.2f} | {seconds[1] / seconds[0]:.1f} |")


if __name__ == "__main__":
    main()
