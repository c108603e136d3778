"""The docstring domain: its scenarios agree with its manifest, with each other, and with its tools."""

from __future__ import annotations

from typing import ClassVar

import pytest
from domain_contract import DomainContract, answered_calls, calls_of

from fgbuild.domains.docstring.styles import STYLES


class TestDocstringDomain(DomainContract):
    domain = "docstring"
    missing: ClassVar = {"file_missing": "path", "symbol_missing": "symbol", "style_missing": "style"}
    pools: ClassVar = {"PATHS": 200, "FILES": 200, "SYMBOLS": 200, "LOCAL": 200, "TAILS": 20}
    any_case = frozenset(STYLES)

    def test_an_error_is_always_told(self) -> None:
        told = 0
        for _, episode in self.episodes(draws=24, only="signature"):
            responses = [response for _, _, response in answered_calls(episode)]
            if any("error" in response for response in responses):
                assert (
                    episode.turns[-1]["content"].startswith("There is no ")
                    or "Which one?" in episode.turns[-1]["content"]
                )
                told += 1
        assert told

    @pytest.mark.parametrize(
        ("scenario", "recovered", "least"), [("read_misspelt", "symbol", 0.6), ("write_elsewhere", "path", 0.6)]
    )
    def test_an_error_is_followed_by_the_call_that_it_suggests(
        self, scenario: str, recovered: str, least: float
    ) -> None:
        found = []
        for _, episode in self.episodes(draws=20, only=scenario):
            (name, arguments, response), *more = answered_calls(episode)
            assert arguments[recovered] == episode.slots[recovered]
            found.append(bool(more))
            for again, corrected, answer in more:
                assert again == name
                assert response["error"].endswith(f" {corrected[recovered]}")
                assert "error" not in answer
        assert sum(found) / len(found) >= least

    @pytest.mark.parametrize("scenario", ["document_first", "document_all", "read_first_wrong"])
    def test_nothing_follows_where_nothing_is_found(self, scenario: str) -> None:
        lengths = set()
        for _, episode in self.episodes(draws=24, only=scenario):
            _, _, found = next(answered_calls(episode))
            later = [call for turn in episode.turns[2:] for call in calls_of(turn)]
            assert bool(later) == bool(found["symbols"])
            assert all(arguments["symbol"] in found["symbols"].split(", ") for _, arguments in later)
            lengths.add(bool(later))
        assert lengths == {True, False}

    def test_most_conversions_change_something(self) -> None:
        counts = [
            response["converted"]
            for _, episode in self.episodes(draws=24, only="convert")
            for _, _, response in answered_calls(episode)
        ]
        assert sum(count > 0 for count in counts) > len(counts) / 2
