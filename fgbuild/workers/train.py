"""Stage train: token ids and supervised spans → LoRA adapter, or all weights anew.

Output: adapter_model.safetensors and adapter_config.json (peft's), or model.safetensors where all weights are
trained; metrics.jsonl (loss, learning rate, gradient norm by step), train.json (summary).
"""

from __future__ import annotations

from pathlib import Path

from fgbuild.errors import DataError
from fgbuild.workers.jsonl import read_jsonl
from fgbuild.workers.protocol import Job, Reporter, main
from fgbuild.workers.training.backends import prepare
from fgbuild.workers.training.batches import supervised
from fgbuild.workers.training.task import Rows, Training


def work(job: Job, reporter: Reporter) -> None:
    rows = {split: load_rows(job.inputs["tokenize"] / f"{split}.jsonl") for split in ("train", "eval")}
    if not any(label != -100 for row in rows["train"] for label in row["labels"]):
        raise DataError(f"{job.domain}: no supervised token in the training split; add assistant messages")
    prepare(job.manifest["trainer"], job.manifest["lora"], job.state)
    from fgbuild.workers.training.run import fine_tune

    training = Training(
        base=job.inputs["base"],
        base_name=job.manifest["base"],
        lora=job.manifest["lora"],
        trainer=job.manifest["trainer"],
        state=job.state,
        output=job.output,
        **rows,
    )
    fine_tune(training, reporter)


def load_rows(path: Path) -> Rows:
    """Tokenized rows with labels instead of spans."""
    return [{"input_ids": row["input_ids"], "labels": supervised(row)} for row in read_jsonl(path)]


if __name__ == "__main__":
    main(work)
