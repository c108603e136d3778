"""An evaluation: its scores, what was taken for what, and what went wrong."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fgbuild.views.records import StageState
from fgbuild.views.report.made import Made
from fgbuild.views.report.scores import Scores, scores_of
from fgbuild.views.report.values import counts, document, items, lines, mapping, number
from fgbuild.views.text import clean, crop, scalar

SHOWN = 12
"""Failures that a report tells one by one."""
_MOST_TOOLS = 40
_MOST_TEXT = 1_500
_SCENARIO_SCORES = ("tool_accuracy", "argument_match", "sequence_accuracy")
_WORDS = {"(words)": "no call", "(malformed)": "malformed"}
# What the prompt format marks with tokens of its own; they are shown set back from the text.
CONTROL = re.compile(r"(<(?:start|end)_(?:function_(?:declaration|call|response)|of_turn)>|<escape>)")


@dataclass(frozen=True, slots=True)
class Cell:
    """right: on the diagonal. share: of its row."""

    count: float
    share: float
    right: bool


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows are what should have been called, columns what was. left_out: tools beyond those shown."""

    columns: list[str]
    rows: list[tuple[str, list[Cell]]]
    left_out: int


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """expected, got: (is it a control token, text) in order. source: the line of failures.jsonl, not made inert."""

    id: str
    scenario: str
    reason: str
    prompt: list[Message]
    expected: list[tuple[bool, str]]
    got: list[tuple[bool, str]]
    source: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """reasons: of all failures, most common first. scenarios: (name, examples, right tools, exact, whole) the worst
    first. kept: whether the report is still in the store."""

    scores: Scores
    confusion: Confusion | None
    scenarios: list[tuple[str, float, float | None, float | None, float | None]]
    failures: list[Failure]
    failed: int
    reasons: list[tuple[str, int]]
    notes: list[str]
    kept: bool


def evaluation_of(made: Made, stage: StageState, most: int | None = SHOWN) -> Evaluation | None:
    """None where nothing was measured. most: failures that are told, None for all."""
    report = document(made.read(stage.id, "report.json"))
    scores = scores_of(report, stage.summary)
    if not scores.shares and not scores.numbers:
        return None
    failures = lines(made.read(stage.id, "failures.jsonl"))
    return Evaluation(
        scores=scores,
        confusion=_confusion(mapping(report.get("confusion"))),
        scenarios=_scenarios(mapping(report.get("scenarios"))),
        failures=[_failure(failure) for failure in failures[:most]],
        failed=len(failures),
        reasons=Counter(_short(failure.get("reason")) or "other" for failure in failures).most_common(8),
        notes=[scalar(note, 500) for note in items(report.get("notes"))[:20]],
        kept=bool(report),
    )


def _confusion(table: dict[str, Any]) -> Confusion | None:
    rows = {gold: counts(called) for gold, called in table.items()}
    names = list(dict.fromkeys([*rows, *(name for called in rows.values() for name in called)]))
    kept = names[:_MOST_TOOLS]
    if not kept:
        return None
    shown = []
    for gold in [name for name in kept if name in rows]:
        total = sum(rows[gold].values())
        cells = [(rows[gold].get(name, 0), name == gold) for name in kept]
        shown.append((_label(gold), [Cell(count, count / total if total else 0, right) for count, right in cells]))
    return Confusion([_label(name) for name in kept], shown, len(names) - len(kept))


def _label(name: str) -> str:
    """Parallel calls of one tool are counted: `run_tests ×2`."""
    if name in _WORDS:
        return _WORDS[name]
    runs = [(tool, len(list(same))) for tool, same in groupby(name.split("+"))]
    return _short(" + ".join(f"{tool} ×{times}" if times > 1 else tool for tool, times in runs))


def _scenarios(table: dict[str, Any]) -> list[tuple[str, float, float | None, float | None, float | None]]:
    found = []
    for name, row in table.items():
        of = mapping(row)
        tools, exact, whole = (number(of.get(key)) for key in _SCENARIO_SCORES)
        found.append((_short(name), number(of.get("examples")) or 0, tools, exact, whole))
    return sorted(found, key=lambda row: (row[4] if row[4] is not None else 1.0, -row[1], row[0]))


def _failure(row: dict[str, Any]) -> Failure:
    return Failure(
        id=_short(row.get("id")),
        scenario=_short(row.get("scenario")),
        reason=_short(row.get("reason")),
        prompt=[_message(mapping(message)) for message in items(row.get("prompt"))[-8:]],
        expected=_parts(row.get("expected")),
        got=_parts(row.get("got")),
        source=row,
    )


def _message(message: dict[str, Any]) -> Message:
    calls = [mapping(mapping(call).get("function")) for call in items(message.get("tool_calls"))]
    said = [f"{_short(call.get('name'))}({_json(call.get('arguments'))})" for call in calls]
    content = message.get("content")
    if content:
        said.insert(0, _long(content if isinstance(content, str) else _json(content)))
    role = _short(message.get("role"))
    return Message("model" if role == "assistant" else role, "\n".join(said))


def _parts(value: Any) -> list[tuple[bool, str]]:
    whole = _long(value if isinstance(value, str) else _json(value))
    return [(bool(number % 2), part) for number, part in enumerate(CONTROL.split(whole)) if part]


def _json(value: Any) -> str:
    try:
        return _long(json.dumps(value, ensure_ascii=False))
    except (RecursionError, ValueError):
        return "?"


def _short(value: Any) -> str:
    return crop(scalar(value), 80)


def _long(value: str) -> str:
    return clean(value, _MOST_TEXT, keep_newlines=True)
