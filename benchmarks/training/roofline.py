"""The share of the machine's rate of matrix products that a training step reaches.

    python benchmarks/training/roofline.py --precision bf16

Work is counted by torch's FlopCounterMode: the products that a step really makes, none that sharing saves. The
machine's rate is that of an MLP layer's product in the same format, measured before and after; products in fp32 within
a bf16 step (attention scores) count as if they were in bf16.
"""

from __future__ import annotations

import argparse
import statistics
import time

import rows as lint
import step
import torch
from datasets import Dataset
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoTokenizer
from trl import SFTConfig

from fgbuild.workers.training.adapters import with_adapter
from fgbuild.workers.training.batches import PrefixCollator
from fgbuild.workers.training.memory import keep_freed_memory
from fgbuild.workers.training.trainer import PrefixSharedTrainer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=8)
    args = parser.parse_args()
    keep_freed_memory()
    trainer = make(args.precision)
    rows = lint.load(args.batch * args.steps)
    batches = [rows[start : start + args.batch] for start in range(0, len(rows), args.batch)]
    once(trainer, batches[0])
    rates = [step.rate()[args.precision]]
    shares = []
    for batch in batches:
        since = time.perf_counter()
        once(trainer, batch)
        seconds = time.perf_counter() - since
        with FlopCounterMode(display=False) as counter:
            once(trainer, batch)
        shares.append((counter.get_total_flops(), seconds))
    rates.append(step.rate()[args.precision])
    rate = max(rates)
    for flops, seconds in shares:
        reached = flops / seconds / 1e9
        print(f"{flops / 1e9:.0f} GFLOP in {seconds:.2f} s: {reached:.0f} GFLOP/s, {reached / rate:.0%}")
    median = statistics.median(flops / seconds for flops, seconds in shares) / 1e9
    measured = ", ".join(f"{found:.0f}" for found in rates)
    print(f"{args.precision}: median {median:.0f} GFLOP/s of {rate:.0f} ({measured}): {median / rate:.0%}")


def make(precision: str) -> PrefixSharedTrainer:
    base = lint.artifact("base")
    lora, _ = lint.settings()
    compute = {"bf16": torch.bfloat16, "fp32": torch.float32, "fp64": torch.float64}[precision]
    return PrefixSharedTrainer(
        with_adapter(base, lora, compute),
        compute=compute,
        args=SFTConfig(
            output_dir="unused",
            bf16=False,
            report_to="none",
            remove_unused_columns=False,
            dataset_kwargs={"skip_prepare_dataset": True},
            max_length=None,
        ),
        train_dataset=Dataset.from_list(lint.load(8)),
        processing_class=AutoTokenizer.from_pretrained(base),
        data_collator=PrefixCollator(sharing=True),
    )


def once(trainer: PrefixSharedTrainer, rows: list) -> None:
    trainer.model.train()
    loss = trainer.compute_loss(trainer.model, trainer.data_collator(rows))
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for p in trainer.model.parameters() if p.grad is not None], 1.0)
    trainer.model.zero_grad()


if __name__ == "__main__":
    main()
