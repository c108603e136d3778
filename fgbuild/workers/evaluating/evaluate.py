"""Runs a GGUF over held-out trajectories, one prediction for every assistant turn.

Decoding is greedy and unconstrained, from the exact token ids of training. The past of each turn
is the gold one (teacher forcing), so that one early mistake does not hide what comes after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fgbuild.errors import DataError
from fgbuild.functiongemma import parse_turn, render_call
from fgbuild.workers.evaluating.metrics import ScoredTurn, metrics, prompt_metrics, score_turn
from fgbuild.workers.inference.llama import Completion, LlamaModel
from fgbuild.workers.inference.prompt import PromptEncoder
from fgbuild.workers.inference.tool_calls import ToolSet, message_calls
from fgbuild.workers.jsonl import read_jsonl

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """One assistant turn to predict: its row, the turn's index in `messages`, and the prompt's ids."""

    row: Row
    index: int
    first: bool
    tools: ToolSet
    prompt: list[int]


@dataclass
class Evaluation:
    """What a run gave: every scored turn, with its question and llama.cpp's timings."""

    questions: list[Question] = field(default_factory=list)
    turns: list[ScoredTurn] = field(default_factory=list)
    completions: list[Completion] = field(default_factory=list)
    seconds: float = 0.0

    def scores(self, by_hand: int = 0) -> dict[str, Any]:
        """The scores of `metrics` and the speed. Reused prompt tokens are not counted as prefilled.

        by_hand: how many of the last questions are of prompts by hand, which have scores of their own.
        """
        held_out = len(self.turns) - by_hand
        prefilled = sum(each.prompt_tokens - each.reused_tokens for each in self.completions)
        return {
            **metrics(self.turns[:held_out]),
            **(prompt_metrics(self.turns[held_out:]) if by_hand else {}),
            "decode_tokens_per_s": _rate(
                sum(each.decode_steps for each in self.completions),
                sum(each.decode_seconds for each in self.completions),
            ),
            "prefill_tokens_per_s": _rate(prefilled, sum(each.prefill_seconds for each in self.completions)),
            "reused_tokens": sum(each.reused_tokens for each in self.completions),
            "seconds": round(self.seconds, 2),
        }

    def failures(self) -> Iterator[dict[str, Any]]:
        """Turns that went wrong: {"id", "scenario", "turn", "prompt", "expected", "got", "reason"}."""
        for question, turn in zip(self.questions, self.turns):
            if turn.exact and turn.well_formed:
                continue
            yield {
                "id": turn.trajectory,
                "scenario": turn.scenario,
                "turn": question.index,
                "prompt": question.row["messages"][: question.index],
                "expected": _expected(question.row["messages"][question.index]),
                "got": turn.output,
                "reason": reason(turn),
            }


def reason(turn: ScoredTurn) -> str:
    """In a few words, what is wrong with a turn that is not exact and well formed."""
    if turn.turn.malformed:
        return f"malformed: {turn.turn.malformed}"
    if turn.empty:
        return "an empty answer"
    if turn.gold and not turn.turn.calls:
        return "words instead of a call"
    if turn.turn.calls and not turn.gold:
        return "a call instead of words"
    if not turn.right_tools:
        return "wrong tool"
    if turn.problem:
        return turn.problem
    return "wrong arguments" if not turn.right_calls else "did not stop"


def read_rows(path: Path, limit: int) -> list[Row]:
    """Up to `limit` rows of an eval split, spread over it (see `spread`).

    Raises DataError where the file holds no row.
    """
    rows = spread(read_jsonl(path), limit)
    if not rows:
        raise DataError(f"{path} holds no example; raise dataset.count or dataset.eval_fraction")
    return rows


def spread(rows: Sequence[Row], limit: int) -> list[Row]:
    """At most `limit` rows at even distances, so that every scenario counts by its share of the split."""
    count = min(limit, len(rows))
    return [rows[number * len(rows) // count] for number in range(count)]


def questions(rows: Sequence[Row], tools: Sequence[Mapping[str, Any]], encoder: PromptEncoder) -> list[Question]:
    """A question for every assistant turn, those of one trajectory in order."""
    shared = ToolSet(tools)
    found = []
    for row in rows:
        declared = ToolSet(row["tools"]) if row.get("tools") else shared
        first = True
        for index, message in enumerate(row["messages"]):
            if message["role"] == "assistant":
                prompt = encoder.encode(row["messages"][:index], declared.tools)
                found.append(Question(row, index, first, declared, prompt))
                first = False
    return found


def evaluate(
    path: Path,
    asked: Sequence[Question],
    *,
    max_tokens: int,
    on_turn: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Ask a GGUF every question; `on_turn(done, total)` is called after each."""
    result = Evaluation(list(asked))
    n_ctx = max(len(question.prompt) for question in asked) + max_tokens
    started = time.perf_counter()
    with LlamaModel(path, n_ctx=n_ctx) as model:
        for question in asked:
            answer = model.complete(question.prompt, max_tokens)
            result.completions.append(answer)
            result.turns.append(
                score_turn(
                    question.row,
                    question.first,
                    message_calls(question.row["messages"][question.index]),
                    answer.text,
                    parse_turn(answer.text),
                    answer.stopped_on is not None,
                    question.tools,
                )
            )
            on_turn(len(result.turns), len(asked))
    result.seconds = time.perf_counter() - started
    return result


def _expected(message: Mapping[str, Any]) -> str:
    calls = "".join(render_call(call.name, call.arguments) for call in message_calls(message))
    return (message.get("content") or "") + calls


def _rate(count: int, seconds: float) -> float | None:
    return round(count / seconds, 1) if count and seconds > 0 else None
