"""Loss and every gradient of fgbuild's trainer against padded rows, on the embedded base in fp32.

    python benchmarks/training/equivalence.py

The reference is transformers' own model on padded rows with its own cross-entropy, one row at a time so that it fits in
memory, and peft's own adapters: what TRL's SFTTrainer trains by. TRL itself is compared on the tiny base in the tests.
"""

from __future__ import annotations

import argparse

import roofline
import rows as lint
import torch

from fgbuild.workers.training.adapters import with_adapter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8)
    args = parser.parse_args()
    rows = lint.load(args.batch)
    trainer = roofline.make("fp32")
    torch.manual_seed(1)
    trained = {name: p.detach().clone() for name, p in trainer.model.named_parameters() if p.requires_grad}
    values = {name: torch.randn_like(p) * 0.02 if ".lora_B." in name else p for name, p in trained.items()}
    loss, ours = gradients(
        trainer.model, values, lambda: trainer.compute_loss(trainer.model, trainer.data_collator(rows))
    )
    lora, _ = lint.settings()
    model = with_adapter(lint.artifact("base"), lora, torch.float32)
    targets = sum(label != -100 for row in rows for label in row["labels"][1:])
    expected, theirs = gradients(model, values, *(lambda row=row: plain(model, row, targets) for row in rows))
    worst = max((float((ours[name] - grad).norm() / grad.norm()), name) for name, grad in theirs.items())
    ours_norm, theirs_norm = (torch.cat([g.flatten() for g in found.values()]).norm() for found in (ours, theirs))
    print(f"loss {loss:.7f} and {expected:.7f}: {abs(loss - expected) / expected:.1e} relative")
    print(f"gradient norm {ours_norm:.6f} and {theirs_norm:.6f}")
    print(f"{len(theirs)} gradients, the worst {worst[0]:.1e} ({worst[1]})")


def gradients(model, values, *losses):
    """Sum of the losses, and the gradients by parameter, with all that is trained set to `values`."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in values:
                parameter.copy_(values[name])
    model.train()
    total = 0.0
    for make in losses:
        loss = make()
        loss.backward()
        total += loss.item()
    return total, {name: p.grad for name, p in model.named_parameters() if p.requires_grad}


def plain(model, row, targets: int) -> torch.Tensor:
    labels = torch.tensor(row["labels"][1:])
    logits = model(input_ids=torch.tensor([row["input_ids"]]), use_cache=False).logits[0, :-1]
    return torch.nn.functional.cross_entropy(logits, labels, reduction="sum") / targets


if __name__ == "__main__":
    main()
