"""The lint domain: its scenarios agree with its manifest, with each other, and with ruff."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import ClassVar

from domain_contract import DomainContract, answered_calls

from fgbuild.domains.lint.rules import RULES
from fgbuild.domains.lint.turns import plain
from fgbuild.domains.lint.values import FILES


class TestLintDomain(DomainContract):
    domain = "lint"
    missing: ClassVar = {
        "clarify_check": "path",
        "clarify_fix": "path",
        "clarify_rule": "rule",
        "clarify_line": "line",
        "clarify_silence": "rule",
    }
    pools: ClassVar = {"FILES": 200, "FOLDERS": 80, "TARGETS": 200}
    not_copied: ClassVar = {".": "people say 'the whole project'; the tool's own description gives the dot"}

    def test_checks_report_files_under_the_checked_path(self) -> None:
        for _, episode in self.episodes(draws=10):
            for name, arguments, response in answered_calls(episode):
                if name != "run_ruff" or "error" in response:
                    continue
                assert bool(response["count"]) == ("first" in response)
                if response["count"]:
                    where, code, title = response["first"].split(" ")
                    assert where.startswith(plain(arguments["path"])) or arguments["path"] == "."
                    assert RULES[code].name == title
                    assert arguments.get("rule", code) == code

    def test_a_file_named_without_its_folder_is_found_by_the_error(self) -> None:
        found = 0
        for _, episode in self.episodes(draws=10, only="check_misplaced"):
            ((_, asked, response), *rest) = answered_calls(episode)
            if rest:
                ((_, corrected, _),) = rest
                assert "error" not in rest[0][2]
                assert response == {"error": f"{asked['path']} does not exist; there is {corrected['path']}"}
                found += 1
        assert found >= 12

    def test_a_fix_follows_only_a_check_that_found_something(self) -> None:
        outcomes = set()
        for _, episode in self.episodes(draws=20, only="check_then_fix"):
            count = episode.turns[1]["content"][0]["response"]["count"]
            outcomes.add((count > 0, len(episode.turns)))
        assert outcomes == {(True, 5), (False, 3)}


def test_rules_have_ruff_s_own_codes_and_names() -> None:
    command = [sys.executable, "-m", "ruff", "rule", "--all", "--output-format", "json"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    known = {rule["code"]: rule["name"] for rule in listed}
    assert {code: rule.name for code, rule in RULES.items()} == {code: known.get(code) for code in RULES}
    assert len(RULES) >= 60


def test_explanations_are_one_short_sentence() -> None:
    for rule in RULES.values():
        assert rule.summary.endswith(".")
        assert len(rule.summary.split()) <= 10


def test_files_are_python_at_many_depths() -> None:
    assert {path.count("/") for path in FILES} >= {0, 1, 2, 3}
    assert all(path.endswith(".py") for path in FILES)
