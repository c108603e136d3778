"""Requests that look into a data file: its schema, or its first rows."""

from __future__ import annotations

from functools import partial

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.turns import inferred
from fgbuild.domains.scenario import Draw, Episode, Scenario, call, calls, maybe_answered, result, results, say

INFER = (
    "Infer the schema of {path}.",
    "What columns does {path} have?",
    "schema of {path}",
    "Could you tell me the column types in {path}?",
    "I need to know which fields {path} contains.",
    "Show the schema for {path}",
    "{path} columns?",
    "Please find out how {path} is structured.",
    "Which data types are used in {path}?",
    "Detect the columns and types of {path}.",
    "Before loading {path} I want to know its columns.",
    "What does the structure of {path} look like?",
    "columns of {path}",
    "Would you work out the schema of {path}, please?",
    "Get the column names and types from {path}.",
    "Look at {path} and tell me its fields.",
    "Is there an id column in {path}? Show me the schema.",
    "Derive a schema from {path}.",
    "Someone sent me {path} and I don't know what columns are in it.",
    "{path}: which columns and types?",
    "List the fields of {path}",
    "How is the data in {path} typed?",
    "From {path}, infer the column types.",
    "Describe the columns of {path}, please.",
    "What fields are in {path}?",
    "infer schema {path}",
    "Can you figure out what types the columns of {path} have?",
    "I'd like the schema of {path}.",
    "Analyze {path} and give me its column types.",
    "Please show me which columns are in {path}.",
    "What types do the columns in {path} have?",
    "Find the columns and types of {path}.",
    "column types {path}",
    "Which columns does {path} contain?",
    "Could you infer the schema for {path}?",
    "Tell me how {path} is organized, which fields and types.",
    "I'm about to import {path}; what is its schema?",
    "Look up the columns in {path}.",
    "Can you list the column names of {path}?",
    "Give me the schema of the file {path}.",
)

PREVIEW = (
    "Preview {path}.",
    "Can you show me the first rows of {path}?",
    "head {path}",
    "Please let me see some rows of {path}.",
    "I want to look at the top of {path}.",
    "Show a few rows of {path}",
    "What do the rows in {path} look like?",
    "Print the beginning of {path}.",
    "{path} preview",
    "Could I get a quick look at the rows in {path}?",
    "Display the first lines of {path}.",
    "What is at the start of {path}?",
    "Just give me a glance at the data in {path}.",
    "first rows of {path}",
    "Would you preview the data in {path}, please?",
    "Open {path} and show me its first rows.",
    "Take a peek at {path}.",
    "I got {path} from a colleague, let me see how the rows look.",
    "Show what some records in {path} look like.",
    "Please print the top rows of {path}.",
    "{path}: show the first rows",
    "Give me a preview of the rows in {path}.",
    "How does the data in {path} look? Show some of it.",
    "peek at {path}",
    "I'd like to see the first few records of {path}.",
    "Let me have a look inside {path}.",
    "Could you print some rows of {path}?",
    "top of {path}",
    "Give me a look at a few records in {path}.",
    "I want to see some rows from {path}.",
    "View the data in {path}.",
    "Please preview the file {path}.",
    "How do the records of {path} look?",
    "Show me a sample of {path}.",
    "Can you display the first records in {path}?",
)

PREVIEW_COUNT = (
    "Preview {count} rows of {path}.",
    "Can you show me the first {count} rows of {path}?",
    "head {path} {count}",
    "Please let me see {count} rows of {path}.",
    "I want to look at the top {count} rows of {path}.",
    "Show {count} rows of {path}",
    "What do the first {count} rows in {path} look like?",
    "Print the first {count} records of {path}.",
    "{path} preview, {count} rows",
    "Could I get a quick look at {count} rows in {path}?",
    "Display the first {count} lines of {path}.",
    "What is in the first {count} rows of {path}?",
    "Just give me a glance at {count} records in {path}.",
    "first {count} rows of {path}",
    "Would you preview {count} rows of the data in {path}, please?",
    "Open {path} and show me its first {count} rows.",
    "Take a peek at {count} rows of {path}.",
    "I got {path} from a colleague, let me see {count} of its rows.",
    "From {path}, show {count} records.",
    "Please print the top {count} rows of {path}.",
    "{path}: show the first {count} rows",
    "Give me a preview of {path} with {count} rows.",
    "How does the data in {path} look? Show {count} rows of it.",
    "peek at {count} rows in {path}",
    "I'd like to see the first {count} records of {path}.",
    "Let me have a look at {count} rows inside {path}.",
    "Could you print {count} rows of {path}?",
    "top {count} of {path}",
    "Give me a look at {count} records in {path}.",
    "I want to see {count} rows from {path}.",
    "View {count} rows of the data in {path}.",
    "Please preview the first {count} rows of the file {path}.",
    "How do the first {count} records of {path} look?",
    "Show me {count} lines of {path}.",
    "Can you display {count} records in {path}?",
)

TWO_SCHEMAS = (
    "Infer the schemas of {path} and {other}.",
    "What columns do {path} and {other} have?",
    "schema of {path} and {other}",
    "Could you tell me the column types in {path} and in {other}?",
    "I need to know which fields {path} and {other} contain.",
    "Show the schema for both {path} and {other}",
    "{path}, {other}: columns?",
    "Please find out how {path} and {other} are structured.",
    "Which data types are used in {path} and {other}?",
    "Detect the columns of {path} and of {other}.",
    "Before joining {path} with {other} I want to know the columns of both.",
    "What does the structure of {path} and {other} look like?",
    "columns of {path} and {other}",
    "Would you work out the schemas of {path} and {other}, please?",
    "Get the column types from {path} and also from {other}.",
    "Look at {path} and {other} and tell me their fields.",
    "Do {path} and {other} share columns? Show me both schemas.",
    "Derive a schema from {path} and another from {other}.",
    "Someone sent me {path} and {other}, what columns are in them?",
    "Show me the schemas of {path} and {other}.",
    "List the fields of {path} and {other}",
    "How is the data in {path} and {other} typed?",
    "From {path} and {other}, infer the column types.",
    "Describe the columns of {path} and those of {other}, please.",
    "What fields are in {path} and {other}?",
)


def _infer(d: Draw) -> Episode:
    path, columns = d.pick(values.PATHS), ", ".join(d.sample(values.TYPED_COLUMNS, 2))
    return maybe_answered(
        d,
        {"path": path},
        call("infer_schema", path=path),
        inferred(path, columns),
        f"The columns are {columns}.",
    )


def _preview(d: Draw, counted: bool) -> Episode:
    path, first = d.pick(values.PATHS), d.pick(values.FIRST_ROWS)
    count = d.number(2, 90) if counted else None
    return maybe_answered(
        d,
        {"path": path, **({"count": count} if count else {})},
        call("preview_rows", path=path, count=count),
        result("preview_rows", shown=count or 5, first=first),
        f"Showing {count or 5} rows, the first is {first}.",
    )


def _two_schemas(d: Draw) -> Episode:
    paths = d.sample(values.PATHS, 2)
    turns = [calls(*(("infer_schema", {"path": path}) for path in paths))]
    if d.chance(0.5):
        found = d.sample(values.TYPED_COLUMNS, 2)
        turns.append(
            results(*(("infer_schema", {"table": values.table_of(p), "columns": c}) for p, c in zip(paths, found)))
        )
        turns.append(say(f"{paths[0]} has {found[0]}, {paths[1]} has {found[1]}."))
    return Episode({"path": paths[0], "other": paths[1]}, turns)


SCENARIOS = (
    Scenario("infer", "single", _infer, INFER),
    Scenario("preview", "single", partial(_preview, counted=False), PREVIEW),
    Scenario("preview_count", "single", partial(_preview, counted=True), PREVIEW_COUNT),
    Scenario("two_schemas", "parallel", _two_schemas, TWO_SCHEMAS, weight=1.3),
)
