"""Scores of an evaluation that passed, put into agent.json and the model card that export has written.

Stage eval calls this, and its key counts this module's code: what it imports is kept to the least.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fgbuild.shipping import AGENT, CARD

LABELS = {
    "call_validity": "Valid calls",
    "tool_accuracy": "Right tools",
    "argument_match": "Exact calls",
    "sequence_accuracy": "Whole sequences exact",
    "abstention_precision": "Abstention precision",
    "abstention_recall": "Abstention recall",
    "prompt_tool_accuracy": "Prompts by hand: right tools",
    "prompt_argument_match": "Prompts by hand: exact",
}
"""Score → its name in the card's table, in its order."""

NOT_EVALUATED = "No evaluation of this file has passed."
_SECTION = re.compile(r"(?<=\n## Evaluation\n\n).*?(?=\n## |\Z)", re.DOTALL)


def finish(exported: Path, output: Path, report: Mapping[str, Any]) -> None:
    """Write agent.json and README.md of the export artifact, with the scores, to `output`.

    report: of an evaluation that passed, on the file of that artifact.
    """
    agent = json.loads((exported / AGENT).read_text("utf-8"))
    agent["accuracy"] = accuracy(report)
    (output / AGENT).write_text(json.dumps(agent, indent=2, ensure_ascii=False) + "\n", "utf-8")
    card = (exported / CARD).read_text("utf-8")
    (output / CARD).write_text(with_scores(card, agent["domain"], agent["accuracy"]), "utf-8")


def accuracy(report: Mapping[str, Any]) -> dict[str, Any]:
    """agent.json's `accuracy`: the scores, without what differs from run to run of the same file, as speed does."""
    thresholds = dict(report["thresholds"])
    names = [name for name in dict.fromkeys((*LABELS, *thresholds)) if name in report]
    prompts = {"prompts": report["prompts"]} if report.get("prompts") else {}
    scores = {name: report[name] for name in names}
    return {"examples": report["examples"], **prompts, "scores": scores, "thresholds": thresholds}


def with_scores(card: str, domain: str, found: Mapping[str, Any]) -> str:
    """A model card with its evaluation section, and with the results in its front matter that the Hub reads."""
    from huggingface_hub import ModelCard

    made = ModelCard(card)
    data: Any = made.data
    data.model_name, data.eval_results = domain, list(_results(domain, found))
    made.text = _SECTION.sub(lambda _: section(found), made.text, count=1)
    return str(made)


def section(found: Mapping[str, Any]) -> str:
    """The card's evaluation section, below its heading."""
    prompts = f" and {found['prompts']} prompts written by hand" if "prompts" in found else ""
    rows = [
        f"| {LABELS.get(name, name)} | {_percent(value)} | {_percent(found['thresholds'].get(name))} |"
        for name, value in found["scores"].items()
    ]
    asked = f"{found['examples']} held-out conversations{prompts}"
    lines = [
        f"Measured on this very file: greedy, unconstrained decoding of {asked}.",
        "",
        "| score | share | least that the build asks for |",
        "|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def _results(domain: str, found: Mapping[str, Any]) -> Iterator[Any]:
    from huggingface_hub import EvalResult

    for name, value in found["scores"].items():
        if value is not None:
            by_hand = name.startswith("prompt_")
            yield EvalResult(
                task_type="text-generation",
                task_name="function calling",
                dataset_type=f"fgbuild-{domain}-{'prompts' if by_hand else 'held-out'}",
                dataset_name=f"{domain}: {'prompts by hand' if by_hand else 'held-out conversations'}",
                metric_type=name,
                metric_name=LABELS.get(name, name),
                metric_value=value,
            )


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
