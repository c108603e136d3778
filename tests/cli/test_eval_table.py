"""What `fgbuild eval` prints."""

from __future__ import annotations

from typing import Any

from fgbuild.cli.eval import table

SCORES: dict[str, Any] = {
    "examples": 60,
    "tool_accuracy": 0.8,
    "closed_loop_accuracy": None,
    "decode_tokens_per_s": 48.3,
    "intervals": {"tool_accuracy": [0.6822, 0.8817]},
}


def test_intervals_stand_below_their_scores_and_what_it_is_held_against_follows() -> None:
    report = {**SCORES, "below": {"tool_accuracy": {"value": 0.8, "minimum": 0.85}}, "base": SCORES, "bf16": SCORES}
    heading, *lines = table({"lint": report})
    assert [line.split()[0] for line in lines[:6]] == ["lint", "95", "base", "95", "bf16", "95"]
    column = heading.index("tool") + len("tool")
    assert lines[0][:column].endswith("0.800")
    assert lines[1][:column].endswith("68–88")
    assert lines[-1] == "lint: tool_accuracy is 0.800, below eval.thresholds.tool_accuracy = 0.85"
    assert "–" in lines[0]  # what was not measured
