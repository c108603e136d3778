"""The statistics card: what a dataset holds, counted row by row, in memory that does not grow with it."""

from __future__ import annotations

import json
from collections import defaultdict
from textwrap import shorten
from typing import Any

from fgbuild.domains.sampling import SPLITS, Row, called_tools
from fgbuild.domains.scenario import Split
from fgbuild.functiongemma.render import render_text
from fgbuild.workers.generating.making import Count
from fgbuild.workers.generating.near import Nearness, Said

NAMES_KEPT = 500
"""Most different scenarios, tools or arguments that are counted one by one."""
VALUES_KEPT = 200
"""Most different values of an argument that are counted one by one."""
OTHERS = "…"
"""The name under which all further ones are counted."""

_COMMON = 8
_EXAMPLES = 2
_PAIRS = 5
_STEP = 100
"""Characters of a step of the histogram of lengths."""
_VALUE_SHOWN = 60
_REQUEST_SHOWN = 200


class Tally:
    """Counts by name, of at most so many names; what comes later is counted together."""

    def __init__(self, kept: int = NAMES_KEPT) -> None:
        self._kept = kept
        self._counts: dict[str, int] = {}
        self._others = 0

    def add(self, name: str) -> None:
        if name in self._counts or len(self._counts) < self._kept:
            self._counts[name] = self._counts.get(name, 0) + 1
        else:
            self._others += 1

    def counts(self) -> dict[str, int]:
        """Name → count in the order of names, numbers as numbers."""
        names = sorted(self._counts, key=lambda name: name.rjust(9) if name.isdecimal() else name)
        counts = {name: self._counts[name] for name in names}
        return {**counts, OTHERS: self._others} if self._others else counts

    def vocabulary(self) -> dict[str, Any]:
        """How many names there are (`more`: at least so many), and the most common."""
        common = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))[:_COMMON]
        return {"different": len(self._counts), "more": self._others > 0, "common": dict(common)}


class Lengths:
    """Smallest, mean and largest of whole numbers, and a histogram: lower end of a step → count."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._counts: dict[int, int] = defaultdict(int)
        self._sum = 0
        self._least: int | None = None
        self._most = 0

    def add(self, length: int) -> None:
        self._counts[length // self._step * self._step] += 1
        self._sum += length
        self._least = length if self._least is None else min(self._least, length)
        self._most = max(self._most, length)

    def as_json(self) -> dict[str, Any]:
        rows = sum(self._counts.values())
        return {
            "min": self._least,
            "mean": round(self._sum / rows, 1) if rows else None,
            "max": self._most if rows else None,
            "step": self._step,
            "histogram": {str(step): self._counts[step] for step in sorted(self._counts)},
        }


class _SplitCard:
    def __init__(self) -> None:
        self.rows = self._abstaining = 0
        self._tallies = {name: Tally() for name in ("kinds", "scenarios", "tools", "calls_per_row", "turns")}
        self._characters = Lengths(_STEP)

    def add(self, row: Row) -> None:
        calls = called_tools(row)
        self.rows += 1
        self._abstaining += not calls
        self._tallies["kinds"].add(row["kind"])
        self._tallies["scenarios"].add(row["scenario"])
        for tool in calls:
            self._tallies["tools"].add(tool)
        self._tallies["calls_per_row"].add(str(len(calls)))
        self._tallies["turns"].add(str(sum(message["role"] == "assistant" for message in row["messages"])))
        self._characters.add(len(render_text(row["messages"])))

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "abstaining_share": round(self._abstaining / self.rows, 4) if self.rows else None,
            **{name: tally.counts() for name, tally in self._tallies.items()},
            "characters": self._characters.as_json(),
        }


class Card:
    """The card of a dataset; give it every row once. The result follows from the rows and their order alone.

    train, eval: counts of a split; `turns` are the model's, `characters` those of the prompt format without the tools'
    declarations. arguments: `tool.argument` → its values in both splits. examples: kind → its first training rows.
    """

    def __init__(self) -> None:
        self._splits = {split: _SplitCard() for split in SPLITS}
        self._values: dict[str, Tally] = {}
        self._examples: dict[str, list[dict[str, Any]]] = {}

    @property
    def rows(self) -> dict[Split, int]:
        """Rows of each split so far."""
        return {split: card.rows for split, card in self._splits.items()}

    def add(self, row: Row) -> None:
        """Raises FormatError for a row that the prompt format cannot carry."""
        self._splits[row["split"]].add(row)
        for message in row["messages"]:
            for call in message.get("tool_calls", ()):
                self._add_values(call["function"]["name"], call["function"]["arguments"])
        examples = self._examples.setdefault(row["kind"], [])
        if row["split"] == "train" and len(examples) < _EXAMPLES:
            examples.append({key: row[key] for key in ("id", "scenario", "messages")})

    def _add_values(self, tool: str, arguments: dict[str, Any]) -> None:
        for argument, value in arguments.items():
            name = f"{tool}.{argument}"
            if name not in self._values and len(self._values) >= NAMES_KEPT:
                name = OTHERS
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
            self._values.setdefault(name, Tally(VALUES_KEPT)).add(shorten(text, _VALUE_SHOWN, placeholder=OTHERS))

    def as_json(self, *, count: Count, nearness: Nearness, max_leakage: float) -> dict[str, Any]:
        """count: rows that were made and not kept.

        shared_families and shared_requests say what the splits have in common: nothing, or there would be no card.
        """
        splits = {split: card.as_json() for split, card in self._splits.items()}
        return {
            "rows": sum(self.rows.values()),
            "train": splits["train"],
            "eval": splits["eval"],
            "shared_families": 0,
            "shared_requests": 0,
            "duplicates_removed": count.again,
            "not_reproduced": count.dropped,
            "near_duplicates": {
                "compared": nearness.compared,
                "found": len(nearness.pairs),
                "share": round(nearness.share, 4),
                "max_leakage": max_leakage,
                "examples": [
                    {"eval": _said(held_out), "train": _said(learned)} for held_out, learned in nearness.pairs[:_PAIRS]
                ],
            },
            "arguments": {name: self._values[name].vocabulary() for name in sorted(self._values)},
            "examples": dict(sorted(self._examples.items())),
        }


def _said(said: Said) -> dict[str, str]:
    return {"id": said.id, "request": shorten(said.request, _REQUEST_SHOWN, placeholder=OTHERS)}
