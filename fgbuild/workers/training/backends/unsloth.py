"""Training by unsloth: TRL's SFTTrainer over padded rows, with unsloth's kernels for the model.

Importing unsloth changes torch, transformers, peft and trl in the whole process, so that no other module imports it,
and this one is imported before those (`backends.prepare`).
"""

from __future__ import annotations

import os

from fgbuild.errors import DataError

os.environ.setdefault("UNSLOTH_DISABLE_STATISTICS", "1")  # it would tell its makers of every model that is loaded
try:
    from unsloth import FastModel
except Exception as error:  # without a GPU, or with neighbours that do not fit, it fails in many ways
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    raise DataError(
        f'trainer.backend: unsloth cannot be loaded here ({reason}); set backend = "trl", or put that right'
    ) from error

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from torch import Tensor, nn
from transformers import Trainer, TrainerCallback
from trl import SFTConfig, SFTTrainer

from fgbuild.recipes import beyond_unsloth
from fgbuild.workers.training.adapters import settings_of
from fgbuild.workers.training.batches import IGNORED
from fgbuild.workers.training.checkpoints import AtomicCheckpoints
from fgbuild.workers.training.task import Training


class UnslothTrainer(AtomicCheckpoints, SFTTrainer):
    """TRL's trainer as unsloth leaves it, with checkpoints that are whole and counts of tokens."""

    computed_tokens = 0
    represented_tokens = 0

    def compute_loss(self, model: nn.Module, inputs: dict[str, Tensor], *args: Any, **kwargs: Any) -> Any:
        """The model's own loss: TRL's wants logits, which unsloth does not keep."""
        if model.training:
            self.computed_tokens += inputs["input_ids"].numel()
            self.represented_tokens += int(inputs["attention_mask"].sum())
        with self.compute_loss_context_manager():
            return Trainer.compute_loss(self, model, inputs, *args, **kwargs)

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """No card beside a checkpoint: export writes the one that ships."""


def build(training: Training, precision: str, arguments: SFTConfig, callbacks: list[TrainerCallback]) -> SFTTrainer:
    """A trainer of the base, in the format of `precision` ("fp32" or "bf16"), with a fresh adapter in fp32.

    Raises DataError for what unsloth cannot train.
    """
    if problem := beyond_unsloth(training.trainer, training.lora):
        raise DataError(": ".join(problem))
    model, tokenizer = FastModel.from_pretrained(
        str(training.base),
        max_seq_length=max(len(row["input_ids"]) for row in [*training.train, *training.eval]),
        dtype=torch.bfloat16 if precision == "bf16" else torch.float32,
        load_in_4bit=False,
        use_exact_model_name=True,
        use_gradient_checkpointing=False,
        local_files_only=True,
        device_map="sequential" if torch.cuda.is_available() else "cpu",
    )
    trainer = UnslothTrainer(
        model=with_adapter(model, training.lora, training.trainer["seed"]),
        # What is not the adapter's is in bf16 already: autocast brings the two together.
        args=replace(arguments, bf16=precision == "bf16", use_cpu=not torch.cuda.is_available()),
        train_dataset=Dataset.from_list(training.train),
        eval_dataset=Dataset.from_list(training.eval) if training.eval else None,
        processing_class=tokenizer,
        data_collator=padded,
        callbacks=callbacks,
    )
    trainer.processing_class = None  # it would be written into every checkpoint
    return trainer


def with_adapter(model: Any, lora: dict[str, Any], seed: int) -> PeftModel:
    """The model with a fresh adapter by a manifest's `[lora]`."""
    return FastModel.get_peft_model(model, **settings_of(lora), use_gradient_checkpointing=False, random_state=seed)


def padded(rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
    """Rows of {"input_ids", "labels"} → input_ids, attention_mask and labels, [rows, longest], padded on the right."""
    longest = max(len(row["input_ids"]) for row in rows)

    def filled(name: str, value: int) -> Tensor:
        return torch.tensor([row[name] + [value] * (longest - len(row[name])) for row in rows])

    lengths = torch.tensor([len(row["input_ids"]) for row in rows])
    return {
        "input_ids": filled("input_ids", 0),
        "attention_mask": (torch.arange(longest)[None, :] < lengths[:, None]).long(),
        "labels": filled("labels", IGNORED),
    }
