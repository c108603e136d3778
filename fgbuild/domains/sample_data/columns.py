"""A project's tables: what schema.toml says about their columns.

    [orders.quantity]
    type = "int"
    minimum = 0

A column that is not `optional` has a value in every row.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import tomli_w

from fgbuild.sandbox.tool import ToolError

SCHEMA = "schema.toml"
TYPES = ("int", "float", "text", "date", "datetime", "bool")

Row = dict[str, Any]
"""Values by column; None: none."""


@dataclass(frozen=True)
class Column:
    """minimum and maximum hold for numbers, both included. values: the only ones, where there are any."""

    name: str
    type: str
    unique: bool = False
    optional: bool = False
    minimum: int | None = None
    maximum: int | None = None
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.type}"


Tables = dict[str, tuple[Column, ...]]


def listed(columns: tuple[Column, ...]) -> str:
    """Names and types in words: "id int, email text"."""
    return ", ".join(map(str, columns))


def to_toml(tables: Mapping[str, tuple[Column, ...]]) -> str:
    """The text of schema.toml; what is as by default is left out."""
    return tomli_w.dumps(
        {table: {column.name: _written(column) for column in columns} for table, columns in tables.items()}
    )


def _written(column: Column) -> dict[str, Any]:
    given = {field.name: (getattr(column, field.name), field.default) for field in fields(column)[1:]}
    return {name: value for name, (value, default) in given.items() if value != default}


def load_tables(root: Path) -> Tables:
    """A project's tables; none where it has no schema.toml. ToolError where that cannot be read."""
    file = root / SCHEMA
    if not file.is_file():
        return {}
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ToolError(f"{SCHEMA} is no TOML: {error}") from None
    for table, columns in found.items():
        if not isinstance(columns, dict) or not columns:
            raise ToolError(f"{SCHEMA}: {table} is no table of columns")
    return {table: tuple(_column(table, *each) for each in columns.items()) for table, columns in found.items()}


def save_tables(root: Path, tables: Tables) -> None:
    (root / SCHEMA).write_text(to_toml(tables), "utf-8")


def _column(table: str, name: str, given: Any) -> Column:
    try:
        column = Column(name, **{**given, "values": tuple(given.get("values", ()))})
    except (TypeError, AttributeError):
        raise ToolError(f"{SCHEMA}: {table}.{name} has a field that no column has") from None
    if column.type not in TYPES:
        raise ToolError(f"{SCHEMA}: {table}.{name} has none of the types {', '.join(TYPES)}")
    limits = [limit for limit in (column.minimum, column.maximum) if limit is not None]
    if not all(isinstance(limit, int) for limit in limits) or sorted(limits) != limits:
        raise ToolError(f"{SCHEMA}: {table}.{name} has limits that are no whole numbers, or cross")
    return column


def nearest(name: str, known: list[str]) -> str | None:
    """The only known name that differs in case, separators or a plural's s alone: `userEmails` for `user_email`."""
    found = [each for each in known if _plain(each) == _plain(name)]
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold())).removesuffix("s")
