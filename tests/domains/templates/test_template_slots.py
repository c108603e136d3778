from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains.scenario import Draw, Split
from fgbuild.domains.templates.slots import Slots, fewest, pool, slot_of
from fgbuild.errors import DataError

NOWHERE = Path("/nonexistent")
WORDS = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]


def table(**given: Any) -> dict[str, Any]:
    return {"values": [], "file": "", "range": [], "step": 1, "pattern": "", "shared": False} | given


def draw(slots: dict[str, Any], names: list[str], seed: int = 0, split: Split = "train") -> dict[str, Any]:
    return Slots(slots, NOWHERE).draw(Draw(random.Random(seed), split), names)


@pytest.mark.parametrize(("name", "slot"), [("branch", "branch"), ("branch2", "branch"), ("a_b12", "a_b"), ("x", "x")])
def test_a_number_after_a_name_is_a_further_value_of_the_slot(name: str, slot: str) -> None:
    assert slot_of(name) == slot


@settings(max_examples=50)
@given(st.integers(), st.sampled_from(["train", "eval"]))
def test_values_of_one_slot_are_different_and_of_the_split(seed: int, split: Split) -> None:
    slots = {"word": table(values=WORDS), "pair": table(pattern="{word}-{word2}")}
    drawn = draw(slots, ["word", "word2", "word3", "pair", "pair2"], seed, split)
    assert len({drawn["word"], drawn["word2"], drawn["word3"]}) == 3
    assert drawn["pair"] != drawn["pair2"]
    first, second = drawn["pair"].split("-")
    assert first != second
    assert draw(slots, ["pair2", "word3", "pair", "word", "word2"], seed, split) == drawn


def test_no_value_is_in_both_splits_unless_it_is_shared() -> None:
    slots = {
        "word": table(values=WORDS),
        "count": table(range=[1, 90], step=3),
        "kind": table(values=["a", "b"], shared=True),
    }
    found = {
        split: {name: {repr(draw(slots, [name], seed, split)[name]) for seed in range(80)} for name in slots}
        for split in ("train", "eval")
    }
    for name in ("word", "count"):
        assert found["train"][name]
        assert not found["train"][name] & found["eval"][name]
    assert found["train"]["kind"] == found["eval"]["kind"] == {"'a'", "'b'"}


def test_numbers_and_tables_keep_their_type_and_a_pattern_of_one_name_is_its_value() -> None:
    slots = {
        "count": table(range=[5, 50]),
        "other": table(pattern="{count}"),
        "city": table(values=[{"name": word, "at": index} for index, word in enumerate(WORDS)]),
        "label": table(pattern="{city.name}/{count}"),
    }
    drawn = draw(slots, list(slots))
    assert isinstance(drawn["count"], int)
    assert isinstance(drawn["other"], int)
    assert set(drawn["city"]) == {"name", "at"}
    assert drawn["label"].split("/")[0] in WORDS


def test_a_file_has_one_value_a_line(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("\ufeffone \n\n two words\r\n#3\n", "utf-8")
    assert pool(table(file="words.txt"), tmp_path) == ["one", "two words", "#3"]


def test_too_few_values_is_an_error_that_names_the_slot() -> None:
    with pytest.raises(DataError, match=r"slots\.kind: has too few values for 3 different ones"):
        draw({"kind": table(values=["a", "b"], shared=True)}, ["kind", "kind2", "kind3"])


def test_the_poorer_split_is_found_without_looking_at_every_number() -> None:
    assert fewest(table(range=[1, 10]), range(1, 11)) == (10, "train")
    count, split = fewest(table(range=[0, 10**12]), range(10**12))
    assert split == "eval"
    assert 100 < count < 500
    assert fewest(table(values=WORDS), WORDS)[0] == sum(
        1 for word in WORDS if word in {draw({"w": table(values=WORDS)}, ["w"], s, "eval")["w"] for s in range(300)}
    )
