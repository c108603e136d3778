"""The stage places the very file that the worker writes."""

from __future__ import annotations

import pytest

from fgbuild.naming import gguf_name
from fgbuild.stages import export
from fgbuild.workers.exporting.documents import Shipped


def test_the_suffix_follows_the_quant_type() -> None:
    assert gguf_name("lint", "q8_0") == "lint_functiongemma_q8.gguf"
    assert gguf_name("lint", "q4_k_m") == "lint_functiongemma_q4_k_m.gguf"


@pytest.mark.parametrize("quant_type", ["q8_0", "q4_k_m"])
def test_stage_and_worker_agree_on_the_file(quant_type: str) -> None:
    manifest = {"name": "lint", "quant": {"type": quant_type}}
    shipped = Shipped(domain="lint", manifest=manifest, base={}, config={}, adapter={}, training={}, weights="")
    assert export.placed(manifest)[0].source == shipped.file == gguf_name("lint", quant_type)
