"""One way to train, measured in a process of its own: `python contestant.py JOB.json` prints a line of JSON.

ours: fgbuild's trainer. padded: padded rows through transformers' model, the vocabulary head at the supervised
positions alone. trl: TRL's SFTTrainer as it comes. All make the same optimizer steps on the same rows, by the Trainer's
own loop with AdamW.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import SequentialSampler
from transformers import AutoTokenizer, TrainerCallback, set_seed
from trl import SFTConfig, SFTTrainer

from fgbuild.workers.training.adapters import with_adapter
from fgbuild.workers.training.batches import PrefixCollator
from fgbuild.workers.training.memory import keep_freed_memory
from fgbuild.workers.training.trainer import PrefixSharedTrainer


class InOrder:
    """Rows in the order of the dataset, for every contestant."""

    def _get_train_sampler(self, *_: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)  # type: ignore[attr-defined]


class Ours(InOrder, PrefixSharedTrainer):
    pass


class Plain(InOrder, SFTTrainer):
    pass


class Padded(Plain):
    def compute_loss(
        self, model: Any, inputs: dict[str, Any], *_: Any, num_items_in_batch: Any = None, **__: Any
    ) -> Any:
        labels = inputs.pop("labels")
        base = model.get_base_model()
        hidden = base.model(**inputs, use_cache=False).last_hidden_state[:, :-1]
        wanted = labels[:, 1:] != -100
        logits = base.lm_head(hidden[wanted]).float()
        total = torch.nn.functional.cross_entropy(logits, labels[:, 1:][wanted], reduction="sum")
        return total / (len(logits) if num_items_in_batch is None else num_items_in_batch)


class Clock(TrainerCallback):
    """Seconds and CPU-seconds of each step."""

    def __init__(self) -> None:
        self.seconds: list[tuple[float, float]] = []

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self._since = time.perf_counter(), time.process_time()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.seconds.append((time.perf_counter() - self._since[0], time.process_time() - self._since[1]))


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    torch.set_num_threads(job["threads"])
    kind, precise = job["kind"], job["precision"] == "fp32"
    set_seed(1)
    compute = torch.float32 if precise else torch.bfloat16
    if kind == "ours":
        keep_freed_memory()
    base = Path(job["base"])
    # The others' way to bf16 is autocast over weights in fp32, or weights in bf16.
    model = with_adapter(base, job["lora"], torch.float32 if job.get("autocast") else compute)
    given: dict[str, Any] = {}
    if kind == "ours":
        given = {"compute": compute, "data_collator": PrefixCollator(sharing=True)}
    clock = Clock()
    with tempfile.TemporaryDirectory() as directory:
        trainer = {"ours": Ours, "padded": Padded, "trl": Plain}[kind](
            model=model,
            args=SFTConfig(
                output_dir=directory,
                max_steps=job["steps"],
                per_device_train_batch_size=job["micro_batch"],
                gradient_accumulation_steps=job["batch"] // job["micro_batch"],
                learning_rate=job["learning_rate"],
                lr_scheduler_type="constant",
                bf16=bool(job.get("autocast")),
                use_cpu=not torch.cuda.is_available(),
                gradient_checkpointing=bool(job.get("checkpointing")),
                logging_steps=1,
                report_to="none",
                save_strategy="no",
                remove_unused_columns=False,
                dataset_kwargs={"skip_prepare_dataset": True},
                max_length=None,
                disable_tqdm=True,
            ),
            train_dataset=Dataset.from_list(job["rows"]),
            processing_class=AutoTokenizer.from_pretrained(base),
            callbacks=[clock],
            **given,
        )
        trainer.train()
    log = [entry for entry in trainer.state.log_history if "loss" in entry]
    print(
        json.dumps(
            {
                "seconds": [wall for wall, _ in clock.seconds],
                "cpu_seconds": [cpu for _, cpu in clock.seconds],
                "losses": [entry["loss"] for entry in log],
                "grad_norms": [entry["grad_norm"] for entry in log],
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "computed_tokens": getattr(trainer, "computed_tokens", None),
            }
        )
    )


main()
