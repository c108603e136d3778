"""Runs a domain's tools for real, in throwaway projects: limits on time and size, no network, no write outside.

Used where trajectories are made and replayed, and where a model's own calls are run.
"""

from __future__ import annotations

from fgbuild.sandbox.client import Sandbox, Workspace
from fgbuild.sandbox.confine import Confinement
from fgbuild.sandbox.tool import ToolError

__all__ = ["Confinement", "Sandbox", "ToolError", "Workspace"]
