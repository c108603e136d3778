"""Check this machine and project: Python, compiler, libraries, device, disk, memory, base model, files."""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fgbuild.cli.output import print_json, say
from fgbuild.engine.paths import Paths
from fgbuild.errors import FgbuildError, LockHeldError, ManifestError
from fgbuild.manifest import Project, resolve_project
from fgbuild.root import find_root
from fgbuild.views import text

OK, WARNING, PROBLEM = "ok", "warning", "problem"
_PYTHON = (3, 11)
_DISK_MB = 8_000
_MARKS = {OK: "✓", WARNING: "!", PROBLEM: "✗"}


class Finding(NamedTuple):
    """status: ok, warning or problem. step: what to do; "" where there is nothing to do."""

    name: str
    status: str
    text: str
    step: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", metavar="NAME", help="check for this base model (default: the project's)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 where a build can be started, 1 where a problem stands in its way."""
    root = find_root(args.root)
    found: list[Finding] = []
    for finding in _findings(root, args.base):
        found.append(finding)
        if not args.json:
            _print(finding)
    problems = [finding for finding in found if finding.status == PROBLEM]
    if args.json:
        print_json({"ok": not problems, "findings": [finding._asdict() for finding in found]})
    else:
        print(f"\n{len(problems)} in the way of a build" if problems else "\nready to build")
    return 1 if problems else 0


def _print(finding: Finding) -> None:
    line = f"{_MARKS[finding.status]} {finding.name:<12} {text.clean(finding.text)}"
    step = f"\n  {'':<12} → {text.clean(finding.step)}" if finding.step else ""
    print(text.for_encoding(line + step, sys.stdout.encoding), flush=True)


def _findings(root: Path, base: str | None) -> Iterator[Finding]:
    yield python_version()
    yield compiler()
    yield disk(root)
    yield memory()
    yield sandbox()
    yield tree(Paths(root))
    yield database(Paths(root))
    project, finding = manifests(root, base)
    yield finding
    if project is not None:
        yield from backends(project)
        yield from libraries(project)


def python_version() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= _PYTHON:
        return Finding("Python", OK, f"{version} at {sys.executable}")
    wanted = ".".join(map(str, _PYTHON))
    return Finding("Python", PROBLEM, f"{version} is too old", f"install Python {wanted} or newer")


def compiler() -> Finding:
    """Only an installation of llama-cpp-python needs one."""
    found = next(filter(None, map(shutil.which, (os.environ.get("CXX") or "c++", "g++", "clang++"))), None)
    if found:
        return Finding("compiler", OK, found)
    step = "install a C++ compiler (Debian and Ubuntu: apt install build-essential) before you install the project anew"
    return Finding("compiler", WARNING, "no C++ compiler found", step)


def disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free / 1e6
    shown = f"{text.megabytes(free)} free at {root}"
    if free >= _DISK_MB:
        return Finding("disk", OK, shown)
    step = f"free some space; a build of all domains takes up to {text.megabytes(_DISK_MB)} (fgbuild cache gc helps)"
    return Finding("disk", WARNING, shown, step)


def sandbox() -> Finding:
    """What this machine takes from a tool that answers for training data."""
    from fgbuild.sandbox import Sandbox, SandboxFault

    try:
        with Sandbox("fgbuild.domains.lint.tools") as found:
            confined = found.confinement
    except (OSError, SandboxFault) as error:
        return Finding("sandbox", PROBLEM, str(error), "install the project again: make clean-venv build")
    if confined.complete:
        return Finding("sandbox", OK, "tools run without network and write below their own directory alone")
    open_ways = [
        (f"network {confined.network}", "allow unprivileged user namespaces", confined.network != "none"),
        (f"writes {confined.writes}", "use Linux 6.2 or newer with Landlock", confined.writes != "below its directory"),
        ("signals to other processes", "use Linux 6.12 or newer", confined.signals),
    ]
    ways, steps = zip(*((way, step) for way, step, is_open in open_ways if is_open))
    step = f"{', '.join(dict.fromkeys(steps))}; else generate data from tools that you trust"
    return Finding("sandbox", WARNING, f"tools are not confined in all: {', '.join(ways)}", step)


def memory() -> Finding:
    """Of the machine or its control group, against what the stages declare."""
    from fgbuild.engine.resources import Machine
    from fgbuild.stages import PIPELINE

    machine = Machine.detect()
    needed = max(PIPELINE, key=lambda spec: spec.memory_mb)
    cores = "1 core" if machine.cores == 1 else f"{machine.cores} cores"
    shown = f"{cores}, {text.megabytes(machine.memory_mb)} of memory"
    if machine.memory_mb >= needed.memory_mb:
        return Finding("machine", OK, shown)
    step = "take a machine with more memory, or set trainer.batch_size lower"
    return Finding("machine", WARNING, f"{shown}; {needed.kind} needs {text.megabytes(needed.memory_mb)}", step)


def tree(paths: Paths) -> Finding:
    """Whether a build could take the tree's lock, which also needs a file system that can lock."""
    from fgbuild.engine.build import locked

    try:
        with locked(paths):
            return Finding("tree", OK, "free for a build")
    except LockHeldError as error:
        return Finding("tree", WARNING, str(error), "fgbuild log --follow shows it")
    except FgbuildError as error:
        return Finding("tree", PROBLEM, str(error), "put that right and ask again")


def database(paths: Paths) -> Finding:
    name = paths.relative(paths.database)
    if not paths.database.exists():
        return Finding("cache", OK, "empty; the first build fills it")
    try:
        connection = sqlite3.connect(f"{paths.database.as_uri()}?mode=ro", uri=True)
        try:
            verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict == "ok":
        return Finding("cache", OK, f"{name} is sound; fgbuild cache verify reads what is stored")
    return Finding("cache", PROBLEM, f"{name}: {verdict}", f"remove {name} and build again")


def manifests(root: Path, base: str | None) -> tuple[Project | None, Finding]:
    try:
        project = resolve_project(root, base=base)
    except ManifestError as error:
        step = "correct it" if len(error.problems) == 1 else "fgbuild check lists all of them"
        return None, Finding("manifests", PROBLEM, str(error).splitlines()[0], step)
    except FgbuildError as error:
        return None, Finding("manifests", PROBLEM, str(error), "correct it")
    names = ", ".join(project.domains)
    if not names:
        return project, Finding("manifests", WARNING, "no domain yet", "fgbuild new NAME makes one")
    return project, Finding("manifests", OK, f"{names} on base {project.base_name}")


def backends(project: Project) -> Iterator[Finding]:
    """Which training libraries there are, by what is installed: importing them takes seconds, and unsloth a GPU."""
    from fgbuild.engine.environments import Environments, require
    from fgbuild.engine.graph import interpreter
    from fgbuild.engine.libraries import Libraries

    own = Libraries().versions(("trl", "unsloth"))
    if own["trl"] is None:
        yield Finding("trl", PROBLEM, "not installed", "install the project again: make clean-venv build")
    else:
        yield Finding("trl", OK, own["trl"])
    python = interpreter(project, "unsloth")
    if python is None:
        step = "pip install 'fgbuild[unsloth]', or [backends.unsloth] python in fgbuild.toml; trl needs neither"
        yield Finding("unsloth", OK, own["unsloth"] or "not installed", "" if own["unsloth"] else step)
        return
    try:
        found = Environments(Paths(project.root).environments).of(python)
        require(found.libraries, "unsloth", python)
    except FgbuildError as error:
        yield Finding("unsloth", PROBLEM, str(error), "put that right, or take [backends.unsloth] out of fgbuild.toml")
        return
    version = found.libraries.versions(["unsloth"])["unsloth"]
    yield Finding("unsloth", OK, f"{version} in the environment of {python} (Python {found.python})")


def libraries(project: Project) -> Iterator[Finding]:
    """What the workers' libraries find; they take some seconds to load."""
    from fgbuild.cli.shipped import run_worker

    job = {"stage": "doctor", "kind": "doctor", "manifest": project.base, "inputs": {}, "root": str(project.root)}
    if sys.stderr.isatty():
        say("  loading torch, llama.cpp and the base model …")
    try:
        _, found = run_worker("fgbuild.workers.doctor", job, "findings.json")
    except FgbuildError as error:
        yield Finding("libraries", PROBLEM, str(error), "install the project again: make clean-venv build")
        return
    for entry in found["findings"]:
        yield Finding(**entry)
