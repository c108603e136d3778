"""What a manifest may say about evaluation."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fgbuild.manifest.table import Table

CONTEXT_LENGTH = 32_768
"""Gemma 3 270M's context, tokens."""

Share = Annotated[float, Field(ge=0, le=1)]


class Thresholds(Table):
    """Least shares of right answers on the held-out examples, 0 to 1; below one the build fails. 0: not asked for."""

    call_validity: Share = Field(
        default=0.98,
        description="Of turns that call or do not stop: those that stop, parse and fit the declarations.",
    )
    tool_accuracy: Share = Field(
        default=0.85,
        description="Of turns that should call, with the gold past: those with the names of all calls of the turn, "
        "in order.",
    )
    argument_match: Share = Field(
        default=0.65,
        description="Of turns that should call, with the gold past: those with all calls of the turn, in order, "
        "arguments and all, that then stop.",
    )
    abstention_precision: Share = Field(
        default=0.8, description="Of first answers in words alone, those that were right to make no call."
    )
    abstention_recall: Share = Field(
        default=0.8, description="Of requests that need no call, those answered in words alone."
    )
    prompt_tool_accuracy: Share = Field(
        default=0.8, description="Of eval.prompts, those answered by calls of the right tools, or rightly by none."
    )
    prompt_argument_match: Share = Field(
        default=0.65,
        description="Of eval.prompts, those answered exactly: the right calls with all arguments, or none.",
    )

    ast_match: Share = Field(
        default=0.0, description="As argument_match, with parallel calls in any order and declared defaults left out."
    )
    turn_accuracy: Share = Field(default=0.0, description="Of all turns, with the gold past: those that are exact.")
    sequence_accuracy: Share = Field(default=0.0, description="Of examples, those whose every turn is exact.")
    closed_loop_accuracy: Share = Field(
        default=0.0,
        description="Of examples, those that the model brings to the right end by its own calls, made for real.",
    )
    stop_accuracy: Share = Field(default=0.0, description="Of all turns, those that end on the right token.")


class Eval(Table):
    """Accuracy on the held-out examples."""

    examples: int = Field(default=60, ge=1, description="Most held-out examples to run, evenly spaced over the split.")
    max_tokens: int = Field(default=160, ge=1, le=CONTEXT_LENGTH, description="Longest answer, tokens.")
    prompts: str = Field(
        default="",
        description="JSONL file of prompts written by hand, in the shape of own data, that no generator knows; "
        "measured beside the held-out examples.",
    )
    thresholds: Thresholds = Field(
        default_factory=Thresholds, description="Least shares of right answers that the build asks for."
    )
