"""The card counts what rows hold, in memory with a bound."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from fgbuild.domains.scenario import call, calls, result, say
from fgbuild.functiongemma.render import render_text
from fgbuild.workers.generating.card import OTHERS, Card, Lengths, Tally
from fgbuild.workers.generating.making import Count
from fgbuild.workers.generating.near import Nearness, Said
from fgbuild.workers.generating.page import page

USER = {"role": "user", "content": "Look at a.py <now>"}


def row(number: int, *messages: dict, split: str = "train", kind: str = "single") -> dict:
    return {
        "id": f"toy-{number}",
        "scenario": f"s{number % 3}",
        "kind": kind,
        "family": "f",
        "split": split,
        "messages": [USER, *messages],
    }


ROWS = [
    row(0, call("look", path="a.py", depth=2)),
    row(1, call("look", path="b.py"), result("look", found=1), say("One."), kind="sequence"),
    row(2, calls(("look", {"path": "a.py"}), ("stop", {})), kind="parallel"),
    row(3, say("No."), kind="decline", split="eval"),
]
PAIR = (Said("toy-3", "p", "Look <there>"), Said("toy-1", "p", "Look & see"))


def card_of(rows: list[dict], *near: tuple[Said, Said]) -> dict:
    card = Card()
    for each in rows:
        card.add(each)
    assert sum(card.rows.values()) == len(rows)
    return card.as_json(count=Count(3, 1), nearness=Nearness(1, list(near)), max_leakage=0.05)


def test_the_card_counts_by_split() -> None:
    card = card_of(ROWS, PAIR)
    train, held_out = card["train"], card["eval"]
    assert (card["rows"], train["rows"], held_out["rows"]) == (4, 3, 1)
    assert (train["abstaining_share"], held_out["abstaining_share"]) == (0.0, 1.0)
    assert train["tools"] == {"look": 3, "stop": 1}
    assert train["turns"] == {"1": 2, "2": 1}
    assert train["calls_per_row"] == {"1": 2, "2": 1}
    assert held_out["kinds"] == {"decline": 1}
    assert card["arguments"]["look.path"] == {"different": 2, "more": False, "common": {"a.py": 2, "b.py": 1}}
    assert card["arguments"]["look.depth"]["common"] == {"2": 1}
    assert (card["duplicates_removed"], card["not_reproduced"]) == (3, 1)
    assert card["near_duplicates"]["share"] == 1.0
    assert held_out["characters"]["max"] == len(render_text(ROWS[3]["messages"]))
    assert card["examples"]["parallel"][0]["id"] == "toy-2"
    assert "decline" not in {kind for kind, rows in card["examples"].items() if rows}


def test_a_card_does_not_grow_with_the_rows() -> None:
    """Apart from the digits of its numbers."""
    few, many = (
        card_of([row(number, call(f"tool_{number}", path=f"{number}.py")) for number in range(count)])
        for count in (3000, 9000)
    )
    assert len(json.dumps(many)) < 1.05 * len(json.dumps(few))
    assert many["train"]["tools"][OTHERS] == 8500
    assert many["arguments"][OTHERS]["more"]


@given(st.lists(st.sampled_from([str(number) for number in range(12)] + ["a"]), max_size=60), st.integers(1, 20))
def test_a_tally_counts_every_name_it_keeps(names: list[str], kept: int) -> None:
    tally = Tally(kept)
    for name in names:
        tally.add(name)
    counts, true = tally.counts(), Counter(names)
    assert sum(counts.values()) == len(names)
    assert all(true[name] == count for name, count in counts.items() if name != OTHERS)
    assert len(set(counts) - {OTHERS}) == min(kept, len(true))
    numbers = [int(name) for name in counts if name.isdigit()]
    assert numbers == sorted(numbers)


@given(st.lists(st.integers(0, 900), max_size=40))
def test_lengths(lengths: list[int]) -> None:
    found = Lengths(100)
    for length in lengths:
        found.add(length)
    card = found.as_json()
    assert sum(card["histogram"].values()) == len(lengths)
    if lengths:
        assert (card["min"], card["max"]) == (min(lengths), max(lengths))
        assert abs(card["mean"] - sum(lengths) / len(lengths)) <= 0.051
        assert all(int(low) % 100 == 0 for low in card["histogram"])


def test_a_page_shows_the_card_and_runs_nothing_that_data_brings() -> None:
    card = card_of(ROWS, PAIR)
    shown = page("toy", card)
    assert shown == page("toy", json.loads(json.dumps(card)))
    assert "toy: 4 rows" in shown
    assert "Look &lt;there&gt;" in shown
    assert "<now>" not in shown
    assert "look({&quot;path&quot;: &quot;a.py&quot;, &quot;depth&quot;: 2})" in shown
    assert "<script" not in shown
    assert "http" not in shown
