"""The prefix-shared loss and its gradients equal those of plain padded rows."""

from __future__ import annotations

import copy
import random

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, models
from train_sample import sft_config
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast
from transformers.models.gemma3.modeling_gemma3 import Gemma3RMSNorm

from fgbuild.workers.training.batches import PrefixCollator, supervised
from fgbuild.workers.training.trainer import PrefixSharedTrainer

VOCABULARY = 96
TRAINED = [4, 5, 6]


def small_model(heads: int, groups: int, dtype: torch.dtype = torch.float32) -> Gemma3ForCausalLM:
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=4,
        num_attention_heads=heads,
        num_key_value_heads=groups,
        head_dim=16,
        query_pre_attn_scalar=16,
        sliding_window=8,
        layer_types=["sliding_attention", "full_attention"] * 2,
        max_position_embeddings=256,
    )
    return Gemma3ForCausalLM(config).to(dtype)


def adapted(model: Gemma3ForCausalLM, trained: list[int], **variant) -> torch.nn.Module:
    torch.manual_seed(1)
    settings = {
        "r": 4,
        "lora_alpha": 8,
        "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        "trainable_token_indices": trained or None,
        "init_lora_weights": False,
    }
    config = LoraConfig(task_type="CAUSAL_LM", **settings | variant)
    return get_peft_model(model, config, autocast_adapter_dtype=False).to(model.dtype)


def make_rows(prefix: int, count: int, seed: int) -> list[dict]:
    rng = random.Random(seed)
    shared = [rng.randrange(3, VOCABULARY) for _ in range(prefix)]
    rows = []
    for _ in range(count):
        own = [rng.randrange(3, VOCABULARY) for _ in range(rng.randrange(5, 30))]
        ids = shared + own
        start = prefix + rng.randrange(0, 3)
        spans = [[start, start + 2]]
        if len(own) > 12:
            spans.append([prefix + 8, prefix + 11])
        row = {"input_ids": ids, "spans": spans}
        rows.append({"input_ids": ids, "labels": supervised(row)})
    return rows


def plain_loss(model: torch.nn.Module, rows: list[dict]) -> torch.Tensor:
    longest = max(len(row["input_ids"]) for row in rows)
    ids = torch.tensor([row["input_ids"] + [0] * (longest - len(row["input_ids"])) for row in rows])
    labels = torch.tensor([row["labels"] + [-100] * (longest - len(row["labels"])) for row in rows])
    mask = torch.tensor([[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in rows])
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, VOCABULARY), labels[:, 1:].reshape(-1))


def trainer_of(model: torch.nn.Module, rows: list[dict], tmp_path, **settings) -> PrefixSharedTrainer:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({f"w{i}": i for i in range(VOCABULARY)}, unk_token="w3")),
        pad_token="w0",
        eos_token="w1",
    )
    return PrefixSharedTrainer(
        model=model,
        args=sft_config(tmp_path, **settings),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        data_collator=PrefixCollator(sharing=True),
    )


@pytest.fixture
def double_norms(monkeypatch):
    """transformers rounds its norms to fp32; the reference shall round nothing."""

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * (1 + self.weight)

    monkeypatch.setattr(Gemma3RMSNorm, "forward", forward)


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.usefixtures("double_norms")
@pytest.mark.parametrize("sharing", [True, False])
@pytest.mark.parametrize("trained", [[], TRAINED])
@pytest.mark.parametrize(("heads", "groups"), [(4, 1), (4, 2)])
@pytest.mark.parametrize("prefix", [0, 5, 21])
def test_loss_and_gradients_equal_plain_rows(tmp_path, prefix, heads, groups, trained, sharing):
    rows = make_rows(prefix, count=5, seed=prefix)
    # In double precision, what differs is mathematics and not rounding.
    model = small_model(heads, groups, torch.float64)
    reference, ours = (adapted(copy.deepcopy(model), trained).train() for _ in range(2))
    equal_to_plain(reference, ours, rows, tmp_path, sharing=sharing)


@pytest.mark.parametrize("trained", [[], TRAINED])
def test_mixed_precision_differs_by_rounding_alone(tmp_path, trained):
    rows = make_rows(21, count=5, seed=1)
    exact = small_model(4, 2).to(torch.bfloat16)  # weights that both precisions can hold
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        model = adapted(copy.deepcopy(exact).to(dtype), trained).train()
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
        loss = trainer_of(model, rows, tmp_path).compute_loss(model, PrefixCollator(sharing=True)(rows))
        loss.backward()
        flat = torch.cat([grad.flatten() for grad in gradients(model).values()])
        found.append((loss.item(), flat))
    assert found[1][1].dtype == torch.float32
    assert found[1][0] == pytest.approx(found[0][0], rel=5e-3)
    assert torch.cosine_similarity(found[0][1], found[1][1], 0) > 0.995


def test_accumulated_micro_batches_equal_one_batch(tmp_path):
    rows = make_rows(9, count=8, seed=3)
    after = []
    for size, steps in ((8, 1), (2, 4)):
        model = adapted(small_model(4, 1), TRAINED).train()
        trainer = trainer_of(
            model,
            rows,
            tmp_path / str(size),
            per_device_train_batch_size=size,
            gradient_accumulation_steps=steps,
            max_steps=1,
            optim="sgd",
            learning_rate=0.1,
            lr_scheduler_type="constant",
            save_strategy="no",
        )
        trainer.train()
        after.append({name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad})
    for name, value in after[0].items():
        assert torch.allclose(value, after[1][name], atol=1e-5), name


def test_shared_tokens_are_computed_once_and_equal_targets_counted():
    rows = make_rows(21, count=5, seed=2)
    rows.append(rows[0])
    batch = PrefixCollator(sharing=True)(rows)
    total = sum(len(row["input_ids"]) for row in rows)
    asked = sum(label != -100 for row in rows for label in row["labels"][1:])
    assert int(batch["represented"]) == total
    assert batch["input_ids"].shape[1] == total - 4 * 21 - len(rows[0]["input_ids"])
    assert len(batch["labels"]) == int(batch["target_weights"].sum()) == asked
    assert len(batch["target_index"]) == asked - sum(label != -100 for label in rows[0]["labels"])
    unshared = PrefixCollator(sharing=False)(rows)
    assert unshared["input_ids"].shape[1] == total


@pytest.mark.usefixtures("double_norms")
@pytest.mark.parametrize(
    "variant", [{"use_dora": True}, {"use_rslora": True}, {"target_modules": ["q_proj", "v_proj"]}]
)
def test_variants_of_lora_equal_plain_rows(tmp_path, variant):
    rows = make_rows(9, count=4, seed=5)
    model = small_model(4, 1, torch.float64)
    reference, ours = (adapted(copy.deepcopy(model), TRAINED, **variant).train() for _ in range(2))
    equal_to_plain(reference, ours, rows, tmp_path)


@pytest.mark.usefixtures("double_norms")
def test_training_all_weights_equals_plain_rows(tmp_path):
    rows = make_rows(9, count=4, seed=5)
    reference = small_model(4, 1, torch.float64).train()
    equal_to_plain(reference, copy.deepcopy(reference), rows, tmp_path)


def equal_to_plain(reference, ours, rows, tmp_path, *, sharing=True):
    expected = plain_loss(reference, rows)
    expected.backward()
    loss = trainer_of(ours, rows, tmp_path).compute_loss(ours, PrefixCollator(sharing=sharing)(rows))
    loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-10)
    want, got = gradients(reference), gradients(ours)
    assert want.keys() == got.keys()
    for name, grad in want.items():
        assert (got[name] - grad).norm() <= 1e-9 * grad.norm() + 1e-12, name


def test_dropout_is_sampled_for_each_adapter_and_scaled(tmp_path):
    """Each value of an adapter's input is kept or not, and what is kept makes up for the rest."""
    rows = make_rows(9, count=4, seed=6)
    model = small_model(4, 1)
    plain, dropped = (adapted(copy.deepcopy(model), [], lora_dropout=rate) for rate in (0.0, 0.3))
    batch = PrefixCollator(sharing=True)(rows)
    trainer = trainer_of(dropped, rows, tmp_path)
    torch.manual_seed(4)
    losses = torch.stack([trainer.compute_loss(dropped.train(), dict(batch)).detach() for _ in range(200)])
    exact = trainer_of(plain, rows, tmp_path).compute_loss(plain.train(), dict(batch)).item()
    assert losses.std() > 0
    assert losses.mean().item() == pytest.approx(exact, rel=0.02)
    assert trainer.compute_loss(dropped.eval(), dict(batch)).item() == pytest.approx(exact, rel=1e-6)
    dropped.train()
    torch.manual_seed(5)
    trainer.compute_loss(dropped, dict(batch)).backward()
    for name, slope in gradients(dropped).items():  # by a difference along the gradient itself
        if "layers.1" not in name:
            continue
        weight = dict(dropped.named_parameters())[name]
        ends = []
        for sign in (1, -1):
            with torch.no_grad():
                weight.add_(slope, alpha=sign * 0.5 / float(slope.norm()) * 1e-2)
                torch.manual_seed(5)
                ends.append(trainer.compute_loss(dropped, dict(batch)).item())
                weight.sub_(slope, alpha=sign * 0.5 / float(slope.norm()) * 1e-2)
        assert (ends[0] - ends[1]) / 1e-2 == pytest.approx(float(slope.norm()), rel=0.05, abs=2e-4), name
