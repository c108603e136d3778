"""Sequences: later calls depend on earlier responses, and the last answer is grounded in them."""

from __future__ import annotations

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.phrasings import multistep_files, multistep_tables
from fgbuild.domains.sample_data.planted import personal_columns, plain_columns
from fgbuild.domains.sample_data.turns import (
    anonymize,
    export,
    format_slots,
    generate,
    infer,
    joined,
    open_both,
    open_file,
    open_table,
    preview,
    validate,
)
from fgbuild.domains.scenario import Episode, Scenario, say
from fgbuild.domains.session import Session


def _generate_like_file(s: Session) -> Episode:
    path, count = s.pick(values.PATHS), s.number(2, 500)
    open_file(s, path, plain_columns(s, s.number(2, 3)))
    table = values.table_of(path)
    turns = joined(lambda: infer(s, path), lambda: generate(s, table, count))
    return Episode({"path": path, "count": count}, turns)


def _generate_and_export(s: Session) -> Episode:
    table, count, file_format = s.pick(values.TABLES), s.number(2, 500), s.choice(values.FORMATS)
    open_table(s, table, filled=0.3)
    turns = joined(lambda: generate(s, table, count), lambda: export(s, table, file_format))
    return Episode({"table": table, "count": count, **format_slots(file_format)}, turns)


def _generate_export_validate(s: Session) -> Episode:
    table, count, file_format = s.pick(values.TABLES), s.number(2, 500), s.choice(values.FORMATS)
    open_table(s, table, filled=0.4)
    made, saved = generate(s, table, count), export(s, table, file_format)
    checked = validate(s, saved.done.response["path"], table)
    turns = [*made.done.turns, *saved.done.turns, *checked.told]
    return Episode({"table": table, "count": count, **format_slots(file_format)}, turns)


def _validate_and_preview(s: Session) -> Episode:
    path, count = s.pick(values.PATHS), s.number(2, 60)
    table = values.table_of(path) if s.chance(0.4) else s.pick(values.TABLES)
    open_both(s, path, table)
    checked = validate(s, path, table)
    shown = [] if checked.done.failed else preview(s, path, count).done.turns
    turns = [*checked.done.turns, *shown, say(checked.verdict)]
    return Episode({"path": path, "table": table, "count": count}, turns)


def _mask_personal(s: Session) -> Episode:
    path, kind = s.pick(values.PATHS), s.choice(sorted(values.PERSONAL))
    column = s.choice(values.PERSONAL[kind])
    is_there = s.chance(0.9)
    open_file(s, path, personal_columns(s, column if is_there else None), most=200)
    found = infer(s, path)
    if found.done.failed:
        turns = found.told
    elif is_there:
        turns = [*found.done.turns, *anonymize(s, path, column).told]
    else:
        turns = [*found.done.turns, say(f"No column of {path} holds the {kind}.")]
    return Episode({"path": path, "kind": kind}, turns)


def _generate_like_file_and_export(s: Session) -> Episode:
    path, count, file_format = s.pick(values.PATHS), s.number(2, 500), s.choice(values.FORMATS)
    open_file(s, path, plain_columns(s, s.number(2, 3)))
    table = values.table_of(path)
    turns = joined(lambda: infer(s, path), lambda: generate(s, table, count), lambda: export(s, table, file_format))
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
