"""Bring domains up to date: what changed is done again, what did not is left alone."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from fgbuild.cli.output import say, stages
from fgbuild.cli.selection import add_selection, positive
from fgbuild.engine.lock import TreeLock
from fgbuild.engine.witness import Witness
from fgbuild.root import find_root


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_selection(parser)
    parser.add_argument("--headless", action="store_true", help="plain lines even on a terminal")
    parser.add_argument("--jobs", type=positive, metavar="N", help="at most N stages at once (default: what fits)")
    parser.add_argument("--force", action="store_true", help="run every chosen stage, up to date or not")
    parser.add_argument("--keep-going", action="store_true", help="after a failure go on with what does not need it")
    parser.add_argument("--wait", action="store_true", help="where another build holds the tree, wait for its end")
    parser.add_argument("--executor", choices=("local",), default="local", help="where workers run")
    parser.add_argument("--json", action="store_true", help="events as JSON lines on stdout")


def run(args: argparse.Namespace) -> int:
    started = time.monotonic()
    root = find_root(args.root)
    if args.wait:
        from fgbuild.cli.building import end_on_sigterm

        end_on_sigterm()
    with tree_lock(root, wait=args.wait):
        witness = Witness(str(root), question(args))
        touched = None if args.force else witness.look()
        if touched != []:
            from fgbuild.cli.building import bring_up_to_date

            result = bring_up_to_date(args, root, witness, touched)
            if result.exit_code or result.run is not None:
                return result.exit_code
            same = result.skipped
        else:
            same = witness.stages()
    say_up_to_date(same, time.monotonic() - started, as_json=args.json)
    return 0


def question(args: argparse.Namespace) -> dict[str, object]:
    """What of the arguments decides which stages are asked about."""
    return {name: getattr(args, name) for name in ("domains", "all", "until", "base", "profile")}


def tree_lock(root: Path, *, wait: bool) -> TreeLock:
    """The lock that a build holds while it works on a tree."""
    return TreeLock(root / "cache" / "build.lock", waiting=say if wait else None)


def say_up_to_date(same: list[str], seconds: float, *, as_json: bool) -> None:
    text = f"{stages(len(same))} up to date ({seconds:.2f} s)"
    if not as_json:
        print(text)
        return
    from fgbuild.engine.build import BuildResult, finished_event
    from fgbuild.events import encode

    sys.stdout.write(encode(finished_event(BuildResult(None, seconds, skipped=same))).decode("utf-8"))
    say(text)
