"""Primes a base that does not know function calling: a short LoRA training on calls, merged into its weights.

Plain Gemma 3 270M has to learn from each domain what FunctionGemma brings: the call format, when to call, when to
ask back, when to decline. Learnt once here, it is there for every domain. The rows are data, `primer.jsonl`, and
not the domains' generators, so that a change of a domain does not make the base another one
(docs/decisions/007-primed-base.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from fgbuild.gguf_io.quant import Bf16Bits, float32_to_bf16
from fgbuild.workers.bases.artifact import BaseModel, write_checkpoint
from fgbuild.workers.bases.tensors_file import SafetensorsFile
from fgbuild.workers.encoding import encode_row
from fgbuild.workers.exporting import adapter
from fgbuild.workers.jsonl import read_jsonl
from fgbuild.workers.protocol import Job, Reporter
from fgbuild.workers.training.batches import supervised

ROWS = Path(__file__).parent / "primer.jsonl"
"""One object a line: {"toolset", "tools"}, then {"id", "toolset", "messages"} of these."""

LORA: dict[str, Any] = {
    "r": 16,
    "alpha": 32,
    "dropout": 0.0,
    "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    "bias": "none",
    "trainable_tokens": [46, 47, 48, 49, 50, 51, 52],
    "use_rslora": False,
    "use_dora": False,
    "init_lora_weights": "default",
}
TRAINER: dict[str, Any] = {
    "epochs": 1,
    "method": "lora",
    "batch_size": 8,
    "gradient_accumulation": 1,
    "learning_rate": 7e-4,
    "schedule": "cosine",
    "warmup_steps": 3,
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "precision": "auto",
    "seed": 42,
    "backend": "trl",
    "sharing": "auto",
    "eval_every": 0,
    "early_stopping": 0,
    "keep": "last",
}
_EMBEDDING = "model.embed_tokens.weight"
_MAX_LENGTH = 2048


def primed(model: BaseModel, steps: int, job: Job, reporter: Reporter) -> BaseModel:
    """`model` after `steps` batches of the primer's rows; what it needs meanwhile lies in `job.state`.

    A base stage that was cut off goes on from the last checkpoint.
    """
    from fgbuild.workers.training.run import fine_tune
    from fgbuild.workers.training.task import Training

    plain, trained = job.state / "plain", job.state / "adapter"
    for directory in (plain, trained):
        directory.mkdir(parents=True, exist_ok=True)
    write_checkpoint(model, plain, reporter)
    training = Training(
        base=plain,
        base_name=model.name,
        lora=LORA,
        trainer={**TRAINER, "max_steps": steps},
        train=encoded_rows(plain / "tokenizer.json"),
        eval=[],
        state=job.state,
        output=trained,
    )
    fine_tune(training, reporter)
    return merged(model, plain / "model.safetensors", trained)


def encoded_rows(tokenizer: Path) -> list[dict[str, Any]]:
    """The primer's rows as token ids and labels."""
    encoder = Tokenizer.from_file(str(tokenizer))
    toolsets: dict[str, list[dict[str, Any]]] = {}
    rows = []
    for entry in read_jsonl(ROWS):
        if "tools" in entry:
            toolsets[entry["toolset"]] = entry["tools"]
        else:
            row = encode_row(encoder, entry, toolsets[entry["toolset"]], _MAX_LENGTH)
            rows.append({"input_ids": row["input_ids"], "labels": supervised(row)})
    return rows


def merged(model: BaseModel, weights: Path, directory: Path) -> BaseModel:
    """`model` with the adapter in `directory` merged into the checkpoint `weights`, in bfloat16."""
    found, source = adapter.load(directory), SafetensorsFile(weights)

    def chunks(name: str) -> Iterator[Bf16Bits]:
        if name in found.factors:
            yield float32_to_bf16(found.merged(source, name))
        elif name == _EMBEDDING:
            table = source.bf16(name).copy()
            for token, row in found.token_rows.items():
                table[token] = float32_to_bf16(row)
            yield table
        else:
            yield source.bf16(name)

    summary = json.loads((directory / "train.json").read_text("utf-8"))
    facts = {"steps": summary["steps"], "loss": summary["loss"], "precision": summary["precision"]}
    return replace(model, title=f"{model.title}, primed on function calls", weights=chunks, primer=facts)
