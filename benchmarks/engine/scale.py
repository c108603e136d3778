"""What the engine itself costs: no-op and one-edit builds of N domains, beside other build tools on the same graph.

    python benchmarks/engine/scale.py --domains 4 100 1000      # pip install ninja doit scons for the comparison

A project of N domains on the real pipeline is made in a temporary directory and built by workers that write a line in
place of a model (`at_once`). What is measured is the command in a process of its own: a build with nothing to do, and
one after a manifest was edited, which runs that domain's training and what is below. The peers get one rule a stage
over the same files (`peers`). Times are the best of several, wall clock, process start included; memory is that try's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import peers
from project import edit, names

TRIES = 7
REST_SECONDS = 0.1
"""Between an edit and the next build: nobody is faster, and stamps of files are believed after 20 ms."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--domains", type=int, nargs="+", default=[4, 100, 1000])
    parser.add_argument("--peers", nargs="*", choices=sorted(peers.WRITERS), default=sorted(peers.WRITERS))
    parser.add_argument("--peers-up-to", type=int, default=1000, metavar="N", help="leave them out beyond N domains")
    arguments = parser.parse_args()
    compared = {name: path for name in arguments.peers if (path := peers.find(name))}
    heads = ["domains", "stages", "python -c pass", "first build", "no-op", "one edit", "their peak memory"]
    heads += [f"{name} no-op, one edit" for name in compared]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for count in arguments.domains:
        with tempfile.TemporaryDirectory(prefix="fgbuild-scale-") as name:
            there = compared if count <= arguments.peers_up_to else {}
            cells = row(Path(name), count, there) + [""] * (len(compared) - len(there))
            print("| " + " | ".join(cells) + " |", flush=True)


def row(root: Path, count: int, compared: dict[str, str]) -> list[str]:
    """The project is made once; every tool is then measured on it, one after the other."""
    first = float(output([sys.executable, str(Path(__file__).with_name("project.py")), str(root), str(count)], root))
    asked = ["build", "--all", "--headless"]
    command = [sys.executable, "-m", "fgbuild", *asked]
    start = best([sys.executable, "-c", "pass"], root)
    best(command, root, tries=2)  # the first ones learn how the files look
    noop = best(command, root)
    working = [sys.executable, str(Path(__file__).with_name("at_once.py")), *asked]
    edit(root, TRIES)
    best(working, root, tries=2)
    edited = best(working, root, before=lambda number: edit(root, number))
    cells = [f"{count:,}", f"{6 * count + 1:,}", f"{start.seconds:.3f} s", f"{first:.1f} s"]
    cells += [f"{noop.seconds:.3f} s", f"{edited.seconds:.3f} s", f"{noop.memory_mb:.0f}, {edited.memory_mb:.0f} MB"]
    for name, path in compared.items():
        theirs = peers.prepare(name, path, root, names(count))
        best(theirs, root, tries=1)  # its first build
        noop = best(theirs, root)
        edited = best(theirs, root, before=lambda number: edit(root, 100 + number))
        cells.append(f"{noop.seconds:.3f}, {edited.seconds:.3f} s")
    return cells


class Measured(NamedTuple):
    """Of one process: wall clock from its start to its end, and its peak memory."""

    seconds: float
    memory_mb: float


def best(
    command: list[str], root: Path, before: Callable[[int], None] = lambda number: None, tries: int = TRIES
) -> Measured:
    """The fastest of some tries. before: what is done ahead of each."""
    found = []
    for number in range(tries):
        before(number)
        time.sleep(REST_SECONDS)
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, env=environment())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}")
        found.append(Measured(time.perf_counter() - started, usage.ru_maxrss / 1e3))
    return min(found)


def output(command: list[str], root: Path) -> str:
    """Not in this process: what it holds would count as its children's memory."""
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True, env=environment()).stdout


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent.parent)}


if __name__ == "__main__":
    main()
