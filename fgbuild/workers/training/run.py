"""One LoRA training, from rows of token ids to an adapter, by TRL's SFTTrainer.

Checkpoints go to `state`, and a training that was cut off goes on from the last one. On CPU the
same training gives the same bytes with the same number of threads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.utils.deterministic as deterministic
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, enable_full_determinism
from trl import SFTConfig

from fgbuild.workers.protocol import Reporter
from fgbuild.workers.training.batches import PrefixCollator
from fgbuild.workers.training.callbacks import ReportingCallback
from fgbuild.workers.training.checkpoints import keep_metrics, last_complete, read_metrics, same_threads
from fgbuild.workers.training.memory import keep_freed_memory
from fgbuild.workers.training.precision import choose_precision
from fgbuild.workers.training.trainer import PrefixSharedTrainer

CHECKPOINT_EVERY = 10
"""Steps between checkpoints; one is about 45 MB for all-linear LoRA of rank 16, optimizer included."""

Rows = list[dict[str, Any]]
"""{"input_ids", "labels"} each: whole numbers only, so nothing is null-filled."""


@dataclass(frozen=True)
class Training:
    """What to train on what. base: its checkpoint; base_name: for the adapter's configuration.

    lora, trainer: the sections of a manifest. state: directory kept between attempts. output:
    gets adapter_model.safetensors, adapter_config.json (peft's), metrics.jsonl (loss, learning rate, gradient
    norm by step) and train.json (summary).
    """

    base: Path
    base_name: str
    lora: dict[str, Any]
    trainer: dict[str, Any]
    train: Rows
    eval: Rows
    state: Path
    output: Path


def fine_tune(training: Training, reporter: Reporter) -> None:
    """Train, or go on with what was cut off, and write `training.output`.

    Raises StageError for a loss or gradient that is no number, DataError for a precision that the device lacks.
    """
    settings, state = training.trainer, training.state
    last = last_complete(state / "checkpoints")
    torch.set_num_threads(same_threads(state / "threads", torch.get_num_threads(), resumed=last is not None))
    precision = choose_precision(settings["precision"], state / "precision", resumed=last is not None)
    keep_freed_memory()
    enable_full_determinism(settings["seed"], warn_only=torch.cuda.is_available())
    # Every operation used here writes all of its output, so filling it first would be work done twice.
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # torch ships no stub for it
    model = with_adapter(training.base, training.lora, precision)
    reporter.note(f"training in {precision} on {'cuda' if torch.cuda.is_available() else 'cpu'}")

    metrics = state / "metrics.jsonl"
    callback = ReportingCallback(reporter, metrics, precision)
    keep_metrics(metrics, last[1].global_step if last else -1)
    if last:
        reporter.note(f"resumed from the checkpoint at step {last[1].global_step}")
    trainer = PrefixSharedTrainer(
        model=model,
        args=arguments(settings, state / "checkpoints", has_eval=bool(training.eval)),
        train_dataset=Dataset.from_list(training.train),
        eval_dataset=Dataset.from_list(training.eval) if training.eval else None,
        processing_class=AutoTokenizer.from_pretrained(training.base),
        data_collator=PrefixCollator(sharing=settings["sharing"] != "off"),
        callbacks=[callback],
    )
    trainer.processing_class = None  # it would be written into every checkpoint, 33 MB of it
    callback.trainer = trainer
    if last and last[1].global_step >= last[1].max_steps:
        # The Trainer makes a step before it looks at how many there are to be.
        trainer.restore(*last)
    else:
        trainer.train(resume_from_checkpoint=str(last[0]) if last else None)
    callback.recording = False
    if training.eval:
        trainer.evaluate()
    save(training, model, trainer, callback, precision)
    reporter.emit("stage.result", summary=json.loads((training.output / "train.json").read_text("utf-8")))


def with_adapter(base: Path, lora: dict[str, Any], precision: str) -> PeftModel:
    """The base model with a fresh LoRA adapter by a manifest's `[lora]`."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    config = LoraConfig(
        r=lora["r"],
        lora_alpha=lora["alpha"],
        lora_dropout=lora["dropout"],
        target_modules=lora["target_modules"],
        bias=lora["bias"],
        trainable_token_indices=lora["trainable_tokens"] or None,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def arguments(settings: dict[str, Any], checkpoints: Path, *, has_eval: bool) -> SFTConfig:
    evaluates = has_eval and settings["eval_every"] > 0
    return SFTConfig(
        output_dir=str(checkpoints),
        num_train_epochs=settings["epochs"],
        max_steps=settings["max_steps"],
        per_device_train_batch_size=settings["batch_size"],
        # Without gradients four times the rows take the same memory, and share one pass over the prompt.
        per_device_eval_batch_size=4 * settings["batch_size"],
        gradient_accumulation_steps=settings["gradient_accumulation"],
        learning_rate=settings["learning_rate"],
        lr_scheduler_type=settings["schedule"],
        warmup_steps=settings["warmup_steps"],
        weight_decay=settings["weight_decay"],
        max_grad_norm=settings["max_grad_norm"],
        seed=settings["seed"],
        data_seed=settings["seed"],
        full_determinism=not torch.cuda.is_available(),
        bf16=False,  # the trainer's own functions say what is in bf16; autocast would cast the rest as well
        fp16=False,
        gradient_checkpointing=False,
        eval_strategy="steps" if evaluates else "no",
        eval_steps=settings["eval_every"] if evaluates else None,
        save_strategy="steps",
        save_steps=CHECKPOINT_EVERY,
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
        report_to="none",
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
    )


def save(
    training: Training, model: PeftModel, trainer: PrefixSharedTrainer, callback: ReportingCallback, precision: str
) -> None:
    """Write the adapter and the summary; no times in them, so that equal training gives equal bytes."""
    model.save_pretrained(str(training.output), save_embedding_layers=False)
    (training.output / "README.md").unlink(missing_ok=True)
    # peft names the base by the artifact's path and lists the modules in the order of a set.
    path = training.output / "adapter_config.json"
    config = json.loads(path.read_text("utf-8"))
    config |= {"base_model_name_or_path": training.base_name, "target_modules": sorted(config["target_modules"])}
    path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", "utf-8")
    (training.output / "metrics.jsonl").write_bytes((training.state / "metrics.jsonl").read_bytes())
    losses = [record["loss"] for record in read_metrics(training.output / "metrics.jsonl") if "loss" in record]
    summary = {
        "steps": trainer.state.global_step,
        "loss_first": losses[0],
        "loss": losses[-1],
        "eval_loss": callback.eval_loss,
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "precision": precision,
    }
    (training.output / "train.json").write_text(json.dumps(summary, indent=1) + "\n", "utf-8")
