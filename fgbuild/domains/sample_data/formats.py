"""Data files: their rows and columns, read and written as CSV, TSV, JSON, JSONL or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pyarrow.types as kinds

from fgbuild.domains.sample_data.columns import Column, Row
from fgbuild.sandbox.tool import ToolError

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".parquet")
_ARROW = {
    "int": pa.int64(),
    "float": pa.float64(),
    "text": pa.string(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "bool": pa.bool_(),
}


def read_rows(file: Path, name: str) -> list[Row]:
    """A file's rows; values of CSV and TSV are text, or None where empty. ToolError, which calls the file `name`."""
    try:
        return _read_rows(file)
    except (ValueError, csv.Error, pa.ArrowException):
        raise _unreadable(file, name) from None


def read_columns(file: Path, name: str) -> tuple[Column, ...]:
    """A file's columns and the types that their values have. ToolError, which calls the file `name`."""
    try:
        table = _read_table(file)
    except (ValueError, csv.Error, pa.ArrowException):
        raise _unreadable(file, name) from None
    return tuple(
        Column(field.name, _type(field.type), optional=bool(values.null_count))
        for field, values in zip(table.schema, table.columns)
    )


def write_rows(file: Path, rows: Sequence[Row], columns: Sequence[Column] | None = None) -> None:
    """Write rows in the format that the file's suffix names.

    columns: those of the file; without them they are the first row's, and a Parquet file, which is there already, keeps
    its types. ValueError or pa.ArrowException where a value is not of its column's type, which Parquet alone asks.
    """
    names = schema = None
    if columns is not None:
        names = [column.name for column in columns]
        schema = pa.schema([(column.name, _ARROW[column.type]) for column in columns])
    elif file.suffix == ".parquet":
        schema = pa_parquet.read_schema(file)
    file.write_bytes(to_bytes(file.suffix, rows, names, schema))


def to_bytes(suffix: str, rows: Sequence[Row], names: Sequence[str] | None = None, schema: Any = None) -> bytes:
    """A file's content, the same for the same rows. names: of its columns; else the first row's. schema: Arrow's."""
    if suffix == ".parquet":
        schema = schema if schema is not None else pa.Table.from_pylist(list(rows)).schema
        table = pa.table([_arrow(rows, field) for field in schema], schema=schema)
        pa_parquet.write_table(table, content := io.BytesIO())
        return content.getvalue()
    text = io.StringIO(newline="")
    if suffix in _DELIMITERS:
        fields = list(rows[0] if names is None else names)
        writer = csv.DictWriter(text, fields, delimiter=_DELIMITERS[suffix], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif suffix == ".json":
        text.write("[" + ",".join(f"\n {_dumps(row)}" for row in rows) + "\n]\n")
    else:
        text.writelines(f"{_dumps(row)}\n" for row in rows)
    return text.getvalue().encode()


def _dumps(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, default=_spelled)


def _spelled(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _arrow(rows: Sequence[Row], field: Any) -> pa.Array:
    """The values of a column. Dates and times may be spelled as text, as JSON does."""
    values = [row.get(field.name) for row in rows]
    if kinds.is_temporal(field.type):
        return pa.array([None if value is None else _spelled(value) for value in values], pa.string()).cast(field.type)
    if kinds.is_nested(field.type) and any(isinstance(value, str) for value in values):
        raise ValueError("a text would be taken for a list of its letters")
    return pa.array(values, field.type)


def _unreadable(file: Path, name: str) -> ToolError:
    if file.suffix not in SUFFIXES:
        return ToolError(f"{name} is no csv, tsv, json, jsonl or parquet file")
    return ToolError(f"{name} is no valid {file.suffix[1:]} file")


def _read_rows(file: Path) -> list[Row]:
    if file.suffix == ".parquet":
        rows: list[Row] = pa_parquet.read_table(file, use_threads=False).to_pylist()
        return rows
    text = file.read_text("utf-8-sig")
    if delimiter := _DELIMITERS.get(file.suffix):
        found = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
        if any(None in row for row in found):
            raise ValueError("a row has more values than the header")
        return [{name: value or None for name, value in row.items()} for row in found]
    if file.suffix == ".jsonl":
        values = [json.loads(line) for line in text.split("\n") if line.strip()]
    elif file.suffix == ".json":
        values = json.loads(text)
    else:
        raise ValueError("no known format")
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise ValueError("no list of objects")
    return values


def _read_table(file: Path) -> pa.Table:
    """A file's rows with the types that its format has, or that its values show."""
    if file.suffix == ".parquet":
        return pa_parquet.read_table(file, use_threads=False)
    if delimiter := _DELIMITERS.get(file.suffix):
        return pa_csv.read_csv(
            file,
            pa_csv.ReadOptions(use_threads=False),
            pa_csv.ParseOptions(delimiter=delimiter),
            pa_csv.ConvertOptions(strings_can_be_null=True),
        )
    rows = _read_rows(file)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table([_array([row.get(name) for row in rows]) for name in names], names=names)


def _array(values: list[Any]) -> pa.Array:
    """JSON's values: text that spells a date everywhere is one, and what is of several types is text."""
    try:
        found = pa.array(values)
    except (pa.ArrowException, OverflowError):
        return pa.array([None if value is None else str(value) for value in values])
    for type_ in (_ARROW["date"], _ARROW["datetime"]) if kinds.is_string(found.type) else ():
        try:
            return found.cast(type_)
        except pa.ArrowInvalid:
            continue
    return found


def _type(found: pa.DataType) -> str:
    if kinds.is_integer(found):
        return "int"
    if kinds.is_floating(found) or kinds.is_decimal(found):
        return "float"
    if kinds.is_boolean(found):
        return "bool"
    if kinds.is_date(found):
        return "date"
    return "datetime" if kinds.is_timestamp(found) else "text"
