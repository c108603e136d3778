"""Which number format to train in: fp32, or bf16 products under fp32 sums, by a measured probe."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from fgbuild.errors import DataError

FASTER = 1.25
"""How many times as fast a product must be in bf16: a step does more than products."""

_TRIES = 5


def choose_precision(wanted: str, chosen: Path, *, resumed: bool) -> str:
    """ "fp32" or "bf16"; a resumed training keeps what it began with, which the file `chosen` says.

    `auto` is bf16 on a GPU that has it and on a CPU that multiplies at least 1.25 times as fast
    in it, else fp32. Never fp16, in which Gemma 3's activations (above 100,000 in layer 14) overflow.
    Raises DataError for bf16 on a GPU without it.
    """
    if torch.cuda.is_available() and wanted == "bf16" and not torch.cuda.is_bf16_supported():
        raise DataError('trainer.precision: this GPU has no "bf16"; set "auto" or "fp32"')
    precision = wanted
    if wanted == "auto":
        before = chosen.read_text("utf-8") if resumed and chosen.exists() else ""
        precision = before if before in ("fp32", "bf16") else _faster()
    chosen.write_text(precision, "utf-8")
    return precision


def _faster() -> str:
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if bf16_speedup() >= FASTER else "fp32"


def bf16_speedup() -> float:
    """How many times as fast this CPU multiplies in bf16 as in fp32, on an MLP layer's shape.

    The best of five alternating tries each, some 0.1 s in all. A CPU with instructions for it (AVX512-BF16, AMX) gives
    2 and more; one without emulates them, which gives less than 1.
    """
    rows, weight = torch.ones(1024, 640), torch.ones(2048, 640)
    pairs = {dtype: (rows.to(dtype), weight.to(dtype)) for dtype in (torch.float32, torch.bfloat16)}
    best = dict.fromkeys(pairs, float("inf"))
    for _ in range(_TRIES + 1):  # the first loads the kernels
        for dtype, (left, right) in pairs.items():
            start = time.perf_counter()
            torch.mm(left, right.T)
            best[dtype] = min(best[dtype], time.perf_counter() - start)
    return best[torch.float32] / best[torch.bfloat16]
