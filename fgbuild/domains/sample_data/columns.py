"""A project's tables: what schema.toml says about their columns.

    [orders.quantity]
    type = "int"
    minimum = 0

A column that is not `optional` has a value in every row.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
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
        {
            table: {
                column.name: {
                    key: value
                    for key, value in asdict(column).items()
                    if key != "name" and value not in (None, False, ())
                }
                for column in columns
            }
            for table, columns in tables.items()
        }
    )


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
        if not isinstance(columns, dict):
            raise ToolError(f"{SCHEMA}: {table} is no table of columns")
    return {table: tuple(_column(table, *each) for each in columns.items()) for table, columns in found.items()}


def save_tables(root: Path, tables: Tables) -> None:
    (root / SCHEMA).write_text(to_toml(tables), "utf-8")


def _column(table: str, name: str, fields: Any) -> Column:
    try:
        column = Column(name, **{**fields, "values": tuple(fields.get("values", ()))})
    except (TypeError, AttributeError):
        raise ToolError(f"{SCHEMA}: {table}.{name} has a field that no column has") from None
    if column.type not in TYPES:
        raise ToolError(f"{SCHEMA}: {table}.{name} has none of the types {', '.join(TYPES)}")
    limits = [limit for limit in (column.minimum, column.maximum) if limit is not None]
    if not all(isinstance(limit, int) for limit in limits) or sorted(limits) != limits:
        raise ToolError(f"{SCHEMA}: {table}.{name} has limits that are no whole numbers, or cross")
    return column


def nearest(name: str, known: list[str]) -> str | None:
    """The only known name that is spelled nearly so: `userEmail` or `user_emails` for `user_email`."""
    plain = {_plain(each): each for each in known}
    close = get_close_matches(_plain(name), list(plain), n=2, cutoff=0.9)
    return plain[close[0]] if len(close) == 1 else None


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))
