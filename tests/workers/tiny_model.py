"""The tiny base as a real GGUF, copies of it with something changed, and jobs about them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbuild.gguf_io import header, writer
from fgbuild.gguf_io.metadata import Field
from fgbuild.workers import base
from fgbuild.workers.protocol import Job, Reporter

GGUF = "base_q8_0.gguf"
TOOLS: list[dict[str, Any]] = [
    {
        "name": "run_ruff",
        "description": "Check a path for problems.",
        "parameters": {
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "What to check."},
                "limit": {"type": "integer", "description": "Most problems."},
                "mode": {"type": "string", "description": "How.", "enum": ["fast", "full"]},
            },
            "required": ["path"],
        },
    },
    {"name": "undo", "description": "Take the last change back.", "parameters": {"type": "object", "properties": {}}},
]
SMOKE = [{"prompt": "Check src/app.py.", "tool": "run_ruff", "arguments": {"path": "src/app.py"}}]


class Events(Reporter):
    """Keeps events instead of sending them."""

    def __init__(self) -> None:
        super().__init__("tiny:test")
        self.seen: list[dict[str, Any]] = []

    def emit(self, kind: str, **fields: Any) -> None:
        self.seen.append({"kind": kind, **fields})


def make_base(directory: Path) -> Path:
    """The tiny base's artifact."""
    directory.mkdir()
    entry = {"name": "tiny", "kind": "tiny", "seed": 1}
    base.run(Job("base", "base", None, entry, {}, directory, directory, directory, {}), Events())
    return directory


def rewritten(source: Path, target: Path, changes: Mapping[str, Field | None]) -> Path:
    """A copy of a GGUF with metadata keys replaced, or left out where the new value is None."""
    file = header.read(source)
    metadata = {key: value for key, value in {**file.metadata, **changes}.items() if value is not None}
    tensors = [
        writer.Tensor(info.name, info.shape, info.type, lambda name=info.name: [file.tensor_bytes(name)])  # type: ignore[misc]
        for info in file.tensors.values()
    ]
    writer.write(target, metadata, tensors)
    return target


def manifest(**sections: dict[str, Any]) -> dict[str, Any]:
    """A resolved manifest with a size window that fits the tiny model."""
    defaults: dict[str, dict[str, Any]] = {
        "quant": {"type": "q8_0", "min_mb": 1, "max_mb": 4},
        "verify": {"smoke": SMOKE, "timeout_seconds": 60, "memory_mb": 4096},
        "eval": {"examples": 40, "max_tokens": 8, "thresholds": {}},
    }
    merged = {name: {**values, **sections.get(name, {})} for name, values in defaults.items()}
    return {"name": "tiny", "tool": TOOLS, **merged}


def job(
    kind: str, base_dir: Path, output: Path, manifest: dict[str, Any], inputs: dict[str, Path], options: dict[str, Any]
) -> Job:
    output.mkdir(parents=True, exist_ok=True)
    return Job(f"tiny:{kind}", kind, "tiny", manifest, {"base": base_dir, **inputs}, output, output, output, options)
