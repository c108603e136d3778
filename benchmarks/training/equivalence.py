"""Loss and gradients of fgbuild's trainer against padded rows, on the embedded base, in single and double precision.

    python benchmarks/training/equivalence.py

The reference is transformers' own model on padded rows with its own cross-entropy, one row at a time so that it fits in
memory, and peft's own adapters: what TRL's SFTTrainer trains by. TRL itself is compared on the tiny base in the tests.
In fp64 (with norms that are not rounded to fp32, as transformers does) it says what is exact, and so how far rounding
takes either of the two in fp32.
"""

from __future__ import annotations

import argparse
from unittest.mock import patch

import roofline
import rows as lint
import torch
from transformers.models.gemma3.modeling_gemma3 import Gemma3RMSNorm

from fgbuild.workers.training.adapters import with_adapter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8)
    rows = lint.load(parser.parse_args().batch)
    values = drawn()
    exact = transformers(rows, values, torch.float64)
    norm = flat(exact[1]).norm()
    print(f"{len(exact[1])} gradients; exact loss {exact[0]:.9f}, gradient norm {norm:.7f}", flush=True)
    print("| trainer | loss off by | whole gradient off by | the worst of them off by |")
    print("|---|---|---|---|")
    for name, run in (("transformers", transformers), ("fgbuild", fgbuild)):
        for dtype, precision in ((torch.float32, "fp32"), (torch.float64, "fp64")):
            loss, found = exact if run is transformers and precision == "fp64" else run(rows, values, dtype)
            worst = max((float((found[key] - grad).norm() / grad.norm()), key) for key, grad in exact[1].items())
            whole = float((flat(found) - flat(exact[1])).norm() / norm)
            off = abs(loss - exact[0]) / exact[0]
            print(f"| {name}, {precision} | {off:.1e} | {whole:.1e} | {worst[0]:.1e} ({worst[1]}) |", flush=True)


def drawn() -> dict[str, torch.Tensor]:
    """Values of all that is trained, as an adapter has them that has learnt something."""
    torch.manual_seed(1)
    lora, _ = lint.settings()
    model = with_adapter(lint.artifact("base"), lora, torch.float32)
    trained = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    return {name: torch.randn_like(p) * 0.02 if ".lora_B." in name else p for name, p in trained.items()}


def transformers(rows, values, dtype):
    lora, _ = lint.settings()
    model = with_adapter(lint.artifact("base"), lora, dtype).to(dtype)
    targets = sum(label != -100 for row in rows for label in row["labels"][1:])
    with patch.object(Gemma3RMSNorm, "forward", unrounded if dtype == torch.float64 else Gemma3RMSNorm.forward):
        return gradients(model, values, *(lambda row=row: plain(model, row, targets) for row in rows))


def fgbuild(rows, values, dtype):
    trainer = roofline.make("fp32" if dtype == torch.float32 else "fp64")
    batch = trainer.data_collator(rows)
    return gradients(trainer.model, values, lambda: trainer.compute_loss(trainer.model, batch))


def unrounded(self, x):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * (1 + self.weight)


def gradients(model, values, *losses):
    """Sum of the losses, and the gradients by parameter in fp64, with all that is trained set to `values`."""
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
    return total, {name: p.grad.double() for name, p in model.named_parameters() if p.requires_grad}


def flat(found) -> torch.Tensor:
    return torch.cat([found[name].flatten() for name in sorted(found)])


def plain(model, row, targets: int) -> torch.Tensor:
    labels = torch.tensor(row["labels"][1:])
    logits = model(input_ids=torch.tensor([row["input_ids"]]), use_cache=False).logits[0, :-1]
    return torch.nn.functional.cross_entropy(logits, labels, reduction="sum") / targets


if __name__ == "__main__":
    main()
