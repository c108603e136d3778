"""Makes a base model's LoRA adapter by a manifest's `[lora]`, and writes what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, PreTrainedModel

from fgbuild.errors import DataError
from fgbuild.recipes import BASE_CHANGING

_INITIAL = "fgbuild_initial"


def with_adapter(base: Path, lora: dict[str, Any], dtype: torch.dtype) -> PeftModel:
    """The base model in `dtype` with a fresh adapter in fp32. Raises DataError for a rank too high for it."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    if lora["init_lora_weights"] in BASE_CHANGING:
        _require_rank(model, lora)
    adapted = get_peft_model(model, LoraConfig(**settings_of(lora), task_type="CAUSAL_LM"))
    remember_initial(adapted)
    return adapted


def settings_of(lora: dict[str, Any]) -> dict[str, Any]:
    """A manifest's `[lora]` in peft's words."""
    initial = lora["init_lora_weights"]
    return {
        "r": lora["r"],
        "lora_alpha": lora["alpha"],
        "lora_dropout": lora["dropout"],
        "target_modules": lora["target_modules"],
        "bias": lora["bias"],
        "trainable_token_indices": lora["trainable_tokens"] or None,
        "use_rslora": lora["use_rslora"],
        "use_dora": lora["use_dora"],
        "init_lora_weights": True if initial == "default" else initial,
    }


def _require_rank(model: PreTrainedModel, lora: dict[str, Any]) -> None:
    """The factors of a weight have no more rows than its smaller side."""
    sides = {
        name.rpartition(".")[2]: min(module.weight.shape)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] in lora["target_modules"]
    }
    narrow = min(sides, key=sides.__getitem__)
    if lora["r"] > sides[narrow]:
        raise DataError(
            f"lora.r: {lora['r']} is more than the {sides[narrow]} that init_lora_weights = "
            f'"{lora["init_lora_weights"]}" can take out of {narrow}; lower it to that'
        )


def remember_initial(model: PeftModel) -> None:
    """Keep the adapter's first factors with the model where the base was changed by them.

    Call before anything is trained or loaded: `save_adapter` needs them to undo that change.
    """
    settings: Any = model.peft_config["default"]
    if settings.init_lora_weights in BASE_CHANGING:
        setattr(model, _INITIAL, {name: value.detach().clone() for name, value in _factors(model).items()})


def _factors(model: PeftModel) -> dict[str, Tensor]:
    """The factors by the names they are saved under: `….lora_A.weight` [r, in], `….lora_B.weight` [out, r]."""
    ends = (".lora_A.default.weight", ".lora_B.default.weight")
    return {name.replace(".default.", "."): value for name, value in model.named_parameters() if name.endswith(ends)}


def save_adapter(model: PeftModel, directory: Path, base_name: str) -> None:
    """Write adapter_model.safetensors and adapter_config.json, which make the trained model out of the plain base.

    Equal adapters give equal bytes.
    """
    model.save_pretrained(str(directory), save_embedding_layers=False)
    (directory / "README.md").unlink(missing_ok=True)
    # peft names the base by the artifact's path and lists the modules in the order of a set.
    path = directory / "adapter_config.json"
    settings = json.loads(path.read_text("utf-8"))
    settings |= {"base_model_name_or_path": base_name, "target_modules": sorted(settings["target_modules"])}
    if initial := getattr(model, _INITIAL, None):
        weights = directory / "adapter_model.safetensors"
        tensors = relative_to_base(load_file(weights), initial)
        save_file(tensors, weights, metadata={"format": "pt"})
        # Twice the rank at the same scaling, which is alpha / r, or alpha / √r.
        settings["r"] *= 2
        settings["lora_alpha"] *= 2**0.5 if settings["use_rslora"] else 2
        settings["init_lora_weights"] = True
    path.write_text(json.dumps(settings, indent=1, sort_keys=True) + "\n", "utf-8")


def relative_to_base(tensors: dict[str, Tensor], initial: dict[str, Tensor]) -> dict[str, Tensor]:
    """An adapter of the base less B₀A₀ as one of the plain base: A → [A; A₀], B → [B, −B₀], so B·A → BA − B₀A₀."""
    found = dict(tensors)
    for name, first in initial.items():
        trained, first = tensors[name], first.to("cpu", tensors[name].dtype)
        found[name] = torch.cat([trained, first]) if ".lora_A." in name else torch.cat([trained, -first], 1)
    return found
