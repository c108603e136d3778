"""Requests about the rows of a data file: check them against a table, mask a column."""

from __future__ import annotations

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.turns import validated, validated_answer
from fgbuild.domains.scenario import Draw, Episode, Scenario, call, maybe_answered, result

VALIDATE = (
    "Validate {path} against the {table} table.",
    "Do the rows in {path} match the schema of {table}?",
    "validate {path} {table}",
    "Could you check {path} against {table}?",
    "I need to know whether {path} fits the {table} table.",
    "Check that {path} is valid for {table}",
    "Are all rows of {path} valid for the table {table}?",
    "Please verify {path} against the {table} schema.",
    "{path}: valid for {table}?",
    "Does {path} conform to {table}?",
    "Compare the rows of {path} with the schema of {table}.",
    "Would the rows in {path} be accepted by the {table} table?",
    "Before I load {path} into {table}, check its rows.",
    "check {path} against {table}",
    "Find rows in {path} that do not fit the {table} table.",
    "Test {path} against the schema of {table}.",
    "Is {path} a correct file for the table {table}?",
    "Can you validate the data in {path} using {table}, please?",
    "Which rows in {path} break the {table} schema?",
    "Using the {table} schema, validate {path}.",
    "For the {table} table, check whether {path} has invalid rows.",
    "I suspect {path} has bad rows; check it against {table}.",
    "Run a check of {path} against table {table}.",
    "Do I have invalid rows in {path}? The table is {table}.",
    "Make sure the rows of {path} fit {table}.",
    "{table} schema: check {path}",
    "Please tell me if {path} is valid data for {table}.",
    "Verify that {path} follows the {table} schema.",
    "Will {path} pass validation for {table}?",
    "I'd like {path} validated against {table}.",
    "Is {path} valid against {table}?",
    "Please check whether {path} matches the {table} table.",
    "{path} vs {table} schema",
    "Can you make sure {path} fits the schema of {table}?",
    "Look for invalid rows in {path}, the table is {table}.",
)

ANONYMIZE = (
    "Anonymize the {column} column in {path}.",
    "Can you mask {column} in {path}?",
    "anonymize {column} {path}",
    "Please replace the real values of {column} in {path} with fake ones.",
    "The column {column} of {path} holds personal data, hide it.",
    "In {path}, anonymize {column}",
    "Could you scramble the {column} values in {path}?",
    "Mask the column {column} of {path}.",
    "{path}: mask {column}",
    "I have to share {path}, so anonymize {column} first.",
    "Hide the values of {column} in {path}.",
    "Would you pseudonymize {column} in {path}, please?",
    "For privacy reasons, mask {column} in {path}.",
    "mask {column} in {path}",
    "Remove the personal values from the {column} column of {path}.",
    "Redact {column} in {path}.",
    "Can the {column} column in {path} be anonymized?",
    "Nobody should see {column} in {path}; please mask it.",
    "From {path}, anonymize the column {column}.",
    "Make the {column} column in {path} anonymous.",
    "Obscure {column} in the file {path}.",
    "How about masking {column} in {path}?",
    "Swap the values in {column} of {path} for made-up ones.",
    "{column} in {path} is sensitive, anonymize that column.",
    "Please anonymize {path}, column {column}.",
    "GDPR: anonymize {column} in {path}",
    "Go through {path} and mask every value of {column}.",
    "I'd like {column} in {path} anonymized.",
    "Replace {column} with fake values in {path}.",
    "Could you hide the {column} column of {path}?",
    "Please mask the {column} column of {path}.",
    "Can you anonymize {column} in the file {path}?",
    "hide {column} {path}",
    "I need {column} masked in {path}.",
    "The values of {column} in {path} are private, mask them.",
)


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
    Scenario("validate", "single", _validate, VALIDATE),
    Scenario("anonymize", "single", _anonymize, ANONYMIZE),
)
