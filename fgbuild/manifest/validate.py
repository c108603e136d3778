"""A project's files → a resolved project, or every problem of every file."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fgbuild.errors import ManifestError
from fgbuild.functiongemma.check import problems as tool_problems
from fgbuild.manifest.load import Document, Problem, faults, in_order, parse, placed
from fgbuild.manifest.models import Manifest
from fgbuild.manifest.project import Domain, Project, backend_problems
from fgbuild.manifest.resolve import Settings, read_settings, resolve_one
from fgbuild.manifest.template_models import ToolCommand
from fgbuild.manifest.templates import with_templates
from fgbuild.manifest.toml_lines import KeyPath
from fgbuild.root import PROJECT_FILE

_NONE_KNOWN: Mapping[Path, Domain] = {}


class ProjectErrors(ManifestError):
    """The problems of several files; `errors` has one ManifestError a file."""

    def __init__(self, errors: list[ManifestError]) -> None:
        super().__init__(errors[0].path, errors[0].problems)
        self.errors = errors
        self.args = ("\n".join(str(error) for error in errors),)


def resolve_sources(
    root: Path,
    sources: dict[Path, bytes],
    *,
    base: str | None = None,
    profile: str | None = None,
    known: Mapping[Path, Domain] = _NONE_KNOWN,
) -> Project:
    """The project made of the given files (see `project.read_sources`). known: manifests whose domain is known.

    Raises ManifestError (ProjectErrors where several files are at fault) with every problem.
    """
    project, errors = inspect_sources(root, sources, base=base, profile=profile, known=known)
    if errors or project is None:
        raise errors[0] if len(errors) == 1 else ProjectErrors(errors)
    return project


def inspect_sources(
    root: Path,
    sources: dict[Path, bytes],
    *,
    base: str | None = None,
    profile: str | None = None,
    known: Mapping[Path, Domain] = _NONE_KNOWN,
) -> tuple[Project | None, list[ManifestError]]:
    """The project with its sound domains (None where `fgbuild.toml` is not), and one error a file with problems."""
    errors: list[ManifestError] = []
    settings = None
    documents: list[Document] = []
    for path, content in sources.items():
        if path in known:
            continue
        try:
            document = parse(path, content)
            if path == Path(PROJECT_FILE):
                settings = read_settings(document, base, profile)
                if absent := backend_problems(root, settings.backends):
                    raise ManifestError(document.path, placed(document, dict(absent)))
            else:
                documents.append(document)
        except ManifestError as error:
            errors.append(error)
    taken = {domain.name: domain.origins["name"] for domain in known.values()}
    sound = dict(known)
    for document in documents:
        domain, found = _inspect(root, document, settings)
        beside: list[ManifestError] = []
        if domain is not None:
            domain, beside = with_templates(root, document, domain)
        found += _name_problems(document, taken)
        found += [problem for error in beside if error.path == document.path for problem in error.problems]
        if found:
            errors.append(ManifestError(document.path, in_order(found)))
        errors += [error for error in beside if error.path != document.path]
        if not found and not beside and domain is not None:
            sound[domain.path] = domain
    domains = {sound[path].name: sound[path] for path in sources if path in sound}
    if settings is None:
        return None, errors
    return Project(root, settings.base, settings.base_name, settings.profile, domains, settings.backends), errors


def chosen_sources(sources: dict[Path, bytes], names: list[str]) -> dict[str, list[Path]]:
    """The manifests that each name stands for: those that say so, and for want of one the file of that name."""
    stated: dict[str, list[Path]] = {}
    for path, content in sources.items():
        if path != Path(PROJECT_FILE):
            stated.setdefault(_stated_name(path, content), []).append(path)
    return {name: stated.get(name, []) for name in names}


def _stated_name(path: Path, content: bytes) -> str:
    try:
        name = parse(path, content).data.get("name")
    except ManifestError:
        name = None
    return name if isinstance(name, str) else path.stem


def _inspect(root: Path, document: Document, settings: Settings | None) -> tuple[Domain | None, list[Problem]]:
    found = faults(document, Manifest)
    if not found:
        return resolve_one(root, document, settings) if settings else (None, [])
    problems = placed(document, found)
    tools = document.data.get("tool")
    if isinstance(tools, list):
        fields = {field for _, field, _ in problems}
        problems += [
            (document.lines.of_field(field), field, message)
            for field, message in tool_problems([_declaration(tool) for tool in tools])
            if field not in fields
        ]
    if settings:
        problems += _problems_beside(root, document, settings, set(found))
    return None, problems


def _declaration(tool: Any) -> Any:
    """A tool as the model sees it: without the command behind it."""
    return (
        {key: value for key, value in tool.items() if key not in ToolCommand.model_fields}
        if isinstance(tool, dict)
        else tool
    )


def _problems_beside(root: Path, document: Document, settings: Settings, paths: set[KeyPath]) -> list[Problem]:
    """What else is wrong with a manifest, once the keys known to be at fault are taken out.

    Sections with a key taken out are left alone: what is missing there may not be missing in truth.
    """
    data = copy.deepcopy(document.data)
    for path in paths:
        _take_out(data, path)
    try:
        Manifest.model_validate(data)
    except ValidationError:
        return []
    _, others = resolve_one(root, Document(document.path, data, document.lines), settings)
    touched = {str(path[0]) for path in paths} | {"tool"}
    return [problem for problem in others if problem[1].split(".")[0].split("[")[0] not in touched]


def _take_out(data: dict[str, Any], path: KeyPath) -> None:
    """Remove a key; an element of a list takes the whole list with it, so that no other one moves."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    table: Any = data
    for part in path[:-1]:
        try:
            table = table[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(table, dict):
        table.pop(path[-1], None)


def _name_problems(document: Document, taken: dict[str, str]) -> list[Problem]:
    """A name that another manifest has already; `taken` maps each name to where it stands and is kept up to date."""
    name = document.data.get("name")
    if not isinstance(name, str):
        return []
    where = taken.setdefault(name, document.at(("name",)))
    if where == document.at(("name",)):
        return []
    return [(document.lines.of(("name",)), "name", f'"{name}" is the name of {where} too; rename one of them')]
