"""Gemma's linear layers with LoRA, and its RMS norms, in as few passes over memory as they allow.

On a CPU most of a step's time outside matrix products goes into reading and writing
activations. Both functions compute what peft and transformers compute, with the gradient
written out, so that no scaled copy, sum or power of an activation is stored.

With a base in bf16 (mixed precision) the matrix products and what lies between two of them are
in bf16; the residual stream, the norms' arithmetic and everything trained are in fp32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, nn
from transformers.models.gemma3.modeling_gemma3 import Gemma3RMSNorm


class LoraProduct(torch.autograd.Function):
    """y = x Wᵀ + s (x Aᵀ) Bᵀ with W [out, in] frozen, A [r, in], B [out, r]; x [..., in].

    Computed in W's precision, which x has; A and B may be in fp32 all the same.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, a: Tensor, b: Tensor, scaling: float) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        ctx.trained = a.dtype
        a, b = a.to(weight.dtype), b.to(weight.dtype)
        low = flat @ a.T
        y = flat @ weight.T
        y.addmm_(low, b.T, alpha=scaling)
        ctx.save_for_backward(flat, low, weight, a, b)
        ctx.scaling = scaling
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, Tensor, Tensor, None]:
        flat, low, weight, a, b = ctx.saved_tensors
        grad = grads[0].reshape(-1, weight.shape[0])
        grad_low = grad @ b
        grad_x = grad @ weight
        grad_x.addmm_(grad_low, a, alpha=ctx.scaling)
        grad_a = (grad_low.T @ flat).to(ctx.trained).mul_(ctx.scaling)
        grad_b = (grad.T @ low).to(ctx.trained).mul_(ctx.scaling)
        return grad_x.view(*grads[0].shape[:-1], -1), None, grad_a, grad_b, None


class RmsNorm(torch.autograd.Function):
    """y = x / sqrt(mean(x²) + eps) · (1 + w), Gemma's norm; w frozen; x [..., d].

    Computed in fp32 at the least; y is in the precision `out`.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float, out: torch.dtype) -> Tensor:
        precise = torch.promote_types(x.dtype, torch.float32)
        ctx.given = x.dtype
        x = x.to(precise)
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        inverse = (norm.square_().div_(x.shape[-1]).add_(eps)).rsqrt_()
        gain = 1 + weight.to(precise)
        ctx.save_for_backward(x, inverse, gain)
        return (x * inverse).mul_(gain).to(out)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        x, inverse, gain = ctx.saved_tensors
        grad = grads[0] * gain
        along = (grad * x).sum(-1, keepdim=True).mul_(inverse.pow(3)).div_(-x.shape[-1])
        return grad.mul_(inverse).addcmul_(x, along).to(ctx.given), None, None, None


_BEFORE_PRODUCTS = ("input_layernorm", "pre_feedforward_layernorm")
"""Norms whose output only matrix products read."""


def fuse(model: nn.Module) -> int:
    """Give the model's frozen norms and its plain LoRA layers the functions above; how many got them.

    Left as they are: layers with dropout, bias or a variant such as DoRA, and norms that are trained.
    """
    fused = 0
    for name, module in model.named_modules():
        if isinstance(module, LoraLinear) and _is_plain(module):
            _replace_forward(module, _lora_forward(module))
            fused += 1
        elif isinstance(module, Gemma3RMSNorm) and not module.weight.requires_grad:
            feeds_products = name.endswith(_BEFORE_PRODUCTS)
            _replace_forward(module, _norm_forward(module, feeds_products=feeds_products))
            fused += 1
    return fused


def _replace_forward(module: nn.Module, forward: Callable[..., Tensor]) -> None:
    module.__dict__["forward"] = forward


def _is_plain(layer: LoraLinear) -> bool:
    return (
        layer.active_adapters == ["default"]
        and not layer.lora_variant
        and not layer.merged
        and layer.base_layer.bias is None
        and not layer.base_layer.weight.requires_grad
        and layer.lora_B["default"].bias is None
        and isinstance(layer.lora_dropout["default"], nn.Identity)
    )


def _lora_forward(layer: LoraLinear) -> Callable[..., Tensor]:
    weight, scaling = layer.base_layer.weight, layer.scaling["default"]
    a, b = layer.lora_A["default"], layer.lora_B["default"]

    def forward(x: Tensor, *_: Any, **__: Any) -> Tensor:
        return LoraProduct.apply(x, weight, a.weight, b.weight, scaling)

    return forward


def _norm_forward(norm: Gemma3RMSNorm, *, feeds_products: bool) -> Callable[..., Tensor]:
    stored = norm.weight.dtype
    out = stored if feeds_products else torch.promote_types(stored, torch.float32)

    def forward(x: Tensor) -> Tensor:
        return RmsNorm.apply(x, norm.weight, norm.eps, out)

    return forward
