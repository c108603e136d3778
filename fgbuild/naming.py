"""Names of shipped files, which the stages, the workers and the command line must agree on."""

from __future__ import annotations

_SHORT_SUFFIX = {"q8_0": "q8"}


def gguf_name(domain: str, quant_type: str) -> str:
    """`lint_functiongemma_q8.gguf`; the suffix follows the quant type."""
    return f"{domain}_functiongemma_{_SHORT_SUFFIX.get(quant_type, quant_type)}.gguf"
