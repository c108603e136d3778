"""List past builds, the newest last."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict

from fgbuild.cli.output import print_json
from fgbuild.engine.paths import Paths
from fgbuild.engine.runs import RunSummary, run_ids, summarise
from fgbuild.root import find_root
from fgbuild.views import text
from fgbuild.views.runs import is_alive

_OUTCOMES = {0: "done", 3: "did not pass", 130: "interrupted"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    paths = Paths(find_root(args.root))
    found = [summarise(paths, name) for name in run_ids(paths)]
    if args.json:
        print_json({"runs": [{**asdict(summary), "outcome": outcome(summary)} for summary in found]})
    else:
        print("\n".join(map(_line, found)) or "no builds yet; fgbuild build starts one")
    return 0


def outcome(summary: RunSummary) -> str:
    """How a run ended, in a word or two; what has no end still runs or was killed."""
    if summary.exit_code is None:
        return "running" if is_alive(summary.pid, summary.started_at) else "killed"
    return _OUTCOMES.get(summary.exit_code, "failed")


def _line(summary: RunSummary) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(summary.started_at))
    took = "" if summary.seconds is None else text.seconds(summary.seconds)
    command = text.clean(summary.command)
    counts = f"{summary.ran} ran, {summary.cached} restored, {summary.failed} failed"
    return f"{summary.id}  {when}  {outcome(summary):<12} {took:>7}  {counts:<32}  {command}".rstrip()
