"""Small training jobs, and ways to cut them off."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from trl import SFTConfig

from fgbuild.functiongemma.tokens import END_OF_TURN_ID
from fgbuild.workers import train
from fgbuild.workers.jsonl import write_jsonl
from fgbuild.workers.protocol import Job, Reporter
from fgbuild.workers.training.callbacks import ReportingCallback

STEPS = 7
LORA: dict[str, Any] = {
    "r": 4,
    "alpha": 8,
    "dropout": 0.0,
    "target_modules": ["q_proj", "v_proj"],
    "bias": "none",
    "trainable_tokens": [48, 49],
    "use_rslora": False,
    "use_dora": False,
    "init_lora_weights": "default",
}
TRAINER: dict[str, Any] = {
    "epochs": 3,
    "max_steps": STEPS,
    "method": "lora",
    "batch_size": 4,
    "gradient_accumulation": 1,
    "effective_batch": 4,
    "learning_rate": 1e-2,
    "schedule": "constant",
    "warmup_steps": 0,
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "precision": "fp32",
    "seed": 42,
    "backend": "trl",
    "sharing": "auto",
    "eval_every": 0,
    "early_stopping": 0,
    "keep": "last",
}


def rows(count: int, *, supervised: bool = True, toolsets: int = 1) -> list[dict[str, Any]]:
    """Rows that begin with one of `toolsets` prompts in turn."""
    rng = random.Random(1)
    prefixes = [[2, *(rng.randrange(300, 2000) for _ in range(20)), END_OF_TURN_ID] for _ in range(toolsets)]
    made = []
    for number in range(count):
        prefix = prefixes[number % toolsets]
        own = [rng.randrange(300, 2000) for _ in range(rng.randrange(6, 12))]
        made.append(
            {
                "id": str(number),
                "input_ids": [*prefix, *own, 48, 49, 50],
                "spans": [[len(prefix) + len(own), len(prefix) + len(own) + 3]] if supervised else [],
            }
        )
    return made


def branching(most: int, ends: int) -> st.SearchStrategy[list[list[int]]]:
    """Up to `most` rows of ids that share enough for a prefix tree, each with an end of its own of up to `ends` ids."""
    row = st.builds(
        lambda start, middle, end: [1] * start + [2] * middle + end,
        st.integers(0, 20),
        st.integers(0, 20),
        st.lists(st.integers(3, 5), min_size=1, max_size=ends),
    )
    return st.lists(row, min_size=1, max_size=most)


def sft_config(where: Path, **settings: Any) -> SFTConfig:
    """TRL's settings for rows of token ids on a CPU."""
    return SFTConfig(
        output_dir=str(where),
        report_to="none",
        bf16=False,
        use_cpu=True,
        gradient_checkpointing=False,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        disable_tqdm=True,
        **settings,
    )


class Jobs:
    """Makes training jobs: those of one name share their state, so that the second goes on from the first."""

    def __init__(self, root: Path, base: Path) -> None:
        self._root = root
        self._inputs = {"base": base, "tokenize": root / "tokenized"}
        (root / "tokenized").mkdir()
        write_jsonl(root / "tokenized" / "train.jsonl", rows(20))
        write_jsonl(root / "tokenized" / "eval.jsonl", rows(4))

    def __call__(self, name: str, *, lora: dict[str, Any] | None = None, **trainer: Any) -> Job:
        output, state = self._root / f"{name}-out", self._root / name
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        state.mkdir(exist_ok=True)
        manifest = {"name": "toy", "base": "tiny", "lora": LORA | (lora or {}), "trainer": TRAINER | trainer}
        return Job("toy:train", "train", "toy", manifest, self._inputs, output, state, self._root, {})


def run(job: Job) -> dict[str, bytes]:
    """File name → bytes of what the training writes."""
    train.work(job, Reporter(job.stage))
    return {path.name: path.read_bytes() for path in sorted(job.output.iterdir())}


class Killed(Exception):
    """In place of SIGKILL: nothing in fgbuild catches it."""


def killed_at(patch: pytest.MonkeyPatch, step: int) -> None:
    """Cut off every training after an optimizer step, before what it makes is logged or kept."""

    def on_step_end(self: Any, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == step:
            raise Killed

    patch.setattr(ReportingCallback, "on_step_end", on_step_end)


def run_killed(job: Job, step: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        killed_at(patch, step)
        with pytest.raises(Killed):
            run(job)
