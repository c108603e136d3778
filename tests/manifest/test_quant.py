"""`[quant]`: what follows from its type, and what does not go together."""

from __future__ import annotations

from typing import Any

import pytest

from fgbuild.gguf_io.file_types import FILE_TYPES
from fgbuild.gguf_io.file_types import K_QUANTS as MIXTURES
from fgbuild.manifest.quant import K_QUANTS, WINDOWS, Quant, quant_problems

SIZES = {"f16": 542.7, "bf16": 542.7, "q8_0": 291.6, "q4_k_m": 253.1, "q5_k_m": 259.1, "q6_k": 283.0}
"""MB of a domain on the embedded base (benchmarks/export)."""


def test_the_manifest_knows_the_types_that_export_writes() -> None:
    assert set(WINDOWS) == set(FILE_TYPES) == set(SIZES)
    assert set(K_QUANTS) == set(MIXTURES)


@pytest.mark.parametrize("kind", WINDOWS)
def test_the_window_follows_the_type(kind: str) -> None:
    found = Quant(type=kind)  # type: ignore[arg-type]
    assert (found.min_mb, found.max_mb) == WINDOWS[kind]
    assert found.min_mb < 0.95 * SIZES[kind]
    assert found.max_mb > 1.05 * SIZES[kind]
    assert Quant.model_validate({"type": kind, "min_mb": 1}).model_dump()["max_mb"] == WINDOWS[kind][1]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({}, "", ""),
        ({"type": "q4_k_m", "imatrix": "i.gguf"}, "", ""),
        ({"type": "f16", "converter": "llama.cpp"}, "", ""),
        ({"imatrix": "i.gguf"}, "quant.imatrix", "has no effect on q8_0"),
        ({"type": "q6_k", "converter": "llama.cpp"}, "quant.converter", "cannot write q6_k"),
        ({"min_mb": 900}, "quant.min_mb", "less than max_mb"),
    ],
)
def test_what_does_not_go_together(changes: dict[str, Any], field: str, words: str) -> None:
    quant = Quant.model_validate(changes).model_dump()
    origins = {f"quant.{key}": "manifest" if key in changes else "default" for key in quant}
    found = quant_problems(quant, origins)
    assert [name for name, _ in found] == ([field] if field else [])
    assert all(words in message for _, message in found)
