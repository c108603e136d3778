"""Stage tokenize: trajectories → token ids and supervised spans.

Output: train.jsonl, eval.jsonl ({"id", "input_ids", "spans": [[start, end)]}), stats.json.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from fgbuild.errors import DataError
from fgbuild.functiongemma.tokens import bare_tool
from fgbuild.workers.bases.template import difference
from fgbuild.workers.encoding import encode_row
from fgbuild.workers.jsonl import read_jsonl, write_jsonl
from fgbuild.workers.protocol import Job, Reporter, main


def work(job: Job, reporter: Reporter) -> None:
    tokenizer = Tokenizer.from_file(str(job.inputs["base"] / "tokenizer.json"))
    tools = job.manifest["tool"]
    max_length = job.manifest["dataset"]["max_length"]
    rows: dict[str, list[dict[str, Any]]] = {}
    for split in ("train", "eval"):
        source = read_jsonl(job.inputs["generate"] / f"{split}.jsonl")
        rows[split] = []
        for number, row in enumerate(source):
            rows[split].append(encode_row(tokenizer, row, tools, max_length))
            reporter.progress(number + 1, len(source), "rows")
        write_jsonl(job.output / f"{split}.jsonl", rows[split])
        check_template(job.inputs["base"], source, tools)
    everything = rows["train"] + rows["eval"]
    lengths = [len(row["input_ids"]) for row in everything]
    stats = {
        "train": len(rows["train"]),
        "eval": len(rows["eval"]),
        "prefix_tokens": common_prefix([row["input_ids"] for row in everything]),
        "max_tokens": max(lengths),
        "mean_tokens": round(sum(lengths) / len(lengths), 1),
        "supervised_tokens": sum(end - start for row in rows["train"] for start, end in row["spans"]),
    }
    (job.output / "stats.json").write_text(json.dumps(stats, indent=1) + "\n", "utf-8")
    reporter.emit("stage.result", summary=stats)


def check_template(base: Path, rows: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]]) -> None:
    """Raise DataError where the base's chat template prints another prompt than our renderer.

    That template goes into the GGUF, and runners use it: a difference found here costs no training.
    One row of each scenario is compared, whole and as a prompt.
    """
    template = (base / "chat_template.jinja").read_text("utf-8")
    for row in {row["scenario"]: row for row in reversed(rows)}.values():
        messages, declared = row["messages"], [bare_tool(tool) for tool in row.get("tools") or tools]
        prompt = messages[:-1] if messages[-1]["role"] == "assistant" else []
        for part, opened in ((messages, False), (prompt, True)):
            if part and (found := difference(template, part, declared, opened=opened)):
                raise DataError(f"{row.get('source', row['id'])}: of the base, {found}; change the row or the base")


def common_prefix(rows: Sequence[list[int]]) -> int:
    """Length of the longest prefix that all rows share."""
    return len(os.path.commonprefix([min(rows), max(rows)]))


if __name__ == "__main__":
    main(work)
