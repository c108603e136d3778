"""List past builds, the newest last."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict

from fgbuild.cli.plan import duration
from fgbuild.engine.paths import Paths
from fgbuild.engine.runs import RunSummary, run_ids, summarise
from fgbuild.manifest import find_root


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    paths = Paths(find_root(args.root))
    found = [summarise(paths, name) for name in run_ids(paths)]
    if args.json:
        entries = [{**asdict(summary), "outcome": summary.outcome} for summary in found]
        print(json.dumps({"runs": entries}, indent=2, ensure_ascii=False))
    else:
        print("\n".join(map(_line, found)) or "no builds yet; fgbuild build --all starts one")
    return 0


def _line(summary: RunSummary) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(summary.started_at))
    took = "" if summary.seconds is None else duration(summary.seconds)
    counts = f"{summary.ran} ran, {summary.cached} restored, {summary.failed} failed"
    return f"{summary.id}  {when}  {summary.outcome:<12} {took:>7}  {counts:<32}  {summary.command}".rstrip()
