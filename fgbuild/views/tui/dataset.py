"""A data set as the dashboard has it open: its files, its statistics, and which of its rows are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fgbuild.views.report.values import counts, mapping, number
from fgbuild.views.text import counted, percent
from fgbuild.views.text import number as shown
from fgbuild.views.tui.rowfile import RowFile


@dataclass(frozen=True, slots=True)
class Dataset:
    """card, tokens: stats.json of generate and of tokenize. tools: the domain's; whence: a sentence where there are
    none to be had."""

    files: Mapping[str, RowFile]
    card: dict[str, Any]
    tokens: dict[str, Any]
    tools: Sequence[Mapping[str, Any]]
    whence: str = ""


@dataclass
class Filter:
    """Which rows are listed; `rows` are those found so far. only: the wanted scenario and tool ("": a row without a
    call), None where any will do. found: numbers of the rows that have `words`."""

    only: dict[str, str | None] = field(default_factory=lambda: {"scenario": None, "tool": None})
    words: str = ""
    found: list[int] = field(default_factory=list)
    rows: list[int] | range = range(0)
    _looked: int = 0

    @property
    def some(self) -> bool:
        return bool(self.words) or any(wanted is not None for wanted in self.only.values())

    def start(self) -> None:
        """Begin anew, after a change of what is asked for."""
        self.rows, self._looked = [] if self.some else range(0), 0

    def gather(self, file: RowFile) -> None:
        """Take in what the file has gained."""
        if not isinstance(self.rows, list):
            self.rows = range(len(file))
            return
        known = len(file)
        source: Sequence[int] = self.found if self.words else range(known)
        for row in source[self._looked : len(source)]:
            if row >= known:
                break
            self._looked += 1
            if self._fits(file, row):
                self.rows.append(row)

    def _fits(self, file: RowFile, row: int) -> bool:
        scenario, tool = self.only["scenario"], self.only["tool"]
        if scenario is not None and file.scenario(row) != scenario:
            return False
        tools = file.tools(row)
        return tool is None or (tool in tools if tool else not tools)


def figures_of(of: Dataset, split: str) -> list[str]:
    """The statistics card in a line, the split's own figures first."""
    card = mapping(of.card.get(split))
    rows, share = number(card.get("rows")), number(card.get("abstaining_share"))
    longest, tokens = number(mapping(card.get("characters")).get("max")), number(of.tokens.get("max_tokens"))
    found = [
        counted(rows, "row") if rows is not None else "no statistics",
        f"{percent(share)} no call" if share is not None else "",
        counted(len(counts(card.get("scenarios"))), "scenario") if card.get("scenarios") else "",
    ]
    if tokens is not None:
        found.append(f"longest {shown(tokens)} tokens")
    elif longest is not None:
        found.append(f"longest {shown(longest)} characters")
    return list(filter(None, found))
