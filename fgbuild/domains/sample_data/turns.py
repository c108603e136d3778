"""Calls on a generated project, and what is said about their responses, that the sample-data scenarios share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.columns import Column
from fgbuild.domains.sample_data.planted import Fault, plain_columns, possible_faults, ruled_columns
from fgbuild.domains.sample_data.project import Project
from fgbuild.domains.scenario import Message, say
from fgbuild.domains.session import Done, Session, Step

WHICH_FILE = "Which file should I look at?"
WHICH_TABLE = "Which table do you mean?"
HOW_MANY = "How many rows should I generate?"
WHICH_FORMAT = "Which format: csv, json or parquet?"

THERE = 0.94
"""How often a request names a file, table or column that is there."""


def format_slots(file_format: str) -> dict[str, str]:
    """The two spellings a request may use: the tool's own, and the one of running text."""
    return {"format": file_format, "Format": values.FORMAT_TITLES[file_format]}


def open_project(s: Session, project: Project, *asked: str) -> None:
    """With a table and a file more. They are named unlike those that are there and, if they are not, those `asked` for:
    what is missing in a project is nowhere in it."""
    taken = {*map(values.table_of, asked), *project.tables, *map(values.table_of, project.data)}
    table, path = s.pick(values.TABLES), s.pick(values.PATHS)
    if table not in taken:
        project.table(s, table, ruled_columns(s, 3), s.number(0, 6))
    if values.table_of(path) not in {*taken, table}:
        project.file(s, path, plain_columns(s, 2), s.number(2, 8))
    s.open(project.files())


def open_file(s: Session, path: str, columns: Sequence[Column], most: int = 60) -> None:
    """A project with a data file of up to `most` rows, or, seldom, one without."""
    project = Project()
    if s.chance(THERE):
        project.file(s, path, columns, s.number(4, most))
    open_project(s, project, path)


def open_table(s: Session, *tables: str, filled: float, there: float = 1.0) -> None:
    """A project with these tables. filled: how often one has rows, a few of which may be invalid."""
    project = Project()
    for table in tables:
        if s.chance(there):
            columns = ruled_columns(s, s.number(2, 4))
            fault = _fault(s, columns, stored=True) if s.chance(0.3) else None
            project.table(s, table, columns, s.number(4, 60) if s.chance(filled) else 0, fault)
    open_project(s, project, *tables)


def open_both(s: Session, path: str, table: str) -> None:
    """A project with a table, and a file for it, in which half the time some rows are invalid.

    Seldom one is missing; not a table that is named after the file, for it could be made.
    """
    project, columns = Project(), ruled_columns(s, s.number(2, 4))
    if s.chance(THERE):
        project.file(s, path, columns, s.number(4, 300), _fault(s, columns) if s.chance(0.5) else None)
    if s.chance(THERE) or values.table_of(path) == table:
        project.table(s, table, columns)
    open_project(s, project, path, table)


def _fault(s: Session, columns: Sequence[Column], *, stored: bool = False) -> Fault:
    fault: Fault = s.choice(possible_faults(columns, stored=stored))
    return fault


def _step(done: Done, words: str, failed: str) -> Step:
    """words: the verdict, with the response's fields in braces."""
    response = done.response
    return Step(done, f"{failed}: {response['error']}." if done.failed else words.format_map(response))


def infer(s: Session, path: str) -> Step:
    return _step(s.call("infer_schema", path=path), "The columns are {columns}.", "No schema")


def preview(s: Session, path: str, count: int | None = None) -> Step:
    done = s.call("preview_rows", path=path, count=count)
    return _step(done, "Showing {shown} rows, the first is {first}.", "Nothing to show")


def generate(s: Session, table: str, count: int, seed: int | None = None) -> Step:
    done = s.call("generate_rows", table=table, count=count, seed=seed)
    return _step(done, "Generated {rows} rows for {table}.", "Nothing generated")


def validate(s: Session, path: str, table: str) -> Step:
    done = s.call("validate_rows", path=path, table=table)
    invalid = "{invalid} invalid, {reason}" if done.response.get("invalid") else "all valid"
    return _step(done, f"Checked {{rows}} rows: {invalid}.", "Not checked")


def anonymize(s: Session, path: str, column: str) -> Step:
    done = s.call("anonymize_column", path=path, column=column)
    return _step(done, f"Anonymized {{changed}} values in {column}.", "Nothing masked")


def export(s: Session, table: str, file_format: str) -> Step:
    done = s.call("export_table", table=table, format=file_format)
    return _step(done, f"Exported {table} to {{path}}.", "Not exported")


def joined(*steps: Callable[[], Step]) -> list[Message]:
    """The turns of steps, one after the other, up to one that fails; the last verdict is the answer."""
    turns: list[Message] = []
    for take in steps:
        step = take()
        turns += step.done.turns
        if step.done.failed:
            break
    return [*turns, say(step.verdict)]


def hinted(done: Done) -> str:
    """What an error says is there instead: "…; there is users"."""
    found = re.search(r"; (?:there is|infer it from) (.+)$", done.response["error"])
    assert found is not None, done.response
    return found[1]
