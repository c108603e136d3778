"""All rows of a plan at once, as `workers.generating.making` makes them one by one."""

from __future__ import annotations

from collections.abc import Sequence

from fgbuild.domains.sampling import SPLITS, Plan, Requests, Row, mark_of
from fgbuild.domains.scenario import Scenario, Split
from fgbuild.sandbox import Sandbox


def trajectories(
    domain: str,
    scenarios: Sequence[Scenario],
    *,
    count: int,
    eval_fraction: float,
    seed: int,
    sandbox: Sandbox | None = None,
) -> list[Row]:
    plan = Plan(domain, scenarios, count=count, eval_fraction=eval_fraction, seed=seed)
    rows: list[Row] = []
    for split in SPLITS:
        asked = Requests()
        drawn = [_first_new(plan, split, number, asked, sandbox) for number in range(plan.sizes[split])]
        rows += [drawn[number] for number in plan.order(split)]
    return [{"id": plan.row_id(number), **row} for number, row in enumerate(rows)]


def _first_new(plan: Plan, split: Split, number: int, asked: Requests, sandbox: Sandbox | None) -> Row:
    attempt = 0
    while True:
        row = plan.draw(split, number, attempt, sandbox)
        assert row is not None, "it does not reproduce"
        if asked.is_new(mark_of(row)):
            return row
        attempt += 1
