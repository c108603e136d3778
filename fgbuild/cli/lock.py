"""Pin what a base model is made from: its revision and the SHA-256 of every file, in fgbuild.lock."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fgbuild.cli.output import say
from fgbuild.cli.shipped import run_worker
from fgbuild.engine.build import locked
from fgbuild.engine.paths import Paths
from fgbuild.manifest import Project, resolve_project
from fgbuild.root import find_root
from fgbuild.stages.base import LOCK_FILE, SPEC


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", metavar="NAME", help="a base model of fgbuild.toml (default: the project's)")


def run(args: argparse.Namespace) -> int:
    """Take the base's sources as they are now for the right ones, whatever was pinned before."""
    root: Path = find_root(args.root)
    project = resolve_project(root, base=args.base)
    with locked(Paths(root)):  # a build reads the pin when it starts and again when its base is made
        pin = _pin(project)
    if pin["renewed"]:
        say(f"{LOCK_FILE} could not be read and was written anew; pin the other bases again with --base")
    print("\n".join(pin_lines(project.base_name, pin)))
    return 0


def _pin(project: Project) -> dict[str, Any]:
    job = {
        "stage": SPEC.kind,
        "kind": SPEC.kind,
        "manifest": project.base,
        "inputs": {},
        "root": str(project.root),
        "options": {"pin": True},
    }
    _, pin = run_worker(SPEC.worker, job, "pin.json")
    return pin


def pin_lines(base: str, pin: dict[str, Any]) -> list[str]:
    """What is pinned, and behind it what was pinned instead where that differs."""
    before = pin["before"]
    old = {"revision": before["revision"], **before["files"]} if before else {}
    new = {"revision": pin["revision"], **dict(sorted(pin["files"].items()))}
    if new == old:
        head = f"base {base} is pinned already; {LOCK_FILE} is unchanged"
    else:
        head = f"pinned base {base} {'again ' if before else ''}in {LOCK_FILE}; commit that file"
    width = max(map(len, {**new, **old}))
    lines = [f"  {name:<{width}}  {value}{_was(old, name, value)}" for name, value in new.items()]
    gone = [f"  {name:<{width}}  no longer there, was {value}" for name, value in old.items() if name not in new]
    return [head, *lines, *gone]


def _was(old: dict[str, str], name: str, value: str) -> str:
    if not old or old.get(name) == value:
        return ""
    return f" (was {old[name]})" if name in old else " (new)"
