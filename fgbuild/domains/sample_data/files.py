"""Requests that look into a data file: its schema, or its first rows."""

from __future__ import annotations

from functools import partial

from fgbuild.domains.sample_data import values
from fgbuild.domains.sample_data.phrasings import inspecting
from fgbuild.domains.sample_data.turns import inferred
from fgbuild.domains.scenario import (
    ANSWERED_MIDWAY,
    Draw,
    Episode,
    Scenario,
    call,
    calls,
    maybe_answered,
    result,
    results,
    say,
)


def _infer(d: Draw) -> Episode:
    path, columns = d.pick(values.PATHS), ", ".join(d.sample(values.TYPED_COLUMNS, 2))
    return maybe_answered(
        d,
        {"path": path},
        call("infer_schema", path=path),
        inferred(path, columns),
        f"The columns are {columns}.",
        ANSWERED_MIDWAY,
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
    Scenario("infer", "single", _infer, inspecting.INFER, weight=1.6),
    Scenario("preview", "single", partial(_preview, counted=False), inspecting.PREVIEW, weight=1.2),
    Scenario("preview_count", "single", partial(_preview, counted=True), inspecting.PREVIEW_COUNT),
    Scenario("two_schemas", "parallel", _two_schemas, inspecting.TWO_SCHEMAS, weight=1.3),
)
