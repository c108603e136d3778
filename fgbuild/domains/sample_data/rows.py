"""Requests about the rows of a data file: check them against a table, mask a column."""

from __future__ import annotations

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.phrasings import checking
from fgbuild.domains.sample_data.turns import validated, validated_answer
from fgbuild.domains.scenario import ANSWERED_MIDWAY, Draw, Episode, Scenario, call, maybe_answered, result


def _validate(d: Draw) -> Episode:
    path, rows = d.pick(values.PATHS), d.number(20, 900)
    table = values.table_of(path) if d.chance(0.4) else d.pick(values.TABLES)
    invalid, fault = (0, "") if d.chance(0.5) else (d.number(2, 19), d.choice(values.FAULTS))
    return maybe_answered(
        d,
        {"path": path, "table": table},
        call("validate_rows", path=path, table=table),
        validated(rows, invalid, fault),
        validated_answer(rows, invalid, fault),
        ANSWERED_MIDWAY,
    )


def _anonymize(d: Draw) -> Episode:
    path, column, changed = d.pick(values.PATHS), d.pick(values.COLUMNS), d.number(20, 900)
    return maybe_answered(
        d,
        {"path": path, "column": column},
        call("anonymize_column", path=path, column=column),
        result("anonymize_column", changed=changed),
        f"Anonymized {changed} values in {column}.",
    )


SCENARIOS = (
    Scenario("validate", "single", _validate, checking.VALIDATE),
    Scenario("anonymize", "single", _anonymize, checking.ANONYMIZE),
)
