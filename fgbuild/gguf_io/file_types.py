"""The quantisations that a manifest can ask for, and which type each tensor has in such a file.

f16, bf16 and q8_0 are one type for all matrices. The k-quants are mixtures; theirs are the rules of llama.cpp's
`llama_tensor_get_type` (src/llama-quant.cpp) for a Gemma 3 with tied embeddings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from fgbuild.gguf_io.tensors import BLOCKS, TensorType

FILE_TYPES = {"f16": 1, "bf16": 32, "q8_0": 7, "q4_k_m": 15, "q5_k_m": 17, "q6_k": 18}
"""quant.type → `general.file_type` (llama.cpp's LLAMA_FTYPE_MOSTLY_…)."""

PLAIN = {"f16": TensorType.F16, "bf16": TensorType.BF16, "q8_0": TensorType.Q8_0}
"""quant.type → the one type of its matrices, where there is one."""

K_QUANTS = {"q4_k_m": TensorType.Q4_K, "q5_k_m": TensorType.Q5_K, "q6_k": TensorType.Q6_K}
"""quant.type → the type that most matrices have where rows are long enough."""

_NARROW = {TensorType.Q4_K: TensorType.Q5_0, TensorType.Q5_K: TensorType.Q5_1, TensorType.Q6_K: TensorType.Q8_0}
"""What takes a k-quant's place in a matrix whose rows are no whole number of its blocks of 256."""

_LAYER = re.compile(r"blk\.(\d+)\.")
_EMBEDDING = "token_embd.weight"


def tensor_types(quant_type: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, TensorType]:
    """GGUF name → type of every tensor of a model; `shapes` has them as (columns, rows, …)."""
    layers = 1 + max((int(match[1]) for match in map(_LAYER.match, shapes) if match), default=-1)
    return {name: _type(quant_type, name, shape, layers) for name, shape in shapes.items()}


def allowed_types(quant_type: str) -> frozenset[TensorType]:
    """The types that a matrix of such a file may have."""
    if quant_type in PLAIN:
        return frozenset({PLAIN[quant_type]})
    wide = {K_QUANTS[quant_type], TensorType.Q6_K}
    return frozenset({*wide, *(_NARROW[kind] for kind in wide)})


def _type(quant_type: str, name: str, shape: tuple[int, ...], layers: int) -> TensorType:
    if len(shape) < 2:
        return TensorType.F32
    if quant_type in PLAIN:
        return PLAIN[quant_type]
    kind = K_QUANTS[quant_type]
    layer = _LAYER.match(name)
    sensitive = name.endswith((".attn_v.weight", ".ffn_down.weight"))
    if name == _EMBEDDING or (layer and sensitive and _more_bits(int(layer[1]), layers)):
        kind = TensorType.Q6_K
    return _NARROW[kind] if shape[0] % BLOCKS[kind][0] else kind


def _more_bits(layer: int, layers: int) -> bool:
    """Whether llama.cpp spends more bits on a layer: the first and last eighth, and every third between."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2
