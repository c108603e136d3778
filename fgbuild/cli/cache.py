"""Look after what is stored: stats, verify (find damage), gc (free space)."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterable

from fgbuild.cli.output import print_json, say, whole_number
from fgbuild.engine.build import locked
from fgbuild.engine.leftovers import clear_leftovers, size_on_disk
from fgbuild.engine.paths import Paths
from fgbuild.engine.upkeep import Stored, collect, collectable, stored_artifacts, verify_store
from fgbuild.engine.workspace import Workspace
from fgbuild.root import find_root
from fgbuild.views import text

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*((?:[kmgt]i?)?)b?", re.IGNORECASE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", required=True, metavar="stats | verify | gc")
    stats = commands.add_parser("stats", help="how much is stored, by stage, and how much of it is needed")
    verify = commands.add_parser("verify", help="read everything; what is damaged goes, and is built again")
    gc = commands.add_parser("gc", help="remove old results; never what a current output needs")
    gc.add_argument(
        "--keep-last", type=whole_number, default=3, metavar="N", help="results to keep of each stage (default 3)"
    )
    gc.add_argument(
        "--max-size", type=_bytes, metavar="SIZE", help="then remove the oldest down to this: 20GB, 500 MiB"
    )
    gc.add_argument("--dry-run", action="store_true", help="only say what would go")
    for command in (stats, verify, gc):
        command.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    paths = Paths(find_root(args.root))
    if args.what == "stats":
        return _stats(paths, as_json=args.json)
    with locked(paths):
        clear_leftovers(paths)
        with Workspace(paths.root) as workspace:
            return _verify(workspace, args) if args.what == "verify" else _gc(workspace, args)


def _stats(paths: Paths, *, as_json: bool) -> int:
    with Workspace(paths.root) as workspace:
        found = stored_artifacts(workspace)
    other = {name: size_on_disk(paths.cache / name) for name in ("state", "runs", "tmp")}
    stages = {
        stage: {
            "artifacts": len(of_stage := [artifact for artifact in found if artifact.stage == stage]),
            "bytes": _total(of_stage),
            "needed_bytes": _total(artifact for artifact in of_stage if artifact.needed),
        }
        for stage in sorted({artifact.stage for artifact in found})
    }
    summary = {
        "artifacts": len(found),
        "bytes": _total(found),
        "needed_bytes": _total(artifact for artifact in found if artifact.needed),
    }
    if as_json:
        print_json({**summary, "stages": stages, "other_bytes": other})
        return 0
    rows = [
        (stage or "(unknown)", str(row["artifacts"]), _size(row["bytes"]), _size(row["needed_bytes"]))
        for stage, row in stages.items()
    ]
    total = ("all", str(summary["artifacts"]), _size(summary["bytes"]), _size(summary["needed_bytes"]))
    print("\n".join(_aligned([("stage", "results", "stored", "in use"), *rows, total])))
    print(", ".join(f"{name} {_size(size)}" for name, size in other.items()))
    return 0


def _verify(workspace: Workspace, args: argparse.Namespace) -> int:
    live = sys.stderr.isatty()

    def progress(number: int, count: int, read: int) -> None:
        if live:
            print(f"\r{number} of {count} · {_size(read)} read", end="", file=sys.stderr, flush=True)

    check = verify_store(workspace, progress)
    if live and check.artifacts:
        say("")
    if args.json:
        print_json({"artifacts": check.artifacts, "bytes": check.bytes, "removed": _as_json(check.damaged)})
        return 0
    for artifact in check.damaged:
        print(f"removed  {_line(artifact)}  was damaged")
    verdict = f"{len(check.damaged)} damaged and removed; the next build makes them again" if check.damaged else "sound"
    print(f"{_results(check.artifacts)}, {_size(check.bytes)}: {verdict}")
    return 0


def _gc(workspace: Workspace, args: argparse.Namespace) -> int:
    doomed = collectable(workspace, args.keep_last, args.max_size)
    if not args.dry_run:
        collect(workspace, doomed)
    left = stored_artifacts(workspace)
    gone = {artifact.digest for artifact in doomed}
    kept = sum(artifact.bytes for artifact in left if artifact.digest not in gone)
    if args.json:
        print_json({"removed": _as_json(doomed), "bytes": _total(doomed), "kept_bytes": kept, "dry_run": args.dry_run})
        return 0
    for artifact in doomed:
        print(f"{'would go' if args.dry_run else 'removed'}  {_line(artifact)}")
    verb = "would go" if args.dry_run else "removed"
    print(f"{_results(len(doomed))}, {_size(_total(doomed))} {verb}; {_size(kept)} kept")
    if args.max_size is not None and kept > args.max_size:
        say(f"what the current outputs need is {_size(kept)}; fgbuild clean --all removes that, too")
    return 0


def _line(artifact: Stored) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(artifact.finished_at)) if artifact.finished_at else "?"
    return f"{artifact.digest[:12]}  {artifact.stage or '(unknown)'}  {_size(artifact.bytes)}  {when}"


def _as_json(artifacts: Iterable[Stored]) -> list[dict[str, object]]:
    return [artifact._asdict() for artifact in artifacts]


def _total(artifacts: Iterable[Stored]) -> int:
    return sum(artifact.bytes for artifact in artifacts)


def _results(count: int) -> str:
    return "1 result" if count == 1 else f"{count} results"


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def _size(size: int) -> str:
    return text.megabytes(size / 1e6)


def _bytes(value: str) -> int:
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{value!r} is no size; write it as 20GB or 500MiB")
    return int(float(match[1]) * _UNITS[match[2].lower()])
