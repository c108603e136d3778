"""README.md of a shipped model: a model card by huggingface_hub, before an evaluation (see `evaluated`)."""

from __future__ import annotations

from typing import Any

from fgbuild import __version__
from fgbuild.shipping import MODELS
from fgbuild.workers.bases import gemma
from fgbuild.workers.exporting.evaluated import NOT_EVALUATED
from fgbuild.workers.exporting.metadata import data_source, languages_of
from fgbuild.workers.exporting.shipped import Shipped


def model_card(shipped: Shipped, size: int) -> str:
    """size: the GGUF's, bytes."""
    from huggingface_hub import ModelCard, ModelCardData

    origin = shipped.origin
    data = ModelCardData(
        language=languages_of(shipped.manifest) or None,
        license=gemma.LICENCE,
        license_link=gemma.LICENCE_LINK,
        library_name="gguf",
        pipeline_tag="text-generation",
        base_model=origin.repo or None,
        base_model_relation="finetune" if origin.repo else None,
        tags=["function-calling", "gemma3", "gguf", shipped.domain],
    )
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{_text(shipped, size)}"))


def _text(shipped: Shipped, size: int) -> str:
    tools = "\n".join(f"- `{tool['name']}`: {tool.get('description', '')}" for tool in shipped.tools)
    parts = [
        f"# {shipped.domain}: a FunctionGemma agent\n\n{shipped.summary}\n",
        f"`{MODELS}/{shipped.file}` ({size / 1e6:.1f} MB, {shipped.quantization.upper()}) answers a request with calls "
        f"of these tools, in FunctionGemma's format; `agent.json` holds their schemas, the stop tokens and the "
        f"sampling, and `Modelfile` is for Ollama.\n",
        f"## Tools\n\n{tools}\n",
        f"## How it was made\n\n{_facts(shipped)}",
        f"## Data\n\n{data_source(shipped.manifest)}. The model is trained on the assistant's turns alone.\n"
        f"{_data(shipped.data)}",
    ]
    if numbers := _training(shipped.training):
        parts.append(f"## Training\n\n| | |\n|---|---|\n{numbers}\n")
    parts.append(f"## Evaluation\n\n{NOT_EVALUATED}\n")
    parts.append(
        f"## Licence\n\nGemma is provided under and subject to the Gemma Terms of Use found at {gemma.LICENCE_LINK}. "
        "This model is derived from Gemma and stays under those terms.\n"
    )
    return "\n".join(parts)


def _facts(shipped: Shipped) -> str:
    base, origin = shipped.base, shipped.origin
    name = f"[{origin.name}]({origin.url})" if origin.url else f"`{origin.name}`"
    return (
        f"- Base model: {name}, {base['revision']}, {base['parameters']:,} parameters\n"
        f"{_primer(base.get('primer'))}"
        f"- {_method(shipped)}\n"
        f"- Built by fgbuild {__version__}\n"
    )


def _primer(primer: dict[str, Any] | None) -> str:
    return f"- The base was primed on function calls for {primer['steps']} steps\n" if primer else ""


def _method(shipped: Shipped) -> str:
    """What was trained. An adapter's rank and alpha are the manifest's: its file holds others for pissa and olora."""
    adapter = shipped.adapter
    if not adapter:
        return "Full fine-tuning: all weights were trained"
    lora = {"r": adapter["r"], "alpha": adapter["lora_alpha"], **shipped.manifest.get("lora", {})}
    modules = adapter.get("target_modules") or []
    kind = "DoRA" if adapter.get("use_dora") else "LoRA"
    scale = "rank-stabilised, " if adapter.get("use_rslora") else ""
    first = lora.get("init_lora_weights", "default")
    start = "" if first == "default" else f", {first} initialisation"
    return (
        f"{kind}: {scale}rank {lora['r']}, alpha {lora['alpha']}{start}, on "
        f"{', '.join(sorted(modules)) if isinstance(modules, list) else modules}"
    )


def _data(card: dict[str, Any]) -> str:
    """The data set's statistics card as a table: conversations by split and kind."""
    if not {"train", "eval"} <= card.keys():
        return ""
    splits = [card["train"], card["eval"]]
    kinds = sorted({kind for split in splits for kind in split.get("kinds", {})})
    rows = [("conversations", [split["rows"] for split in splits])]
    rows += [(kind, [split["kinds"].get(kind, 0) for split in splits]) for kind in kinds]
    lines = [f"| {name} | {train:,} | {held_out:,} |" for name, (train, held_out) in rows]
    near = card.get("near_duplicates")
    checked = (
        f"\n{near['share']:.1%} of the held-out requests are near copies of one of training; the build allows "
        f"{near['max_leakage']:.1%}.\n"
        if near
        else ""
    )
    return "\n| | training | held out |\n|---|---|---|\n" + "\n".join(lines) + "\n" + checked


def _training(training: dict[str, Any]) -> str:
    """The numbers and short texts of train.json as table rows."""
    rows: list[str] = []
    for name, value in training.items():
        if isinstance(value, float):
            rows.append(f"| {name} | {value:.6g} |")
        elif isinstance(value, (int, str)) and len(str(value)) <= 80:
            rows.append(f"| {name} | {value} |")
    return "\n".join(rows)
