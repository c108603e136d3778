"""Trajectories are reproducible, split without leaks, and keep the shares that were asked for."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.domains.sampling import (
    allocate,
    in_register,
    needs_no_call,
    statistics,
    trajectories,
    with_typo,
)
from fgbuild.domains.scenario import Draw, Episode, Scenario, belongs_to_eval, call, say
from fgbuild.errors import DataError

PATHS = [f"src/{a}_{b}.py" for a in "abcdefgh" for b in range(30)]


def look(draw: Draw) -> Episode:
    path = draw.pick(PATHS)
    return Episode({"path": path}, [call("look", path=path)])


def nothing(draw: Draw) -> Episode:
    return Episode({"thing": draw.pick(PATHS)}, [say("I cannot do that.")])


SCENARIOS = (
    Scenario("look", "single", look, [f"please look way {i} at {{path}}" for i in range(10)], weight=3),
    Scenario("nothing", "decline", nothing, [f"throw number {i} away: {{thing}}" for i in range(10)]),
)


def drawn(**changes):
    settings = {"count": 120, "eval_fraction": 0.25, "seed": 7} | changes
    return trajectories("toy", SCENARIOS, **settings)


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    assert drawn() == drawn()
    assert drawn() != drawn(seed=8)


def test_splits_share_neither_families_nor_requests_nor_values():
    rows = drawn()
    card = statistics(rows)
    assert card["shared_families"] == card["shared_requests"] == 0
    for row in rows:
        family = int(row["family"].split("/")[1])
        assert (row["split"] == "eval") == (family % 5 == 4)
        for message in row["messages"]:
            for made in message.get("tool_calls", ()):
                assert belongs_to_eval(made["function"]["arguments"]["path"]) == (row["split"] == "eval")


def test_counts_and_shares():
    card = statistics(drawn())
    assert (card["train"]["rows"], card["eval"]["rows"]) == (90, 30)
    assert card["train"]["scenarios"] == {"look": 68, "nothing": 22}
    assert card["train"]["abstaining_share"] == pytest.approx(22 / 90, abs=1e-4)
    assert card["train"]["tools"] == {"look": 68}


def row(split, *messages, kind="single"):
    return {"scenario": "own", "kind": kind, "family": split, "split": split, "messages": list(messages)}


def test_a_row_needs_no_call_where_it_has_none_whatever_its_label():
    asked = {"role": "user", "content": "look"}
    talk, work = row("train", asked, say("What?")), row("train", asked, call("look", path="a"), kind="clarify")
    assert needs_no_call(talk)
    assert not needs_no_call(work)
    assert statistics([talk, work])["train"]["abstaining_share"] == 0.5


def test_shared_requests_are_those_of_the_user():
    brief = {"role": "developer", "content": "Be brief."}
    rows = [row(split, brief, {"role": "user", "content": split}, say("No.")) for split in ("train", "eval")]
    assert statistics(rows)["shared_requests"] == 0
    rows = [
        row(split, {"role": "user", "content": text}, say("No.")) for split, text in (("train", "a"), ("eval", "a "))
    ]
    assert statistics(rows)["shared_requests"] == 1


def test_a_row_does_not_depend_on_how_many_there_are():
    few = {(r["split"], r["messages"][0]["content"]) for r in drawn(count=60)}
    many = {(r["split"], r["messages"][0]["content"]) for r in drawn(count=240)}
    assert few <= many


def test_values_that_run_out_are_an_error_with_a_next_step():
    narrow = Scenario(
        "one", "single", lambda draw: Episode({}, [call("look", path="a")]), ["look", *"bcdef"], literal=True
    )
    with pytest.raises(DataError, match="scenario one cannot give another different request"):
        trajectories("toy", [narrow], count=60, eval_fraction=0.2, seed=1)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30), st.integers(0, 2000))
def test_allocation_is_whole_fair_and_complete(weights, size):
    shares = allocate(weights, size)
    assert sum(shares) == size
    for weight, share in zip(weights, shares):
        assert abs(share - weight / sum(weights) * size) < 1


@given(st.integers(0, 5000))
def test_registers_and_typos_leave_slots_alone(seed):
    template = "Could you inspect the file {path_name} between {start} and {end}?"
    changed = with_typo(in_register(template, random.Random(seed), typos=True), random.Random(seed))
    for slot in ("{path_name}", "{start}", "{end}"):
        assert changed.count(slot) == 1
    assert changed.format(path_name="a.py", start=1, end=2)
