"""The README names every command, and only commands and make targets that exist."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

from fgbuild.cli import COMMANDS
from fgbuild.events import EventLog

README = Path("README.md").read_text("utf-8")
TEMPLATES = Path("docs/templates.md").read_text("utf-8")
MAKEFILE = Path("Makefile").read_text("utf-8")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_readme_names_every_command(command):
    assert re.search(rf"`fgbuild[^`]*`?[^|]*\b{command}\b", README)


def test_the_readme_names_no_command_that_does_not_exist():
    named = set(re.findall(r"`fgbuild ([a-z]+)", README))
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("target", ["build", "test", "generate-%", "generate-all", "train-%", "train-all", "eval-%"])
def test_the_makefile_keeps_the_seeds_names(target):
    assert re.search(rf"^{re.escape(target)}:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", TEMPLATES, re.DOTALL))
def test_what_the_documentation_of_templates_shows_is_toml_and_what_the_example_says(block):
    shown = tomllib.loads(block)
    files = ["manifests/git.toml", *(f"templates/{name}.toml" for name in ("reading", "slots"))]
    example = {}
    for file in files:
        example |= tomllib.loads(Path("examples/git", file).read_text("utf-8"))
    for table in ("tool", "scenario"):
        for entry in shown.get(table, ()):
            (whole,) = (each for each in example[table] if each["name"] == entry["name"])
            for key, value in entry.items():
                assert value == (whole[key][: len(value)] if key == "phrasings" else whole[key])
    for name, slot in shown.get("slots", {}).items():
        assert name == "city" or slot == example["slots"][name]


def test_the_build_time_benchmark_reads_a_run(tmp_path):
    spec = importlib.util.spec_from_file_location("build_times", "benchmarks/build_times.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    log = EventLog(tmp_path / "events.jsonl", "r1")
    log.emit("run.started", base="tiny", stages=[])
    log.emit("stage.finished", stage="base", action="run", seconds=1.5, cpu_seconds=1.0, peak_memory_mb=50)
    log.emit("stage.finished", stage="toy:train", action="run", seconds=20.0, cpu_seconds=30.0, peak_memory_mb=600)
    log.emit("build.finished", ran=["base", "toy:train"], cached=[], failed=[], seconds=21.5)
    log.close()
    record = module.measure(tmp_path / "events.jsonl")
    assert record["total_seconds"] == 21.5
    assert [row["seconds"] for row in record["stages"]] == [1.5, 20.0]
    assert "| toy |  | 20.0 | 20.0 |" in module.table(record)
