"""Writes the base artifact, whatever the base: the files that every later stage reads."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgbuild.functiongemma import template
from fgbuild.functiongemma.tokens import STOP_IDS
from fgbuild.gguf_io import writer
from fgbuild.gguf_io.metadata import Field, string
from fgbuild.gguf_io.quant import CHUNK_VALUES, Bf16Bits, quantize
from fgbuild.gguf_io.tensors import TensorType
from fgbuild.workers.bases import gemma, tensors_file
from fgbuild.workers.bases.template import without_generation
from fgbuild.workers.bases.tensors_file import SafetensorsFile
from fgbuild.workers.bases.vocabulary import Vocabulary, write_tokenizer
from fgbuild.workers.protocol import Reporter

BF16_BYTES = 2
Q8_BYTES = 34 / 32


@dataclass(frozen=True)
class SourceFile:
    """A file the base is made from, and its SHA-256."""

    file: str
    sha256: str


@dataclass(frozen=True)
class BaseModel:
    """A base model, ready to be written.

    config: config.json. weights(name): the bfloat16 rows of a tensor, in chunks, by its Hugging
    Face name, norms as Hugging Face stores them (without llama.cpp's 1).
    template: the chat template the base brings, or "" to use ours.
    files: artifact name → a file to copy instead of writing one from `vocabulary`.
    primer: how the weights were primed (see `primer`), or empty.
    """

    name: str
    kind: str
    title: str
    revision: str
    sources: list[SourceFile]
    config: dict[str, Any]
    vocabulary: Vocabulary
    weights: Callable[[str], Iterator[Bf16Bits]]
    template: str = ""
    files: Mapping[str, Path] = field(default_factory=dict)
    primer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        names = gemma.tensor_names(self.config["num_hidden_layers"])
        return sum(math.prod(gemma.tensor_shape(name, self.config)) for name in names)


class Meter:
    """Progress over the bytes of the two weight files, in megabytes."""

    def __init__(self, reporter: Reporter, total: float) -> None:
        self._reporter = reporter
        self._total = total
        self._base = 0.0
        reporter.restart_clock()

    def at(self, written: float) -> None:
        """`written` bytes of the file at work."""
        done = min(self._base + written, self._total)
        self._reporter.progress(round(done / 1e6, 1), round(self._total / 1e6, 1), "MB")

    def next_file(self, size: float) -> None:
        """A file of `size` bytes is complete."""
        self._base += size


def write_artifact(model: BaseModel, output: Path, reporter: Reporter) -> None:
    """Every file of the base artifact into `output`."""
    meter = Meter(reporter, model.parameters * (BF16_BYTES + Q8_BYTES))
    _write_checkpoint(model, output, meter)
    meter.next_file(model.parameters * BF16_BYTES)
    write_gguf(output / "base_q8_0.gguf", output / "model.safetensors", model.config, _metadata(model), meter)
    _write_json(output / "base.json", _summary(model))
    meter.at(model.parameters * Q8_BYTES)


def write_checkpoint(model: BaseModel, output: Path, reporter: Reporter) -> None:
    """What transformers loads: configuration, tokenizer, chat template and weights."""
    _write_checkpoint(model, output, Meter(reporter, model.parameters * BF16_BYTES))


def _write_checkpoint(model: BaseModel, output: Path, meter: Meter) -> None:
    _write_json(output / "config.json", model.config)
    generation = {"bos_token_id": 2, "do_sample": False, "eos_token_id": list(STOP_IDS), "pad_token_id": 0}
    _write_json(output / "generation_config.json", generation)
    write_tokenizer(output, model.vocabulary, model.config["max_position_embeddings"])
    for name, source in model.files.items():
        shutil.copyfile(source, output / name)
    chat_template = model.template or template.chat_template()
    (output / "chat_template.jinja").write_text(chat_template, "utf-8")
    write_weights(model, output / "model.safetensors", meter)


def _metadata(model: BaseModel) -> dict[str, Field]:
    label = gemma.size_label(model.parameters)
    return {
        **gemma.general_metadata(model.title, "gemma-3", label, list(gemma.TAGS)),
        **gemma.architecture_metadata(model.config),
        **model.vocabulary.metadata(),
        "tokenizer.chat_template": string(_gguf_template(model)),
    }


def _gguf_template(model: BaseModel) -> str:
    """The chat template without the tags that llama.cpp does not know."""
    if model.template:
        return without_generation(model.template)
    return template.chat_template(generation_markers=False)


def write_weights(model: BaseModel, path: Path, meter: Meter) -> None:
    """model.safetensors in bfloat16."""
    tensors = []
    for name in gemma.tensor_names(model.config["num_hidden_layers"]):
        shape = gemma.tensor_shape(name, model.config)
        tensors.append(tensors_file.Output(name, "BF16", shape, partial(model.weights, name)))
    tensors_file.write(path, tensors, meter.at)


def write_gguf(path: Path, weights: Path, config: dict[str, Any], metadata: dict[str, Field], meter: Meter) -> int:
    """The Q8_0 GGUF of a safetensors checkpoint; returns its size."""
    source = SafetensorsFile(weights)
    written = 0

    def chunks(name: str) -> Iterator[NDArray[Any]]:
        nonlocal written
        for chunk in stored_chunks(source, name):
            yield chunk
            written += chunk.nbytes
            meter.at(written)

    tensors = []
    for name, stored in gemma.tensor_names(config["num_hidden_layers"]).items():
        kind = TensorType.F32 if gemma.is_norm(name) else TensorType.Q8_0
        shape = tuple(reversed(gemma.tensor_shape(name, config)))
        tensors.append(writer.Tensor(stored, shape, kind, partial(chunks, name)))
    return writer.write(path, metadata, tensors)


def stored_chunks(source: SafetensorsFile, name: str) -> Iterator[NDArray[Any]]:
    """A checkpoint's tensor as GGUF stores it: norms float32 with 1 added, the rest Q8_0 rows."""
    if gemma.is_norm(name):
        yield source.float32(name) + np.float32(1)
        return
    rows, columns = source.entry(name).shape
    step = max(1, CHUNK_VALUES // columns)
    for start in range(0, rows, step):
        yield quantize(source.float32(name, slice(start, start + step)), TensorType.Q8_0)


def _summary(model: BaseModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "kind": model.kind,
        "licence": gemma.LICENCE,
        "parameters": model.parameters,
        "revision": model.revision,
        "sources": [asdict(source) for source in model.sources],
        "brings_template": bool(model.template),
        **({"primer": dict(model.primer)} if model.primer else {}),
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")
