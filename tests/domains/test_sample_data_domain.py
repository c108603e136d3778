"""The sample-data domain: its scenarios agree with its manifest and with each other."""

from __future__ import annotations

import random
from typing import ClassVar

from domain_contract import SPLITS, DomainContract, calls_of

from fgbuild.domains.sample_data.values import FORMATS
from fgbuild.domains.scenario import Draw


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
        tables: dict[str, set[str]] = {}
        for split in SPLITS:
            draws = (
                scenario.build(Draw(random.Random(seed), split)) for scenario in self.scenarios for seed in range(60)
            )
            tables[split] = {
                arguments["table"]
                for episode in draws
                for turn in episode.turns
                for _, arguments in calls_of(turn)
                if "table" in arguments
            }
        assert len(tables["eval"]) >= 30
        assert tables["train"].isdisjoint(tables["eval"])
