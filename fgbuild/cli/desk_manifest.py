"""What the dashboard's editor asks about a manifest that reads otherwise than the one on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbuild.engine.graph import build_graph, select
from fgbuild.engine.plan import SKIP, Planner, plan_entry
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import FgbuildError, ManifestError
from fgbuild.manifest.project import Project, manifest_paths, read_sources
from fgbuild.manifest.validate import chosen_sources, inspect_sources
from fgbuild.root import PROJECT_FILE
from fgbuild.stages import PIPELINE
from fgbuild.views.tui.desk import Effect, Problem

if TYPE_CHECKING:
    from fgbuild.views.tui.desk import Variant

Entries = list[dict[str, Any]]


def manifest_path(root: Path, domain: str) -> Path:
    """The manifest that names that domain, or for want of one the file of that name; it may have problems."""
    found = chosen_sources(read_sources(root), [domain])[domain]
    if not found:
        raise FgbuildError(f'no manifest is named "{domain}"; run `fgbuild new {domain}` to make one')
    return root / found[0]


def problems(root: Path, path: Path, text: str, variant: Variant) -> list[Problem]:
    """What would be wrong with the project if that file read `text`: in it first, then in the files that it names,
    then in others. Rows of own data are not looked at.

    Raises FgbuildError where another file cannot be read.
    """
    name = _name(root, path)
    _, errors = _inspect(root, name, text.encode("utf-8", "surrogatepass"), variant)
    return [
        Problem(line, field, message, "" if error.path == name else error.path.as_posix())
        for error in sorted(errors, key=lambda error: (error.path != name, error.manifest != name))
        for line, field, message in error.problems
    ]


def effect(root: Path, path: Path, text: str, variant: Variant) -> Effect:
    """What a build of that manifest's domain would do if it read `text` (of `fgbuild.toml`: a build of all domains).

    Reads what `fgbuild plan` reads and writes what that writes: digests of files that it had to hash.
    Raises ManifestError where the text, or a file that it needs, has problems.
    """
    name = _name(root, path)
    project, domains = _chosen(root, name, text.encode("utf-8", "surrogatepass"), variant)
    with Workspace(root) as workspace:
        entries = _plan(workspace, project, domains)
        changed = _what(entries) != _what(_plan_on_disk(workspace, root, name, variant))
    seconds = [entry["predicted_seconds"] for entry in entries]
    total = None if None in seconds else sum(seconds)
    return Effect(entries, total, changed, domains[0] if domains else "")


def _plan_on_disk(workspace: Workspace, root: Path, name: Path, variant: Variant) -> Entries | None:
    """The plan for the file as it is; None where that cannot be built."""
    try:
        project, domains = _chosen(root, name, (root / name).read_bytes(), variant)
        return _plan(workspace, project, domains)
    except (FgbuildError, OSError):
        return None


def _what(entries: Entries | None) -> list[Any] | None:
    """What is done and why, without how long that takes."""
    return None if entries is None else [(entry["id"], entry["action"], entry["reasons"]) for entry in entries]


def _plan(workspace: Workspace, project: Project, domains: list[str]) -> Entries:
    """As `plan --json` has them, the stages that are not up to date."""
    decisions = Planner(workspace).plan(select(build_graph(project, PIPELINE), domains))
    return [plan_entry(workspace, decision) for decision in decisions.values() if decision.action != SKIP]


def _chosen(root: Path, name: Path, content: bytes, variant: Variant) -> tuple[Project, list[str]]:
    """The project with that content in place of a file's, and the names of the domains that the file is about (none:
    all). Raises ManifestError where they have problems."""
    project, errors = _inspect(root, name, content, variant)
    own = [error for error in errors if name in (error.path, error.manifest)]
    if own or project is None:
        raise (own or errors)[0]
    if name == Path(PROJECT_FILE):
        return project, []
    return project, [domain.name for domain in project.domains.values() if domain.path == name]


def _inspect(root: Path, name: Path, content: bytes, variant: Variant) -> tuple[Project | None, list[ManifestError]]:
    others = read_sources(root, [path for path in manifest_paths(root) if path != name])
    # Last, so that of two manifests with one domain's name it is the edited one that is told.
    sources = {path: data for path, data in others.items() if path != name} | {name: content}
    return inspect_sources(root, sources, base=variant.base or None, profile=variant.profile or None)


def _name(root: Path, path: Path) -> Path:
    """A file's path relative to the project."""
    return Path(os.path.relpath(path, root))
