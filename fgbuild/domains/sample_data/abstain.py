"""Requests without a call: an argument is missing (one short question), or no tool fits."""

from __future__ import annotations

from fgbuild.domains.contrast import contrast
from fgbuild.domains.sample_data import files, rows, tables, values
from fgbuild.domains.sample_data.phrasings import clarifying, declining
from fgbuild.domains.sample_data.turns import (
    HOW_MANY,
    WHICH_FILE,
    WHICH_FORMAT,
    WHICH_TABLE,
    format_slots,
)
from fgbuild.domains.scenario import NO_TOOL, Draw, Episode, Scenario, say


def _slots(d: Draw) -> dict[str, object]:
    """Values for phrasings that name something although no call follows."""
    return {
        "path": d.pick(values.PATHS),
        "table": d.pick(values.TABLES),
        "column": d.pick(values.COLUMNS),
        "count": d.number(2, 90),
        "seed": d.number(1, 9999),
        **format_slots(d.choice(values.FORMATS)),
    }


def _file_missing(d: Draw) -> Episode:
    return Episode(_slots(d), [say(WHICH_FILE)])


def _table_missing(d: Draw) -> Episode:
    return Episode(_slots(d), [say(WHICH_TABLE)])


def _count_missing(d: Draw) -> Episode:
    return Episode(_slots(d), [say(HOW_MANY)])


def _format_missing(d: Draw) -> Episode:
    return Episode(_slots(d), [say(WHICH_FORMAT)])


def _no_tool(d: Draw) -> Episode:
    return Episode(_slots(d), [say(NO_TOOL)])


_FILES = ("file", "data file", "export", "dump")
_CALLS = {scenario.name: scenario for scenario in (*files.SCENARIOS, *rows.SCENARIOS, *tables.SCENARIOS)}

SCENARIOS = (
    Scenario("file_missing", "clarify", _file_missing, clarifying.FILE_MISSING, weight=0.5),
    Scenario("table_missing", "clarify", _table_missing, clarifying.TABLE_MISSING, weight=0.9),
    Scenario("count_missing", "clarify", _count_missing, clarifying.COUNT_MISSING, weight=0.6),
    Scenario("format_missing", "clarify", _format_missing, clarifying.FORMAT_MISSING, weight=0.6),
    contrast(_CALLS["infer"], "path", _FILES, WHICH_FILE, weight=0.3),
    contrast(_CALLS["preview"], "path", _FILES, WHICH_FILE, weight=0.3),
    contrast(_CALLS["validate"], "path", _FILES, WHICH_FILE, _slots, weight=0.3),
    contrast(_CALLS["anonymize"], "path", _FILES, WHICH_FILE, _slots, weight=0.3),
    contrast(_CALLS["generate"], "table", ("table",), WHICH_TABLE, _slots, weight=0.3),
    Scenario("unrelated", "decline", _no_tool, declining.UNRELATED, weight=0.8),
    Scenario("other_data_work", "decline", _no_tool, declining.OTHER_DATA_WORK, weight=1.9),
)
