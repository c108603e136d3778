"""Sequences: later calls depend on earlier responses, and the last answer is grounded in them."""

from __future__ import annotations

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.phrasings import multistep_files, multistep_tables
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
    Scenario("generate_like_file", "sequence", _generate_like_file, multistep_tables.GENERATE_LIKE_FILE, weight=1.0),
    Scenario("generate_and_export", "sequence", _generate_and_export, multistep_tables.GENERATE_AND_EXPORT, weight=1.0),
    Scenario(
        "generate_export_validate",
        "sequence",
        _generate_export_validate,
        multistep_tables.GENERATE_EXPORT_VALIDATE,
        weight=1.2,
    ),
    Scenario(
        "validate_and_preview", "sequence", _validate_and_preview, multistep_files.VALIDATE_AND_PREVIEW, weight=1.0
    ),
    Scenario("mask_personal", "sequence", _mask_personal, multistep_files.MASK_PERSONAL, weight=1.1),
    Scenario(
        "generate_like_file_and_export",
        "sequence",
        _generate_like_file_and_export,
        multistep_tables.GENERATE_LIKE_FILE_AND_EXPORT,
        weight=0.7,
    ),
)
