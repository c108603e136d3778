"""What is shipped beside the weights: GGUF metadata, agent.json, the model card and the Modelfile."""

from __future__ import annotations

import json
from pathlib import Path

from fgbuild.shipping import AGENT, CARD, MODELFILE
from fgbuild.workers.digest import sha256
from fgbuild.workers.exporting.agent_file import agent
from fgbuild.workers.exporting.metadata import metadata
from fgbuild.workers.exporting.model_card import model_card
from fgbuild.workers.exporting.modelfile import modelfile
from fgbuild.workers.exporting.shipped import Shipped, load

__all__ = ["Shipped", "load", "metadata", "write"]


def write(shipped: Shipped, gguf: Path, output: Path) -> None:
    """Write the files that go with `gguf`, which is complete, into `output`."""
    size = gguf.stat().st_size
    document = agent(shipped, sha256(gguf), size)
    (output / AGENT).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (output / CARD).write_text(model_card(shipped, size), "utf-8")
    (output / MODELFILE).write_text(modelfile(shipped), "utf-8")
