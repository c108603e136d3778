from __future__ import annotations

from typing import Any

from fgbuild.views import dependencies
from fgbuild.views.records import BuildState
from fgbuild.views.state import apply


def state_of(*stages: dict[str, Any]) -> BuildState:
    state = BuildState()
    apply(state, {"kind": "run.started", "stages": list(stages)})
    return state


def entry(name: str, *after: str) -> dict[str, Any]:
    domain, colon, kind = name.partition(":")
    return {"id": name, "kind": kind if colon else name, "domain": domain if colon else None, "after": list(after)}


def drawing(state: BuildState) -> list[str]:
    rows = dependencies.rows(state)
    return [f"{row.lanes} {row.stage.kind if row.stage else '(' + row.domain + ')'}" for row in rows]


def test_lanes_join_what_reads_and_pass_by_what_does_not() -> None:
    state = state_of(
        entry("base"),
        entry("lint:generate"),
        entry("lint:tokenize", "base", "lint:generate"),
        entry("lint:train", "base", "lint:tokenize"),
        entry("lint:export", "base", "lint:generate", "lint:train"),
    )
    assert drawing(state) == [
        "╭──────── base",
        "│         (lint)",
        "│ ╭────── generate",
        "├─┼─┬───▶ tokenize",
        "├─│─┴─┬─▶ train",
        "╰─┴───┴─▶ export",
    ]


def test_a_log_without_edges_is_taken_as_pipelines() -> None:
    stages = [{"id": name} for name in ("base", "lint:train", "lint:export", "test:train")]
    found = dependencies.upstream(state_of(*stages))
    assert found == {
        "base": [],
        "lint:train": ["base"],
        "lint:export": ["lint:train"],
        "test:train": ["base"],
    }


def test_edges_survive_the_start_of_a_stage_and_odd_ones_are_left_out() -> None:
    state = state_of(entry("lint:a"), entry("lint:b", "lint:a", "lint:a", "gone", "lint:b"))
    apply(state, {"kind": "stage.started", "stage": "lint:b"})
    assert dependencies.upstream(state) == {"lint:a": [], "lint:b": ["lint:a"]}


def test_a_circle_is_drawn_as_far_as_it_goes_down() -> None:
    state = state_of(entry("lint:a", "lint:b"), entry("lint:b", "lint:a"))
    assert [line.split()[-1] for line in drawing(state)] == ["(lint)", "a", "b"]


def test_a_reason_names_the_stage_of_its_own_domain_before_a_shared_one() -> None:
    state = state_of(entry("base"), entry("lint:train"), entry("test:train"), entry("test:export"))
    export = state.stages["test:export"]
    above = dependencies.upstream_stage(state, export, "train")
    shared = dependencies.upstream_stage(state, export, "base")
    assert above is not None
    assert above.id == "test:train"
    assert shared is not None
    assert shared.id == "base"
    assert dependencies.upstream_stage(state, export, "nothing") is None


def test_what_kept_a_stage_from_its_turn() -> None:
    state = state_of(
        entry("lint:train"),
        entry("lint:verify", "lint:train"),
        entry("lint:eval", "lint:train", "lint:verify"),
        entry("test:train"),
    )
    assert dependencies.blocker(state, state.stages["lint:eval"]) is None
    apply(state, {"kind": "stage.failed", "stage": "test:train"})
    assert dependencies.blocker(state, state.stages["lint:eval"]) is state.stages["test:train"]
    assert dependencies.blocker(state, state.stages["test:train"]) is None
    apply(state, {"kind": "stage.finished", "stage": "lint:verify", "passed": False})
    assert dependencies.blocker(state, state.stages["lint:eval"]) is state.stages["lint:verify"]
