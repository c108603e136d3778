"""The values that stand for slots, split between train and eval.

A number after a slot's name is a further value of it, different from the others: `{branch}` and `{branch2}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbuild.domains.scenario import Draw, belongs_to_eval
from fgbuild.domains.templates.text import look_up, parse, written
from fgbuild.errors import DataError

Declared = Mapping[str, Mapping[str, Any]]
"""Slot → its table in the manifest, resolved."""

_ATTEMPTS = 100
ENOUGH = 1000
"""Values of a pool that are looked at before anything is drawn; a range may have any number of them."""
_SHORT_RANGE = 12
"""As `Draw.number`: shorter ranges are shared by both splits."""
_NUMBERED = re.compile(r"(.*?[a-z_])(\d+)")


def slot_of(name: str) -> str:
    """`branch` for `branch` and `branch2`."""
    numbered = _NUMBERED.fullmatch(name)
    return numbered[1] if numbered else name


class Slots:
    """The pools of all slots; files are read when they are first drawn from."""

    def __init__(self, declared: Declared, root: Path) -> None:
        self._declared = declared
        self._root = root
        self._pools: dict[str, Sequence[Any]] = {}

    def draw(self, d: Draw, names: Iterable[str]) -> dict[str, Any]:
        """A value for each name of a slot, those of one slot all different, in an order that does not matter.

        Raises DataError where a slot has too few values for that.
        """
        drawn: dict[str, Any] = {}
        for name in sorted(names):
            slot = slot_of(name)
            others = [value for other, value in drawn.items() if slot_of(other) == slot]
            drawn[name] = self._another(d, slot, others)
        return drawn

    def _another(self, d: Draw, slot: str, others: Sequence[Any]) -> Any:
        for _ in range(_ATTEMPTS):
            if (value := self._one(d, slot)) not in others:
                return value
        raise DataError(
            f"slots.{slot}: has too few values for {len(others) + 1} different ones in one request; add some"
        )

    def _one(self, d: Draw, slot: str) -> Any:
        table = self._declared[slot]
        if table["pattern"]:
            parts = parse(table["pattern"]).choose(d.rng)
            drawn = self.draw(d, {part.head for part in parts if not isinstance(part, str)})
            found = [part if isinstance(part, str) else look_up(part, drawn) for part in parts]
            return found[0] if len(found) == 1 else "".join(map(written, found))
        if slot not in self._pools:
            self._pools[slot] = pool(table, self._root)
        values = self._pools[slot]
        return d.choice(values) if is_shared(table, values) else d.pick(values)


def pool(table: Mapping[str, Any], root: Path) -> Sequence[Any]:
    """All values of a slot that is no pattern. Raises OSError and ValueError (no UTF-8) for a file."""
    if table["file"]:
        lines = (root / table["file"]).read_text("utf-8-sig").splitlines()
        return [line.strip() for line in lines if line.strip()]
    if table["range"]:
        low, high = table["range"]
        return range(low, high + 1, table["step"])
    return list(table["values"])


def is_shared(table: Mapping[str, Any], values: Sequence[Any]) -> bool:
    """Whether both splits draw from all values."""
    return bool(table["shared"]) or bool(table["range"] and len(values) < _SHORT_RANGE)


def fewest(table: Mapping[str, Any], values: Sequence[Any]) -> tuple[int, str]:
    """The number of values of the split that has fewer, and that split; of the first thousand, which will do."""
    first = values[:ENOUGH]
    if is_shared(table, values):
        return len(first), "train"
    held_out = sum(map(belongs_to_eval, first))
    return min((held_out, "eval"), (len(first) - held_out, "train"))
