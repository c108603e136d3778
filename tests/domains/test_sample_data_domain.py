"""The sample-data domain: its scenarios agree with its manifest and are learnable by copying."""

from __future__ import annotations

import json
import random
import re
import string
import tomllib
from collections.abc import Sequence
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains.sample_data import SCENARIOS, values
from fgbuild.domains.scenario import Draw, Episode, Scenario, Split

MANIFEST = tomllib.loads((Path(__file__).parents[2] / "manifests" / "sample_data.toml").read_text(encoding="utf-8"))
PARAMETERS = {tool["name"]: tool["parameters"] for tool in MANIFEST["tool"]}
MISSING_SLOT = {
    "file_missing": "path",
    "table_missing": "table",
    "count_missing": "count",
    "format_missing": "format",
}
SPLITS: tuple[Split, ...] = ("train", "eval")
SEEDS = range(16)

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
each_split = pytest.mark.parametrize("split", SPLITS)


@cache
def draw(scenario: Scenario, split: Split, seed: int) -> Episode:
    return scenario.build(Draw(random.Random(seed), split))


def slots_of(phrasing: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrasing) if name is not None}


def calls_of(turn: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    functions = [call["function"] for call in turn.get("tool_calls", ())]
    return [(function["name"], function["arguments"]) for function in functions]


def mentions(text: str, value: Any) -> bool:
    """Whether a text holds an argument's value, word for word; enum values in any case."""
    if value in values.FORMATS:
        text = text.casefold()
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(str(value))}(?![A-Za-z0-9])", text) is not None


@each_scenario
@each_split
def test_every_phrasing_can_be_filled(scenario: Scenario, split: Split) -> None:
    for seed in SEEDS:
        slots = draw(scenario, split, seed).slots
        for phrasing in scenario.phrasings:
            assert phrasing.format(**slots).strip()


@each_scenario
@each_split
def test_calls_fit_the_declared_tools(scenario: Scenario, split: Split) -> None:
    for turn in (turn for seed in SEEDS for turn in draw(scenario, split, seed).turns):
        for name, arguments in calls_of(turn):
            jsonschema.validate(arguments, {**PARAMETERS[name], "additionalProperties": False})


@each_scenario
def test_turns_alternate_and_end_with_the_assistant(scenario: Scenario) -> None:
    for seed in SEEDS:
        check_turns(scenario, draw(scenario, "train", seed).turns)


def check_turns(scenario: Scenario, turns: Sequence[dict[str, Any]]) -> None:
    roles = [turn["role"] for turn in turns]
    assert roles == ["assistant", "tool"] * (len(turns) // 2) + ["assistant"]
    for turn, answer in pairwise(turns):
        if turn["role"] == "assistant":
            assert [name for name, _ in calls_of(turn)] == [item["name"] for item in answer["content"]]
    call_counts = [len(calls_of(turn)) for turn in turns if "tool_calls" in turn]
    if scenario.kind in ("clarify", "decline"):
        assert len(turns) == 1
        assert not call_counts
    elif scenario.kind == "sequence":
        assert call_counts
        assert "content" in turns[-1]
    else:
        assert call_counts == [2 if scenario.kind == "parallel" else 1]


@each_scenario
@each_split
def test_arguments_are_copied_from_the_request_or_a_response(scenario: Scenario, split: Split) -> None:
    for seed, phrasing in product(SEEDS[:8], scenario.phrasings):
        episode = draw(scenario, split, seed)
        context = phrasing.format(**episode.slots)
        for turn in episode.turns:
            for _, arguments in calls_of(turn):
                for value in arguments.values():
                    assert mentions(context, value), (phrasing, value)
            if turn["role"] == "tool":
                context += json.dumps(turn["content"])


@each_scenario
def test_numbers_in_an_answer_come_from_the_calls_and_responses(scenario: Scenario) -> None:
    for seed in SEEDS:
        *earlier, last = draw(scenario, "train", seed).turns
        for number in re.findall(r"\d+", last.get("content", "")):
            assert number in json.dumps(earlier)


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.kind == "single"], ids=lambda one: one.name)
def test_a_single_call_uses_exactly_what_each_phrasing_names(scenario: Scenario) -> None:
    """No optional argument is invented, and none that was asked for is left out."""
    ((_, arguments),) = calls_of(draw(scenario, "train", 1).turns[0])
    for phrasing in scenario.phrasings:
        assert {slot.lower() for slot in slots_of(phrasing)} == set(arguments), phrasing


@pytest.mark.parametrize("name", MISSING_SLOT)
def test_a_clarifying_question_asks_for_what_is_missing(name: str) -> None:
    (scenario,) = (scenario for scenario in SCENARIOS if scenario.name == name)
    for phrasing in scenario.phrasings:
        assert MISSING_SLOT[name] not in {slot.lower() for slot in slots_of(phrasing)}, phrasing
    answers = {json.dumps(draw(scenario, "train", seed).turns) for seed in range(5)}
    assert len(answers) == 1


def test_every_clarify_scenario_says_what_is_missing() -> None:
    assert {one.name for one in SCENARIOS if one.kind == "clarify"} == set(MISSING_SLOT)


@each_scenario
def test_phrasings_are_many(scenario: Scenario) -> None:
    assert len(scenario.phrasings) >= (40 if scenario.kind == "decline" else 25)


def test_no_phrasing_is_used_twice() -> None:
    phrasings = [phrasing.casefold() for scenario in SCENARIOS for phrasing in scenario.phrasings]
    assert len(phrasings) == len(set(phrasings))
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)


def test_enough_requests_need_no_call() -> None:
    total = sum(scenario.weight for scenario in SCENARIOS)
    abstaining = sum(scenario.weight for scenario in SCENARIOS if scenario.kind in ("clarify", "decline"))
    assert 0.2 <= abstaining / total <= 0.35


def test_every_tool_and_every_optional_argument_is_taught_both_ways() -> None:
    seen: dict[str, set[frozenset[str]]] = {name: set() for name in PARAMETERS}
    for scenario in SCENARIOS:
        for turn in draw(scenario, "train", 3).turns:
            for name, arguments in calls_of(turn):
                seen[name].add(frozenset(arguments))
    for name, schema in PARAMETERS.items():
        for optional in set(schema["properties"]) - set(schema["required"]):
            assert {optional in keys for keys in seen[name]} == {True, False}, (name, optional)
        assert seen[name], name


@settings(max_examples=40, deadline=None)
@given(scenario=st.sampled_from(SCENARIOS), split=st.sampled_from(SPLITS), seed=st.integers(0, 2**32))
def test_the_same_seed_draws_the_same_episode(scenario: Scenario, split: Split, seed: int) -> None:
    first, second = (scenario.build(Draw(random.Random(seed), split)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("pool", ["PATHS", "TABLES", "COLUMNS"])
def test_pools_are_large_and_without_repeats(pool: str) -> None:
    members = getattr(values, pool)
    assert len(members) >= 200
    assert len(set(members)) == len(members)


@pytest.mark.parametrize("smoke", MANIFEST["verify"]["smoke"], ids=lambda smoke: smoke["tool"])
def test_smoke_checks_fit_the_tools_and_are_no_training_text(smoke: dict[str, Any]) -> None:
    schema = PARAMETERS[smoke["tool"]]
    jsonschema.validate(smoke["arguments"], {**schema, "additionalProperties": False})
    for value in smoke["arguments"].values():
        assert mentions(smoke["prompt"], value)
    slots = {**smoke["arguments"], "Format": values.FORMAT_TITLES.get(smoke["arguments"].get("format", ""), "")}
    for scenario in SCENARIOS:
        for phrasing in scenario.phrasings:
            if slots_of(phrasing) <= set(slots):
                assert phrasing.format(**slots) != smoke["prompt"]
