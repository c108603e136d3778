"""Attention over a packed prefix tree: a token sees its ancestors and what stands before it in its node.

Queries are taken in tiles of one node each. A tile's keys are those of its path, side by side in the
order of positions: one matrix product for all heads of a tile, no work on pairs that do not see
each other but for the tile's own triangle, and nothing that grows with the square of the packed length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

TILE = 128
"""Most queries in a tile: with four heads and 500 keys its scores stay in a CPU's second-level cache, and little is
computed in vain above the diagonal of its own triangle."""

Range = tuple[int, int]


@dataclass(frozen=True)
class Tile:
    """Queries start to end of the query tensor and the ranges of packed keys on their path.

    hidden [n, K]: True where a query must not see a key.
    """

    start: int
    end: int
    keys: tuple[Range, ...]
    hidden: Tensor

    def of(self, tensor: Tensor) -> Tensor:
        """The tile's keys or values out of all of them, [L, D] → [K, D]."""
        parts = [tensor[start:end] for start, end in self.keys]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def add(self, total: Tensor, part: Tensor) -> None:
        """Add what belongs to the tile's keys, [K, D], to a sum over all keys, [L, D]."""
        at = 0
        for start, end in self.keys:
            total[start:end] += part[at : at + end - start]
            at += end - start


@dataclass(frozen=True)
class TreePlan:
    """The tiles of one packed batch, shared by all layers; last: those of the last layer.

    A last layer's output is read at the positions that predict a supervised token alone, so its queries
    are only those: `targets` [S'], packed positions in order.
    """

    tiles: dict[int | None, list[Tile]]
    last: dict[int | None, list[Tile]]
    targets: Tensor

    @classmethod
    def of(cls, paths: Tensor, ends: Tensor, targets: Tensor, windows: set[int | None]) -> TreePlan:
        """The plan for the nodes of a `PrefixCollator` batch; `windows`: the sliding windows of the
        model's layers, None for full attention."""
        device = targets.device
        places = [[place for place in path if place >= 0] for path in paths.tolist()]
        end_of = {path[-1]: end for path, end in zip(places, ends.tolist())}
        nodes = [[(start, end_of[start]) for start in path] for path in places]
        kept = torch.unique(targets)
        chosen = kept.tolist()
        every = {window: list(_tiles(nodes, window, None, device)) for window in windows}
        last = {window: list(_tiles(nodes, window, chosen, device)) for window in windows}
        return cls(every, last, kept)


def _tiles(
    nodes: list[list[Range]], window: int | None, chosen: list[int] | None, device: torch.device
) -> Iterator[Tile]:
    """Tiles of all queries, or of the `chosen` packed positions alone."""
    number = 0
    for path in nodes:
        start, end = path[-1]
        before = sum(stop - begin for begin, stop in path[:-1])
        own: Sequence[int] = range(start, end)
        if chosen is not None:
            upto = number
            while upto < len(chosen) and chosen[upto] < end:
                upto += 1
            own = chosen[number:upto]
        for first in range(0, len(own), TILE):
            part = own[first : first + TILE]
            positions = [before + place - start for place in part]
            low = 0 if window is None else max(0, positions[0] - window + 1)
            yield Tile(
                number,
                number + len(part),
                tuple(_cut(path, low, positions[-1] + 1)),
                _hidden(positions, low, window, device),
            )
            number += len(part)


def _cut(path: list[Range], low: int, high: int) -> Iterator[Range]:
    """The packed ranges of positions low to high of a path; neighbours are joined."""
    at, open_range = 0, None
    for start, end in path:
        begin, stop = max(low - at, 0), min(high - at, end - start)
        at += end - start
        if begin >= stop:
            continue
        if open_range and open_range[1] == start + begin:
            open_range = (open_range[0], start + stop)
            continue
        if open_range:
            yield open_range
        open_range = (start + begin, start + stop)
    if open_range:
        yield open_range


def _hidden(positions: list[int], low: int, window: int | None, device: torch.device) -> Tensor:
    query = torch.tensor(positions, device=device)[:, None]
    distance = query - torch.arange(low, positions[-1] + 1, device=device)[None, :]
    hidden = distance < 0
    return hidden if window is None else hidden | (distance >= window)


class TreeAttention(torch.autograd.Function):
    """softmax(q kᵀ) v, q [n, H, D] scaled already, k and v [L, G, D] with H a multiple of G → [n, H, D].

    q and k in fp32 (or fp64), v in the format of products. Scores, softmax and their gradients are in the former: large
    scores rounded to 8 bits make other weights. The rest is in the latter. The weights of each tile are kept.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, tiles: list[Tile]) -> Tensor:
        groups = key.shape[1]
        output = value.new_empty(query.shape)
        kept: list[Tensor] = []
        for group, flat in enumerate(_by_group(query, groups)):
            heads = query.shape[1] // groups
            mixed = value.new_empty(flat.shape)
            for tile in tiles:
                rows = slice(tile.start * heads, tile.end * heads)
                scores = flat[rows] @ tile.of(key[:, group]).T
                scores.view(len(tile.hidden), heads, -1).masked_fill_(tile.hidden[:, None], -torch.inf)
                weights = torch.softmax(scores, -1)
                torch.mm(weights.to(value.dtype), tile.of(value[:, group]), out=mixed[rows])
                kept.append(weights)
            _of_group(output, group, groups).copy_(mixed.view(len(query), heads, -1))
        ctx.tiles = tiles
        ctx.save_for_backward(query, key, value, *kept)
        return output

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        query, key, value, *kept = ctx.saved_tensors
        groups, compute, precise = key.shape[1], value.dtype, key.dtype
        of_key = torch.zeros_like(key)
        of_value, of_query = torch.zeros_like(of_key), torch.empty_like(query)
        weights_of = iter(kept)
        for group, (flat, grad) in enumerate(zip(_by_group(query, groups), _by_group(grads[0], groups))):
            heads = query.shape[1] // groups
            mixed = torch.empty_like(flat)
            low_key, wide_value, low_flat = key[:, group].to(compute), value[:, group].to(precise), flat.to(compute)
            for tile in ctx.tiles:
                rows = slice(tile.start * heads, tile.end * heads)
                weights = next(weights_of)
                by_weights = grad[rows].to(precise) @ tile.of(wide_value).T
                by_scores = torch._softmax_backward_data(by_weights, weights, -1, precise).to(compute)
                mixed[rows] = by_scores @ tile.of(low_key)
                tile.add(of_key[:, group], by_scores.T @ low_flat[rows])
                tile.add(of_value[:, group], weights.to(compute).T @ grad[rows])
            _of_group(of_query, group, groups).copy_(mixed.view(len(query), heads, -1))
        return of_query, of_key, of_value.to(compute), None


def _by_group(heads: Tensor, groups: int) -> list[Tensor]:
    """[n, H, D] → for each group [n · H/G, D]; no copy for one group."""
    return [_of_group(heads, group, groups).reshape(-1, heads.shape[-1]) for group in range(groups)]


def _of_group(heads: Tensor, group: int, groups: int) -> Tensor:
    shared = heads.shape[1] // groups
    return heads[:, group * shared : (group + 1) * shared]
