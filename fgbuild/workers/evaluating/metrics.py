"""Scores of a model's turns against the gold ones: pure functions of what was said.

A *turn* is one assistant message of a trajectory, decoded with the gold past before it. It
*attempts a call* where its output has a call token or is malformed; it *abstains* where it
attempts none, says something and ends by itself. What its words say is not compared with the
gold words. A share over nothing is None: undefined, not 0. What each score means for a reader is in docs/eval.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fgbuild.functiongemma import Call, Turn
from fgbuild.functiongemma.tokens import END_OF_TURN_ID, START_CALL, START_RESPONSE_ID
from fgbuild.workers.evaluating.shares import Shares, share
from fgbuild.workers.evaluating.syntax import same_syntax
from fgbuild.workers.inference.tool_calls import ToolSet, same_calls

WORDS = "(words)"
MALFORMED = "(malformed)"


@dataclass(frozen=True)
class ScoredTurn:
    """One predicted turn beside the gold one.

    trajectory, scenario: of the row; first: whether it answers the trajectory's first request.
    gold: the calls that should have been made, () where words should have come.
    output: the raw text; turn: what was read from it; stopped_on: the stop id that ended it, or None.
    problem: why its calls do not fit their declarations ("" where they do).
    tools: the declarations.
    """

    trajectory: str
    scenario: str
    first: bool
    gold: tuple[Call, ...]
    output: str
    turn: Turn
    stopped_on: int | None
    problem: str
    tools: ToolSet

    @property
    def stopped(self) -> bool:
        return self.stopped_on is not None

    @property
    def stopped_right(self) -> bool:
        """It ended on the id that goes with what it said: before responses after a call, else the turn's end."""
        return self.stopped_on == (START_RESPONSE_ID if self.attempted else END_OF_TURN_ID)

    @property
    def undeclared(self) -> int:
        """How many of its calls are of tools that there are not."""
        return sum(call.name not in self.tools.parameters for call in self.turn.calls)

    @property
    def attempted(self) -> bool:
        return START_CALL in self.output or bool(self.turn.malformed)

    @property
    def empty(self) -> bool:
        return not self.turn.calls and not self.turn.text

    @property
    def abstains(self) -> bool:
        return self.stopped and not self.attempted and not self.empty

    @property
    def well_formed(self) -> bool:
        """It says something, ended by itself, parses whole, and every call fits its tool's declaration."""
        return self.stopped and not self.empty and not self.turn.malformed and not self.problem

    @property
    def right_tools(self) -> bool:
        """The gold turn's tools, in its order."""
        return not self.turn.malformed and _names(self.turn.calls) == _names(self.gold)

    @property
    def right_calls(self) -> bool:
        """The gold turn's calls with its arguments; where it makes none, no attempt at one."""
        return not self.turn.malformed and same_calls(self.turn.calls, self.gold)

    @property
    def ast_match(self) -> bool:
        """The gold turn's calls, in any order, declared defaults filled in, and then the end; see `syntax`."""
        same = same_syntax(self.turn.calls, self.gold, self.tools.parameters)
        return self.stopped and not self.turn.malformed and same

    @property
    def exact(self) -> bool:
        """The right calls and then the end; where the gold turn makes none, it abstains."""
        return self.stopped and self.right_calls if self.gold else self.abstains


def score_turn(
    row: Mapping[str, Any],
    first: bool,
    gold: tuple[Call, ...],
    output: str,
    turn: Turn,
    stopped_on: int | None,
    tools: ToolSet,
) -> ScoredTurn:
    """Put together one turn's record; `tools` are those that its prompt declared."""
    problem = next((found for call in turn.calls if (found := tools.problem(call))), "")
    return ScoredTurn(row["id"], row.get("scenario", ""), first, gold, output, turn, stopped_on, problem, tools)


def metrics(turns: Sequence[ScoredTurn]) -> dict[str, Any]:
    """Every score of a run; shares are 0 to 1, or None where nothing counts towards them.

    call_validity: of turns that attempt a call or do not end by themselves, those that are well formed
        (see ScoredTurn); 0 where calls were due and none was attempted. Words where a call was due are
        a wrong choice, which tool_accuracy and missed_calls count: neither valid nor invalid.
    tool_accuracy: of turns that should call, those that call the same tools in the same order.
    argument_match: of the same turns, those that are exact: calls equal to the gold ones, arguments
        and all, and then the end.
    ast_match: of the same turns, those whose calls mean the gold ones (see `syntax`) and then end.
    sequence_accuracy: of trajectories, those whose every turn is exact. A turn that should be words
        is exact where it abstains, whatever it says.
    abstention_precision: of first turns that abstain, those that should; 0 where some should and none does.
    abstention_recall: of first turns that should abstain, those that do.
    turn_accuracy: of all turns, those that are exact. stop_accuracy: those that end on the right id.
    missed_calls, unwanted_calls: turns that should call and attempt no call, and the reverse.
    hallucinated_tools: calls of tools that are not declared.
    intervals: share → its Wilson 95 % interval, those over nothing left out.
    """
    calling = [turn for turn in turns if turn.gold]
    first = [turn for turn in turns if turn.first]
    should_abstain = [turn for turn in first if not turn.gold]
    trajectories = _by_trajectory(turns)
    shares = Shares()
    # Nothing right where something was due is 0, not undefined.
    shares.add(
        "call_validity", (turn.well_formed for turn in turns if turn.attempted or not turn.stopped), bool(calling)
    )
    shares.add("tool_accuracy", (turn.right_tools for turn in calling))
    shares.add("argument_match", (turn.exact for turn in calling))
    shares.add("ast_match", (turn.ast_match for turn in calling))
    shares.add("turn_accuracy", (turn.exact for turn in turns))
    shares.add("sequence_accuracy", (all(turn.exact for turn in part) for part in trajectories.values()))
    shares.add("abstention_precision", (not turn.gold for turn in first if turn.abstains), bool(should_abstain))
    shares.add("abstention_recall", (turn.abstains for turn in should_abstain))
    shares.add("stop_accuracy", (turn.stopped_right for turn in turns))
    return {
        "examples": len(trajectories),
        "turns": len(turns),
        **shares.values,
        "missed_calls": sum(not turn.attempted for turn in calling),
        "unwanted_calls": sum(turn.attempted for turn in turns if not turn.gold),
        "hallucinated_tools": sum(turn.undeclared for turn in turns),
        "intervals": shares.intervals,
        "scenarios": _by_scenario(turns),
        "confusion": confusion(turns),
    }


def prompt_metrics(turns: Sequence[ScoredTurn]) -> dict[str, Any]:
    """Scores of prompts by hand, in which a turn without a call counts as one with the right tools where it abstains.

    prompts: how many. prompt_tool_accuracy: of their turns, those with the right tools in order. prompt_argument_match:
    of the same, those that are exact. intervals: as in `metrics`.
    """
    shares = Shares()
    shares.add("prompt_tool_accuracy", (turn.right_tools if turn.gold else turn.abstains for turn in turns))
    shares.add("prompt_argument_match", (turn.exact for turn in turns))
    return {"prompts": len(_by_trajectory(turns)), **shares.values, "intervals": shares.intervals}


def confusion(turns: Sequence[ScoredTurn]) -> dict[str, dict[str, int]]:
    """Gold tools → called tools → turns. Parallel calls are joined with `+`."""
    table: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for turn in turns:
        got = MALFORMED if turn.turn.malformed else _label(turn.turn.calls)
        table[_label(turn.gold)][got] += 1
    return {gold: dict(sorted(table[gold].items())) for gold in sorted(table)}


def judge(scores: Mapping[str, Any], thresholds: Mapping[str, float]) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Scores below their thresholds as name → {"value", "minimum"}, and notes on undefined ones.

    A score that is undefined on this split (no example should abstain, say) passes with a note, one that was not
    measured without, and one whose minimum is 0 is not asked for.
    """
    below = {}
    notes = []
    for name, minimum in thresholds.items():
        if name not in scores or not minimum:
            continue
        value = scores[name]
        if value is None:
            notes.append(f"{name} is undefined on this split: no turn counts towards it")
        elif value < minimum:
            below[name] = {"value": value, "minimum": minimum}
    return below, notes


def _by_scenario(turns: Sequence[ScoredTurn]) -> dict[str, dict[str, Any]]:
    scenarios: defaultdict[str, list[ScoredTurn]] = defaultdict(list)
    for turn in turns:
        scenarios[turn.scenario].append(turn)
    table = {}
    for name, part in scenarios.items():
        trajectories = _by_trajectory(part).values()
        table[name] = {
            "examples": len(trajectories),
            "turns": len(part),
            "tool_accuracy": share(turn.right_tools for turn in part if turn.gold),
            "argument_match": share(turn.exact for turn in part if turn.gold),
            "sequence_accuracy": share(all(turn.exact for turn in whole) for whole in trajectories),
        }
    return table


def _by_trajectory(turns: Sequence[ScoredTurn]) -> dict[str, list[ScoredTurn]]:
    trajectories: defaultdict[str, list[ScoredTurn]] = defaultdict(list)
    for turn in turns:
        trajectories[turn.trajectory].append(turn)
    return dict(trajectories)


def _names(calls: Sequence[Call]) -> list[str]:
    return [call.name for call in calls]


def _label(calls: Sequence[Call]) -> str:
    return "+".join(_names(calls)) or WORDS
