"""Scenarios that a manifest declares, as `fgbuild.domains.scenario` has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from fgbuild.domains.scenario import (
    ANSWERED,
    ANSWERED_MIDWAY,
    Draw,
    Episode,
    Message,
    Scenario,
    calls,
    ended,
    results,
    say,
)
from fgbuild.domains.templates.commands import Commands, History
from fgbuild.domains.templates.slots import Slots
from fgbuild.domains.templates.text import Template, Unusable, fill, look_up, parse, render, request_format, written
from fgbuild.errors import DataError

_ATTEMPTS = 20
"""Draws of one trajectory; where none can be used, its scenario is at fault and not its values."""

STEP = "step"
"""`step1` is the response to the first step."""


def texts(value: Any) -> list[str]:
    """Every text in JSON data."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def is_step(name: str) -> bool:
    return name.startswith(STEP) and name[len(STEP) :].isdigit()


def slot_names(templates: Collection[Template]) -> set[str]:
    """The slots in templates; `branch2` counts for itself."""
    return {name.head for template in templates for name in template.names() if not is_step(name.head)}


@dataclass
class _TemplateScenario:
    """One declared scenario, parsed. going_on: tools from whose responses a sequence goes on."""

    table: Mapping[str, Any]
    slots: Slots
    commands: Commands
    going_on: Collection[str]
    dropped: Counter[str]
    """Reason → draws that it made unusable; shared by all scenarios of a domain."""

    phrasings: list[Template] = field(init=False)
    beside: set[str] = field(init=False)
    """Slots that no request names: what the tools find."""

    def __post_init__(self) -> None:
        self.phrasings = [parse(text) for text in self.table["phrasings"]]
        said = [step[key] for step in self.table["steps"] for key in ("arguments", "response")]
        told = slot_names([parse(text) for text in [*texts(said), self.table["answer"]]])
        self.beside = told - slot_names(self.phrasings)

    def scenario(self) -> Scenario:
        table = self.table
        return Scenario(table["name"], table["kind"], self.build, table["phrasings"], table["weight"], table["literal"])

    def build(self, d: Draw) -> Episode:
        """One trajectory. Raises DataError where the commands or their responses fail again and again."""
        reason = ""
        for _ in range(_ATTEMPTS):
            try:
                return self._episode(d)
            except Unusable as unusable:
                reason = str(unusable)
                self.dropped[reason] += 1
        raise DataError(
            f"scenario {self.table['name']}: {_ATTEMPTS} examples in a row cannot be used; of the last one, {reason}; "
            "correct the command, its arguments or the workspace"
        )

    def _episode(self, d: Draw) -> Episode:
        request, fields = request_format(self.phrasings[d.family].choose(d.rng))
        scope = self.slots.draw(d, {name.head for name in fields.values()} | self.beside)
        slots = {field: written(look_up(name, scope)) for field, name in fields.items()}
        return Episode(slots, self._turns(d, scope), request)

    def _turns(self, d: Draw, scope: dict[str, Any]) -> list[Message]:
        table, history = self.table, History()
        made: list[tuple[str, dict[str, Any]]] = []
        given: list[tuple[str, dict[str, Any]]] = []
        for number, step in enumerate(table["steps"], 1):
            tool, arguments = step["tool"], fill(step["arguments"], scope)
            found = None
            if tool in self.commands:
                history = (*history, self.commands.argv(tool, arguments))
                found = self.commands.respond(tool, history, told=step["response"] is None)
            if step["response"] is not None:
                found = fill(step["response"], scope)
            made.append((tool, arguments))
            if found is not None:
                given.append((tool, found))
                scope[f"{STEP}{number}"] = found
        answer = [say(render(parse(table["answer"]), scope))] if table["answer"] else []
        if table["kind"] == "sequence":
            return [turn for one, back in zip(made, given) for turn in (calls(one), results(back))] + answer
        if not made:
            return answer
        turns = [calls(*made), *([results(*given), *answer] if answer else [])]
        return ended(d, turns, self._answered())

    def _answered(self) -> float:
        if self.table["answered"] is not None:
            return float(self.table["answered"])
        midway = any(step["tool"] in self.going_on for step in self.table["steps"])
        return ANSWERED_MIDWAY if midway else ANSWERED


def declared_scenarios(
    tables: Collection[Mapping[str, Any]], slots: Slots, commands: Commands, dropped: Counter[str]
) -> list[Scenario]:
    """The scenarios of a resolved manifest."""
    sequences = [table["steps"] for table in tables if table["kind"] == "sequence"]
    going_on = {step["tool"] for steps in sequences for step in steps[:-1]}
    return [_TemplateScenario(table, slots, commands, going_on, dropped).scenario() for table in tables]
