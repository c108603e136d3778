"""Runs a domain's tools for real, in throwaway projects: limits on time and size, no network, no write outside.

Used where trajectories are made and replayed, and where a model is evaluated in closed loop.
"""

from __future__ import annotations

from fgbuild.sandbox.client import LimitReached, Sandbox, SandboxFault, Workspace
from fgbuild.sandbox.confine import Confinement
from fgbuild.sandbox.tool import ToolError

__all__ = ["Confinement", "LimitReached", "Sandbox", "SandboxFault", "ToolError", "Workspace"]
