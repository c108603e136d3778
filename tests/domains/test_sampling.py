"""Trajectories are reproducible, split without leaks, and keep the shares that were asked for."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter

import pytest
from drawing import trajectories
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.domains.sampling import (
    Plan,
    allocate,
    in_register,
    mark_of,
    needs_no_call,
    request,
    with_typo,
)
from fgbuild.domains.scenario import Draw, Episode, Scenario, belongs_to_eval, call, say
from fgbuild.errors import DataError

GOLDEN = "235107ac75e9ade53e5871fe766f51c4892f6ab1d28e2d10b94e343adcb70082"
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


def test_the_bytes_of_a_seed_are_those_of_other_machines():
    """Where this changes, every data set does, and every model is trained again."""
    text = "".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in drawn())
    assert hashlib.sha256(text.encode()).hexdigest() == GOLDEN


def test_splits_share_neither_families_nor_requests_nor_values():
    rows = drawn()
    train, held_out = ([each for each in rows if each["split"] == split] for split in ("train", "eval"))
    assert not {each["family"] for each in train} & {each["family"] for each in held_out}
    assert not set(map(request, train)) & set(map(request, held_out))
    for row in rows:
        family = int(row["family"].split("/")[1])
        assert (row["split"] == "eval") == (family % 5 == 4)
        for message in row["messages"]:
            for made in message.get("tool_calls", ()):
                assert belongs_to_eval(made["function"]["arguments"]["path"]) == (row["split"] == "eval")


def test_counts_and_shares():
    counts = Counter((each["split"], each["scenario"]) for each in drawn())
    assert counts == {
        ("train", "look"): 68,
        ("train", "nothing"): 22,
        ("eval", "look"): 23,
        ("eval", "nothing"): 7,
    }


def row(*messages, kind="single"):
    return {"scenario": "own", "kind": kind, "family": "a", "split": "train", "messages": list(messages)}


def test_a_row_needs_no_call_where_it_has_none_whatever_its_label():
    asked = {"role": "user", "content": "look"}
    assert needs_no_call(row(asked, say("What?")))
    assert not needs_no_call(row(asked, call("look", path="a"), kind="clarify"))


def test_a_request_is_the_first_words_of_the_user():
    brief = {"role": "developer", "content": "Be brief."}
    assert request(row(brief, {"role": "user", "content": " a "}, say("No."))) == "a"
    assert request(row(brief, say("No."))) == ""


@given(st.integers(2, 300), st.floats(0.05, 0.9))
def test_any_row_can_be_drawn_alone(count, eval_fraction):
    settings = {"count": count, "eval_fraction": eval_fraction, "seed": 7}
    rows = {(each["split"], mark_of(each)): each for each in trajectories("toy", SCENARIOS, **settings)}
    plan = Plan("toy", SCENARIOS, **settings)
    assert sum(plan.sizes.values()) == count
    for split, size in plan.sizes.items():
        assert sorted(plan.order(split)) == list(range(size))
        for number in {0, size // 2, size - 1} & set(range(size)):
            alone = plan.draw(split, number)
            written = rows[split, mark_of(alone)]
            assert {"id": written["id"], **alone} == written


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
