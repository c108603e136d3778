"""The sample-data domain's tools, for real: data files and tables of a project.

schema.toml holds the tables' columns (see `columns`), tables/NAME.jsonl the rows of a table that has some.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from fgbuild.domains.sample_data.columns import Column, Row, listed, load_tables, nearest, save_tables
from fgbuild.domains.sample_data.faking import make_rows, replacements
from fgbuild.domains.sample_data.formats import SUFFIXES, read_columns, read_rows, write_rows
from fgbuild.domains.sample_data.validity import invalid_rows
from fgbuild.sandbox.tool import ToolError, file_inside

MAX_ROWS = 10_000
"""Most rows of one call."""
_PREVIEWED = 5
_FORMATS = ("csv", "json", "parquet")
_TABLES, _OUT = "tables", "out"

pa.array([])  # pyarrow loads pandas with its first array: here, and not in each call's process


def infer_schema(root: Path, path: str) -> dict[str, Any]:
    """Makes the table that the file is named after, where there is none yet."""
    file = file_inside(root, path)
    table, columns = _table_of(file), read_columns(file, path)
    if not columns:
        raise ToolError(f"{path} has no columns")
    tables = load_tables(root)
    if table not in tables:
        save_tables(root, {**tables, table: columns})
    return {"table": table, "columns": listed(columns)}


def preview_rows(root: Path, path: str, count: int = _PREVIEWED) -> dict[str, Any]:
    _positive("count", count)
    rows = read_rows(file_inside(root, path), path)[:count]
    return {"shown": len(rows), "first": _line(rows[0]) if rows else ""}


def generate_rows(root: Path, table: str, count: int, seed: int | None = None) -> dict[str, Any]:
    """Adds the rows to the table's. Without a seed others than those that are there already."""
    columns = _columns(root, table)
    _positive("count", count)
    before = _stored(root, table)
    made = make_rows(columns, count, len(before) if seed is None else seed, before)
    _file_of(root, table).parent.mkdir(exist_ok=True)
    write_rows(_file_of(root, table), [*before, *made], columns)
    return {"table": table, "rows": count}


def validate_rows(root: Path, path: str, table: str) -> dict[str, Any]:
    file, columns = file_inside(root, path), _columns(root, table)
    rows = read_rows(file, path)
    invalid = invalid_rows(rows, columns)
    return {"rows": len(rows), "invalid": len(invalid), "reason": next(iter(invalid.values()), "")}


def anonymize_column(root: Path, path: str, column: str) -> dict[str, Any]:
    """Equal values stay equal: each is replaced by one that fits its column's type."""
    file = file_inside(root, path)
    columns = {each.name: each for each in read_columns(file, path)}
    if column not in columns:
        raise ToolError(f"{path} has no column {column}{_near(column, list(columns))}")
    rows = read_rows(file, path)
    filled = [row for row in rows if row.get(column) is not None]
    found = replacements(columns[column], (str(row[column]) for row in filled))
    for row in filled:
        row[column] = found[str(row[column])]
    if filled:
        _write(file, rows, None, f"{column} holds values that cannot be made up")
    return {"changed": len(filled)}


def export_table(root: Path, table: str, format: str) -> dict[str, Any]:
    columns = _columns(root, table)
    if format not in _FORMATS:
        raise ToolError(f"format is one of {', '.join(_FORMATS)}")
    file = root / _OUT / f"{table}.{format}"
    file.parent.mkdir(exist_ok=True)
    _write(file, _stored(root, table), columns, f"{table} has values that {format} cannot hold")
    return {"path": f"{_OUT}/{file.name}"}


def _write(file: Path, rows: list[Row], columns: tuple[Column, ...] | None, complaint: str) -> None:
    """Write a file, or leave it as it is. ToolError with the complaint where a value does not fit."""
    try:
        write_rows(file, rows, columns)
    except (ValueError, OverflowError, pa.ArrowException):
        raise ToolError(complaint) from None


def _table_of(file: Path) -> str:
    """The table that a file is named after: its name up to the first dot."""
    return file.name.split(".")[0]


def _columns(root: Path, table: str) -> tuple[Column, ...]:
    """A table's columns. ToolError where there is none of this name, with what may be meant."""
    tables = load_tables(root)
    if table in tables:
        return tables[table]
    paths = [
        path.relative_to(root) for path in root.rglob("*.*") if _table_of(path) == table and path.suffix in SUFFIXES
    ]
    files = [path for path in paths if path.parts[0] not in (_TABLES, _OUT)]
    hint = f"; infer it from {files[0]}" if len(files) == 1 else _near(table, list(tables))
    raise ToolError(f"no table is named {table}{hint}")


def _near(name: str, known: list[str]) -> str:
    meant = nearest(name, known)
    return f"; there is {meant}" if meant else ""


def _file_of(root: Path, table: str) -> Path:
    return root / _TABLES / f"{table}.jsonl"


def _stored(root: Path, table: str) -> list[Row]:
    file = _file_of(root, table)
    return read_rows(file, f"{_TABLES}/{file.name}") if file.exists() else []


def _positive(name: str, number: int) -> None:
    if not 1 <= number <= MAX_ROWS:
        raise ToolError(f"{name} is between 1 and {MAX_ROWS}")


def _line(row: Row) -> str:
    """A row as CSV writes it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row.values())
    return text.getvalue()


TOOLS: dict[str, Callable[..., dict[str, Any]]] = {
    tool.__name__: tool
    for tool in (infer_schema, preview_rows, generate_rows, validate_rows, anonymize_column, export_table)
}
