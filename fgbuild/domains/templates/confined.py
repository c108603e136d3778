"""The sandbox's side of a domain's commands: runs one where it may neither reach the network nor write elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fgbuild.domains.templates.running import CommandFailed, run

MEMORY = 64 * 1024**3
"""Bytes of address space; some languages reserve far more than they ever use."""


def command(root: Path, argv: list[str], env: dict[str, str], timeout: float, most: int) -> dict[str, Any]:
    """{"printed": what it prints, a character a byte} or {"failed": why}. See `running.run`."""
    try:
        return {"printed": run(argv, cwd=root, env=env, timeout=timeout, most=most).decode("latin-1")}
    except CommandFailed as error:
        return {"failed": str(error)}


TOOLS = {"command": command}
