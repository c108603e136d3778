"""The sample-data domain: its scenarios agree with its manifest and with each other."""

from __future__ import annotations

from typing import ClassVar

from domain_contract import DomainContract

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
    repeated = frozenset({"generate {count} rows", "export {table}"})
