"""Writes the tuned GGUF: the base's file with the trained tensors exchanged, or all of it in another type.

In a Q8_0 file most of the 290 MB is the vocabulary table and the norms, which an adapter leaves as they are (but
for a few token rows), so they are copied and only trained tensors are quantised.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from fgbuild.errors import FgbuildError, StageError
from fgbuild.gguf_io import file_types, header, size, writer
from fgbuild.gguf_io.metadata import Field, string, uint32
from fgbuild.gguf_io.quant import Float32
from fgbuild.gguf_io.tensors import TensorType
from fgbuild.workers.bases import tensors_file
from fgbuild.workers.bases.tensors_file import Output, SafetensorsFile
from fgbuild.workers.exporting import k_quants
from fgbuild.workers.exporting.model import EMBEDDING, TunedModel
from fgbuild.workers.exporting.tuned import Tuned

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")
COPIED = ("config.json", "generation_config.json", *TOKENIZER_FILES, "chat_template.jinja")
Progress = Callable[[int, int], None]
"""Gets the bytes written and those expected."""


def write_builtin(
    base: Path,
    tuned: Tuned,
    quant_type: str,
    metadata: Mapping[str, Field],
    path: Path,
    work: Path,
    progress: Progress,
    imatrix: Path | None = None,
) -> int:
    """Write the tuned model to `path` and return the size that was predicted for it.

    metadata: keys to set beside those of the base's GGUF. work: for what a k-quant is made from, removed afterwards.
    imatrix: importance matrix for a k-quant.
    """
    model = TunedModel(base, tuned)
    importance = k_quants.read_importance(imatrix, model.shapes) if imatrix else {}
    if imatrix:
        # What llama.cpp's quantize notes down of the matrix.
        entries = {"file": string(imatrix.name), "entries_count": uint32(len(importance))}
        metadata = {**metadata, **{f"quantize.imatrix.{key}": value for key, value in entries.items()}}
    merged = _merged(model.source.metadata, metadata, quant_type)
    types = file_types.tensor_types(quant_type, model.shapes)
    predicted = size.predicted_size(merged, ((name, shape, types[name]) for name, shape in model.shapes.items()))

    def written(done: int) -> None:
        progress(min(done, predicted), predicted)

    if quant_type == "q8_0":
        replaced = {name: partial(model.chunks, name, types[name]) for name in model.changed}
        writer.rewrite(model.source, path, merged, replaced, model.token_patches, written)
    elif quant_type in file_types.PLAIN:
        writer.write(path, merged, model.tensors(types), written)
    else:
        _write_k_quant(model, types, quant_type, importance, merged, path, work, written)
        progress(predicted, predicted)
    return predicted


def _write_k_quant(
    model: TunedModel,
    types: dict[str, TensorType],
    quant_type: str,
    importance: Mapping[str, Float32],
    metadata: Mapping[str, Field],
    path: Path,
    work: Path,
    written: Callable[[int], None],
) -> None:
    """By llama.cpp, from a file in which only what it has to quantise is in float32."""
    unquantized = work / "unquantized.gguf"
    kept = (TensorType.F32, TensorType.Q8_0)
    wide = {name: kind if kind in kept else TensorType.F32 for name, kind in types.items()}
    work.mkdir(parents=True, exist_ok=True)
    try:
        writer.write(unquantized, metadata, model.tensors(wide))
        k_quants.quantize(unquantized, path, quant_type, importance, written)
    finally:
        unquantized.unlink(missing_ok=True)


def _merged(base: Mapping[str, Field], ours: Mapping[str, Field], quant_type: str) -> dict[str, Field]:
    """The base's metadata with ours. The writer's alignment is the default, which needs no key."""
    merged = {**base, **ours, "general.file_type": uint32(file_types.FILE_TYPES[quant_type])}
    merged.pop("general.alignment", None)
    return merged


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
    quant_type: str,
    metadata: Mapping[str, Field],
    path: Path,
    converter: Path,
    work: Path,
    progress: Progress,
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
    command = [sys.executable, str(converter), str(checkpoint), "--outfile", str(converted), "--outtype", quant_type]
    environment = {key: value for key, value in os.environ.items() if key != "FGBUILD_EVENTS_FD"}
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), env=environment)
    if finished.returncode or not converted.is_file():
        raise StageError(f"{converter} ended with {finished.returncode}; its output is in the stage's log")
    source = header.read(converted)
    merged = _merged(source.metadata, metadata, quant_type)
    predicted = size.predicted_rewrite(source, merged)
    writer.rewrite(source, path, merged, {}, {}, lambda done: progress(done, predicted))
    (checkpoint / "model.safetensors").unlink()
    converted.unlink()
    return predicted
