"""The `tiny` base: a Gemma 3 of two million random parameters, for tests that finish in seconds.

It has Gemma's special tokens at Gemma's ids, and a vocabulary of a few thousand pieces learnt
from the fixed text in `tiny_text`; the same seed gives the same bytes.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from fgbuild.gguf_io.quant import Bf16Bits, Float32, float32_to_bf16
from fgbuild.workers.bases import gemma, tiny_text
from fgbuild.workers.bases.artifact import BaseModel
from fgbuild.workers.bases.vocabulary import BYTE, CONTROL, NORMAL, USER_DEFINED, Vocabulary

PIECES = 4096
"""Most pieces in the vocabulary."""
SPECIAL_COUNT = 107
"""Control pieces at the front; Gemma 3's `<end_of_turn>` is the last of them, 106."""
SPECIAL_SCORE = -1000.0
STD = 0.02
OUTPUT_NORM = 4.0
"""Gain of the last norm. The tied head's logits are at most gain x sqrt(hidden) x |row| = 45 with
embedding rows of length 1; with every weight at STD they could not pass 2.6, and no amount of
training could make the model sure of a token."""

ASCII = [chr(code) for code in range(33, 127)]


def load(entry: dict[str, Any]) -> BaseModel:
    """The model of `entry["seed"]` (default 0)."""
    seed = int(entry.get("seed", 0))
    pieces = vocabulary()
    config = gemma.model_config(
        hidden=128, inner=512, layers=6, heads=4, kv_heads=1, head_dim=32, vocab=len(pieces.pieces),
        context=32_768, window=512, rope=1e6, rope_local=1e4, epsilon=1e-6,
    )  # fmt: skip
    names = list(gemma.tensor_names(config["num_hidden_layers"]))

    def weights(name: str) -> Iterator[Bf16Bits]:
        shape = gemma.tensor_shape(name, config)
        random = np.random.Generator(np.random.PCG64([seed, names.index(name)]))
        yield float32_to_bf16(_initial(name, shape, random))

    return BaseModel(
        name=entry["name"],
        kind=entry["kind"],
        title="Tiny random Gemma 3",
        revision=f"seed-{seed}",
        sources=[],
        config=config,
        vocabulary=pieces,
        weights=weights,
    )


def _initial(name: str, shape: tuple[int, ...], random: np.random.Generator) -> Float32:
    if name == "model.norm.weight":
        return np.full(shape, OUTPUT_NORM - 1, dtype=np.float32)
    if gemma.is_norm(name):
        return np.zeros(shape, dtype=np.float32)
    std = 1 / math.sqrt(shape[1]) if name == "model.embed_tokens.weight" else STD
    return random.standard_normal(shape, dtype=np.float32) * np.float32(std)


def vocabulary() -> Vocabulary:
    """Special pieces at Gemma's ids, runs of newlines and spaces, 256 bytes, then learnt pieces."""
    special = {0: "<pad>", 1: "<eos>", 2: "<bos>", 3: "<unk>", 4: "<mask>"}
    special |= {105: "<start_of_turn>", 106: "<end_of_turn>"}
    control = [special.get(index, f"<unused{index - 6}>") for index in range(SPECIAL_COUNT)]
    runs = ["\n" * count for count in range(1, 5)] + [" " * count for count in range(2, 17)]
    byte_pieces = [f"<0x{value:02X}>" for value in range(256)]
    fixed = len(control) + len(runs) + len(byte_pieces)
    single = ["▁", *ASCII]
    learnt = learn(tiny_text.words(), PIECES - fixed - len(single))
    normal = learnt + single
    return Vocabulary(
        pieces=control + runs + byte_pieces + normal,
        scores=[SPECIAL_SCORE] * (len(control) + len(runs))
        + [0.0] * len(byte_pieces)
        + [-1.0 - rank for rank in range(len(normal))],
        types=[CONTROL] * len(control)
        + [USER_DEFINED] * len(runs)
        + [BYTE] * len(byte_pieces)
        + [NORMAL] * len(normal),
    ).with_control_tokens()


def learn(words: dict[str, int], count: int) -> list[str]:
    """Up to `count` byte-pair merges of weighted words, the commonest pair first.

    Ties go to the pair that sorts first, so that the result depends on the words alone.
    """
    splits = [list(word) for word in words]
    weights = list(words.values())
    totals: Counter[tuple[str, str]] = Counter()
    users: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for index, symbols in enumerate(splits):
        for pair in itertools.pairwise(symbols):
            totals[pair] += weights[index]
            users[pair].add(index)
    heap = [(-total, pair) for pair, total in totals.items()]
    heapq.heapify(heap)
    pieces: dict[str, None] = {}
    while heap and len(pieces) < count:
        total, pair = heapq.heappop(heap)
        if totals[pair] != -total or not total:
            continue
        pieces["".join(pair)] = None
        touched: set[tuple[str, str]] = set()
        for index in users.pop(pair):
            for old in itertools.pairwise(splits[index]):
                totals[old] -= weights[index]
                touched.add(old)
            splits[index] = _join(splits[index], pair)
            for new in itertools.pairwise(splits[index]):
                totals[new] += weights[index]
                users[new].add(index)
                touched.add(new)
        for changed in touched:
            if totals[changed] > 0:
                heapq.heappush(heap, (-totals[changed], changed))
    return list(pieces)


def _join(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    for symbol in symbols:
        if joined and (joined[-1], symbol) == pair:
            joined[-1] += symbol
        else:
            joined.append(symbol)
    return joined
