"""Stage train: token ids and supervised spans → LoRA adapter, by TRL's SFTTrainer.

Output: adapter_model.safetensors, adapter_config.json (peft's), metrics.jsonl (loss, learning
rate, gradient norm by step), train.json (summary). Checkpoints go to `job.state` and a build
that was cut off goes on from the last one. On CPU the same job gives the same bytes with the
same number of threads.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch.utils.deterministic as deterministic
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, enable_full_determinism
from trl import SFTConfig

from fgbuild.errors import DataError
from fgbuild.workers.jsonl import read_jsonl
from fgbuild.workers.protocol import Job, Reporter, main
from fgbuild.workers.training.batches import PrefixCollator, supervised
from fgbuild.workers.training.callbacks import ReportingCallback
from fgbuild.workers.training.checkpoints import keep_metrics, last_complete, read_metrics, same_threads
from fgbuild.workers.training.memory import keep_freed_memory
from fgbuild.workers.training.precision import choose_precision
from fgbuild.workers.training.trainer import PrefixSharedTrainer

CHECKPOINT_EVERY = 10
"""Steps between checkpoints; one is about 45 MB for all-linear LoRA of rank 16, optimizer included."""


def work(job: Job, reporter: Reporter) -> None:
    settings = job.manifest["trainer"]
    datasets = {split: load_rows(job.inputs["tokenize"] / f"{split}.jsonl") for split in ("train", "eval")}
    if not any(label != -100 for row in datasets["train"] for label in row["labels"]):
        raise DataError(f"{job.domain}: no supervised token in the training split; add assistant messages")
    last = last_complete(job.state / "checkpoints")
    torch.set_num_threads(same_threads(job.state / "threads", torch.get_num_threads(), resumed=last is not None))
    precision = choose_precision(settings["precision"], job.state / "precision", resumed=last is not None)
    keep_freed_memory()
    enable_full_determinism(settings["seed"], warn_only=torch.cuda.is_available())
    # Every operation used here writes all of its output, so filling it first would be work done twice.
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # torch ships no stub for it
    model = with_adapter(job.inputs["base"], job.manifest, precision)
    reporter.note(f"training in {precision} on {'cuda' if torch.cuda.is_available() else 'cpu'}")

    metrics = job.state / "metrics.jsonl"
    callback = ReportingCallback(reporter, metrics, precision)
    keep_metrics(metrics, last[1].global_step if last else -1)
    if last:
        reporter.note(f"resumed from the checkpoint at step {last[1].global_step}")
    trainer = PrefixSharedTrainer(
        model=model,
        args=arguments(settings, job.state / "checkpoints", has_eval=bool(datasets["eval"])),
        train_dataset=Dataset.from_list(datasets["train"]),
        eval_dataset=Dataset.from_list(datasets["eval"]) if datasets["eval"] else None,
        processing_class=AutoTokenizer.from_pretrained(job.inputs["base"]),
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
    if datasets["eval"]:
        trainer.evaluate()
    save(job, model, trainer, callback, precision)
    reporter.emit("stage.result", summary=json.loads((job.output / "train.json").read_text("utf-8")))


def load_rows(path: Path) -> list[dict[str, Any]]:
    """Tokenized rows as {"input_ids", "labels"}: whole numbers only, so nothing is null-filled."""
    return [{"input_ids": row["input_ids"], "labels": supervised(row)} for row in read_jsonl(path)]


def with_adapter(base: Path, manifest: dict[str, Any], precision: str) -> PeftModel:
    """The base model with a fresh LoRA adapter from the manifest's `[lora]`."""
    lora = manifest["lora"]
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


def save(job: Job, model: PeftModel, trainer: PrefixSharedTrainer, callback: ReportingCallback, precision: str) -> None:
    """Write the adapter and the summary; no times in them, so that equal training gives equal bytes."""
    model.save_pretrained(str(job.output), save_embedding_layers=False)
    (job.output / "README.md").unlink(missing_ok=True)
    # peft names the base by the artifact's path and lists the modules in the order of a set.
    path = job.output / "adapter_config.json"
    config = json.loads(path.read_text("utf-8"))
    config |= {"base_model_name_or_path": job.manifest["base"], "target_modules": sorted(config["target_modules"])}
    path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", "utf-8")
    (job.output / "metrics.jsonl").write_bytes((job.state / "metrics.jsonl").read_bytes())
    losses = [record["loss"] for record in read_metrics(job.output / "metrics.jsonl") if "loss" in record]
    summary = {
        "steps": trainer.state.global_step,
        "loss_first": losses[0],
        "loss": losses[-1],
        "eval_loss": callback.eval_loss,
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "precision": precision,
    }
    (job.output / "train.json").write_text(json.dumps(summary, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(work)
