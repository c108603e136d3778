"""Writes the tuned GGUF: the base's file with the trained tensors exchanged.

Most of the 290 MB is the vocabulary table and the norms, which an adapter leaves as they are (but
for a few token rows), so they are copied and only trained tensors are quantised.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgbuild.errors import FgbuildError, StageError
from fgbuild.gguf_io import header, size, writer
from fgbuild.gguf_io.header import GgufFile
from fgbuild.gguf_io.metadata import Field
from fgbuild.gguf_io.quant import Float32, quantize
from fgbuild.gguf_io.tensors import TensorType
from fgbuild.gguf_io.writer import Patch
from fgbuild.workers.bases import gemma, tensors_file
from fgbuild.workers.bases.tensors_file import Output, SafetensorsFile
from fgbuild.workers.exporting.adapter import Adapter
from fgbuild.workers.exporting.tuned import Tuned

EMBEDDING = "model.embed_tokens.weight"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")
COPIED = ("config.json", "generation_config.json", *TOKENIZER_FILES, "chat_template.jinja")


def write_builtin(
    base: Path,
    tuned: Tuned,
    metadata: dict[str, Field],
    path: Path,
    progress: Callable[[int, int], None],
) -> int:
    """Write the tuned model to `path` and return the size that was predicted for it.

    metadata: keys to set beside those of the base's GGUF.
    """
    source = header.read(base / "base_q8_0.gguf")
    weights = SafetensorsFile(base / "model.safetensors")
    names = _gguf_names(source, tuned)

    def encoded(name: str) -> NDArray[Any]:
        return _encoded(tuned.merged(weights, name), name)

    replaced = {stored: partial(encoded, name) for name, stored in names.items()}
    merged = {**source.metadata, **metadata}
    predicted = size.predicted_rewrite(source, merged)
    writer.rewrite(source, path, merged, replaced, token_patches(source, tuned), lambda done: progress(done, predicted))
    return predicted


def _gguf_names(source: GgufFile, tuned: Tuned) -> dict[str, str]:
    """Trained weights under their two names. Raises StageError for one the base does not have, or has alone."""
    layers = source.scalar("gemma3.block_count")
    known = gemma.tensor_names(int(str(layers)))
    if isinstance(tuned, Adapter):
        unknown = [name for name in tuned.names if name not in known or name == EMBEDDING]
        if unknown:
            raise StageError(f"the adapter changes {unknown[0]}, which export cannot merge; see lora.target_modules")
    elif differing := sorted(known.keys() ^ tuned.names):
        raise StageError(f"{tuned.file.path}: it and the base do not both have {differing[0]}; train it again")
    return {name: known[name] for name in tuned.names}


def token_patches(source: GgufFile, tuned: Tuned) -> dict[str, list[Patch]]:
    """The new embedding rows as bytes to put into the table: Q8_0 blocks never span two rows."""
    if not tuned.token_rows:
        return {}
    info = source.tensor("token_embd.weight")
    patches: list[Patch] = []
    for token, row in tuned.token_rows.items():
        if not 0 <= token < info.rows or row.shape != (info.shape[0],):
            raise StageError(f"the adapter's row of token {token} does not fit the base; train it again")
        patches.append(Patch(token * info.row_bytes, _encoded(row[None, :], EMBEDDING).tobytes()))
    return {info.name: patches}


def _encoded(values: Float32, name: str) -> NDArray[Any]:
    """A weight as the base's GGUF has it: norms float32 with 1 added, the rest Q8_0. Raises StageError for NaN."""
    if gemma.is_norm(name) and np.isfinite(values).all():
        return values + np.float32(1)
    try:
        return quantize(values, TensorType.Q8_0)
    except ValueError as error:
        raise StageError(f"merging {name} failed: {error}; train again, not in fp16") from None


def write_checkpoint(base: Path, tuned: Tuned, directory: Path) -> None:
    """The merged model as a Hugging Face checkpoint: trained tensors float32, the rest as in the base."""
    directory.mkdir(parents=True, exist_ok=True)
    weights = SafetensorsFile(base / "model.safetensors")

    def stored(name: str) -> list[memoryview]:
        return [weights.raw(name)]

    def merged(name: str) -> list[Float32]:
        return [tuned.merged(weights, name)]

    def embedding() -> list[Float32]:
        values = weights.float32(EMBEDDING)
        for token, row in tuned.token_rows.items():
            values[token] = row
        return [values]

    tensors: list[Output] = []
    for name, entry in weights.entries.items():
        if name in tuned.names:
            tensors.append(Output(name, "F32", entry.shape, partial(merged, name)))
        elif name == EMBEDDING and tuned.token_rows:
            tensors.append(Output(name, "F32", entry.shape, embedding))
        else:
            tensors.append(Output(name, entry.dtype, entry.shape, partial(stored, name)))
    tensors_file.write(directory / "model.safetensors", tensors)
    for name in COPIED:
        (directory / name).write_bytes((base / name).read_bytes())


def write_with_llama_cpp(
    base: Path,
    tuned: Tuned,
    metadata: dict[str, Field],
    path: Path,
    converter: Path,
    work: Path,
    progress: Callable[[int, int], None],
) -> int:
    """The same model through llama.cpp's convert_hf_to_gguf.py; returns the predicted size.

    The converter knows nothing of our metadata, so its file is written again with the keys set.
    """
    if not converter.is_file():
        raise FgbuildError(
            f"quant.converter_path: {converter} is not a file; point it at llama.cpp's convert_hf_to_gguf.py"
        )
    checkpoint, converted = work / "merged", work / "converted.gguf"
    converted.unlink(missing_ok=True)
    write_checkpoint(base, tuned, checkpoint)
    command = [sys.executable, str(converter), str(checkpoint), "--outfile", str(converted), "--outtype", "q8_0"]
    environment = {key: value for key, value in os.environ.items() if key != "FGBUILD_EVENTS_FD"}
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), env=environment)
    if finished.returncode or not converted.is_file():
        raise StageError(f"{converter} ended with {finished.returncode}; its output is in the stage's log")
    source = header.read(converted)
    merged = {**source.metadata, **metadata}
    predicted = size.predicted_rewrite(source, merged)
    writer.rewrite(source, path, merged, {}, {}, lambda done: progress(done, predicted))
    (checkpoint / "model.safetensors").unlink()
    converted.unlink()
    return predicted
