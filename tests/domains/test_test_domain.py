"""The test domain: its scenarios agree with its manifest and with each other."""

from __future__ import annotations

from typing import ClassVar

from domain_contract import DomainContract, answered_calls


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
        for _, episode in self.episodes(draws=20):
            for name, arguments, response in answered_calls(episode):
                first = response.get("first", "")
                if name in ("run_tests", "list_tests") and first and arguments["path"] != ".":
                    assert first.startswith(arguments["path"])
                    assert "::test_" in first
                    assert arguments.get("keyword", "") in first

    def test_a_run_names_a_test_only_if_one_failed(self) -> None:
        for _, episode in self.episodes():
            for name, _, response in answered_calls(episode):
                if name in ("run_tests", "rerun_failed"):
                    assert bool(response["failed"]) == ("first" in response)

    def test_coverage_follows_only_a_run_without_failures(self) -> None:
        outcomes = set()
        for _, episode in self.episodes(draws=40, only="run_then_coverage"):
            failed = episode.turns[1]["content"][0]["response"]["failed"]
            outcomes.add((failed > 0, len(episode.turns)))
        assert outcomes == {(True, 3), (False, 5)}

    def test_a_rerun_repeats_as_many_tests_as_failed(self) -> None:
        for _, episode in self.episodes(draws=20, only="run_show_rerun"):
            before, after = (episode.turns[at]["content"][0]["response"] for at in (1, 5))
            assert after["passed"] + after["failed"] == before["failed"]

    def test_a_minimum_is_judged_from_the_measured_percentage(self) -> None:
        for _, episode in self.episodes(draws=30, only="coverage_minimum"):
            for _, _, response in answered_calls(episode):
                assert response["reached"] == (response["percent"] >= episode.slots["minimum"])
                assert episode.turns[2]["content"].endswith("enough." if response["reached"] else "too low.")
