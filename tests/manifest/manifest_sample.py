"""A small project on disk for the tests of this directory."""

from __future__ import annotations

from pathlib import Path

PROJECT = """\
schema = 1
default_base = "tiny"

[base.tiny]
kind = "tiny"

[base.tiny.overrides.trainer]
learning_rate = 0.01
batch_size = 8

[base.hub]
kind = "hub"
repo = "owner/model"

[profile.quick.trainer]
batch_size = 2
"""

MANIFEST = """\
schema = 1
name = "timers"

[dataset]
files = ["rows.jsonl"]

[[tool]]
name = "set_timer"
description = "Start a timer"

[tool.parameters]
type = "object"
required = ["minutes"]

[tool.parameters.properties]
minutes = { type = "integer", description = "Length in minutes" }
label = { type = "string", description = "What it is for" }
"""


def make_project(root: Path, manifest: str = MANIFEST, project: str = PROJECT) -> Path:
    """`root` with fgbuild.toml, manifests/timers.toml and rows.jsonl."""
    (root / "manifests").mkdir()
    (root / "fgbuild.toml").write_text(project, "utf-8")
    (root / "manifests" / "timers.toml").write_text(manifest, "utf-8")
    (root / "rows.jsonl").write_text("{}\n", "utf-8")
    return root


def line_of(text: str, start: str) -> int:
    """The number of the line that starts with `start`."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start))
