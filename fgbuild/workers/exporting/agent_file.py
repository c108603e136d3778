"""agent.json: all that a runner needs to know."""

from __future__ import annotations

from typing import Any

from fgbuild import __version__
from fgbuild.functiongemma.tokens import DEVELOPER_SENTENCE, STOP_IDS
from fgbuild.shipping import AGENT_SCHEMA, MODELS
from fgbuild.workers.bases import gemma
from fgbuild.workers.exporting.shipped import Shipped


def agent(shipped: Shipped, sha256: str, size: int) -> dict[str, Any]:
    """agent.json before an evaluation; the model's path is relative to it. `fgbuild schema --agent` describes it."""
    origin = shipped.origin
    return {
        "schema": AGENT_SCHEMA,
        "version": __version__,
        "domain": shipped.domain,
        "summary": shipped.summary,
        "model": {
            "file": shipped.file,
            "path": f"{MODELS}/{shipped.file}",
            "sha256": sha256,
            "bytes": size,
            "quantization": shipped.quantization,
        },
        "base": {
            "name": origin.name,
            "revision": shipped.base["revision"],
            **({"repo": origin.repo} if origin.repo else {}),
        },
        "license": gemma.LICENCE,
        "context_length": shipped.config["max_position_embeddings"],
        "developer": DEVELOPER_SENTENCE,
        "stop_ids": list(STOP_IDS),
        "sampling": {"greedy": True, "temperature": 0.0},
        "tools": shipped.tools,
        "accuracy": None,
    }
