"""Requests about one table: generate rows, with and without a seed, and export it to a file."""

from __future__ import annotations

from functools import partial

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.phrasings import making
from fgbuild.domains.sample_data.turns import (
    exported,
    exported_answer,
    format_slots,
    generated,
    generated_answer,
)
from fgbuild.domains.scenario import (
    ANSWERED_MIDWAY,
    Draw,
    Episode,
    Scenario,
    call,
    calls,
    maybe_answered,
    results,
    say,
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
        ANSWERED_MIDWAY,
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
    Scenario("generate", "single", partial(_generate, seeded=False), making.GENERATE, weight=1.4),
    Scenario("generate_seeded", "single", partial(_generate, seeded=True), making.GENERATE_SEEDED),
    Scenario("export", "single", _export, making.EXPORT, weight=1.4),
    Scenario("two_tables", "parallel", _two_tables, making.TWO_TABLES, weight=1.3),
)
