"""The projects that held-out rows took place in, made again by drawing the rows once more.

A row keeps no files. It is drawn from a seed, though, and its scenario makes the same project each time: the
draw whose messages are the row's own has the row's project.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from blake3 import blake3

from fgbuild import domains, sandbox
from fgbuild.domains.sampling import ATTEMPTS, Plan
from fgbuild.sandbox.client import LimitReached, Sandbox, Workspace

Row = Mapping[str, Any]
Files = dict[str, str | bytes]

TOOL_LIBRARIES = (
    "coverage", "docstring-parser-fork", "faker", "libcst", "pyarrow", "pydantic-core", "pydoclint", "pytest", "ruff",
)  # fmt: skip
"""What the built-in domains' tools answer by."""

_AGAIN = 12
"""Draws of one row: the first, and those that came of it where its request had been asked before."""
_DROPPED = 4
"""Of each, those that were made where its calls did not reproduce."""


class Projects(Sandbox):
    """The sandbox with a built-in domain's tools, which can also tell what project a row took place in."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        settings = manifest["dataset"]
        super().__init__(f"fgbuild.domains.{settings['generator']}.tools")
        scenarios = importlib.import_module(f"fgbuild.domains.{settings['generator']}").SCENARIOS
        self._domain = manifest["name"]
        self._plan = Plan(
            self._domain,
            scenarios,
            count=settings["count"],
            eval_fraction=settings["eval_fraction"],
            seed=settings["seed"],
        )
        self._order = self._plan.order("eval")
        self._files: Files = {}

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def project(self, files: Mapping[str, str | bytes]) -> Workspace:
        self._files = dict(files)
        return super().project(files)

    def files_of(self, row: Row) -> Files | None:
        """The files that a row of the eval split began with, by path; None where no draw is that row."""
        place = self._place(row)
        if place is None:
            return None
        for again in range(_AGAIN):
            for dropped in range(_DROPPED):
                self._files = {}
                try:
                    drawn = self._plan.draw("eval", self._order[place], again + dropped * (ATTEMPTS + 1), self)
                except LimitReached:
                    continue
                if drawn is None:
                    continue
                if drawn["messages"] == row["messages"]:
                    return self._files
                break
        return None

    def _place(self, row: Row) -> int | None:
        """Where in the eval split a generated row is; None for one of another source."""
        domain, _, number = str(row["id"]).rpartition("-")
        if "source" in row or domain != self._domain or not number.isdecimal():
            return None
        place = int(number) - self._plan.sizes["train"]
        return place if 0 <= place < len(self._order) else None


def unavailable(manifest: Mapping[str, Any]) -> str:
    """Why a domain's calls cannot be made here, or "" where they can."""
    generator = manifest.get("dataset", {}).get("generator", "none")
    if generator == "none":
        return "own rows come without a project that their calls could be made in"
    if generator == "templates":
        return "it is not available for domains that are made of templates"
    if importlib.util.find_spec(f"fgbuild.domains.{generator}.tools") is None:
        return f"the domain {generator} has no tools that can be run"
    return ""


def tool_digest(manifest: Mapping[str, Any]) -> str:
    """BLAKE3, hex, of what makes a domain's projects and answers its calls; "" where none can be made."""
    if unavailable(manifest):
        return ""
    here = Path(domains.__file__).parent
    folders = (here, here / manifest["dataset"]["generator"], Path(sandbox.__file__).parent)
    code = {
        str(path.relative_to(here.parent)): path.read_text("utf-8") for each in folders for path in each.glob("*.py")
    }
    versions = {name: version(name) for name in TOOL_LIBRARIES}
    return blake3(json.dumps([code, versions, sys.version], sort_keys=True).encode()).hexdigest()
