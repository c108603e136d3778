"""Measure the shipped GGUFs on the held-out split, beside the base or the unquantised model if asked."""

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
    ("ast_match", "ast"),
    ("sequence_accuracy", "sequence"),
    ("closed_loop_accuracy", "closed loop"),
    ("abstention_precision", "abst. prec."),
    ("abstention_recall", "abst. recall"),
    ("prompt_tool_accuracy", "prompts: tool"),
    ("prompt_argument_match", "arguments"),
    ("decode_tokens_per_s", "tokens/s"),
)
"""Score → heading of the table's column."""
AGAINST = ("base", "bf16")
_VERDICT = ("passed", "thresholds", "below", "notes", "key")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_domains(parser)
    parser.add_argument(
        "--against",
        action="append",
        choices=AGAINST,
        help="also measure, on the same examples, the base model, or the trained one before it was quantised, in bf16 "
        "(may be given twice)",
    )
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
        for other in AGAINST:
            if other in (args.against or ()):
                found = _evaluate(project, model, base, {"force": args.force}, against=other)
                report[other] = {name: value for name, value in found.items() if name not in (*_VERDICT, "path")}
        domains[model.domain.name] = report
    passed = all(report["passed"] for report in domains.values())
    if args.json:
        print(json.dumps({"passed": passed, "domains": domains}, indent=2, ensure_ascii=False))
    else:
        print("\n".join(table(domains)))
    return 0 if passed else GATE_FAILED


def _evaluate(
    project: Project, model: Shipped, base: Path, options: dict[str, Any], against: str = ""
) -> dict[str, Any]:
    """The report on a shipped model, or on what it is held against."""
    name = model.domain.name
    split = artifact(project, f"{name}:generate")
    if split is None:
        raise FgbuildError(f"{name} has no held-out split yet; run `fgbuild build {name} --until generate`")
    inputs = {"base": base, "generate": split}
    if against == "base":
        options = {**options, "gguf": str(base / "base_q8_0.gguf")}
    if against == "bf16":
        trained = artifact(project, f"{name}:train")
        if trained is None:
            raise FgbuildError(f"{name}'s training is not in the cache; run `fgbuild build {name} --until train`")
        inputs, options = {**inputs, "train": trained}, {**options, "unquantized": True}
    built = artifact(project, f"{name}:eval")
    reports = [str(built / "report.json")] if built else []
    remember = Paths(project.root).cache / "eval"
    job = job_for(
        model,
        project.root,
        "eval",
        inputs,
        {"remember": str(remember), "reports": reports, **options},
    )
    label = f"{name} ({against})" if against else name
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
    """Each domain's scores and their intervals, what it is held against below it, and what misses its threshold."""
    rows = [["", *(heading for _, heading in SHOWN)]]
    for name, report in domains.items():
        rows += [_row(name, report), _intervals(report)]
        for other in AGAINST:
            if other in report:
                rows += [_row(f"  {other}", report[other]), _intervals(report[other])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]).rstrip()
        for row in rows
    ]
    for name, report in domains.items():
        for score, found in report["below"].items():
            lines.append(
                f"{name}: {score} is {found['value']:.3f}, below eval.thresholds.{score} = {found['minimum']:g}"
            )
    return lines


def _row(name: str, report: dict[str, Any]) -> list[str]:
    return [name, *(_cell(report.get(field)) for field, _ in SHOWN)]


def _intervals(report: dict[str, Any]) -> list[str]:
    """Each share's 95 % interval, in per cent: `87–99`."""
    found = report.get("intervals", {})
    pairs = [found.get(field) for field, _ in SHOWN]
    return ["    95 %", *("" if pair is None else f"{100 * pair[0]:.0f}–{100 * pair[1]:.0f}" for pair in pairs)]


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return str(value)
    return f"{value:.3f}" if value <= 1 else f"{value:.1f}"
