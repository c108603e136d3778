"""Runs a GGUF over held-out trajectories, one prediction for every assistant turn.

Decoding is greedy and unconstrained, from the exact token ids of training. The past of each turn
is the gold one (teacher forcing), so that one early mistake does not hide what comes after it; in `closed_loop`
it is the model's own. Several prompts are decoded side by side, which changes no answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fgbuild.errors import DataError, FormatError
from fgbuild.functiongemma import parse_turn, render_call
from fgbuild.workers.evaluating.closed_loop import Ask, Loop, loop_metrics, play
from fgbuild.workers.evaluating.metrics import ScoredTurn, metrics, prompt_metrics, score_turn
from fgbuild.workers.evaluating.speed import speed, timed
from fgbuild.workers.inference.llama import Completion, LlamaModel
from fgbuild.workers.inference.prompt import PromptEncoder
from fgbuild.workers.inference.tool_calls import ToolSet, message_calls
from fgbuild.workers.jsonl import read_jsonl

Row = Mapping[str, Any]

SEQUENCES = 8
"""Prompts that are decoded side by side. Another number may round otherwise: see `eval.METRICS_VERSION`."""

LOOP_TOKENS = 512
"""Tokens that a conversation in closed loop may be longer than the longest of the gold ones."""


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
    """What a run gave: every scored turn, with its question and llama.cpp's timings.

    loops: those that were played to their end. timed: answers given one at a time.
    """

    questions: list[Question] = field(default_factory=list)
    turns: list[ScoredTurn] = field(default_factory=list)
    completions: list[Completion] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    timed: list[Completion] = field(default_factory=list)
    seconds: float = 0.0

    def scores(self, by_hand: int = 0) -> dict[str, Any]:
        """The scores of `metrics` and `loop_metrics`, and the speed of `speed`.

        by_hand: how many of the last questions are of prompts by hand, which have scores of their own.
        """
        held_out = len(self.turns) - by_hand
        parts = [
            metrics(self.turns[:held_out]),
            loop_metrics(self.loops),
            prompt_metrics(self.turns[held_out:]) if by_hand else {},
            speed(self.timed),
        ]
        intervals = {name: pair for part in parts for name, pair in part.get("intervals", {}).items()}
        return {
            **{name: value for part in parts for name, value in part.items()},
            "intervals": intervals,
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
    encoder: PromptEncoder,
    loops: Sequence[Loop] = (),
    on_turn: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Ask a GGUF every question and play the loops; `on_turn(done, total)` is called after each question."""
    result = Evaluation(list(asked), loops=list(loops))
    n_ctx = max(len(question.prompt) for question in asked) + max_tokens + (LOOP_TOKENS if loops else 0)
    started = time.perf_counter()
    done = 0

    def one_more() -> None:
        nonlocal done
        done += 1
        on_turn(done, len(asked))

    with LlamaModel(path, n_ctx=n_ctx, sequences=SEQUENCES) as model:
        prompts = [question.prompt for question in asked]
        result.completions = model.complete_all(prompts, max_tokens, on_done=one_more)
        play(loops, _asking(model, max_tokens, encoder, dict(zip(map(tuple, prompts), result.completions))))
        result.timed = timed(model, prompts, max_tokens)
    result.turns = [_scored(question, answer) for question, answer in zip(asked, result.completions)]
    result.seconds = time.perf_counter() - started
    return result


def _asking(
    model: LlamaModel,
    max_tokens: int,
    encoder: PromptEncoder,
    known: dict[tuple[int, ...], Completion],
) -> Ask:
    """How loops get their answers. known: what has been answered already, by prompt; it would be answered the same."""

    def prompt(loop: Loop) -> tuple[int, ...] | None:
        try:
            ids = tuple(encoder.encode(loop.messages, loop.tools.tools))
        except FormatError:
            return None
        return ids if len(ids) + max_tokens <= model.n_ctx else None

    def ask(going: Sequence[Loop]) -> list[Completion | None]:
        prompts = [prompt(loop) for loop in going]
        new = [ids for ids in dict.fromkeys(prompts) if ids is not None and ids not in known]
        known.update(zip(new, model.complete_all(new, max_tokens)))
        return [None if ids is None else known[ids] for ids in prompts]

    return ask


def _scored(question: Question, answer: Completion) -> ScoredTurn:
    return score_turn(
        question.row,
        question.first,
        message_calls(question.row["messages"][question.index]),
        answer.text,
        parse_turn(answer.text),
        answer.stopped_on,
        question.tools,
    )


def _expected(message: Mapping[str, Any]) -> str:
    calls = "".join(render_call(call.name, call.arguments) for call in message_calls(message))
    return (message.get("content") or "") + calls
