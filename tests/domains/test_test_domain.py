"""The test domain: its scenarios agree with its manifest, with each other, and with pytest and coverage."""

from __future__ import annotations

from typing import ClassVar

from domain_contract import DomainContract, answered_calls

from fgbuild.domains.test.turns import plain


class TestTestDomain(DomainContract):
    domain = "test"
    missing: ClassVar = {
        "clarify_run": "path",
        "clarify_list": "path",
        "clarify_failure": "node",
        "clarify_coverage": "package",
    }
    pools: ClassVar = {"TARGETS": 200, "NODES": 200, "PACKAGES": 150, "KEYWORDS": 90}
    not_copied: ClassVar = {".": "people say 'the whole suite'; the tool's own description gives the dot"}

    def test_responses_name_tests_under_the_path_that_was_asked_for(self) -> None:
        for _, episode in self.episodes(draws=4):
            for name, arguments, response in answered_calls(episode):
                first = response.get("first", "")
                if name in ("run_tests", "list_tests") and first and arguments["path"] != ".":
                    assert first.startswith(plain(arguments["path"]))
                    assert "::test_" in first

    def test_a_keyword_selects_the_tests_named_so(self) -> None:
        for _, episode in self.episodes(draws=10, only="keyword_then_show"):
            for name, arguments, response in answered_calls(episode):
                if name == "run_tests":
                    assert response["passed"] + response["failed"] > 0
                    assert arguments["keyword"] in response.get("first", arguments["keyword"])

    def test_coverage_follows_only_a_run_without_failures(self) -> None:
        outcomes = set()
        for _, episode in self.episodes(draws=12, only="run_then_coverage"):
            failed = episode.turns[1]["content"][0]["response"]["failed"]
            outcomes.add((failed > 0, len(episode.turns)))
        assert outcomes == {(True, 3), (False, 5)}

    def test_a_rerun_repeats_as_many_tests_as_failed_and_some_of_them_pass(self) -> None:
        passed = set()
        for _, episode in self.episodes(draws=8, only="run_show_rerun"):
            before, after = (episode.turns[at]["content"][0]["response"] for at in (1, 5))
            assert after["passed"] + after["failed"] == before["failed"] > 0
            passed.add(after["passed"] > 0)
        assert passed == {True, False}

    def test_a_minimum_is_judged_from_the_measured_percentage(self) -> None:
        judged = set()
        for _, episode in self.episodes(draws=12, only="coverage_minimum"):
            for _, _, response in answered_calls(episode):
                assert response["reached"] == (response["percent"] >= episode.slots["minimum"])
                assert episode.turns[2]["content"].endswith("enough." if response["reached"] else "too low.")
                judged.add(response["reached"])
        assert judged == {True, False}

    def test_a_sequence_that_recovers_starts_with_an_error_that_says_what_it_does_next(self) -> None:
        for scenario in ("run_misplaced", "coverage_misnamed", "slow_before_a_run"):
            for _, episode in self.episodes(draws=6, only=scenario):
                first, *later = (response for _, _, response in answered_calls(episode))
                assert "; " in first["error"], scenario
                assert later
                assert all("error" not in response for response in later), scenario
