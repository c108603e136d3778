"""The operations of a Gemma 3 layer with LoRA, in as few passes over memory as they allow.

On a CPU most of a step's time outside matrix products goes into reading and writing
activations. These functions compute what peft and transformers compute, with the gradient
written out, so that no scaled copy, sum or power of an activation is stored.

`compute` below is the format of the products (bf16 under mixed precision) and of what lies between
two of them; the residual stream, the norms' arithmetic and everything trained are in fp32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


def precise(dtype: torch.dtype) -> torch.dtype:
    """The format for sums and norms beside `dtype`: fp32 at the least."""
    return torch.promote_types(dtype, torch.float32)


@dataclass(frozen=True)
class Part:
    """One linear layer of a product: its `width` outputs, its LoRA scale and dropout; scale 0: no adapter."""

    width: int
    scale: float = 0.0
    dropout: float = 0.0


class LoraProduct(torch.autograd.Function):
    """y = [x W₁ᵀ + s₁ drop(x) A₁ᵀ B₁ᵀ | x W₂ᵀ + … ], frozen linear layers that read the same x as one product.

    x [n, in]; weight [Σ width, in], the layers one below the other, frozen, in x's precision; factors
    A₁ [r, in], B₁ [width, r], A₂, … of the parts that have an adapter, in any. Returns [n, Σ width].
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, parts: Sequence[Part], *factors: Tensor) -> Tensor:
        y = x @ weight.T
        saved = _add_low_rank(y, x, parts, factors)
        ctx.save_for_backward(x, weight, *factors, *saved)
        ctx.parts = parts
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, *rest = ctx.saved_tensors
        grad_x = grads[0] @ weight if ctx.needs_input_grad[0] else None
        of_factors = _low_rank_backward(grads[0], x, ctx.parts, rest, grad_x)
        return grad_x, None, None, *of_factors


def _adapted(parts: Sequence[Part]) -> list[tuple[Part, slice]]:
    """The parts with an adapter, and their columns of the product."""
    found, start = [], 0
    for part in parts:
        if part.scale:
            found.append((part, slice(start, start + part.width)))
        start += part.width
    return found


def _add_low_rank(y: Tensor, x: Tensor, parts: Sequence[Part], factors: Sequence[Tensor]) -> list[Tensor]:
    """Add the adapters' part to a product; x Aᵀ and the dropout's mask of each, for the backward pass."""
    saved: list[Tensor] = []
    for number, (part, columns) in enumerate(_adapted(parts)):
        a, b = (factor.to(x.dtype) for factor in factors[2 * number : 2 * number + 2])
        mask = x.new_empty(0)
        if part.dropout:
            mask = torch.empty_like(x).bernoulli_(1 - part.dropout).div_(1 - part.dropout)
        low = (x * mask if part.dropout else x) @ a.T
        y[:, columns].addmm_(low, b.T, alpha=part.scale)
        saved += [low, mask]
    return saved


def _low_rank_backward(
    grad: Tensor, x: Tensor, parts: Sequence[Part], rest: Sequence[Tensor], grad_x: Tensor | None
) -> list[Tensor]:
    """Gradients of the factors; the adapters' part of the gradient of x is added to `grad_x`."""
    adapted = _adapted(parts)
    factors, saved = rest[: 2 * len(adapted)], rest[2 * len(adapted) :]
    found: list[Tensor] = []
    for number, (part, columns) in enumerate(adapted):
        a, b = factors[2 * number : 2 * number + 2]
        low, mask = saved[2 * number : 2 * number + 2]
        of_part = grad[:, columns]
        grad_low = of_part @ b.to(x.dtype)
        dropped = x * mask if part.dropout else x
        if grad_x is not None:
            if part.dropout:
                grad_x.addcmul_(grad_low @ a.to(x.dtype), mask, value=part.scale)
            else:
                grad_x.addmm_(grad_low, a.to(x.dtype), alpha=part.scale)
        found.append((grad_low.T @ dropped).to(a.dtype).mul_(part.scale))
        found.append((of_part.T @ low).to(b.dtype).mul_(part.scale))
    return found


class RmsNorm(torch.autograd.Function):
    """y = x / sqrt(mean(x²) + eps) · (1 + w), Gemma's norm; w frozen; x [n, d]; y in the format `out`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float, out: torch.dtype) -> Tensor:
        return _norm(ctx, x, weight, eps).to(out)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        x, inverse, gain = ctx.saved_tensors
        return _norm_backward(grads[0] * gain, x, inverse), None, None, None


class AddNorm(torch.autograd.Function):
    """y = residual + norm(x) in the residual's format: what ends Gemma's attention and its feed-forward part."""

    @staticmethod
    def forward(ctx: Any, residual: Tensor, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        return _norm(ctx, x, weight, eps).add_(residual)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, inverse, gain = ctx.saved_tensors
        return grads[0], _norm_backward(grads[0] * gain, x, inverse), None, None


def _norm(ctx: Any, x: Tensor, weight: Tensor, eps: float, *also: Tensor, scale: float = 1.0) -> Tensor:
    """Gemma's norm of x times `scale`, in fp32 or fp64; keeps x, 1 / its length, the gain and `also`."""
    wide = x.to(precise(x.dtype))
    inverse = _inverse(wide, eps)
    gain = (1 + weight.to(wide.dtype)) * scale
    ctx.save_for_backward(x, inverse, gain, *also)
    return (wide * inverse).mul_(gain)


def _inverse(wide: Tensor, eps: float) -> Tensor:
    """1 / sqrt(mean(x²) + eps) over the last dimension, which is kept."""
    norm = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
    return norm.square_().div_(wide.shape[-1]).add_(eps).rsqrt_()


def _norm_backward(grad: Tensor, x: Tensor, inverse: Tensor) -> Tensor:
    """Gradient of x from that of x · inverse, which is overwritten; in x's format."""
    wide = x.to(grad.dtype)
    along = (grad * wide).sum(-1, keepdim=True).mul_(inverse.pow(3)).div_(-x.shape[-1])
    return grad.mul_(inverse).addcmul_(wide, along).to(x.dtype)


class RotatedHeads(torch.autograd.Function):
    """Norms and rotary positions on the heads of one projection, times `scale`: x [n, H, D] → [n, H, D], fp32 or fp64.

    weight [D], frozen; cos and sin [n, D], of which the two halves are equal.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float, cos: Tensor, sin: Tensor, scale: float) -> Tensor:
        return _rotate(_norm(ctx, x, weight, eps, cos, sin, scale=scale), cos, sin)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None, None]:
        x, inverse, gain, cos, sin = ctx.saved_tensors
        turned = _rotate(grads[0], cos, -sin)
        return _norm_backward(turned.mul_(gain), x, inverse), None, None, None, None, None


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions on x [n, H, D]: the halves of a head are the two parts of its complex numbers."""
    half = x.shape[-1] // 2
    cos, sin = cos[:, None, :half], sin[:, None, :half]
    left, right = x[..., :half], x[..., half:]
    turned = torch.empty_like(x)
    turned[..., :half] = (left * cos).addcmul_(right, sin, value=-1)
    turned[..., half:] = (right * cos).addcmul_(left, sin)
    return turned


class GatedProduct(torch.autograd.Function):
    """gelu(gate) · up, tanh form, from both side by side: x [n, 2m] → [n, m]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        gate, up = x.chunk(2, -1)
        bent = torch.nn.functional.gelu(gate, approximate="tanh")
        ctx.save_for_backward(x, bent)
        return bent * up

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        x, bent = ctx.saved_tensors
        gate, up = x.chunk(2, -1)
        result = torch.empty_like(x)
        of_gate, of_up = result.chunk(2, -1)
        torch.mul(bent, grads[0], out=of_up)
        of_gate.copy_(torch.ops.aten.gelu_backward(grads[0] * up, gate, approximate="tanh"))
        return result
