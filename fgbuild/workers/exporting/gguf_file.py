"""Writes the tuned GGUF: the base's file with the adapted tensors exchanged.

Most of the 290 MB is the vocabulary table and the norms, which training leaves as they are (but
for a few token rows), so they are copied and only adapted tensors are quantised.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

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

EMBEDDING = "model.embed_tokens.weight"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")
COPIED = ("config.json", "generation_config.json", *TOKENIZER_FILES, "chat_template.jinja")


def write_builtin(
    base: Path,
    adapter: Adapter,
    metadata: dict[str, Field],
    path: Path,
    progress: Callable[[int, int], None],
) -> int:
    """Write the tuned model to `path` and return the size that was predicted for it.

    metadata: keys to set beside those of the base's GGUF.
    """
    source = header.read(base / "base_q8_0.gguf")
    weights = SafetensorsFile(base / "model.safetensors")
    names = _gguf_names(source, adapter)

    def quantized(name: str) -> NDArray[np.uint8]:
        return _quantize(adapter.merged(weights, name), name)

    replaced = {stored: partial(quantized, name) for name, stored in names.items()}
    merged = {**source.metadata, **metadata}
    predicted = size.predicted_rewrite(source, merged)
    writer.rewrite(
        source, path, merged, replaced, token_patches(source, adapter), lambda done: progress(done, predicted)
    )
    return predicted


def _gguf_names(source: GgufFile, adapter: Adapter) -> dict[str, str]:
    """Adapted weights under their two names. Raises StageError for one the base does not have."""
    layers = source.scalar("gemma3.block_count")
    known = gemma.tensor_names(int(str(layers)))
    unknown = [name for name in adapter.factors if name not in known or name == EMBEDDING]
    if unknown:
        raise StageError(f"the adapter changes {unknown[0]}, which export cannot merge; see lora.target_modules")
    return {name: known[name] for name in adapter.factors}


def token_patches(source: GgufFile, adapter: Adapter) -> dict[str, list[Patch]]:
    """The new embedding rows as bytes to put into the table: Q8_0 blocks never span two rows."""
    if not adapter.token_rows:
        return {}
    info = source.tensor("token_embd.weight")
    patches: list[Patch] = []
    for token, row in adapter.token_rows.items():
        if not 0 <= token < info.rows or row.shape != (info.shape[0],):
            raise StageError(f"the adapter's row of token {token} does not fit the base; train it again")
        patches.append(Patch(token * info.row_bytes, _quantize(row[None, :], EMBEDDING).tobytes()))
    return {info.name: patches}


def _quantize(values: Float32, name: str) -> NDArray[np.uint8]:
    try:
        return quantize(values, TensorType.Q8_0)
    except ValueError as error:
        raise StageError(f"merging {name} failed: {error}; train again, not in fp16") from None


def write_checkpoint(base: Path, adapter: Adapter, directory: Path) -> None:
    """The merged model as a Hugging Face checkpoint: adapted tensors float32, the rest as in the base."""
    directory.mkdir(parents=True, exist_ok=True)
    weights = SafetensorsFile(base / "model.safetensors")

    def stored(name: str) -> list[memoryview]:
        return [weights.raw(name)]

    def merged(name: str) -> list[Float32]:
        return [adapter.merged(weights, name)]

    def embedding() -> list[Float32]:
        values = weights.float32(EMBEDDING)
        for token, row in adapter.token_rows.items():
            values[token] = row
        return [values]

    tensors: list[Output] = []
    for name, entry in weights.entries.items():
        if name in adapter.factors:
            tensors.append(Output(name, "F32", entry.shape, partial(merged, name)))
        elif name == EMBEDDING and adapter.token_rows:
            tensors.append(Output(name, "F32", entry.shape, embedding))
        else:
            tensors.append(Output(name, entry.dtype, entry.shape, partial(stored, name)))
    tensors_file.write(directory / "model.safetensors", tensors)
    for name in COPIED:
        (directory / name).write_bytes((base / name).read_bytes())


def write_with_llama_cpp(
    base: Path,
    adapter: Adapter,
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
    write_checkpoint(base, adapter, checkpoint)
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
