"""The tuned model as a GGUF in bf16, written to see what quantisation cost; it is never shipped.

The trained tensors are merged in float32 and rounded once; all others are the base's own bf16.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from fgbuild.errors import StageError
from fgbuild.gguf_io import header, writer
from fgbuild.gguf_io.metadata import uint32
from fgbuild.gguf_io.quant import Float32, float32_to_bf16
from fgbuild.gguf_io.tensors import Buffer, TensorType
from fgbuild.workers.bases import gemma
from fgbuild.workers.bases.tensors_file import SafetensorsFile
from fgbuild.workers.exporting import tuned
from fgbuild.workers.exporting.tuned import Tuned
from fgbuild.workers.protocol import Job

EMBEDDING = "model.embed_tokens.weight"
FILE_TYPE = 32
"""llama.cpp's LLAMA_FTYPE_MOSTLY_BF16."""


def write_of(job: Job, path: Path) -> None:
    """Write the model of a job that has the artifacts `base` and `train`."""
    write(job.inputs["base"], job.inputs["train"], path)


def write(base: Path, train: Path, path: Path) -> None:
    """Write the merged model of a base's and a train stage's artifacts. Raises StageError where they do not fit."""
    source = header.read(base / "base_q8_0.gguf")
    weights, trained = SafetensorsFile(base / "model.safetensors"), tuned.load(train)
    known = gemma.tensor_names(int(str(source.scalar("gemma3.block_count"))))
    stored = {name: theirs for theirs, name in known.items()}
    tensors = []
    for info in source.tensors.values():
        if info.name not in stored:
            raise StageError(
                f"{source.path} has a tensor {info.name!r} that fgbuild does not know; build the base again"
            )
        kind = TensorType.F32 if gemma.is_norm(stored[info.name]) else TensorType.BF16
        chunks = partial(_chunks, weights, trained, stored[info.name])
        tensors.append(writer.Tensor(info.name, info.shape, kind, chunks))
    metadata = {key: field for key, field in source.metadata.items() if key != "general.alignment"}
    writer.write(path, {**metadata, "general.file_type": uint32(FILE_TYPE)}, tensors)


def _chunks(weights: SafetensorsFile, trained: Tuned, name: str) -> Iterator[Buffer]:
    values = _merged(weights, trained, name)
    yield values + np.float32(1) if gemma.is_norm(name) else float32_to_bf16(values)


def _merged(weights: SafetensorsFile, trained: Tuned, name: str) -> Float32:
    values = trained.merged(weights, name) if name in trained.names else weights.float32(name)
    if name == EMBEDDING and trained.token_rows:
        values = values.copy()
        for token, row in trained.token_rows.items():
            values[token] = row
    return values
