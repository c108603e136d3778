"""How fast a model answers one prompt at a time, as a runner asks it: the tools' declarations are in the KV cache."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from fgbuild.workers.inference.llama import Completion, LlamaModel

SAMPLE = 12
"""Questions that are timed."""


def timed(model: LlamaModel, prompts: Sequence[list[int]], max_tokens: int) -> list[Completion]:
    """Answers to some of the prompts, evenly spread, one after the other."""
    count = min(SAMPLE, len(prompts))
    chosen = [prompts[number * len(prompts) // count] for number in range(count)]
    model.complete(chosen[-1], 1)  # what the prompts share is then there for the first one too
    return [model.complete(prompt, max_tokens) for prompt in chosen]


def speed(answers: Sequence[Completion]) -> dict[str, Any]:
    """Tokens a second, None where none were made, and seconds as {"median", "p95"}.

    time_to_first_token: from the prompt to the first token. turn_seconds: to the last one. A reused token of a prompt
    does not count as prefilled.
    """
    prefilled = sum(each.prompt_tokens - each.reused_tokens for each in answers)
    return {
        "decode_tokens_per_s": _rate(
            sum(each.decode_steps for each in answers), sum(each.decode_seconds for each in answers)
        ),
        "prefill_tokens_per_s": _rate(prefilled, sum(each.prefill_seconds for each in answers)),
        "time_to_first_token": _spread([each.prefill_seconds for each in answers]),
        "turn_seconds": _spread([each.prefill_seconds + each.decode_seconds for each in answers]),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank). share: above 0."""
    ordered = sorted(values)
    rank = -(-len(ordered) * round(share * 100) // 100)
    return ordered[rank - 1]


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    return {"median": round(statistics.median(seconds), 3), "p95": round(percentile(seconds, 0.95), 3)}


def _rate(count: int, seconds: float) -> float | None:
    return round(count / seconds, 1) if count and seconds > 0 else None
