"""Which stages wait for which, and that drawn as text: a lane for each stage that others read.

Pure: no terminal, no third-party import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fgbuild.views.records import FAILED, BuildState, StageState

# (from above, to below, from the left) → how a lane that is connected to its row is drawn.
_JOINTS = {
    (True, True, False): "├",
    (True, True, True): "┼",
    (True, False, False): "╰",
    (True, False, True): "┴",
    (False, True, False): "╭",
    (False, True, True): "┬",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A stage (None: the heading of `domain`) and the lanes left of it, each row of one drawing equally wide."""

    lanes: str
    domain: str
    stage: StageState | None


def upstream(state: BuildState) -> dict[str, list[str]]:
    """Stage id → ids of the stages it waits for, in the log's order.

    A log that does not say (of an older version) is taken as pipelines: each stage after the one before it in its
    domain, the first after the last shared one.
    """
    found: dict[str, list[str]] = {}
    groups = state.by_domain()
    shared = [stage.id for stage in groups.get("", [])]
    for stages in groups.values():
        before = shared[-1:] if stages[0].domain else []
        for stage in stages:
            known = stage.after if stage.after is not None else before
            found[stage.id] = [name for name in dict.fromkeys(known) if name in state.stages and name != stage.id]
            before = [stage.id]
    return found


def upstream_stage(state: BuildState, stage: StageState, kind: str) -> StageState | None:
    """The stage of that kind that a stage reads: of its own domain, or a shared one."""
    named = [one for one in state.stages.values() if one.kind == kind and one.domain in (stage.domain, "")]
    return max(named, key=lambda one: bool(one.domain), default=None)


def blocker(state: BuildState, stage: StageState) -> StageState | None:
    """What kept a stage from its turn: one above it that went wrong, else one of the run that failed, after which a
    build starts nothing more; None where none did."""
    failed = next((one for one in state.stages.values() if one.status == FAILED and one is not stage), None)
    return state.stages.get(stage.blocked_by, failed)


def rows(state: BuildState) -> list[Row]:
    """The stages by domain, shared ones first, each domain with its heading."""
    order: list[StageState | str] = []
    for domain, stages in state.by_domain().items():
        order += [domain, *stages] if domain else stages
    places = {one.id: index for index, one in enumerate(order) if isinstance(one, StageState)}
    edges = {
        name: [up for up in ups if places[up] < places[name]]  # a log may hold anything, a circle too
        for name, ups in upstream(state).items()
    }
    lanes = _lanes(edges, places)
    return [
        Row(_drawn(index, one, edges, lanes), one if isinstance(one, str) else one.domain, None)
        if isinstance(one, str)
        else Row(_drawn(index, one.id, edges, lanes), one.domain, one)
        for index, one in enumerate(order)
    ]


@dataclass(slots=True)
class _Lane:
    """Stages whose lines share a column, as (id, first row, last row) from top to bottom."""

    lines: list[tuple[str, int, int]]

    def at(self, row: int) -> tuple[str, int, int] | None:
        return next((line for line in self.lines if line[1] <= row <= line[2]), None)


def _lanes(edges: Mapping[str, Sequence[str]], places: Mapping[str, int]) -> list[_Lane]:
    """Each stage that others read gets the leftmost column that is free from its row to its last reader's."""
    last: dict[str, int] = {}
    for name, ups in edges.items():
        for up in ups:
            last[up] = max(last.get(up, 0), places[name])
    lanes: list[_Lane] = []
    for name in sorted(last, key=lambda each: places[each]):
        lane = next((one for one in lanes if one.lines[-1][2] < places[name]), None)
        if lane is None:
            lanes.append(lane := _Lane([]))
        lane.lines.append((name, places[name], last[name]))
    return lanes


def _drawn(row: int, name: str, edges: Mapping[str, Sequence[str]], lanes: Sequence[_Lane]) -> str:
    """The lanes beside a row: a lane that `name` reads or begins is joined to it, the others pass."""
    joined = {name, *edges.get(name, ())} if name in edges else set()
    drawn, from_left = "", False
    for lane in lanes:
        line = lane.at(row)
        if line is not None and line[0] in joined:
            drawn += _JOINTS[line[1] < row, line[2] > row, from_left]
            from_left = True
        elif line is not None:
            drawn += "│"
        else:
            drawn += "─" if from_left else " "
        drawn += "─" if from_left else " "
    arrow = "▶" if edges.get(name) else "─"
    return drawn + (arrow if from_left else " ")
