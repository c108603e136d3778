"""What every built-in domain must hold to; a test module subclasses `DomainContract` and names its domain."""

from __future__ import annotations

import importlib
import json
import random
import re
import string
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
from drawing import trajectories
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbuild.domains.own_data import read_files
from fgbuild.domains.sampling import Row, request
from fgbuild.domains.scenario import Episode, Message, Scenario, Split
from fgbuild.domains.session import Session
from fgbuild.functiongemma.check import problems
from fgbuild.functiongemma.render import render_declaration
from fgbuild.manifest.project import Project, read_sources
from fgbuild.manifest.validate import resolve_sources
from fgbuild.sandbox import Sandbox
from fgbuild.workers.generating.near import NearCopies, Nearness

ROOT = Path(__file__).parents[2]
SPLITS: tuple[Split, ...] = ("train", "eval")
ABSTAINING = ("clarify", "decline")
"""Kinds whose scenarios make no call."""
DECLARATION_CHARACTERS = 2450
"""At most 460 tokens: attention's sliding window is 512, and every token of the prefix costs time."""


@cache
def project() -> Project:
    """This project on its default base; nothing is written."""
    return resolve_sources(ROOT, read_sources(ROOT), base=None, profile=None)


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


def bag(phrasing: str) -> frozenset[str]:
    """A phrasing's words, slots alike; order, case and punctuation do not matter."""
    return frozenset(re.findall(r"\{\}|[\w']+", re.sub(r"\{\w+\}", "{}", phrasing).casefold()))


def word_similarity(first: str, second: str) -> float:
    """Jaccard similarity (0 to 1) of two phrasings' sets of words: slots are words, case and punctuation no matter."""
    a, b = (set(re.findall(r"\{\w+\}|[\w']+", phrasing.casefold())) for phrasing in (first, second))
    return len(a & b) / len(a | b)


def nearness(train: list[Row], held_out: list[Row]) -> Nearness:
    near = NearCopies(len(held_out))
    for row in held_out:
        near.hold_out(row)
    for row in train:
        near.learn(row)
    return near.found()


class DomainContract:
    """Tests that hold for any domain.

    missing: clarify scenario → the slot that its requests leave out. pools: name in the domain's
    `values` → least number of members. not_copied: argument value → why no request spells it.
    any_case: values that requests may write in any case.
    """

    domain: ClassVar[str]
    missing: ClassVar[dict[str, str]]
    pools: ClassVar[dict[str, int]]
    not_copied: ClassVar[dict[str, str]] = {}
    any_case: ClassVar[frozenset[str]] = frozenset()
    scenarios: ClassVar[tuple[Scenario, ...]]
    manifest: ClassVar[dict[str, Any]]
    sandbox: ClassVar[Sandbox]
    drawn: ClassVar[dict[tuple[str, str, int], Episode]]

    @classmethod
    def setup_class(cls) -> None:
        cls.drawn = {}
        cls.scenarios = importlib.import_module(f"fgbuild.domains.{cls.domain}").SCENARIOS
        cls.manifest = project().domains[cls.domain].resolved
        cls.sandbox = Sandbox(f"fgbuild.domains.{cls.domain}.tools").__enter__()

    @classmethod
    def teardown_class(cls) -> None:
        cls.sandbox.__exit__(None, None, None)

    def build(self, scenario: Scenario, split: Split, seed: int) -> Episode:
        """The episode of a seed. Its calls are replayed where the seed is low: each takes as long as the tool takes."""
        session = Session(random.Random(seed), split, self.sandbox)
        episode = scenario.build(session)
        assert session.close(replay=seed < 2), scenario.name
        return episode

    def spells(self, text: str, value: Any) -> bool:
        """Whether a text holds an argument's value word for word."""
        return mentions(text.casefold() if value in self.any_case else text, value)

    def schema(self, tool: str) -> dict[str, Any]:
        (parameters,) = (each["parameters"] for each in self.manifest["tool"] if each["name"] == tool)
        return {**parameters, "additionalProperties": False}

    def episodes(self, draws: int = 3, only: str = "") -> Iterator[tuple[Scenario, Episode]]:
        """`draws` episodes of each scenario (or only one) in each split; their tools take the time they take."""
        for scenario in (each for each in self.scenarios if only in ("", each.name)):
            for split in SPLITS:
                for seed in range(draws):
                    if (key := (scenario.name, split, seed)) not in self.drawn:
                        self.drawn[key] = self.build(scenario, split, seed)
                    yield scenario, self.drawn[key]

    def test_tools_fit_the_format_and_the_attention_window(self) -> None:
        assert problems(self.manifest["tool"]) == []
        assert sum(len(render_declaration(tool)) for tool in self.manifest["tool"]) <= DECLARATION_CHARACTERS

    def test_every_phrasing_can_be_filled(self) -> None:
        for scenario, episode in self.episodes():
            for phrasing in scenario.phrasings:
                assert phrasing.format(**episode.slots).strip(), scenario.name

    def test_every_slot_that_is_drawn_is_used(self) -> None:
        """Scenarios without a call may share one set of values: no argument is made of them."""
        for scenario, episode in self.episodes(draws=1):
            used = set().union(*(slots_of(phrasing) for phrasing in scenario.phrasings))
            if scenario.kind not in ABSTAINING:
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
                assert all(self.spells(request, value) for value in copied), request

    def test_later_arguments_come_from_the_request_or_a_response(self) -> None:
        for scenario, episode in self.episodes(draws=5):
            for phrasing in scenario.phrasings:
                known = phrasing.format(**episode.slots)
                for turn in episode.turns:
                    for _, arguments in calls_of(turn):
                        copied = [value for value in arguments.values() if value not in self.not_copied]
                        assert all(self.spells(known, value) for value in copied), (scenario.name, known)
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
            if scenario.kind == "sequence":
                assert calls, scenario.name
                assert set(calls) <= {1, 2}, scenario.name
                assert "content" in turns[-1], scenario.name
            else:
                assert calls == {"single": [1], "parallel": [2]}.get(scenario.kind, []), scenario.name
            if scenario.kind in ABSTAINING:
                assert len(turns) == 1, scenario.name
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

    def test_a_clarifying_question_asks_for_what_the_request_leaves_out(self) -> None:
        phrasings = {each.name: each.phrasings for each in self.scenarios if each.kind == "clarify"}
        contrasts = {name: name.partition("_without_")[2] for name in phrasings if "_without_" in name}
        missing = {**self.missing, **contrasts}
        assert set(phrasings) == set(missing)
        slots = set().union(*(slots_of(phrasing) for each in self.scenarios for phrasing in each.phrasings))
        assert set(missing.values()) <= slots
        for name, slot in missing.items():
            for phrasing in phrasings[name]:
                assert slot not in {each.lower() for each in slots_of(phrasing)}, phrasing

    def test_enough_requests_need_no_call(self) -> None:
        total = sum(scenario.weight for scenario in self.scenarios)
        abstaining = sum(scenario.weight for scenario in self.scenarios if scenario.kind in ABSTAINING)
        assert 0.22 <= abstaining / total <= 0.5

    def test_phrasings_are_many_and_none_is_used_twice(self) -> None:
        for scenario in self.scenarios:
            assert len(scenario.phrasings) >= (40 if scenario.kind == "decline" else 25), scenario.name
        phrasings = [phrasing.casefold() for scenario in self.scenarios for phrasing in scenario.phrasings]
        bare = [re.sub(r"[^\w{}=.:,+-]+", " ", phrasing).strip(" .,") for phrasing in phrasings]
        assert [words for words, times in Counter(bare).items() if times > 1] == []
        assert len(phrasings) == len(set(phrasings))
        names = [scenario.name for scenario in self.scenarios]
        assert len(names) == len(set(names))

    def test_no_held_out_phrasing_is_a_training_phrasing_in_another_order(self) -> None:
        for scenario in self.scenarios:
            for held_out in scenario.families("eval"):
                for trained in scenario.families("train"):
                    pair = scenario.phrasings[held_out], scenario.phrasings[trained]
                    assert word_similarity(*pair) < 0.8, (scenario.name, held_out, trained, *pair)

    def test_a_data_set_can_be_drawn_without_leaks(self) -> None:
        drawn = {"count": 180, "eval_fraction": 0.45, "seed": self.manifest["dataset"]["seed"]}
        rows = trajectories(self.domain, self.scenarios, **drawn, sandbox=self.sandbox)
        train, held_out = ([row for row in rows if row["split"] == split] for split in SPLITS)
        assert len(train) + len(held_out) == drawn["count"]
        assert not {row["family"] for row in train} & {row["family"] for row in held_out}
        assert not set(map(request, train)) & set(map(request, held_out))
        assert {row["scenario"] for row in held_out} == {scenario.name for scenario in self.scenarios}
        assert nearness(train, held_out).share <= self.manifest["dataset"]["max_leakage"]

    def test_the_same_seed_draws_the_same_episode(self) -> None:
        @settings(max_examples=10, deadline=None)
        @given(st.sampled_from(self.scenarios), st.sampled_from(SPLITS), st.integers(0, 2**32))
        def check(scenario: Scenario, split: Split, seed: int) -> None:
            assert self.build(scenario, split, seed) == self.build(scenario, split, seed)

        check()

    def test_smoke_checks_are_copyable_and_no_training_text(self) -> None:
        for smoke in self.manifest["verify"]["smoke"]:
            jsonschema.validate(smoke["arguments"], self.schema(smoke["tool"]))
            assert all(self.spells(smoke["prompt"], value) for value in smoke["arguments"].values())
            asked = smoke["prompt"].casefold()
            for value in smoke["arguments"].values():
                asked = asked.replace(str(value).casefold(), "{}")
            for scenario in self.scenarios:
                for phrasing in scenario.phrasings:
                    assert re.sub(r"\{\w+\}", "{}", phrasing.casefold()) != asked

    def test_prompts_by_hand_fit_the_tools_and_are_no_template(self) -> None:
        rows = read_files(ROOT, [self.manifest["eval"]["prompts"]], self.manifest["tool"], max_bad=0).rows
        assert len(rows) >= 25
        templates = {bag(phrasing) for scenario in self.scenarios for phrasing in scenario.phrasings}
        for row in rows:
            asked = request(row)
            given = [
                str(value) for turn in row["messages"] for _, values in calls_of(turn) for value in values.values()
            ]
            for value in sorted(given, key=len, reverse=True):
                asked = re.sub(re.escape(value), "{}", asked, flags=re.IGNORECASE)
            assert bag(asked) not in templates, request(row)

    def test_pools_are_large_and_without_repeats(self) -> None:
        values = importlib.import_module(f"fgbuild.domains.{self.domain}.values")
        for name, least in self.pools.items():
            members = getattr(values, name)
            assert len(members) >= least, name
            assert len(set(members)) == len(members), name
