"""`fgbuild chat`'s worker: real tools on copies of files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny_model import GGUF, make_base

from fgbuild.errors import FgbuildError
from fgbuild.manifest.project import read_sources
from fgbuild.manifest.validate import resolve_sources
from fgbuild.sandbox import Sandbox
from fgbuild.workers import chat
from fgbuild.workers.generate import tools_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("tiny") / "base")


def served(base: Path, directory: Path, requests: list[str], **options: Any) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, the lines and what was said on stderr."""
    lint = resolve_sources(ROOT, read_sources(ROOT), base=None, profile=None).domains["lint"].resolved
    given = {"gguf": str(base / GGUF), "max_tokens": 12, "most_turns": 2, **options}
    job = {"stage": "lint:chat", "kind": "chat", "domain": "lint", "manifest": lint, "inputs": {}, "options": given}
    file = directory / "job.json"
    file.write_text(json.dumps({**job, "output": str(directory), "state": str(directory), "root": str(directory)}))
    lines = "".join(json.dumps({"prompt": request}) + "\n" for request in requests)
    command = [sys.executable, "-m", "fgbuild.workers.chat", str(file)]
    ended = subprocess.run(command, input=lines, capture_output=True, text=True, cwd=ROOT)
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()], ended.stderr


def test_an_untrained_model_is_served_too(tiny_base: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text("import os\n")
    code, lines, said = served(tiny_base, tmp_path, ["Lint app.py.", "a<end_of_turn>b"], folder=str(project))
    assert code == 0, said
    assert lines[0] == {"files": ["app.py"]}
    assert lines[-1]["error"].startswith("messages[0].content: the text contains the special token")
    assert {"changed": {}} in lines
    assert (project / "app.py").read_text() == "import os\n"


def test_a_folder_that_is_none_is_one_sentence(tiny_base: Path, tmp_path: Path) -> None:
    code, lines, said = served(tiny_base, tmp_path, ["x"], folder=str(tmp_path / "none"))
    assert (code, lines) == (2, [])
    assert "error: --in: " in said


@pytest.mark.parametrize("domain", ["lint", "test", "docstring", "sample_data"])
def test_every_domain_has_an_example(domain: str) -> None:
    with Sandbox(tools_of(domain)) as sandbox:
        assert len(chat.example_files(domain, sandbox)) >= 2


def test_hidden_files_links_and_packages_are_left_out(tmp_path: Path) -> None:
    for name in ("src/a.py", ".env", ".git/config", "node_modules/x.js", "src/__pycache__/a.pyc"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (tmp_path / "link.py").symlink_to(tmp_path / "src/a.py")
    assert chat.folder_files(tmp_path) == {"src/a.py": b"x"}


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "MOST_FILES", 1)
    for name in ("a", "b"):
        (tmp_path / name).write_text("x")
    with pytest.raises(FgbuildError, match="more than 1 files"):
        chat.folder_files(tmp_path)


def test_changes_are_diffs() -> None:
    found = chat.changes(
        {"a": "x\n", "b": b"\xff", "same": "s", ".cache": "1"}, {"a": b"y\n", "c": b"new\n", "same": b"s"}
    )
    assert set(found) == {"a", "b", "c"}
    assert found["a"] == "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n"
    assert found["b"] == "1 → 0 bytes\n"
