"""Tool responses and final answers that the sample-data scenarios share."""

from __future__ import annotations

from fgbuild.domains.sample_data import values
from fgbuild.domains.scenario import Message, result

WHICH_FILE = "Which file should I look at?"
WHICH_TABLE = "Which table do you mean?"
HOW_MANY = "How many rows should I generate?"
WHICH_FORMAT = "Which format: csv, json or parquet?"
NO_TOOL = "None of my tools can do that."


def format_slots(file_format: str) -> dict[str, str]:
    """The two spellings a request may use: the tool's own, and the one of running text."""
    return {"format": file_format, "Format": values.FORMAT_TITLES[file_format]}


def inferred(path: str, columns: str) -> Message:
    """infer_schema's response; the schema is kept under the table's name."""
    return result("infer_schema", table=values.table_of(path), columns=columns)


def generated(table: str, count: int) -> Message:
    """generate_rows' response."""
    return result("generate_rows", table=table, rows=count)


def generated_answer(table: str, count: int) -> str:
    return f"Generated {count} rows for {table}."


def exported_path(table: str, file_format: str) -> str:
    """Where export_table puts a table."""
    return f"out/{table}.{file_format}"


def exported(table: str, file_format: str) -> Message:
    """export_table's response."""
    return result("export_table", path=exported_path(table, file_format))


def exported_answer(table: str, file_format: str) -> str:
    return f"Exported {table} to {exported_path(table, file_format)}."


def validated(checked: int, invalid: int, fault: str) -> Message:
    """validate_rows' response; `fault` is empty when every row is valid."""
    return result("validate_rows", rows=checked, invalid=invalid, reason=fault)


def validated_answer(checked: int, invalid: int, fault: str) -> str:
    return f"Checked {checked} rows: {f'{invalid} invalid, {fault}' if invalid else 'all valid'}."
