"""Training by TRL's SFTTrainer over prefix-shared batches."""

from __future__ import annotations

from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

from fgbuild.workers.training.adapters import with_adapter
from fgbuild.workers.training.batches import PrefixCollator
from fgbuild.workers.training.checkpoints import AtomicCheckpoints
from fgbuild.workers.training.distributed import Synchronized
from fgbuild.workers.training.task import Training
from fgbuild.workers.training.trainer import PrefixSharedTrainer


class TrlTrainer(AtomicCheckpoints, Synchronized, PrefixSharedTrainer):
    """TRL's trainer with prefix-shared batches and checkpoints that are whole, in one process or several."""


def build(training: Training, precision: str, arguments: SFTConfig, callbacks: list[TrainerCallback]) -> SFTTrainer:
    """A trainer of the base with a fresh adapter, or of all its weights, which are kept in fp32 then.

    precision: "fp32" or "bf16", the format of products. Raises DataError for an adapter that does not fit the base.
    """
    compute = torch.bfloat16 if precision == "bf16" else torch.float32
    if training.full:
        model: Any = AutoModelForCausalLM.from_pretrained(training.base, dtype=torch.float32)
    else:
        model = with_adapter(training.base, training.lora, compute)
    trainer = TrlTrainer(
        model=model,
        compute=compute,
        args=arguments,
        train_dataset=Dataset.from_list(training.train),
        eval_dataset=Dataset.from_list(training.eval) if training.eval else None,
        processing_class=AutoTokenizer.from_pretrained(training.base),
        data_collator=PrefixCollator(sharing=training.trainer["sharing"] != "off"),
        callbacks=callbacks,
    )
    trainer.processing_class = None  # it would be written into every checkpoint, 33 MB of it
    return trainer
