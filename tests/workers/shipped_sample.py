"""What is known of a domain's model, made up, and its files as stage export places them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fgbuild.workers.exporting import documents
from fgbuild.workers.exporting.shipped import Shipped

TOOLS: list[dict[str, Any]] = [
    {
        "name": "run_ruff",
        "description": 'Check a file, "quietly" or not.',
        "parameters": {
            "type": "object",
            "required": ["path"],
            "properties": {
                "path": {"type": "string", "description": "File."},
                "mode": {"type": "string", "description": "How.", "enum": ["fast", "full"]},
            },
        },
    },
    {"name": "list_rules", "description": "List the rules."},
]
STATS: dict[str, Any] = {
    "train": {"rows": 1380, "kinds": {"single": 900, "decline": 480}},
    "eval": {"rows": 120, "kinds": {"single": 100, "decline": 20}},
    "near_duplicates": {"share": 0.0083, "max_leakage": 0.02},
}
REPORT: dict[str, Any] = {
    "examples": 60,
    "turns": 97,
    "prompts": 25,
    "call_validity": 1.0,
    "tool_accuracy": 0.9636,
    "argument_match": 0.9455,
    "sequence_accuracy": 0.8,
    "abstention_precision": None,
    "abstention_recall": 0.85,
    "prompt_tool_accuracy": 1.0,
    "prompt_argument_match": 0.96,
    "seconds": 58.1,
    "thresholds": {"tool_accuracy": 0.85, "abstention_recall": 0.8},
    "passed": True,
}
EMBEDDED = {"name": "embedded", "kind": "embedded", "revision": "package==1.0.0", "parameters": 268_098_176}


def shipped(base: dict[str, Any] | None = None, **manifest: Any) -> Shipped:
    plain = {
        "name": "lint",
        "summary": "Finds lint problems",
        "tool": TOOLS,
        "dataset": {"generator": "lint"},
        "quant": {"type": "q8_0", "min_mb": 1, "max_mb": 9, "converter": "builtin", "converter_path": ""},
        "lora": {"r": 16, "alpha": 32},
    }
    return Shipped(
        domain="lint",
        manifest={**plain, **manifest},
        base=base or EMBEDDED,
        config={"max_position_embeddings": 32768},
        adapter={"r": 16, "lora_alpha": 32, "target_modules": ["v_proj", "q_proj"]},
        training={"steps": 150, "loss": 0.0165},
        weights="ab" * 32,
        data=STATS,
    )


def place(folder: Path, content: bytes = b"GGUF and some weights" * 1000) -> Path:
    """agents/lint/ with a made-up model; returns the model's path."""
    made = shipped()
    gguf = folder / "models" / made.file
    gguf.parent.mkdir(parents=True)
    gguf.write_bytes(content)
    documents.write(made, gguf, folder)
    return gguf
