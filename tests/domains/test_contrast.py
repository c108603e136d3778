"""Contrast pairs keep to their twins' words and splits."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.domains.contrast import UNNAMED, contrast, without
from fgbuild.domains.lint.phrasings.checking import CHECK_PATH
from fgbuild.domains.scenario import Draw, Scenario, Split

NOUNS = ("file", "folder")


def fit(phrasing: str) -> bool:
    return bool(without((phrasing,) * 5, "path", NOUNS))


@pytest.mark.parametrize(
    "phrasing",
    ["Check {path}.", "ruff {path}", "{path}: warnings?", "Is {path}, by chance, clean?", "lint {path}: now"],
)
def test_a_slot_that_a_noun_can_take_is_taken(phrasing: str) -> None:
    assert fit(phrasing)


@pytest.mark.parametrize(
    "phrasing",
    [
        "Check it.",
        "Check {path} and {path}.",
        "Check {path}:{line}.",
        "--select={path}",
        "Check {path}'s tests.",
        "Check the file {path}.",
        "Check the {path} file.",
        "Are there any {path} warnings?",
        "Lint a {path}.",
    ],
)
def test_where_it_could_not_stand_nothing_is_made(phrasing: str) -> None:
    assert not fit(phrasing)


@given(st.lists(st.sampled_from([*CHECK_PATH, "the file {path}", "none"]), unique=True))
def test_a_phrasing_stays_in_its_split(phrasings: list[str]) -> None:
    made = without(phrasings, "path", NOUNS)
    twin, pair = (Scenario("x", "single", lambda s: s, each) for each in (phrasings, made))  # type: ignore[arg-type]
    assert len(made) % 5 == 0
    splits: tuple[Split, ...] = ("train", "eval")
    for split in splits:
        own = {phrasings[index] for index in twin.families(split)}
        assert {made[index].replace(UNNAMED, "path") for index in pair.families(split)} <= own


@given(st.integers(0, 2**32), st.sampled_from(["train", "eval"]))
def test_the_answer_is_the_question_and_the_rest_is_filled(seed: int, split: Split) -> None:
    twin = Scenario("check", "single", lambda s: s, [f"{each} {{rule}}" for each in CHECK_PATH])  # type: ignore[arg-type]
    made = contrast(twin, "path", NOUNS, "Which one?", lambda draw: {"rule": "F401"}, weight=1.0)
    episode = made.build(Draw(random.Random(seed), split))  # type: ignore[arg-type]
    assert episode.turns == [{"role": "assistant", "content": "Which one?"}]
    assert (made.name, made.kind) == ("check_without_path", "clarify")
    for phrasing in made.phrasings:
        assert "path" not in phrasing.format(**episode.slots)
