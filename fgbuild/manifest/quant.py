"""`[quant]`: the GGUF file that comes out. What depends on its type is filled in here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from fgbuild.manifest.table import Table

QuantType = Literal["f16", "bf16", "q8_0", "q4_k_m", "q5_k_m", "q6_k"]

WINDOWS = {
    "f16": (465, 600),
    "bf16": (465, 600),
    "q8_0": (250, 320),
    "q4_k_m": (215, 280),
    "q5_k_m": (220, 285),
    "q6_k": (240, 310),
}
"""quant.type → default (min_mb, max_mb): a Gemma 3 270M with some room on both sides."""

K_QUANTS = ("q4_k_m", "q5_k_m", "q6_k")


class Quant(Table):
    """The GGUF file that comes out."""

    type: QuantType = Field(
        default="q8_0",
        description="Quantisation: f16 and bf16 are 16 bits a weight, q8_0 is 8.5; q4_k_m, q5_k_m and q6_k are "
        "llama.cpp's mixtures.",
    )
    min_mb: int = Field(
        default_factory=lambda: WINDOWS["q8_0"][0],
        ge=0,
        description="Smallest size that verification accepts, MB (10^6 bytes). Default: by type, 250 for q8_0.",
    )
    max_mb: int = Field(
        default_factory=lambda: WINDOWS["q8_0"][1],
        ge=1,
        description="Largest size that verification accepts, MB (10^6 bytes). Default: by type, 320 for q8_0.",
    )
    converter: Literal["builtin", "llama.cpp"] = Field(
        default="builtin", description="Who writes the GGUF: fgbuild, or the script at converter_path."
    )
    converter_path: str = Field(
        default="", description="llama.cpp's convert_hf_to_gguf.py, absolute or relative to the project."
    )
    imatrix: str = Field(
        default="",
        description="Importance matrix for a k-quant, absolute or relative to the project: a file of llama.cpp's "
        "llama-imatrix.",
    )

    @model_validator(mode="before")
    @classmethod
    def _window_of_the_type(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("type") not in list(WINDOWS):
            return data
        low, high = WINDOWS[data["type"]]
        return {"min_mb": low, "max_mb": high, **data}


def quant_problems(quant: dict[str, Any], origins: dict[str, str]) -> list[tuple[str, str]]:
    """(field, message) of what does not go together; `origins`: where each value comes from."""
    return [*_size_window(quant, origins), *_k_quant(quant)]


def _size_window(quant: dict[str, Any], origins: dict[str, str]) -> list[tuple[str, str]]:
    low, high = quant["min_mb"], quant["max_mb"]
    if low < high:
        return []
    if origins["quant.min_mb"] == "default":
        return [("quant.max_mb", f"{high} must be greater than min_mb = {low} (default)")]
    return [("quant.min_mb", f"{low} must be less than max_mb = {high} ({origins['quant.max_mb']})")]


def _k_quant(quant: dict[str, Any]) -> list[tuple[str, str]]:
    kind = quant["type"]
    if kind in K_QUANTS:
        if quant["converter"] == "llama.cpp":
            return [("quant.converter", f'"llama.cpp" cannot write {kind}; "builtin" has llama.cpp quantise it')]
    elif quant["imatrix"]:
        return [("quant.imatrix", f"has no effect on {kind}; remove it, or set quant.type to {', '.join(K_QUANTS)}")]
    return []
