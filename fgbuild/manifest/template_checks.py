"""Every mistake in a domain of templates that can be seen before a row is drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbuild.domains.sampling import MIN_ABSTAINING_SHARE
from fgbuild.domains.templates.text import request_format
from fgbuild.functiongemma.check import problems as tool_problems
from fgbuild.manifest.scenario_checks import ABSTAINING, ScenarioCheck
from fgbuild.manifest.slot_checks import Problem, command_problems, slot_problems
from fgbuild.manifest.toml_lines import KeyPath

_MIN_ROWS = 40
"""Rows of a split from which the generate stage asks for enough of them without a call."""


def problems(root: Path, resolved: Mapping[str, Any]) -> list[Problem]:
    """Everything wrong with the templates of a resolved manifest, each with its key path."""
    if tool_problems(resolved["tool"]):
        return []  # its parameters cannot be relied on, and the manifest is refused for that
    checked = [ScenarioCheck(root, resolved, index) for index in range(len(resolved["scenario"]))]
    found = [problem for scenario in checked for problem in scenario.problems()]
    found += _same_words(checked)
    found += _across(resolved)
    used: dict[str, int] = {}
    for scenario in checked:
        for slot, times in scenario.used().items():
            used[slot] = max(times, used.get(slot, 0))
    in_slots = list(slot_problems(root, resolved["slots"], used))
    if not in_slots:
        found += [problem for scenario in checked for problem in scenario.argument_values()]
    return found + in_slots + list(command_problems(resolved))


def _across(resolved: Mapping[str, Any]) -> Iterator[Problem]:
    """What holds for all scenarios together."""
    scenarios, dataset = resolved["scenario"], resolved["dataset"]
    if not scenarios:
        yield ("dataset", "generator"), "is templates, and there is no [[scenario]]; add one"
        return
    names: set[str] = set()
    for index, scenario in enumerate(scenarios):
        if scenario["name"] in names:
            yield ("scenario", index, "name"), f'"{scenario["name"]}" is there twice; rename one'
        names.add(scenario["name"])
    called = {step["tool"] for scenario in scenarios for step in scenario["steps"]}
    for index, tool in enumerate(resolved["tool"]):
        if tool["name"] not in called and not dataset["files"]:
            yield ("tool", index, "name"), f"no scenario calls {tool['name']}; add one that does or remove the tool"
    total = sum(scenario["weight"] for scenario in scenarios)
    abstaining = sum(scenario["weight"] for scenario in scenarios if scenario["kind"] in ABSTAINING)
    enough_rows = dataset["count"] * max(dataset["eval_fraction"], 1 - dataset["eval_fraction"]) >= _MIN_ROWS
    if enough_rows and abstaining < MIN_ABSTAINING_SHARE * total:
        yield (
            ("scenario", 0),
            f"clarify and decline scenarios have {abstaining / total:.0%} of the weight, and a model that is to learn "
            f"when not to call needs {MIN_ABSTAINING_SHARE:.0%}; add some or raise their weight",
        )


def _same_words(scenarios: Sequence[ScenarioCheck]) -> Iterator[Problem]:
    """Phrasings that can give the same request: one of them may be measured and another one learnt."""
    first: dict[str, KeyPath] = {}
    for scenario in scenarios:
        for index, template in enumerate(scenario.phrasings):
            path = (*scenario.path, "phrasings", index)
            taken = {_bare(request_format(parts)[0]) for parts in template.variants()} if template else set()
            other = next((first[words] for words in sorted(taken) if words in first), None)
            if other:
                table = scenarios[int(other[1])].table
                where = "this scenario" if table is scenario.table else f"scenario {table['name']}"
                said = table["phrasings"][int(other[3])]
                yield path, f'can give the same request as "{said}" of {where}; change or remove one of them'
            first.update(dict.fromkeys(taken, path))


def _bare(phrasing: str) -> str:
    """A phrasing without what a hurried person leaves out."""
    return re.sub(r"[^\w{}]+", " ", phrasing.casefold()).strip()
