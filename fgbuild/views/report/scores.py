"""The scores of an evaluation in the order in which people ask for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fgbuild.views import text
from fgbuild.views.report.values import items, mapping, number, of_keys

# Name → what it is called, and what it counts.
_KNOWN = {
    "tool_accuracy": ("Right tools", "turns that should call: the same tools in the same order"),
    "argument_match": ("Exact calls", "of the same turns: equal to the expected ones, arguments and all"),
    "ast_match": ("AST match", "calls that agree with the expected ones by name and argument"),
    "sequence_accuracy": ("Whole sequences", "conversations whose every turn is exact"),
    "closed_loop_accuracy": ("Closed loop", "conversations whose own calls, run in the sandbox, reach the right state"),
    "call_validity": ("Valid calls", "attempted calls that parse, fit the tool’s schema and end"),
    "abstention_precision": ("Abstention precision", "answers without a call: those where none was due"),
    "abstention_recall": ("Abstention recall", "requests for which no call is due: those answered without one"),
    "stop_accuracy": ("Right stops", "turns that end with the stop token they should end with"),
    "prompt_tool_accuracy": ("By hand: right tools", "prompts that a person wrote"),
    "prompt_argument_match": ("By hand: exact", "prompts that a person wrote"),
}
_NUMBERS = {
    "examples": "Examples",
    "turns": "Turns",
    "prompts": "Prompts by hand",
    "missed_calls": "Missed calls",
    "unwanted_calls": "Unwanted calls",
    "hallucinated_tools": "Hallucinated tools",
    "ttft": "Time to first token",
    "prefill_tokens_per_s": "Prefill, tokens/s",
    "decode_tokens_per_s": "Decode, tokens/s",
    "reused_tokens": "Tokens reused",
    "seconds": "Seconds",
}
_SHARES = ("validity", "accuracy", "match", "precision", "recall", "share", "rate")
_BESIDE = {"base": "base", "bf16": "bf16", "unquantised": "unquantised", "reference": "reference"}
HEADLINE = ("tool_accuracy", "argument_match", "sequence_accuracy")


@dataclass(frozen=True, slots=True)
class Score:
    """A share from 0 to 1, None where nothing counts towards it. interval: its 95 % interval. beside: other models'
    values, in the table's order. passed: None where it has no threshold."""

    name: str
    title: str
    about: str
    value: float | None
    interval: tuple[float, float] | None
    beside: tuple[float | None, ...]
    minimum: float | None
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Scores:
    """beside: what the further columns are. numbers: what is no share, as (name, value)."""

    shares: list[Score]
    beside: list[str]
    numbers: list[tuple[str, str]]

    def headline(self) -> list[Score]:
        """What is asked first, and what misses its threshold."""
        named = {score.name: score for score in self.shares}
        missed = [score for score in self.shares if score.passed is False and score.name not in HEADLINE]
        return [named[name] for name in HEADLINE if name in named] + missed[:3]


def scores_of(report: Mapping[str, Any], summary: Mapping[str, float]) -> Scores:
    """report: of the evaluation, {} where it is not to be had; then summary, which the log has kept, stands in."""
    source: Mapping[str, Any] = report or summary
    thresholds, below = mapping(report.get("thresholds")), mapping(report.get("below"))
    others = {title: mapping(report.get(name)) for name, title in _BESIDE.items() if mapping(report.get(name))}
    intervals = mapping(report.get("intervals"))
    shares = []
    for name in _in_order(source, thresholds):
        value, minimum = number(source.get(name)), number(thresholds.get(name))
        title, about = _KNOWN.get(name, (_words(name), ""))
        shares.append(
            Score(
                name=name,
                title=title,
                about=about,
                value=value,
                interval=_interval(intervals.get(name)),
                beside=tuple(number(other.get(name)) for other in others.values()),
                minimum=minimum,
                passed=None if minimum is None or value is None else name not in below and value >= minimum,
            )
        )
    shown = {score.name for score in shares}
    numbers = [
        (_NUMBERS.get(name, _words(name)), _number(name, value))
        for name in sorted(source, key=_place_of_number)
        if name not in shown and (value := number(source[name])) is not None
    ]
    return Scores(shares, list(others), numbers)


def _in_order(source: Mapping[str, Any], thresholds: Mapping[str, Any]) -> list[str]:
    """Names of shares: those known first."""
    named = [name for name in _KNOWN if name in source]
    return named + [name for name in source if name not in _KNOWN and (name in thresholds or _is_share(name, source))]


def _is_share(name: str, source: Mapping[str, Any]) -> bool:
    value = number(source[name])
    return value is not None and 0 <= value <= 1 and name.endswith(_SHARES)


def _interval(value: Any) -> tuple[float, float] | None:
    """[low, high] or {"low": …, "high": …}."""
    ends = (
        [of_keys(value, "low", "lower"), of_keys(value, "high", "upper")] if isinstance(value, dict) else items(value)
    )
    found = [end for end in map(number, ends[:2]) if end is not None]
    return (found[0], found[1]) if len(found) == 2 and 0 <= found[0] <= found[1] <= 1 else None


def _number(name: str, value: float) -> str:
    if name.endswith(("ttft", "seconds")) or name.startswith("ttft"):
        return text.number(value) + ("" if name.endswith(("_ms", "ms")) else " s")
    return text.number(value)


def _place_of_number(name: str) -> tuple[int, str]:
    known = list(_NUMBERS)
    return (known.index(name), "") if name in _NUMBERS else (len(known), name)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
