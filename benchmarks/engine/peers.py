"""Other build tools on the graph of `scale`: one rule a stage, each reading what the stage above it made, the
domain's manifest and its data."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from fgbuild.stages import PIPELINE


class Rule(NamedTuple):
    target: str
    inputs: tuple[str, ...]


def rules(names: Sequence[str]) -> Iterator[Rule]:
    yield Rule("out/base", ("fgbuild.toml",))
    for name in names:
        above = "out/base"
        for spec in PIPELINE:
            if spec.per_domain:
                target = f"out/{name}/{spec.kind}"
                yield Rule(target, (above, f"manifests/{name}.toml", f"data/{name}.jsonl"))
                above = target


def find(name: str) -> str | None:
    """The tool's program, in this environment or on the path; None where it is not installed."""
    return shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def prepare(name: str, program: str, root: Path, names: Sequence[str]) -> list[str]:
    """Write the tool's build file and return the command that builds everything."""
    return [program, *WRITERS[name](root, list(rules(names)))]


def _ninja(root: Path, found: list[Rule]) -> list[str]:
    lines = ["rule make", "  command = mkdir -p $$(dirname $out) && echo done > $out"]
    lines += [f"build {rule.target}: make {' '.join(rule.inputs)}" for rule in found]
    (root / "build.ninja").write_text("\n".join(lines) + "\n")
    return []


def _doit(root: Path, found: list[Rule]) -> list[str]:
    text = f"""import os
RULES = {[tuple(rule) for rule in found]!r}
def make(targets):
    os.makedirs(os.path.dirname(targets[0]), exist_ok=True)
    open(targets[0], "w").write("done")
def task_stage():
    for target, inputs in RULES:
        yield {{"name": target, "file_dep": list(inputs), "targets": [target], "actions": [make]}}
"""
    (root / "dodo.py").write_text(text)
    return ["--verbosity", "0"]


def _scons(root: Path, found: list[Rule]) -> list[str]:
    text = f"""import os
RULES = {[tuple(rule) for rule in found]!r}
def make(target, source, env):
    open(str(target[0]), "w").write("done")
env = Environment(ENV=os.environ)
for target, inputs in RULES:
    env.Command(target, list(inputs), make)
"""
    (root / "SConstruct").write_text(text)
    return ["-s"]


WRITERS: dict[str, Callable[[Path, list[Rule]], list[str]]] = {"doit": _doit, "ninja": _ninja, "scons": _scons}
