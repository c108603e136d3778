"""Sequences: later calls depend on earlier responses, and the last answer is grounded in them."""

from __future__ import annotations

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.turns import (
    exported,
    exported_answer,
    exported_path,
    format_slots,
    generated,
    generated_answer,
    inferred,
    validated,
    validated_answer,
)
from fgbuild.domains.scenario import Draw, Episode, Scenario, call, result, say

GENERATE_LIKE_FILE = (
    "Generate {count} rows like those in {path}.",
    "Can you look at {path} and make {count} fake rows with the same schema?",
    "{count} rows shaped like {path}",
    "Infer the schema of {path}, then generate {count} rows for it.",
    "I need {count} more rows that look like {path}.",
    "Learn the columns of {path} and generate {count} rows from them.",
    "Please make {count} fake rows with the columns of {path}.",
    "Using {path} as a model, produce {count} sample rows.",
    "Could you find out the schema of {path} and fill its table with {count} rows?",
    "Create {count} synthetic rows with the same schema as {path}.",
    "Take the structure of {path} and generate {count} rows.",
    "How about {count} made-up records in the shape of {path}?",
    "We may not use the real {path}, so generate {count} rows that look the same.",
    "schema of {path}, then {count} fake rows for it",
    "Work out what columns {path} has and then generate {count} rows.",
    "Give me {count} fake records modelled on {path}.",
    "First infer the schema of {path}; after that generate {count} rows.",
    "Would you generate {count} rows similar to the ones in {path}?",
    "From {path}, derive the schema and make {count} rows.",
    "Generate {count} fake rows that have the same columns as {path}.",
    "Imitate {path} with {count} generated rows.",
    "Please infer what is in {path} and produce {count} rows of the same kind.",
    "{path} is my template, generate {count} rows after it.",
    "Can I have {count} sample rows based on the schema of {path}?",
    "Read the schema of {path} and create {count} rows that fit it.",
)

GENERATE_AND_EXPORT = (
    "Generate {count} rows for {table} and export them as {format}.",
    "Can you make {count} fake rows for {table} and save the table as {Format}?",
    "generate {count} {table}, export {format}",
    "Please create {count} sample rows in {table}, then write it to a {format} file.",
    "I need {count} rows of test data for {table} as a {Format} file.",
    "Fill {table} with {count} rows and export it to {format}",
    "Could I have {count} made-up {table} records in {Format} format?",
    "Put {count} fake rows in {table} and dump the table as {format}.",
    "{count} rows for {table}, then {format} export",
    "Create {count} records for {table} and then export the table in {Format}.",
    "For {table}, generate {count} rows and save them in {format} format.",
    "Would you produce {count} rows of {table} data and export it as {Format}?",
    "Populate {table} with {count} rows, afterwards export it to {format}.",
    "{table}: {count} fake rows, saved as {format}",
    "Make up {count} entries for {table} and give me a {Format} file of it.",
    "My colleague wants a {format} file with {count} fake rows of {table}.",
    "Add {count} synthetic rows to {table} and then store the table as {format}.",
    "As {Format}, please: {count} generated rows of {table}.",
    "Generate a {format} file with {count} rows of {table}.",
    "Produce {count} sample records for {table} and export {table} as {Format}.",
    "Two steps: {count} rows for {table}, then an export to {format}.",
    "I'd like {count} generated rows for {table}, exported as {format}.",
    "Please generate test data, {count} rows in {table}, and write a {Format} file.",
    "How about {count} dummy rows in {table} and a {format} export after that?",
    "Mock {count} rows for {table} and output the table as {format}.",
)

GENERATE_EXPORT_VALIDATE = (
    "Generate {count} rows for {table}, export them as {format} and validate the file.",
    "Can you make {count} fake rows for {table}, save it as {Format} and then check that file?",
    "generate {count} {table}, export {format}, validate",
    "Please create {count} rows in {table}, write a {format} file, and verify it against the schema.",
    "I need {count} rows for {table} in a {Format} file that has been validated.",
    "Fill {table} with {count} rows, export it to {format}, then validate the export",
    "Could I have {count} made-up {table} records in {Format} format, with the file checked too?",
    "Put {count} fake rows in {table}, dump the table as {format}, and check the dump.",
    "{count} rows for {table}, {format} export, then validation",
    "Create {count} records for {table}, export the table in {Format} and validate the result.",
    "For {table}: generate {count} rows, save them in {format} format, validate what was saved.",
    "Would you produce {count} rows of {table} data, export it as {Format} and verify the file?",
    "Populate {table} with {count} rows, export it to {format}, and make sure the file is valid.",
    "{table}: {count} fake rows, saved as {format}, then checked",
    "Make up {count} entries for {table}, export them to {Format} and check the exported file.",
    "My colleague wants a {format} file with {count} fake rows of {table}; validate it before I send it.",
    "Add {count} synthetic rows to {table}, store the table as {format} and validate the stored file.",
    "As {Format}, export {count} generated rows of {table}, and validate the file afterwards.",
    "Generate {count} rows of {table}, write a {format} file and check whether it is valid.",
    "Produce {count} sample records for {table}, export as {Format}, then validate the file.",
    "Three steps: {count} rows for {table}, an export to {format}, a validation of the file.",
    "I'd like {count} generated rows for {table}, exported as {format} and validated.",
    "Please generate {count} rows in {table}, write a {Format} file, and tell me if it is valid.",
    "How about {count} dummy rows in {table}, a {format} export, and a check of the export?",
    "Mock {count} rows for {table}, output the table as {format} and verify the output.",
)

VALIDATE_AND_PREVIEW = (
    "Validate {path} against {table} and then preview {count} rows.",
    "Can you check {path} against the {table} table and show me its first {count} rows?",
    "validate {path} {table}, then head {count}",
    "Please verify {path} against {table}, then let me see {count} rows of it.",
    "I want {path} checked against {table} and after that the top {count} rows.",
    "Check that {path} is valid for {table} and show {count} rows",
    "Do the rows in {path} match {table}? Show me {count} of them too.",
    "First validate {path} with the {table} schema, then print its first {count} records.",
    "{path}: valid for {table}? then preview {count} rows",
    "Check {path} against {table}, then show {count} rows.",
    "Compare {path} with the schema of {table} and display the first {count} rows.",
    "Would you validate {path} against {table}, and preview {count} rows afterwards?",
    "Before I load {path} into {table}, check it and show me {count} rows.",
    "check {path} against {table} and show {count} rows",
    "Find out whether {path} fits {table}, then show the first {count} rows.",
    "Test {path} against {table} and print {count} of its rows.",
    "Does {path} conform to {table}, and what do its first {count} rows look like?",
    "Do two things with {path}: validate it for {table}, then preview {count} rows.",
    "Using the {table} schema, validate {path}; then give me a look at {count} rows.",
    "Verify {path} against {table} and preview {count} rows.",
    "Please check {path} for table {table} and follow up with a preview of {count} rows.",
    "I suspect {path} has bad rows; check it against {table} and show me {count} rows.",
    "Validate {path} for {table}, and then display {count} records from it.",
    "Could you make sure {path} fits {table} and let me see the top {count} rows?",
    "After validating {path} against {table}, show {count} rows of the file.",
)

MASK_PERSONAL = (
    "Find the column with the {kind} in {path} and anonymize it.",
    "Which column of {path} holds the {kind}? Please mask it.",
    "{path}: find and mask the {kind} column",
    "Look at the columns of {path} and anonymize whichever holds the {kind}.",
    "I don't know what the {kind} column in {path} is called, but mask it.",
    "Infer the schema of {path}, then anonymize the {kind}.",
    "Could you hide whatever column has the {kind} in {path}?",
    "Check which column in {path} is the {kind} and anonymize that one.",
    "Somewhere in {path} there is a {kind}; find the column and mask it.",
    "Find out which column of {path} contains the {kind}, then mask it.",
    "Mask the column in {path} that stores the {kind}.",
    "Is there a column with the {kind} in {path}? If so, anonymize it.",
    "Before I share {path}: find the {kind} column and anonymize it.",
    "find {kind} in {path} and anonymize",
    "Go through the columns of {path} and mask the one for the {kind}.",
    "Please look up the column with the {kind} in {path} and replace its values.",
    "In {path}, find the field for the {kind} and mask it.",
    "Would you search {path} for the {kind} column and anonymize it?",
    "Whatever the {kind} column in {path} is named, anonymize it.",
    "Look at {path}, find which column is the {kind} and anonymize it.",
    "Get the columns of {path} and anonymize the {kind} one.",
    "The {kind} must not stay in {path}: find its column and mask it.",
    "Work out which field in {path} is the {kind} and hide it.",
    "Can you detect the {kind} column in {path} and mask it for me?",
    "Detect the column that has the {kind} in {path}, and mask it.",
)

GENERATE_LIKE_FILE_AND_EXPORT = (
    "Generate {count} rows like those in {path} and export them as {format}.",
    "Can you look at {path}, make {count} fake rows with the same schema and save them as {Format}?",
    "{count} rows shaped like {path}, then {format} export",
    "Infer the schema of {path}, generate {count} rows for it and export the table as {format}.",
    "I need {count} more rows that look like {path}, in a {Format} file.",
    "Learn the columns of {path}, generate {count} rows and write a {format} file.",
    "Please make {count} fake rows with the columns of {path} and export them to {Format}.",
    "Using {path} as a model, produce {count} sample rows and save the table as {format}.",
    "Could you find out the schema of {path}, fill its table with {count} rows and dump it as {format}?",
    "Create {count} synthetic rows with the same schema as {path} and export the table as {Format}.",
    "Take the structure of {path}, generate {count} rows and export to {format}.",
    "How about {count} made-up records in the shape of {path}, exported as {Format}?",
    "We may not use the real {path}, so generate {count} rows that look the same and save a {format} file.",
    "schema of {path}, {count} fake rows for it, export as {format}",
    "Work out what columns {path} has, generate {count} rows, and then export them as {Format}.",
    "Give me {count} fake records modelled on {path} as a {format} file.",
    "First infer the schema of {path}, then generate {count} rows, and finally export to {Format}.",
    "Would you generate {count} rows similar to the ones in {path} and export the table to {format}?",
    "From {path}, derive the schema, make {count} rows and store them as {format}.",
    "Generate {count} fake rows with the same columns as {path} and write them to a {Format} file.",
    "Imitate {path} with {count} generated rows and output {format}.",
    "Please infer what is in {path}, produce {count} rows of the same kind and export as {Format}.",
    "{path} is my template, generate {count} rows after it and save them in {format} format.",
    "Can I have {count} sample rows based on the schema of {path}, exported to {format}?",
    "Read the schema of {path}, create {count} rows that fit it and export them as {Format}.",
)


def _columns(d: Draw) -> str:
    return ", ".join(d.sample(values.TYPED_COLUMNS, 2))


def _generate_like_file(d: Draw) -> Episode:
    path, count = d.pick(values.PATHS), d.number(2, 500)
    table = values.table_of(path)
    turns = [
        call("infer_schema", path=path),
        inferred(path, _columns(d)),
        call("generate_rows", table=table, count=count),
        generated(table, count),
        say(generated_answer(table, count)),
    ]
    return Episode({"path": path, "count": count}, turns)


def _generate_and_export(d: Draw) -> Episode:
    table, count, file_format = d.pick(values.TABLES), d.number(2, 500), d.choice(values.FORMATS)
    turns = [
        call("generate_rows", table=table, count=count),
        generated(table, count),
        call("export_table", table=table, format=file_format),
        exported(table, file_format),
        say(exported_answer(table, file_format)),
    ]
    return Episode({"table": table, "count": count, **format_slots(file_format)}, turns)


def _generate_export_validate(d: Draw) -> Episode:
    table, count, file_format = d.pick(values.TABLES), d.number(2, 500), d.choice(values.FORMATS)
    turns = [
        call("generate_rows", table=table, count=count),
        generated(table, count),
        call("export_table", table=table, format=file_format),
        exported(table, file_format),
        call("validate_rows", path=exported_path(table, file_format), table=table),
        validated(count, 0, ""),
        say(validated_answer(count, 0, "")),
    ]
    return Episode({"table": table, "count": count, **format_slots(file_format)}, turns)


def _validate_and_preview(d: Draw) -> Episode:
    path, count, rows = d.pick(values.PATHS), d.number(2, 60), d.number(100, 900)
    table = values.table_of(path) if d.chance(0.4) else d.pick(values.TABLES)
    invalid, fault = (0, "") if d.chance(0.5) else (d.number(2, 19), d.choice(values.FAULTS))
    turns = [
        call("validate_rows", path=path, table=table),
        validated(rows, invalid, fault),
        call("preview_rows", path=path, count=count),
        result("preview_rows", shown=count, first=d.pick(values.FIRST_ROWS)),
        say(validated_answer(rows, invalid, fault)),
    ]
    return Episode({"path": path, "table": table, "count": count}, turns)


def _mask_personal(d: Draw) -> Episode:
    path, kind, changed = d.pick(values.PATHS), d.choice(sorted(values.PERSONAL)), d.number(20, 900)
    column = d.choice(values.PERSONAL[kind])
    columns = [values.typed(column), *d.sample(values.OTHER_TYPED_COLUMNS, 2)]
    d.rng.shuffle(columns)
    turns = [
        call("infer_schema", path=path),
        inferred(path, ", ".join(columns)),
        call("anonymize_column", path=path, column=column),
        result("anonymize_column", changed=changed),
        say(f"Anonymized {changed} values in {column}."),
    ]
    return Episode({"path": path, "kind": kind}, turns)


def _generate_like_file_and_export(d: Draw) -> Episode:
    path, count, file_format = d.pick(values.PATHS), d.number(2, 500), d.choice(values.FORMATS)
    table = values.table_of(path)
    turns = [
        call("infer_schema", path=path),
        inferred(path, _columns(d)),
        call("generate_rows", table=table, count=count),
        generated(table, count),
        call("export_table", table=table, format=file_format),
        exported(table, file_format),
        say(exported_answer(table, file_format)),
    ]
    return Episode({"path": path, "count": count, **format_slots(file_format)}, turns)


SCENARIOS = (
    Scenario("generate_like_file", "sequence", _generate_like_file, GENERATE_LIKE_FILE, weight=1.0),
    Scenario("generate_and_export", "sequence", _generate_and_export, GENERATE_AND_EXPORT, weight=1.0),
    Scenario("generate_export_validate", "sequence", _generate_export_validate, GENERATE_EXPORT_VALIDATE, weight=0.8),
    Scenario("validate_and_preview", "sequence", _validate_and_preview, VALIDATE_AND_PREVIEW, weight=1.0),
    Scenario("mask_personal", "sequence", _mask_personal, MASK_PERSONAL, weight=1.1),
    Scenario(
        "generate_like_file_and_export",
        "sequence",
        _generate_like_file_and_export,
        GENERATE_LIKE_FILE_AND_EXPORT,
        weight=0.7,
    ),
)
