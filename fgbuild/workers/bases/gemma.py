"""Gemma 3 text models as Hugging Face and llama.cpp name them.

Tensor and metadata names, and the rule that every norm weight is stored with 1 added, are those
of llama.cpp's convert_hf_to_gguf.py for `Gemma3TextModel`.
"""

from __future__ import annotations

from typing import Any

from fgbuild.errors import BaseModelError
from fgbuild.gguf_io.file_types import FILE_TYPES
from fgbuild.gguf_io.metadata import Field, float32, string, strings, uint32

SLIDING_PATTERN = 6
"""Every 6th layer attends to everything; llama.cpp assumes this for `gemma3`."""
QUANTIZATION_VERSION = 2
LICENCE = "gemma"
LICENCE_LINK = "https://ai.google.dev/gemma/terms"
TAGS = ("gemma3", "function-calling")

_TOP = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
}
_LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "post_feedforward_layernorm": "post_ffw_norm",
}


def tensor_names(layers: int) -> dict[str, str]:
    """Hugging Face name → GGUF name of every tensor, in the model's order."""
    names = dict(_TOP)
    for layer in range(layers):
        for module, block in _LAYER.items():
            names[f"model.layers.{layer}.{module}.weight"] = f"blk.{layer}.{block}.weight"
    return names


def is_norm(name: str) -> bool:
    """Whether a tensor, under either name, is a norm weight: kept in float32, stored with 1 added."""
    return name.endswith("norm.weight")


def tensor_shape(name: str, config: dict[str, Any]) -> tuple[int, ...]:
    """(rows, columns) or (size,) of a tensor, by its Hugging Face name."""
    hidden, inner, head = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    queries, keys = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    shapes: dict[str, tuple[int, ...]] = {
        "embed_tokens": (config["vocab_size"], hidden),
        "q_proj": (queries, hidden),
        "k_proj": (keys, hidden),
        "v_proj": (keys, hidden),
        "o_proj": (hidden, queries),
        "q_norm": (head,),
        "k_norm": (head,),
        "gate_proj": (inner, hidden),
        "up_proj": (inner, hidden),
        "down_proj": (hidden, inner),
    }
    return shapes.get(name.split(".")[-2], (hidden,))


def model_config(
    *, hidden: int, inner: int, layers: int, heads: int, kv_heads: int, head_dim: int, vocab: int,
    context: int, window: int, rope: float, rope_local: float, epsilon: float,
) -> dict[str, Any]:  # fmt: skip
    """config.json of a `Gemma3ForCausalLM` with tied embeddings, in the form Google publishes."""
    return {
        "architectures": ["Gemma3ForCausalLM"],
        "model_type": "gemma3_text",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "attn_logit_softcapping": None,
        "bos_token_id": 2,
        "dtype": "bfloat16",
        "eos_token_id": 1,
        "final_logit_softcapping": None,
        "head_dim": head_dim,
        "hidden_activation": "gelu_pytorch_tanh",
        "hidden_size": hidden,
        "initializer_range": 0.02,
        "intermediate_size": inner,
        "layer_types": _layer_types(layers),
        "max_position_embeddings": context,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "num_key_value_heads": kv_heads,
        "pad_token_id": 0,
        "query_pre_attn_scalar": head_dim,
        "rms_norm_eps": epsilon,
        "rope_local_base_freq": rope_local,
        "rope_theta": rope,
        "sliding_window": window,
        "tie_word_embeddings": True,
        "use_cache": True,
        "vocab_size": vocab,
    }


def _layer_types(layers: int) -> list[str]:
    return ["sliding_attention" if (layer + 1) % SLIDING_PATTERN else "full_attention" for layer in range(layers)]


def check_config(config: dict[str, Any], path: str) -> None:
    """Raise BaseModelError, naming the field, for a model that our GGUF could not hold."""
    if config.get("model_type") != "gemma3_text":
        raise BaseModelError(f"{path}: model_type is {config.get('model_type')!r}; only 'gemma3_text' can be built on")
    required = (
        "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
        "head_dim", "vocab_size", "max_position_embeddings", "sliding_window", "rms_norm_eps",
    )  # fmt: skip
    for field in required:
        value = config.get(field)
        if not isinstance(value, (int, float)) or value <= 0:
            raise BaseModelError(f"{path}: {field} is {value!r}; use a complete Gemma 3 config.json")
    if config.get("query_pre_attn_scalar", config["head_dim"]) != config["head_dim"]:
        raise BaseModelError(f"{path}: query_pre_attn_scalar must equal head_dim, which llama.cpp assumes")
    if not config.get("tie_word_embeddings", True):
        raise BaseModelError(f"{path}: tie_word_embeddings is false; only tied embeddings are supported")
    for field in ("rope_scaling", "attn_logit_softcapping", "final_logit_softcapping"):
        if config.get(field):
            raise BaseModelError(f"{path}: {field} is set, which the GGUF writer does not carry; use another base")
    layers = config["num_hidden_layers"]
    if config.get("layer_types", _layer_types(layers)) != _layer_types(layers):
        raise BaseModelError(f"{path}: layer_types must have full attention in every 6th layer, and only there")
    for field in ("hidden_size", "intermediate_size"):
        if config[field] % 32:
            raise BaseModelError(f"{path}: {field} must be a multiple of 32, the Q8_0 block size")


def rope_bases(config: dict[str, Any]) -> tuple[float, float]:
    """Rotary base of full and of sliding attention; reads the published and transformers 5's form."""
    parameters = config.get("rope_parameters") or {}
    full = parameters.get("full_attention", {}).get("rope_theta", config.get("rope_theta", 1_000_000.0))
    local = parameters.get("sliding_attention", {}).get("rope_theta", config.get("rope_local_base_freq", 10_000.0))
    return float(full), float(local)


def architecture_metadata(config: dict[str, Any]) -> dict[str, Field]:
    """The `gemma3.*` keys."""
    full, local = rope_bases(config)
    return {
        "gemma3.context_length": uint32(config["max_position_embeddings"]),
        "gemma3.embedding_length": uint32(config["hidden_size"]),
        "gemma3.block_count": uint32(config["num_hidden_layers"]),
        "gemma3.feed_forward_length": uint32(config["intermediate_size"]),
        "gemma3.attention.head_count": uint32(config["num_attention_heads"]),
        "gemma3.attention.head_count_kv": uint32(config["num_key_value_heads"]),
        "gemma3.attention.layer_norm_rms_epsilon": float32(config["rms_norm_eps"]),
        "gemma3.attention.key_length": uint32(config["head_dim"]),
        "gemma3.attention.value_length": uint32(config["head_dim"]),
        "gemma3.attention.sliding_window": uint32(config["sliding_window"]),
        "gemma3.rope.freq_base": float32(full),
        "gemma3.rope.freq_base_swa": float32(local),
    }


def general_metadata(name: str, basename: str, size_label: str, tags: list[str]) -> dict[str, Field]:
    """The `general.*` keys of a Q8_0 file under the Gemma terms."""
    return {
        "general.architecture": string("gemma3"),
        "general.type": string("model"),
        "general.name": string(name),
        "general.basename": string(basename),
        "general.size_label": string(size_label),
        "general.license": string(LICENCE),
        "general.license.link": string(LICENCE_LINK),
        "general.tags": strings(tags),
        "general.quantization_version": uint32(QUANTIZATION_VERSION),
        "general.file_type": uint32(FILE_TYPES["q8_0"]),
    }


def size_label(parameters: int) -> str:
    """`268098176` → `268M`, as llama.cpp's converter labels models."""
    for unit, label in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if parameters >= unit:
            value = parameters / unit
            return f"{value:.0f}{label}" if value >= 10 else f"{value:.1f}{label}"
    return str(parameters)
