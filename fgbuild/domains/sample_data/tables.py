"""Requests about one table: generate rows, with and without a seed, and export it to a file."""

from __future__ import annotations

from functools import partial

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.turns import (
    exported,
    exported_answer,
    format_slots,
    generated,
    generated_answer,
)
from fgbuild.domains.scenario import Draw, Episode, Scenario, call, calls, maybe_answered, results, say

GENERATE = (
    "Generate {count} rows for {table}.",
    "Can you make {count} fake rows for the {table} table?",
    "generate {count} {table}",
    "Please create {count} sample rows in {table}.",
    "I need {count} rows of test data for {table}.",
    "Fill {table} with {count} rows",
    "Could I have {count} made-up records for {table}?",
    "The {table} table is empty, put {count} fake rows in it.",
    "{count} rows for {table} please",
    "Create {count} records for the table {table}.",
    "For {table}, generate {count} rows.",
    "Would you produce {count} rows of {table} data?",
    "Populate the {table} table with {count} rows.",
    "{table}: {count} fake rows",
    "Make up {count} entries for {table}.",
    "We demo {table} tomorrow and want {count} sample rows.",
    "Add {count} synthetic rows to {table}.",
    "Can {table} get {count} random rows?",
    "Give me {count} rows of fake {table} data.",
    "Produce {count} sample records for {table}.",
    "Seed data wanted: {count} rows in {table}.",
    "I'd like {count} generated rows for the {table} table.",
    "sample data for {table}, {count} rows",
    "Please generate test data: {count} rows, table {table}.",
    "Could you fill the table {table} with {count} fake records?",
    "Mock {count} rows for {table}.",
    "How about {count} dummy rows in {table}?",
    "In {table} I need {count} dummy records.",
    "Invent {count} rows for the {table} table, please.",
    "{table} needs {count} rows of sample data.",
    "I want {count} fake rows in {table}.",
    "Can you generate {count} records for {table}?",
    "make {count} rows {table}",
    "Write {count} random rows into the {table} table.",
    "Let's have {count} test rows in {table}.",
    "Fill the table {table} with {count} made-up rows.",
    "Please add {count} rows of sample data to {table}.",
    "Get me {count} fake records of {table}.",
    "Would you create {count} rows for the {table} table?",
    "Generate test data for {table}, {count} rows.",
)

GENERATE_SEEDED = (
    "Generate {count} rows for {table} with seed {seed}.",
    "Can you make {count} fake rows for the {table} table using seed {seed}?",
    "generate {count} {table} seed {seed}",
    "Please create {count} sample rows in {table}, random seed {seed}.",
    "I need {count} rows of test data for {table}, the seed should be {seed}.",
    "With seed {seed}, fill {table} with {count} rows",
    "Could I have {count} made-up records for {table} from seed {seed}?",
    "The {table} table is empty, put {count} fake rows in it and use {seed} as the seed.",
    "{count} rows for {table} please, seed={seed}",
    "Create {count} records for the table {table}, with {seed} as the seed.",
    "Use seed {seed} and generate {count} rows for {table}.",
    "Would you produce {count} rows of {table} data, seeded with {seed}?",
    "Populate the {table} table with {count} rows; seed {seed}.",
    "{table}: {count} fake rows, seed {seed}",
    "Make up {count} entries for {table} with the random seed {seed}.",
    "It must be repeatable, so generate {count} rows for {table} with seed {seed}.",
    "Seed {seed}: add {count} synthetic rows to {table}.",
    "Can {table} get {count} random rows from seed {seed}?",
    "Set the seed to {seed} and give me {count} rows of fake {table} data.",
    "Produce {count} sample records for {table}, seed {seed}.",
    "Seed the generator with {seed} and write {count} rows to {table}.",
    "I'd like {count} generated rows for the {table} table, random seed {seed}.",
    "sample data for {table}, {count} rows, seed {seed}",
    "Please generate test data: {count} rows, table {table}, seed {seed}.",
    "Could you fill the table {table} with {count} fake records, using {seed} as random seed?",
    "Mock {count} rows for {table} with a seed of {seed}.",
    "How about {count} dummy rows in {table} with seed {seed}?",
    "In {table} I need {count} dummy records (seed {seed}).",
    "Invent {count} rows for the {table} table with seed {seed}, please.",
    "{table} needs {count} rows of sample data, made with seed {seed}.",
    "I want {count} fake rows in {table}, seed {seed}.",
    "Can you generate {count} records for {table} with random seed {seed}?",
    "make {count} rows {table}, seed {seed}",
    "Write {count} random rows into the {table} table with seed {seed}.",
    "Let's have {count} test rows in {table} from the seed {seed}.",
    "Using seed {seed}, fill the table {table} with {count} made-up rows.",
    "Please add {count} rows of sample data to {table}; use seed {seed}.",
    "Get me {count} fake records of {table}, seeded with {seed}.",
    "Would you create {count} rows for the {table} table with {seed} as the random seed?",
    "Generate test data for {table}, {count} rows, seed {seed}.",
)

EXPORT = (
    "Export {table} as {format}.",
    "Can you save the {table} table as {Format}?",
    "export {table} {format}",
    "Please write {table} to a {format} file.",
    "I want the {table} table as a {Format} file.",
    "Save {table} in {format} format",
    "Could I get {table} as {Format}?",
    "Turn the table {table} into a {format} file.",
    "{table} to {format}",
    "Export the table {table} to {Format}, please.",
    "Dump {table} as {format}.",
    "Would you export the {table} table in {Format} format?",
    "My colleague needs {table} as {format}, please export it.",
    "{format} export of {table}",
    "Store the {table} table as {format}.",
    "To {format}, please export {table}.",
    "Make a {Format} file from the {table} table.",
    "How about a {format} export of the table {table}?",
    "Write the {table} table out in {Format}.",
    "Download the {table} table as {format}.",
    "I'd like {table} exported as {format}.",
    "Produce a {format} file with everything in {table}.",
    "as {Format}: {table}",
    "Put {table} into a {format} file for me.",
    "Can the table {table} be exported to {format}?",
    "Output {table} as {Format}.",
    "We load {format} files only, so export {table} that way.",
    "Convert the {table} table to a {format} file.",
    "Please save {table} to {Format}.",
    "Give me a {format} file of the {table} table.",
    "I need {table} in {Format}.",
    "Could you export {table} to a {format} file?",
    "save {table} {format}",
    "Let me have the {table} table as {Format}.",
    "Create a {format} file out of {table}.",
    "Please export the table {table} in {format} format.",
    "Can I have the {table} table in {Format} format?",
    "Write {table} as {format}.",
    "Get {table} out as a {Format} file.",
    "Save the table {table} as a {format} file.",
)

TWO_TABLES = (
    "Generate {count} rows for {table} and {more} rows for {other}.",
    "Can you make {count} fake rows for {table} and {more} for {other}?",
    "generate {count} {table}, {more} {other}",
    "Please create {count} sample rows in {table} and {more} in {other}.",
    "I need {count} rows of test data for {table} and {more} for {other}.",
    "Fill {table} with {count} rows and {other} with {more} rows",
    "Could I have {count} made-up records for {table}, and {more} for {other}?",
    "The tables {table} and {other} are empty, put {count} rows in the first and {more} in the second.",
    "{count} rows for {table} and {more} rows for {other} please",
    "Create {count} records for {table} and also {more} for {other}.",
    "For {table} generate {count} rows, for {other} {more} rows.",
    "Would you produce {count} rows of {table} data and {more} rows of {other} data?",
    "Populate {table} with {count} rows, then {other} with {more}.",
    "{table}: {count} fake rows, {other}: {more} fake rows",
    "Make up {count} entries for {table} and {more} entries for {other}.",
    "We demo tomorrow and want {count} rows in {table} and {more} rows in {other}.",
    "Add {count} synthetic rows to {table} and {more} to {other}.",
    "Can {table} get {count} random rows and {other} {more}?",
    "Give me {count} rows of fake {table} data and {more} of fake {other} data.",
    "Produce {count} sample records for {table} and {more} for {other}.",
    "Two tables: {count} rows in {table}, {more} rows in {other}.",
    "I'd like {count} generated rows for {table} and {more} for {other}.",
    "sample data for {table}, {count} rows, and for {other}, {more} rows",
    "Please generate {count} rows for the {table} table plus {more} for the {other} table.",
    "Could you fill {table} with {count} fake records and {other} with {more}?",
)


def _generate(d: Draw, seeded: bool) -> Episode:
    table, count = d.pick(values.TABLES), d.number(2, 999)
    seed = d.number(1, 9999) if seeded else None
    return maybe_answered(
        d,
        {"table": table, "count": count, **({"seed": seed} if seeded else {})},
        call("generate_rows", table=table, count=count, seed=seed),
        generated(table, count),
        generated_answer(table, count),
    )


def _export(d: Draw) -> Episode:
    table, file_format = d.pick(values.TABLES), d.choice(values.FORMATS)
    return maybe_answered(
        d,
        {"table": table, **format_slots(file_format)},
        call("export_table", table=table, format=file_format),
        exported(table, file_format),
        exported_answer(table, file_format),
    )


def _two_tables(d: Draw) -> Episode:
    tables, counts = d.sample(values.TABLES, 2), (d.number(2, 500), d.number(2, 500))
    pairs = list(zip(tables, counts))
    turns = [calls(*(("generate_rows", {"table": table, "count": count}) for table, count in pairs))]
    if d.chance(0.5):
        turns.append(results(*(("generate_rows", {"table": table, "rows": count}) for table, count in pairs)))
        turns.append(say(f"Generated {counts[0]} rows for {tables[0]} and {counts[1]} for {tables[1]}."))
    slots = {"table": tables[0], "count": counts[0], "other": tables[1], "more": counts[1]}
    return Episode(slots, turns)


SCENARIOS = (
    Scenario("generate", "single", partial(_generate, seeded=False), GENERATE, weight=1.2),
    Scenario("generate_seeded", "single", partial(_generate, seeded=True), GENERATE_SEEDED),
    Scenario("export", "single", _export, EXPORT, weight=1.2),
    Scenario("two_tables", "parallel", _two_tables, TWO_TABLES, weight=1.3),
)
