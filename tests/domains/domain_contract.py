"""What every built-in domain must hold to; a test module subclasses `DomainContract` and names its domain."""

from __future__ import annotations

import importlib
import json
import random
import re
import string
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains.sampling import ABSTAINING, statistics, trajectories
from fgbuild.domains.scenario import Draw, Episode, Message, Scenario, Split
from fgbuild.functiongemma.check import problems
from fgbuild.functiongemma.render import render_declaration

MANIFESTS = Path(__file__).parents[2] / "manifests"
SPLITS: tuple[Split, ...] = ("train", "eval")
DECLARATION_CHARACTERS = 2300
"""About 450 tokens: attention's sliding window is 512, and every token of the prefix costs time."""


def calls_of(turn: Message) -> list[tuple[str, dict[str, Any]]]:
    functions = [call["function"] for call in turn.get("tool_calls", ())]
    return [(function["name"], function["arguments"]) for function in functions]


def answered_calls(episode: Episode) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, arguments and response of every call that gets a response."""
    for turn, answer in pairwise(episode.turns):
        if turn["role"] == "assistant":
            for (name, arguments), given in zip(calls_of(turn), answer["content"], strict=True):
                yield name, arguments, given["response"]


def slots_of(phrasing: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrasing) if name is not None}


def mentions(text: str, value: Any) -> bool:
    """Whether a text holds a value word for word, not as a part of a longer word or number."""
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(str(value))}(?![A-Za-z0-9])", text) is not None


class DomainContract:
    """Tests that hold for any domain. `not_copied` maps an argument value to why no request spells it."""

    domain: ClassVar[str]
    not_copied: ClassVar[dict[str, str]] = {}
    scenarios: ClassVar[tuple[Scenario, ...]]
    manifest: ClassVar[dict[str, Any]]

    @classmethod
    def setup_class(cls) -> None:
        cls.scenarios = importlib.import_module(f"fgbuild.domains.{cls.domain}").SCENARIOS
        cls.manifest = tomllib.loads((MANIFESTS / f"{cls.domain}.toml").read_text(encoding="utf-8"))

    def schema(self, tool: str) -> dict[str, Any]:
        (parameters,) = (each["parameters"] for each in self.manifest["tool"] if each["name"] == tool)
        return {**parameters, "additionalProperties": False}

    def episodes(self, draws: int = 8, only: str = "") -> Iterator[tuple[Scenario, Episode]]:
        """`draws` episodes of each scenario (or only one) in each split."""
        for scenario in (each for each in self.scenarios if only in ("", each.name)):
            for split in SPLITS:
                for seed in range(draws):
                    yield scenario, scenario.build(Draw(random.Random(seed), split))

    def test_tools_fit_the_format_and_the_attention_window(self) -> None:
        assert problems(self.manifest["tool"]) == []
        assert sum(len(render_declaration(tool)) for tool in self.manifest["tool"]) <= DECLARATION_CHARACTERS

    def test_every_phrasing_can_be_filled(self) -> None:
        for scenario, episode in self.episodes():
            for phrasing in scenario.phrasings:
                assert phrasing.format(**episode.slots).strip(), scenario.name

    def test_every_slot_that_is_drawn_is_used(self) -> None:
        for scenario, episode in self.episodes(draws=1):
            used = set().union(*(slots_of(phrasing) for phrasing in scenario.phrasings))
            if scenario.kind != "decline":
                assert used == set(episode.slots), scenario.name

    def test_calls_fit_the_declared_tools(self) -> None:
        called = set()
        for _, episode in self.episodes():
            for turn in episode.turns:
                for name, arguments in calls_of(turn):
                    jsonschema.validate(arguments, self.schema(name))
                    called.add(name)
        assert called == {tool["name"] for tool in self.manifest["tool"]}

    def test_every_optional_argument_is_taught_with_and_without(self) -> None:
        seen: dict[str, set[frozenset[str]]] = {tool["name"]: set() for tool in self.manifest["tool"]}
        for scenario, episode in self.episodes(draws=1):
            if scenario.kind == "single":
                ((name, arguments),) = calls_of(episode.turns[0])
                seen[name].add(frozenset(arguments))
        for name, combinations in seen.items():
            schema = self.schema(name)
            for optional in set(schema.get("properties", {})) - set(schema.get("required", [])):
                assert {optional in keys for keys in combinations} == {True, False}, (name, optional)

    def test_single_calls_use_exactly_what_each_phrasing_names(self) -> None:
        for scenario, episode in self.episodes(draws=4):
            if scenario.kind != "single":
                continue
            ((_, arguments),) = calls_of(episode.turns[0])
            copied = [value for value in arguments.values() if value not in self.not_copied]
            for phrasing in scenario.phrasings:
                assert len(slots_of(phrasing)) == len(copied), phrasing
                request = phrasing.format(**episode.slots)
                assert all(mentions(request, value) for value in copied), request

    def test_later_arguments_come_from_the_request_or_a_response(self) -> None:
        for scenario, episode in self.episodes(draws=3):
            for phrasing in scenario.phrasings:
                known = phrasing.format(**episode.slots)
                for turn in episode.turns:
                    for _, arguments in calls_of(turn):
                        copied = [value for value in arguments.values() if value not in self.not_copied]
                        assert all(mentions(known, value) for value in copied), (scenario.name, known)
                    known += json.dumps(turn["content"]) if turn["role"] == "tool" else ""

    def test_answers_hold_no_number_that_no_turn_before_held(self) -> None:
        for scenario, episode in self.episodes():
            *before, last = episode.turns
            for number in re.findall(r"\d+", last.get("content", "")):
                assert number in json.dumps(before), scenario.name

    def test_turns_alternate_and_end_with_the_assistant(self) -> None:
        for scenario, episode in self.episodes():
            turns = episode.turns
            assert [turn["role"] for turn in turns] == ["assistant", "tool"] * (len(turns) // 2) + ["assistant"]
            for turn, answer in pairwise(turns):
                if turn["role"] == "assistant":
                    assert [name for name, _ in calls_of(turn)] == [each["name"] for each in answer["content"]]
            calls = [len(calls_of(turn)) for turn in turns if "tool_calls" in turn]
            allowed: dict[str, list[list[int]]] = {"single": [[1]], "parallel": [[2]], "clarify": [[]], "decline": [[]]}
            assert calls in allowed.get(scenario.kind, [[1] * steps for steps in range(1, 5)]), scenario.name
            assert len(json.dumps(turns[-1].get("content", ""))) < 160, scenario.name

    def test_a_sequence_takes_two_to_four_calls(self) -> None:
        longest: dict[str, int] = {}
        for scenario, episode in self.episodes():
            if scenario.kind == "sequence":
                steps = sum(len(calls_of(turn)) for turn in episode.turns)
                longest[scenario.name] = max(steps, longest.get(scenario.name, 0))
        assert longest
        assert all(2 <= steps <= 4 for steps in longest.values()), longest

    def test_abstaining_answers_never_vary_within_a_scenario(self) -> None:
        answers: dict[str, set[str]] = {}
        for scenario, episode in self.episodes():
            if scenario.kind in ABSTAINING:
                answers.setdefault(scenario.name, set()).add(episode.turns[0]["content"])
        assert all(len(texts) == 1 for texts in answers.values())

    def test_enough_requests_need_no_call(self) -> None:
        total = sum(scenario.weight for scenario in self.scenarios)
        abstaining = sum(scenario.weight for scenario in self.scenarios if scenario.kind in ABSTAINING)
        assert 0.22 <= abstaining / total <= 0.35

    def test_phrasings_are_many_and_none_is_used_twice(self) -> None:
        for scenario in self.scenarios:
            assert len(scenario.phrasings) >= (40 if scenario.kind == "decline" else 25), scenario.name
        phrasings = [phrasing.casefold() for scenario in self.scenarios for phrasing in scenario.phrasings]
        bare = [re.sub(r"[^\w{}=.:,+-]+", " ", phrasing).strip(" .,") for phrasing in phrasings]
        assert sorted(bare) == sorted(set(bare))
        names = [scenario.name for scenario in self.scenarios]
        assert len(names) == len(set(names))

    def test_the_manifest_s_data_set_can_be_drawn_without_leaks(self) -> None:
        count = self.manifest["dataset"]["count"]
        card = statistics(trajectories(self.domain, self.scenarios, count=count, eval_fraction=0.2, seed=7))
        assert card["rows"] == count
        assert (card["shared_families"], card["shared_requests"]) == (0, 0)
        assert set(card["eval"]["scenarios"]) == {scenario.name for scenario in self.scenarios}

    def test_the_same_seed_draws_the_same_episode(self) -> None:
        @settings(max_examples=30, deadline=None)
        @given(st.sampled_from(self.scenarios), st.sampled_from(SPLITS), st.integers(0, 2**32))
        def check(scenario: Scenario, split: Split, seed: int) -> None:
            first, second = (scenario.build(Draw(random.Random(seed), split)) for _ in range(2))
            assert first == second

        check()

    def test_smoke_checks_are_copyable_and_no_training_text(self) -> None:
        for smoke in self.manifest["verify"]["smoke"]:
            jsonschema.validate(smoke["arguments"], self.schema(smoke["tool"]))
            assert all(mentions(smoke["prompt"], value) for value in smoke["arguments"].values())
            asked = smoke["prompt"].casefold()
            for value in smoke["arguments"].values():
                asked = asked.replace(str(value).casefold(), "{}")
            for scenario in self.scenarios:
                for phrasing in scenario.phrasings:
                    assert re.sub(r"\{\w+\}", "{}", phrasing.casefold()) != asked
