"""The trace holds every stage that ran, on its domain's row, with its own beginning and end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fgbuild.views.trace import trace


def event(at: float, kind: str, stage: str = "", **fields: object) -> dict[str, object]:
    return {"v": 1, "t": at, "run": "r", "kind": kind, **({"stage": stage} if stage else {}), **fields}


def complete(events: list[dict[str, object]]) -> dict[str, tuple[int, int]]:
    return {
        record["name"]: (record["ts"], record["dur"]) for record in trace(events)["traceEvents"] if record["ph"] == "X"
    }


def test_stages_lie_on_their_domains_rows() -> None:
    document = trace(
        [
            event(100.0, "run.started", command="fgbuild build"),
            event(100.0, "stage.started", "base"),
            event(101.5, "stage.finished", "base", seconds=1.5),
            event(101.5, "stage.started", "lint:train", predicted_seconds=3.0),
            event(102.0, "stage.metric", "lint:train", step=1, loss=2.0),
            event(104.0, "stage.failed", "lint:train", message="no"),
            event(104.1, "stage.failed", "lint:train", log="x.log", exit_code=1),
            event(104.2, "build.finished", failed=["lint:train"], seconds=4.2, exit_code=1),
        ]
    )
    records = document["traceEvents"]
    rows = {record["tid"]: record["args"]["name"] for record in records if record["name"] == "thread_name"}
    stages = [record for record in records if record["ph"] == "X"]
    assert [(s["name"], s["ts"], s["dur"], rows[s["tid"]]) for s in stages] == [
        ("base", 100_000_000, 1_500_000, "(shared)"),
        ("lint:train", 101_500_000, 2_500_000, "lint"),
    ]
    assert stages[1]["args"]["outcome"] == "failed"
    assert stages[1]["args"]["predicted_seconds"] == 3.0


def test_a_stage_without_an_end_ends_with_the_log() -> None:
    events = [event(5.0, "stage.started", "lint:train"), event(9.0, "stage.note", "lint:train", text="on")]
    assert complete(events) == {"lint:train": (5_000_000, 4_000_000)}


def test_what_was_stored_earlier_is_not_part_of_it() -> None:
    assert complete([event(5.0, "stage.result", "lint:eval", stored=True, summary={"examples": 3})]) == {}


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["started", "finished", "failed", "cancelled", "metric"])))
)
def test_any_order_of_events_gives_a_trace(steps: list[tuple[int, str]]) -> None:
    at = 0.0
    events = []
    for wait, kind in steps:
        at += wait
        events.append(event(at, f"stage.{kind}", "lint:train", step=1, loss=0.5))
    for record in trace(events)["traceEvents"]:
        assert record.get("dur", 0) >= 0
        assert 0 <= record.get("ts", 0) <= at * 1e6
