"""Stages that can start as soon as there is room."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping

from fgbuild.engine.plan import Decision


class ReadyQueue:
    """Light stages first, so that a domain's tail does not wait behind another's training; then in order of the plan.

    order: stage id → its place in the plan. All stages of a kind need the same, so that each kind is a queue: where
    its first does not fit, none of it does.
    """

    def __init__(self, order: Mapping[str, int]) -> None:
        self._order = order
        self._decisions: dict[str, Decision] = {}
        self._kinds: dict[str, list[tuple[int, str]]] = {}

    def __contains__(self, stage_id: str) -> bool:
        return stage_id in self._decisions

    def add(self, decision: Decision) -> None:
        stage = decision.stage
        self._decisions[stage.id] = decision
        heapq.heappush(self._kinds.setdefault(stage.kind, []), (self._order[stage.id], stage.id))

    def discard(self, stage_id: str) -> None:
        self._decisions.pop(stage_id, None)

    def clear(self) -> None:
        self._decisions.clear()

    def first(self, but: Collection[str]) -> Decision | None:
        """The stage to start next, of another kind than these; it stays in the queue."""
        heads = [head for kind, queue in self._kinds.items() if kind not in but and (head := self._head(queue))]
        return min(heads, key=lambda it: (it.stage.spec.cores, self._order[it.stage.id]), default=None)

    def _head(self, queue: list[tuple[int, str]]) -> Decision | None:
        while queue and queue[0][1] not in self._decisions:
            heapq.heappop(queue)
        return self._decisions[queue[0][1]] if queue else None
