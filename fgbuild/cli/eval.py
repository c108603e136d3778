"""Measure the shipped GGUFs on the held-out split, beside the base model if asked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fgbuild.cli.selection import open_project
from fgbuild.cli.shipped import (
    GATE_FAILED,
    Shipped,
    add_domains,
    artifact,
    job_for,
    required_base,
    run_worker,
    shipped_models,
)
from fgbuild.engine.paths import Paths
from fgbuild.errors import FgbuildError
from fgbuild.events import Event
from fgbuild.manifest import Project

SHOWN = (
    ("examples", "examples"),
    ("call_validity", "valid"),
    ("tool_accuracy", "tool"),
    ("argument_match", "arguments"),
    ("sequence_accuracy", "sequence"),
    ("abstention_precision", "abst. prec."),
    ("abstention_recall", "abst. recall"),
    ("prompt_tool_accuracy", "prompts: tool"),
    ("prompt_argument_match", "arguments"),
    ("decode_tokens_per_s", "tokens/s"),
)
"""Score → heading of the table's column."""
_VERDICT = ("passed", "thresholds", "below", "notes", "key")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_domains(parser)
    parser.add_argument("--against", choices=["base"], help="also measure the base model on the same examples")
    parser.add_argument("--force", action="store_true", help="measure again what has been measured before")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Scores of the same file on the same split are remembered. Exit code 3 below a threshold."""
    project = open_project(args)
    models = shipped_models(project, args.domains, args.all)
    base = required_base(project)
    domains = {}
    for model in models:
        report = _evaluate(project, model, base, {"force": args.force})
        if args.against:
            baseline = _evaluate(project, model, base, {"force": args.force, "gguf": str(base / "base_q8_0.gguf")})
            report["base"] = {name: value for name, value in baseline.items() if name not in (*_VERDICT, "path")}
        domains[model.domain.name] = report
    passed = all(report["passed"] for report in domains.values())
    if args.json:
        print(json.dumps({"passed": passed, "domains": domains}, indent=2, ensure_ascii=False))
    else:
        print("\n".join(table(domains)))
    return 0 if passed else GATE_FAILED


def _evaluate(project: Project, model: Shipped, base: Path, options: dict[str, Any]) -> dict[str, Any]:
    name = model.domain.name
    split = artifact(project, f"{name}:generate")
    if split is None:
        raise FgbuildError(f"{name} has no held-out split yet; run `fgbuild build {name} --until generate`")
    built = artifact(project, f"{name}:eval")
    reports = [str(built / "report.json")] if built else []
    remember = Paths(project.root).cache / "eval"
    job = job_for(
        model,
        project.root,
        "eval",
        {"base": base, "generate": split},
        {"remember": str(remember), "reports": reports, **options},
    )
    label = f"{name} (base)" if "gguf" in options else name
    _, report = run_worker("fgbuild.workers.eval", job, "report.json", on_event=_progress(label))
    return {**report, "path": model.display}


def _progress(label: str) -> Callable[[Event], None]:
    """One line on stderr, redrawn in place on a terminal; elsewhere nothing: it takes a minute, not an hour."""

    def show(event: Event) -> None:
        if event["kind"] != "stage.progress" or not sys.stderr.isatty():
            return
        eta = event["eta_seconds"]
        left = f", {eta:.0f} s left" if eta else ""
        end = "\n" if event["done"] >= event["total"] else ""
        print(
            f"\r\x1b[2K{label}: {event['done']} of {event['total']} turns{left}", end=end, file=sys.stderr, flush=True
        )

    return show


def table(domains: dict[str, dict[str, Any]]) -> list[str]:
    """The scores of each domain, the base's below it, and what is below its threshold."""
    rows = [["", *(heading for _, heading in SHOWN)]]
    for name, report in domains.items():
        rows.append([name, *(_cell(report.get(field)) for field, _ in SHOWN)])
        if "base" in report:
            rows.append(["  base", *(_cell(report["base"].get(field)) for field, _ in SHOWN)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
        for row in rows
    ]
    for name, report in domains.items():
        for score, found in report["below"].items():
            lines.append(
                f"{name}: {score} is {found['value']:.3f}, below eval.thresholds.{score} = {found['minimum']:g}"
            )
    return lines


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return str(value)
    return f"{value:.3f}" if value <= 1 else f"{value:.1f}"
