"""Gemma 3's layers over a packed prefix tree: transformers' weights and peft's adapters, our forward pass.

Linear layers that read the same input are one product, and the last layer computes only what the
loss reads. Layers that cannot be joined (a variant such as DoRA, weights that are trained) are called as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, nn
from transformers import Gemma3TextModel

from fgbuild.workers.training.attention import TreeAttention, TreePlan
from fgbuild.workers.training.fused import AddNorm, GatedProduct, LoraProduct, Part, RmsNorm, RotatedHeads, precise

ADAPTER = "default"
"""The name peft gives a model's one adapter."""


class Linear:
    """Linear layers that read the same input: x [n, in] → [n, Σ out], one after the other."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        self._layers = layers
        self._joined = all(_is_plain(layer) for layer in layers)
        if not self._joined:
            return
        frozen = [_frozen(layer) for layer in layers]
        self._weight = _joined([layer.weight for layer in frozen])
        self._parts = tuple(_part(layer) for layer in layers)
        adapted = [layer for layer in layers if isinstance(layer, LoraLinear)]
        self._factors = [
            factor.weight for layer in adapted for factor in (layer.lora_A[ADAPTER], layer.lora_B[ADAPTER])
        ]

    def __call__(self, x: Tensor) -> Tensor:
        if self._joined:
            parts = self._parts
            if not self._layers[0].training:
                parts = tuple(Part(part.width, part.scale) for part in parts)
            return LoraProduct.apply(x, self._weight, parts, *self._factors)
        made = [self._call(layer, x) for layer in self._layers]
        return made[0] if len(made) == 1 else torch.cat(made, -1)

    def _call(self, layer: nn.Module, x: Tensor) -> Tensor:
        if isinstance(layer, nn.Linear):  # trained itself: its weight may be kept in more than it is used in
            return nn.functional.linear(x, layer.weight.to(x.dtype))
        return layer(x).to(x.dtype)


def _is_plain(layer: nn.Module) -> bool:
    """Whether a layer is a frozen one without bias, with a plain LoRA adapter or without."""
    if isinstance(layer, LoraLinear):
        factors = (layer.lora_A[ADAPTER], layer.lora_B[ADAPTER])
        return (
            layer.active_adapters == [ADAPTER]
            and not layer.lora_variant
            and not layer.merged
            and all(factor.bias is None for factor in factors)
            and _is_plain(layer.base_layer)
        )
    return isinstance(layer, nn.Linear) and layer.bias is None and not layer.weight.requires_grad


def _frozen(layer: Any) -> Any:
    return layer.base_layer if isinstance(layer, LoraLinear) else layer


def _part(layer: Any) -> Part:
    width = int(_frozen(layer).out_features)
    if not isinstance(layer, LoraLinear):
        return Part(width)
    dropout = layer.lora_dropout[ADAPTER]
    return Part(width, layer.scaling[ADAPTER], dropout.p if isinstance(dropout, nn.Dropout) else 0.0)


def _joined(weights: list[Tensor]) -> Tensor:
    """Weights [out, in] one below the other in one piece of memory, which they then share."""
    if len(weights) == 1:
        return weights[0].detach()
    whole = torch.cat([weight.detach() for weight in weights])
    for weight, part in zip(weights, whole.split([len(weight) for weight in weights])):
        weight.data = part
    return whole


class Layer:
    """One decoder layer."""

    def __init__(self, layer: Any, compute: torch.dtype) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self.kind: str = attention.layer_type
        self.window: int | None = attention.sliding_window
        self._compute = compute
        self._dim: int = attention.head_dim
        self._scale: float = attention.scaling
        self._module = layer
        self._project = Linear([attention.q_proj, attention.k_proj, attention.v_proj])
        self._output = Linear([attention.o_proj])
        self._widen = Linear([mlp.gate_proj, mlp.up_proj])
        self._narrow = Linear([mlp.down_proj])
        self._keys: int = attention.k_proj.out_features

    def __call__(self, x: Tensor, rope: tuple[Tensor, Tensor], plan: TreePlan, *, is_last: bool) -> Tensor:
        """x [L, d] → [L, d]; in the last layer only the rows of `plan.targets`, [S', d]."""
        module, attention = self._module, self._module.self_attn
        cos, sin = rope
        heads = self._project(self._norm(module.input_layernorm, x)).view(len(x), -1, self._dim)
        groups = self._keys // self._dim
        query, key, value = heads.split([heads.shape[1] - 2 * groups, groups, groups], 1)
        key = self._rotated(attention.k_norm, key, cos, sin, 1.0)
        tiles = plan.tiles[self.window]
        if is_last:
            query, x, tiles = query[plan.targets], x[plan.targets], plan.last[self.window]
            cos, sin = cos[plan.targets], sin[plan.targets]
        query = self._rotated(attention.q_norm, query, cos, sin, self._scale)
        mixed = TreeAttention.apply(query, key, value, tiles)
        x = self._add(module.post_attention_layernorm, x, self._output(mixed.flatten(1)))
        inner = GatedProduct.apply(self._widen(self._norm(module.pre_feedforward_layernorm, x)))
        return self._add(module.post_feedforward_layernorm, x, self._narrow(inner))

    def _norm(self, norm: Any, x: Tensor) -> Tensor:
        if norm.weight.requires_grad:
            return norm(x).to(self._compute)
        return RmsNorm.apply(x, norm.weight, norm.eps, self._compute)

    def _add(self, norm: Any, residual: Tensor, x: Tensor) -> Tensor:
        if norm.weight.requires_grad:
            return residual + norm(x.to(residual.dtype))
        return AddNorm.apply(residual, x, norm.weight, norm.eps)

    def _rotated(self, norm: Any, x: Tensor, cos: Tensor, sin: Tensor, scale: float) -> Tensor:
        if not norm.weight.requires_grad:
            return RotatedHeads.apply(x, norm.weight, norm.eps, cos, sin, scale)
        wide = norm(x.to(precise(x.dtype)))
        left, right = wide.chunk(2, -1)
        turned = wide * cos[:, None] + torch.cat([-right, left], -1) * sin[:, None]
        return turned * scale


class Body:
    """The layers of a Gemma 3 model and its last norm. compute: the format of products."""

    def __init__(self, model: Gemma3TextModel, compute: torch.dtype) -> None:
        self._model = model
        self._layers = [Layer(layer, compute) for layer in model.layers]
        self.windows = {layer.window for layer in self._layers}

    def __call__(self, embedded: Tensor, positions: Tensor, plan: TreePlan) -> Tensor:
        """Embeddings [L, d] at positions [L] → last hidden states of `plan.targets`, [S', d], fp32 at the least."""
        x, kinds = embedded, {layer.kind for layer in self._layers}
        ropes = {}
        for kind in kinds:
            cos, sin = self._model.rotary_emb(x, positions[None], layer_type=kind)
            ropes[kind] = (cos[0].to(x.dtype), sin[0].to(x.dtype))
        last = self._layers[-1]
        for layer in self._layers:
            x = layer(x, ropes[layer.kind], plan, is_last=layer is last)
        norm = self._model.norm
        if norm.weight.requires_grad:
            return norm(x)
        return RmsNorm.apply(x, norm.weight, norm.eps, x.dtype)
