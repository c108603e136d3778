"""The projects in `examples/`, and what `fgbuild new` writes, go through the whole pipeline on the tiny base."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fgbuild.functiongemma.render import render_declaration
from fgbuild.manifest.project import read_sources
from fgbuild.manifest.validate import inspect_sources, resolve_sources

EXAMPLE = Path("examples/git")
KINDS = {"single", "parallel", "sequence", "clarify", "decline"}
# A random model of two million parameters learns nothing in ten steps: that each stage does its work is what counts.
TINY = """
[base.tiny]
kind = "tiny"

[base.tiny.overrides.quant]
min_mb = 1
max_mb = 60

[profile.test.dataset]
count = 100

[profile.test.trainer]
max_steps = 5
precision = "fp32"

[profile.test.verify]
smoke = []

[profile.test.eval]
examples = 5

[profile.test.eval.thresholds]
call_validity = 0
tool_accuracy = 0
argument_match = 0
abstention_precision = 0
abstention_recall = 0
"""


def fgbuild(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-m", "fgbuild", "--root", str(root), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400)


def build(root: Path, *arguments: str) -> list[dict[str, Any]]:
    """The events of a build on the tiny base that succeeds."""
    done = fgbuild(root, "build", *arguments, "--headless", "--json", "--base", "tiny", "--profile", "test")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def rows(root: Path) -> list[dict[str, Any]]:
    """The trajectories that the one domain of a project was built from."""
    stored = [file for file in (root / "cache" / "store").glob("*/*.jsonl") if file.stem in ("train", "eval")]
    found = [json.loads(line) for file in stored for line in file.read_text("utf-8").splitlines()]
    return [row for row in found if "scenario" in row]  # the tokenize stage's files have the same names


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built."""
    root = tmp_path_factory.mktemp("example") / "git"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns("cache", "agents"))
    with (root / "fgbuild.toml").open("a", encoding="utf-8") as file:
        file.write(TINY)
    stages = {f"git:{stage}" for stage in ("generate", "tokenize", "train", "export", "verify", "eval")}
    assert set(build(root, "git")[-1]["ran"]) == stages | {"base"}
    return root


def test_the_git_example_gives_a_model(git: Path) -> None:
    assert (git / "agents" / "git" / "models" / "git_functiongemma_q8.gguf").read_bytes()[:4] == b"GGUF"
    described = json.loads((git / "agents" / "git" / "agent.json").read_text("utf-8"))
    assert [tool["name"] for tool in described["tools"]][:2] == ["git_log", "git_status"]
    assert "command" not in described["tools"][0]


def test_what_the_git_example_teaches_is_what_git_says(git: Path) -> None:
    made = rows(git)
    assert {row["kind"] for row in made} == KINDS
    hashes = (git / "templates" / "commits.txt").read_text("utf-8").split()
    tools = [message for row in made for message in row["messages"] if message["role"] == "tool"]
    found = [part["response"] for message in tools for part in message["content"] if part["name"] == "find_commit"]
    assert found
    assert {response["commit"] for response in found} <= set(hashes)


def test_an_edit_of_a_file_that_the_example_names_generates_again(git: Path) -> None:
    assert build(git, "git")[-1]["ran"] == []
    for name, old, new in (("topics.txt", "undo button", "redo button"), ("changing.toml", "Jump to", "Hop to")):
        path = git / "templates" / name
        text = path.read_text("utf-8")
        path.write_text(text.replace(old, new), "utf-8")
        planned = json.loads(fgbuild(git, "plan", "git", "--json", "--base", "tiny", "--profile", "test").stdout)
        assert "git:generate" in [stage["id"] for stage in planned["stages"] if stage["action"] == "run"], name
        path.write_text(text, "utf-8")


def test_the_git_example_is_as_rich_as_it_asks_others_to_be() -> None:
    manifest = resolve_sources(EXAMPLE, read_sources(EXAMPLE)).domains["git"].resolved  # writes nothing there
    scenarios = manifest["scenario"]
    assert len(scenarios) >= 10
    assert {scenario["kind"] for scenario in scenarios} == KINDS
    assert min(len(scenario["phrasings"]) for scenario in scenarios) >= 20
    assert sum(len(render_declaration(tool)) for tool in manifest["tool"]) <= 2450


def test_what_new_writes_builds_a_model(tmp_path: Path) -> None:
    (tmp_path / "fgbuild.toml").write_text(f'schema = 1\ndefault_base = "tiny"\n{TINY}', "utf-8")
    assert fgbuild(tmp_path, "new", "git").returncode == 0
    assert "git:eval" in build(tmp_path, "git")[-1]["ran"]
    assert {row["kind"] for row in rows(tmp_path)} == KINDS


def test_one_mistake_beside_commands_is_one_problem() -> None:
    sources = read_sources(EXAMPLE)
    (path,) = (path for path in sources if path.name == "git.toml")
    sources[path] = sources[path].replace(b'summary = "', b'summary = 3 # "', 1)
    _, errors = inspect_sources(EXAMPLE, sources)
    assert [field for error in errors for _, field, _ in error.problems] == ["summary"]
