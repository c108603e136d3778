"""The lint domain's tools, for real: ruff on the files of a project."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruff.__main__ import find_ruff_bin

from fgbuild.sandbox.tool import ToolError, file_inside, inside, run

RUFF = find_ruff_bin()
"""The program of the installed package, of whatever version another one on the path is."""


def _found(root: Path, path: str, rule: str | None) -> list[dict[str, Any]]:
    """ruff's diagnostics."""
    inside(root, path)
    select = ["--select", rule] if rule else []
    if rule:
        _explained(root, rule)
    command = [RUFF, "check", "--no-cache", "--output-format", "json", *select, "--", path]
    found: list[dict[str, Any]] = json.loads(run(root, command, ok=(0, 1)))
    return found


def _explained(root: Path, rule: str) -> dict[str, Any]:
    """What ruff tells of a rule. ToolError where there is none of this code."""
    try:
        told: dict[str, Any] = json.loads(run(root, [RUFF, "rule", "--output-format", "json", "--", rule]))
    except ToolError:
        raise ToolError(f"ruff has no rule {rule}") from None
    return told


def run_ruff(root: Path, path: str, rule: str | None = None) -> dict[str, Any]:
    found = _found(root, path, rule)
    if not found:
        return {"count": 0}
    first = found[0]
    file = Path(first["filename"]).relative_to(root)
    return {"count": len(found), "first": f"{file}:{first['location']['row']} {first['code']} {first['name']}"}


def fix_lint(root: Path, path: str, rule: str | None = None) -> dict[str, Any]:
    if not _found(root, path, rule):
        return {"fixed": 0, "left": 0}
    select = ["--select", rule] if rule else []
    said = run(root, [RUFF, "check", "--no-cache", "--fix", "--unsafe-fixes", *select, "--", path], ok=(0, 1))
    fixed = re.search(r"\((\d+) fixed, (\d+) remaining\)", said)
    return (
        {"fixed": int(fixed[1]), "left": int(fixed[2])}
        if fixed
        else {"fixed": 0, "left": len(_found(root, path, rule))}
    )


def format_code(root: Path, path: str) -> dict[str, Any]:
    inside(root, path)
    said = run(root, [RUFF, "format", "--no-cache", "--", path])
    changed = re.search(r"(\d+) files? reformatted", said)
    return {"reformatted": int(changed[1]) if changed else 0}


def explain_rule(root: Path, rule: str) -> dict[str, Any]:
    told = _explained(root, rule)
    does = re.search(r"## What it does\n(.+?)(?:\n\n|\n##|$)", told["explanation"], re.DOTALL)
    summary = " ".join(does[1].split()) if does else told["summary"]
    return {"title": told["name"], "summary": re.split(r"(?<=\.) ", summary)[0]}


def show_code(root: Path, path: str, line: int) -> dict[str, Any]:
    lines = file_inside(root, path).read_text("utf-8").splitlines()
    if not 1 <= line <= len(lines):
        raise ToolError(f"{path} has {len(lines)} lines")
    return {"code": lines[line - 1].strip()}


def add_noqa(root: Path, path: str, rule: str, line: int | None = None) -> dict[str, Any]:
    file = file_inside(root, path)
    lines = file.read_text("utf-8").splitlines()
    if line is None:
        at = sorted({problem["noqa_row"] for problem in _found(root, path, rule)})
        if not at:
            raise ToolError(f"no {rule} in {path}")
    elif 1 <= line <= len(lines):
        at = [line]
    else:
        raise ToolError(f"{path} has {len(lines)} lines")
    for row in at:
        lines[row - 1] = f"{lines[row - 1].rstrip()}  # noqa: {rule}"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return {"added": f"# noqa: {rule}", "lines": len(at)}


TOOLS: dict[str, Callable[..., dict[str, Any]]] = {
    tool.__name__: tool for tool in (run_ruff, fix_lint, format_code, explain_rule, show_code, add_noqa)
}
