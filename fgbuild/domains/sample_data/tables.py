"""Requests about one table: generate rows, with and without a seed, and export it to a file."""

from __future__ import annotations

from functools import partial

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.phrasings import making
from fgbuild.domains.sample_data.turns import THERE, export, format_slots, generate, open_table
from fgbuild.domains.scenario import ANSWERED_MIDWAY, Episode, Scenario, ended, say
from fgbuild.domains.session import Session


def _generate(s: Session, seeded: bool) -> Episode:
    table, count = s.pick(values.TABLES), s.number(2, 999)
    seed = s.number(1, 9999) if seeded else None
    open_table(s, table, filled=0.3, there=THERE)
    slots = {"table": table, "count": count, **({"seed": seed} if seeded else {})}
    return Episode(slots, ended(s, generate(s, table, count, seed).told, ANSWERED_MIDWAY))


def _export(s: Session) -> Episode:
    table, file_format = s.pick(values.TABLES), s.choice(values.FORMATS)
    open_table(s, table, filled=0.9, there=THERE)
    return Episode({"table": table, **format_slots(file_format)}, ended(s, export(s, table, file_format).told))


def _two_tables(s: Session) -> Episode:
    table, other = s.sample(values.TABLES, 2)
    count, more = s.number(2, 500), s.number(2, 500)
    open_table(s, table, other, filled=0.2)
    done = s.calls(
        ("generate_rows", {"table": table, "count": count}), ("generate_rows", {"table": other, "count": more})
    )
    here, there = (response["rows"] for response in done.responses)
    answer = say(f"Generated {here} rows for {table} and {there} for {other}.")
    return Episode({"table": table, "count": count, "other": other, "more": more}, ended(s, [*done.turns, answer], 0.5))


SCENARIOS = (
    Scenario("generate", "single", partial(_generate, seeded=False), making.GENERATE, weight=1.4),
    Scenario("generate_seeded", "single", partial(_generate, seeded=True), making.GENERATE_SEEDED),
    Scenario("export", "single", _export, making.EXPORT, weight=1.4),
    Scenario("two_tables", "parallel", _two_tables, making.TWO_TABLES, weight=1.3),
)
