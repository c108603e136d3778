"""TOML manifests → checked, merged, plain data. Importing this package does not import pydantic."""

from __future__ import annotations

from fgbuild.manifest.project import Domain, Project
from fgbuild.manifest.remembered import resolve_project

__all__ = ["Domain", "Project", "resolve_project"]
