"""The sample-data domain: its scenarios agree with its manifest and with each other."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import ClassVar

from domain_contract import SPLITS, DomainContract, answered_calls, calls_of

from fgbuild.domains.sample_data.values import FORMATS


class TestSampleDataDomain(DomainContract):
    domain = "sample_data"
    missing: ClassVar = {
        "file_missing": "path",
        "table_missing": "table",
        "count_missing": "count",
        "format_missing": "format",
    }
    pools: ClassVar = {"PATHS": 200, "TABLES": 200, "COLUMNS": 200}
    any_case = frozenset(FORMATS)

    def test_tables_that_are_named_after_files_are_held_out_too(self) -> None:
        tables: dict[str, set[str]] = {split: set() for split in SPLITS}
        for _ in self.episodes(draws=8):
            pass
        for (_, split, _), episode in self.drawn.items():
            for turn in episode.turns:
                tables[split] |= {arguments["table"] for _, arguments in calls_of(turn) if "table" in arguments}
        assert len(tables["eval"]) >= 30
        assert tables["train"].isdisjoint(tables["eval"])

    def test_an_error_that_names_what_is_there_is_followed_by_a_call_with_it(self) -> None:
        followed = set()
        for scenario, episode in self.episodes():
            for turn, following in pairwise(episode.turns):
                for answer in turn["content"] if turn["role"] == "tool" else ():
                    found = re.search(r"; (?:there is|infer it from) (.+)", answer["response"].get("error", ""))
                    if found:
                        assert found[1] in [value for _, given in calls_of(following) for value in given.values()]
                        followed.add(scenario.name)
        assert followed == {"mask_misspelled", "generate_undescribed", "preview_misplaced"}

    def test_some_calls_fail_and_the_answer_says_why(self) -> None:
        failed = set()
        for scenario, episode in self.episodes(draws=16):
            if scenario.kind == "single" and len(episode.turns) == 3:
                response = episode.turns[1]["content"][0]["response"]
                if "error" in response:
                    assert response["error"] in episode.turns[2]["content"]
                    failed.add(scenario.name)
        assert len(failed) >= 3

    def test_checks_find_invalid_rows_about_half_of_the_time(self) -> None:
        found = [
            response
            for _, episode in self.episodes(draws=16, only="validate")
            for name, _, response in answered_calls(episode)
            if name == "validate_rows" and "error" not in response
        ]
        assert all((response["invalid"] > 0) == bool(response["reason"]) for response in found)
        assert 0.2 < sum(response["invalid"] > 0 for response in found) / len(found) < 0.8

    def test_the_masked_column_is_one_of_those_that_the_file_has(self) -> None:
        outcomes = set()
        for _, episode in self.episodes(draws=40, only="mask_personal"):
            calls = list(answered_calls(episode))
            outcomes.add(len(calls))
            for name, arguments, _ in calls[1:]:
                assert name == "anonymize_column"
                assert re.search(rf"\b{arguments['column']} \w+", calls[0][2]["columns"])
        assert outcomes == {1, 2}
