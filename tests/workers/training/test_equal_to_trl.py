"""One pass of ours against TRL's SFTTrainer as it comes, on the tiny base in fp32: equal loss and gradients."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from train_sample import sft_config
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTTrainer
from trl.trainer import utils as trl_utils

from fgbuild.workers.training.batches import PrefixCollator, supervised
from fgbuild.workers.training.trainer import PrefixSharedTrainer

Rows = list[dict[str, Any]]


def words(rng: random.Random, count: int) -> list[int]:
    return [rng.randrange(300, 2000) for _ in range(count)]


def row(*parts: tuple[list[int], bool]) -> dict[str, Any]:
    """A row of parts of which some are supervised."""
    ids: list[int] = []
    spans = []
    for part, counts in parts:
        if counts:
            spans.append([len(ids), len(ids) + len(part)])
        ids += part
    return {"input_ids": ids, "labels": supervised({"input_ids": ids, "spans": spans})}


def conversations(rng: random.Random) -> Rows:
    """Turns of two conversations, each row one turn longer: what was supervised in one row is another's past."""
    tools = words(rng, 40)
    rows = []
    for _ in range(2):
        parts: list[tuple[list[int], bool]] = [(tools, False)]
        for _ in range(3):
            parts += [(words(rng, 12), False), (words(rng, 9), True)]
            rows.append(row(*parts))
    return rows


def several_spans(rng: random.Random) -> Rows:
    tools = words(rng, 30)
    return [
        row((tools, False), *((words(rng, rng.randrange(1, 20)), number % 2 == 1) for number in range(6)))
        for _ in range(5)
    ]


def tool_subsets(rng: random.Random) -> Rows:
    """Rows that share no tool, one tool, and two tools."""
    tools = [words(rng, 25) for _ in range(3)]
    chosen = ([0], [0, 1], [0, 1, 2], [0, 2], [1], [2, 0], [0, 1])
    return [
        row((sum((tools[i] for i in some), [2]), False), (words(rng, 15), False), (words(rng, 6), True))
        for some in chosen
    ]


def beyond_the_window(rng: random.Random) -> Rows:
    """Rows longer than the sliding window, of which the shared part alone is longer than it."""
    tools = words(rng, 560)
    rows = [row((tools, False), (words(rng, length), False), (words(rng, 8), True)) for length in (5, 70, 130)]
    return [*rows, row((words(rng, 30), False), (words(rng, 8), True))]


def equal_and_nested(rng: random.Random) -> Rows:
    """A row twice, and rows that are beginnings of others."""
    tools, ask, answer, more = (words(rng, count) for count in (30, 10, 10, 10))
    whole = row((tools, False), (ask, False), (answer, True), (more, True))
    return [whole, row((tools, False), (ask, False), (answer, True)), whole, row((tools, False), (ask, True))]


class LogProbabilities:
    """What TRL's Triton kernel of that place computes: TRL 1.15 has nothing else, and torch for CPUs no Triton."""

    @staticmethod
    def apply(hidden: Tensor, weight: Tensor, bias: None, labels: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        logits = torch.log_softmax(hidden @ weight.T, -1)
        entropy = -(logits.exp() * logits).sum(-1)
        return logits.gather(1, labels[:, None])[:, 0], entropy, None, None, (logits.argmax(-1) == labels).float()


@pytest.fixture(autouse=True)
def trl_without_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    if trl_utils._ChunkedLogProbFunction is None:
        monkeypatch.setattr(trl_utils, "_ChunkedLogProbFunction", LogProbabilities)


KINDS = [conversations, several_spans, tool_subsets, beyond_the_window, equal_and_nested]


def adapted(base: Path, modules: list[str]) -> PeftModel:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=modules, init_lora_weights=False, task_type="CAUSAL_LM")
    return get_peft_model(model, config)


def trained_once(kind: type[SFTTrainer], model: PeftModel, base: Path, rows: Rows, where: Path, **given: Any):
    """Loss, and the gradients by parameter name, of one pass as the trainer makes it."""
    trainer = kind(
        model=model,
        args=sft_config(where),
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(base),
        **given,
    )
    model.train()
    loss = trainer.compute_loss(model, trainer.data_collator(rows))
    loss.backward()
    return loss.item(), {name: p.grad for name, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("modules", [["q_proj", "v_proj"], "all-linear"], ids=["qv", "all"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_loss_and_every_gradient_equal_trls(kind, modules, tiny_base: Path, tmp_path: Path) -> None:
    rows = kind(random.Random(kind.__name__))
    theirs = trained_once(SFTTrainer, adapted(tiny_base, modules), tiny_base, rows, tmp_path)
    collator = PrefixCollator(sharing=True)
    ours = trained_once(
        PrefixSharedTrainer, adapted(tiny_base, modules), tiny_base, rows, tmp_path, data_collator=collator
    )
    assert collator(rows)["input_ids"].shape[1] < sum(len(row["input_ids"]) for row in rows)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-5)
    assert ours[1].keys() == theirs[1].keys()
    for name, grad in theirs[1].items():
        assert grad.norm() > 0
        assert (ours[1][name] - grad).norm() <= 1e-5 * grad.norm(), name
