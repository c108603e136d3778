"""Generated projects of data files and tables, with labelled facts about both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from fgbuild.domains.sample_data.columns import SCHEMA, Column, Row, listed, to_toml
from fgbuild.domains.sample_data.formats import to_bytes
from fgbuild.domains.sample_data.planted import Fault, plant, rows_of
from fgbuild.domains.scenario import Draw


@dataclass(frozen=True)
class Facts:
    """What the tools find in a file: its columns, rows, first row, and what does not fit the table it was made for."""

    columns: str
    rows: int
    first: Row
    invalid: int = 0
    reason: str = ""


@dataclass
class Project:
    """Tables with their columns, the files by path, and facts about those."""

    tables: dict[str, tuple[Column, ...]] = field(default_factory=dict)
    data: dict[str, bytes] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)

    def table(self, d: Draw, name: str, columns: Sequence[Column], count: int = 0, fault: Fault | None = None) -> None:
        """A table with `count` rows of its own; a fault is in some of them (see `planted.plant`)."""
        self.tables[name] = tuple(columns)
        if count:
            self._write(d, f"tables/{name}.jsonl", columns, count, fault)

    def file(self, d: Draw, path: str, columns: Sequence[Column], count: int, fault: Fault | None = None) -> None:
        """A data file of `count` rows for a table with these columns."""
        self._write(d, path, columns, count, fault)

    def files(self) -> dict[str, bytes]:
        return {SCHEMA: to_toml(self.tables).encode(), **self.data}

    def _write(self, d: Draw, path: str, columns: Sequence[Column], count: int, fault: Fault | None) -> None:
        rows = rows_of(d, columns, count)
        invalid = plant(d, rows, fault, d.rng.randrange(1, min(20, count))) if fault else 0
        self.data[path] = to_bytes(PurePath(path).suffix, rows)
        known = tuple(_as_found(column, fault) for column in columns if column.name in rows[0])
        self.facts[path] = Facts(listed(known), count, rows[0], invalid, fault.reason if fault else "")


def _as_found(column: Column, fault: Fault | None) -> Column:
    """A column with a mistyped value is text to one who does not know better."""
    return Column(column.name, "text") if fault == Fault("mistyped", column) else column
