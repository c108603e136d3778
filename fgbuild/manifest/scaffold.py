"""The first files of a new domain, which build as they are: templates, or rows of data, to replace."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from fgbuild.errors import FgbuildError
from fgbuild.manifest.checks import RESERVED_NAMES
from fgbuild.manifest.models import NAME_PATTERN
from fgbuild.manifest.project import MANIFESTS, manifest_paths

_TEMPLATES = Path(__file__).with_name("new_domain.toml")
_DATA_MANIFEST = """\
# Every value that is not written here has a default: `fgbuild check --resolved {name}` lists them all.
schema = 1
name = "{name}"
summary = "Set and cancel timers"  # one line for the model card

[dataset]
generator = "none"  # your own rows are all there is
files = ["{data}"]

# What the model may call. It reads names and descriptions, so say all that it must know.
[[tool]]
name = "set_timer"
description = "Start a timer"

[tool.parameters]
type = "object"
required = ["minutes"]

[tool.parameters.properties]
minutes = {{ type = "integer", description = "Length in minutes" }}
label = {{ type = "string", description = "What it is for, if the user says so" }}

[[tool]]
name = "cancel_timer"
description = "Stop a running timer"

[tool.parameters]
type = "object"
required = ["label"]

[tool.parameters.properties]
label = {{ type = "string", description = "Which timer" }}

# Prompts that the finished model must answer with this call, or the build fails.
[[verify.smoke]]
prompt = "Set a timer for 10 minutes"
tool = "set_timer"
arguments = {{ minutes = 10 }}
"""

_ROWS: tuple[tuple[str, str | tuple[str, dict[str, Any]]], ...] = (
    ("Set a timer for 5 minutes", ("set_timer", {"minutes": 5})),
    ("Start a 20 minute timer for the pasta", ("set_timer", {"minutes": 20, "label": "pasta"})),
    ("I need 45 minutes for the laundry", ("set_timer", {"minutes": 45, "label": "laundry"})),
    ("Remind me in 15 minutes", ("set_timer", {"minutes": 15})),
    ("Stop the pasta timer", ("cancel_timer", {"label": "pasta"})),
    ("The laundry is done, you can cancel that one", ("cancel_timer", {"label": "laundry"})),
    ("Set a timer", "For how many minutes?"),
    ("What is the weather tomorrow?", "I can set and cancel timers; I have no weather report."),
)
"""Requests, each with the call or the words that answer it."""


def scaffold(root: Path, name: str, *, from_data: bool = False) -> list[Path]:
    """Write a manifest with templates for a new domain, or one with a file of rows; returns what was written.

    The paths are relative to the project, the manifest's first. Raises FgbuildError, and writes nothing, for a name
    that cannot be used or is taken, and where a file is there already.
    """
    check_name(name)
    if owner := manifest_of(root, name):
        raise FgbuildError(f'{owner.as_posix()}: "{name}" is the name of this manifest already; choose another')
    contents = _with_data(name) if from_data else _with_templates(name)
    for path in contents:
        if (root / path).exists() or (root / path).is_symlink():
            raise FgbuildError(f"{path.as_posix()} is there already; choose another name or remove the file")
    for path, text in contents.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        with (root / path).open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    return list(contents)


def _with_templates(name: str) -> dict[Path, str]:
    return {Path(MANIFESTS, f"{name}.toml"): _TEMPLATES.read_text("utf-8").replace("NAME", name)}


def _with_data(name: str) -> dict[Path, str]:
    data = Path(MANIFESTS, "data", f"{name}.jsonl")
    manifest = _DATA_MANIFEST.format(name=name, data=data.as_posix())
    return {Path(MANIFESTS, f"{name}.toml"): manifest, data: _rows()}


def check_name(name: str) -> None:
    """Raise FgbuildError for a name that no domain can have."""
    if not re.fullmatch(NAME_PATTERN, name) or len(name) > 64:
        raise FgbuildError(
            f'"{name}" cannot name a domain; use at most 64 lower-case letters, digits and _, a letter first'
        )
    if reason := RESERVED_NAMES.get(name):
        raise FgbuildError(f'"{name}" {reason}; choose another')


def manifest_of(root: Path, name: str) -> Path | None:
    """The manifest that has this name already; one that cannot be read is for `fgbuild check` to report."""
    for path in manifest_paths(root):
        try:
            data = tomllib.loads((root / path).read_text("utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            continue
        if data.get("name") == name:
            return path
    return None


def _rows() -> str:
    lines = []
    for request, answer in _ROWS:
        if isinstance(answer, str):
            reply: dict[str, Any] = {"role": "assistant", "content": answer}
        else:
            function = {"name": answer[0], "arguments": answer[1]}
            reply = {"role": "assistant", "tool_calls": [{"type": "function", "function": function}]}
        lines.append(json.dumps({"messages": [{"role": "user", "content": request}, reply]}))
    return "\n".join(lines) + "\n"
