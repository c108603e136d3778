from __future__ import annotations

import json
from pathlib import Path

import pytest

PROJECT = """
schema = 1
default_base = "tiny"

[base.tiny]
kind = "tiny"
seed = 1

[base.other]
kind = "tiny"
seed = 2
"""

MANIFEST = """
schema = 1
name = "bell"
summary = "Ring a bell"

[dataset]
files = ["data/bell.jsonl"]

[[tool]]
name = "ring"
description = "Ring the bell."

[tool.parameters]
type = "object"

[tool.parameters.properties]
"""


def row(number: int) -> str:
    call = {"type": "function", "function": {"name": "ring", "arguments": {}}}
    messages = [{"role": "user", "content": f"Ring {number}"}, {"role": "assistant", "tool_calls": [call]}]
    return json.dumps({"id": f"bell-{number}", "messages": messages})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one domain of own data; `--until generate` builds it in a moment, without models."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "fgbuild.toml").write_text(PROJECT)
    (tmp_path / "manifests" / "bell.toml").write_text(MANIFEST)
    (tmp_path / "data" / "bell.jsonl").write_text("".join(row(number) + "\n" for number in range(12)))
    monkeypatch.chdir(tmp_path)
    return tmp_path
