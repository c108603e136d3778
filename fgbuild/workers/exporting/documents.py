"""What is shipped beside the weights: GGUF metadata, agent.json and the model card."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbuild import __version__
from fgbuild.functiongemma.tokens import DEVELOPER_SENTENCE, END_OF_TURN_ID, START_RESPONSE_ID, STOP_IDS, bare_tool
from fgbuild.gguf_io.metadata import Field, string, uint32
from fgbuild.naming import gguf_name
from fgbuild.workers.bases import gemma

GEMMA_TERMS = "https://ai.google.dev/gemma/terms"
AGENT_SCHEMA = 1


@dataclass(frozen=True)
class Shipped:
    """A domain's model and what is known of how it was made.

    manifest: the resolved manifest. base: base.json. config: the base's config.json.
    adapter: adapter_config.json, {} where all weights were trained. training: train.json, {} where there is none.
    """

    domain: str
    manifest: dict[str, Any]
    base: dict[str, Any]
    config: dict[str, Any]
    adapter: dict[str, Any]
    training: dict[str, Any]

    @property
    def file(self) -> str:
        return gguf_name(self.domain, self.manifest["quant"]["type"])

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools without the OpenAI wrapper."""
        return [dict(bare_tool(tool)) for tool in self.manifest["tool"]]

    @property
    def summary(self) -> str:
        return str(self.manifest.get("summary", ""))


def load(job_inputs: dict[str, Path], domain: str, manifest: dict[str, Any]) -> Shipped:
    base, train = job_inputs["base"], job_inputs["train"]
    return Shipped(
        domain=domain,
        manifest=manifest,
        base=json.loads((base / "base.json").read_text("utf-8")),
        config=json.loads((base / "config.json").read_text("utf-8")),
        adapter=_if_there(train / "adapter_config.json"),
        training=_if_there(train / "train.json"),
    )


def _if_there(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}


def metadata(shipped: Shipped, template: str) -> dict[str, Field]:
    """Keys that the tuned GGUF has beside the base's; `template` is the base's chat template."""
    label = gemma.size_label(shipped.base["parameters"])
    tags = [*gemma.TAGS, shipped.domain]
    tools = json.dumps(shipped.tools, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {
        **gemma.general_metadata(f"{shipped.domain} FunctionGemma", "functiongemma", label, tags),
        "general.description": string(shipped.summary),
        "tokenizer.chat_template": string(template),
        "tokenizer.ggml.eot_token_id": uint32(END_OF_TURN_ID),
        "tokenizer.ggml.eom_token_id": uint32(START_RESPONSE_ID),
        "fgbuild.version": string(__version__),
        "fgbuild.domain": string(shipped.domain),
        "fgbuild.summary": string(shipped.summary),
        "fgbuild.base": string(shipped.base["name"]),
        "fgbuild.base_revision": string(shipped.base["revision"]),
        "fgbuild.tools": string(tools),
    }


def agent(shipped: Shipped, sha256: str, size: int) -> dict[str, Any]:
    """agent.json: all that a runner needs to know; the model's path is relative to it."""
    return {
        "schema": AGENT_SCHEMA,
        "version": __version__,
        "domain": shipped.domain,
        "summary": shipped.summary,
        "model": {
            "file": shipped.file,
            "path": f"models/{shipped.file}",
            "sha256": sha256,
            "bytes": size,
        },
        "context_length": shipped.config["max_position_embeddings"],
        "developer": DEVELOPER_SENTENCE,
        "stop_ids": list(STOP_IDS),
        "sampling": {"greedy": True, "temperature": 0.0},
        "tools": shipped.tools,
    }


def model_card(shipped: Shipped, size: int) -> str:
    """README.md of the shipped model."""
    tools = "\n".join(f"- `{tool['name']}`: {tool.get('description', '')}" for tool in shipped.tools)
    parts = [
        "---\nlicense: gemma\nlibrary_name: gguf\npipeline_tag: text-generation\ntags:\n"
        "- function-calling\n- gemma3\n- gguf\n---\n",
        f"# {shipped.domain}: a FunctionGemma agent\n\n{shipped.summary}\n",
        f"`models/{shipped.file}` ({size / 1e6:.1f} MB, Q8_0) answers a request with calls of these tools, "
        f"in FunctionGemma's format; `agent.json` holds their schemas, the stop tokens and the sampling.\n",
        f"## Tools\n\n{tools}\n",
        f"## How it was made\n\n{_facts(shipped)}",
    ]
    if numbers := _training(shipped.training):
        parts.append(f"## Training\n\n| | |\n|---|---|\n{numbers}\n")
    parts.append(
        f"## Licence\n\nGemma is provided under and subject to the Gemma Terms of Use found at {GEMMA_TERMS}. "
        "This model is derived from Gemma and stays under those terms.\n"
    )
    return "\n".join(parts)


def _facts(shipped: Shipped) -> str:
    base = shipped.base
    return (
        f"- Base model: `{base['name']}`, {base['revision']}, {base['parameters']:,} parameters\n"
        "- Data: trajectories of tool use, of which the model is trained on the assistant's turns\n"
        f"- {_method(shipped)}\n"
        f"- Built by fgbuild {__version__}\n"
    )


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


def _training(training: dict[str, Any]) -> str:
    """The numbers and short texts of train.json as table rows."""
    rows: list[str] = []
    for name, value in training.items():
        if isinstance(value, float):
            rows.append(f"| {name} | {value:.6g} |")
        elif isinstance(value, (int, str)) and len(str(value)) <= 80:
            rows.append(f"| {name} | {value} |")
    return "\n".join(rows)
