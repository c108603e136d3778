"""Validate fgbuild.toml, every manifest and the data files they name; build nothing."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from fgbuild.cli.output import print_json, say
from fgbuild.errors import FgbuildError
from fgbuild.manifest.project import Domain, Project
from fgbuild.views.text import clean

Problem = dict[str, Any]
"""path, line (or None), field, message: what `--json` prints for one problem."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="check these alone (default: all)")
    parser.add_argument("--resolved", action="store_true", help="print every final value and where it came from")
    parser.add_argument("--base", metavar="NAME", help="resolve for this base model")
    parser.add_argument("--profile", metavar="NAME", help="resolve with this profile")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    from fgbuild.root import find_root

    root = find_root(args.root)
    domains, problems = inspect(root, args.domains, base=args.base, profile=args.profile)
    if args.json:
        _print_json(domains, problems, resolved=args.resolved)
    else:
        _print_text(domains, problems, resolved=args.resolved)
    return 2 if problems else 0


def inspect(
    root: Path, names: list[str], *, base: str | None, profile: str | None
) -> tuple[list[Domain], list[Problem]]:
    """The chosen domains (none named: all), resolved, and the problems of their files and of `fgbuild.toml`.

    Domains whose manifest has problems do not come back. Raises FgbuildError for an unknown name.
    """
    from fgbuild.manifest.project import read_sources
    from fgbuild.manifest.validate import chosen_sources, inspect_sources
    from fgbuild.root import PROJECT_FILE

    sources = read_sources(root)
    project, errors = inspect_sources(root, sources, base=base, profile=profile)
    chosen = chosen_sources(sources, names)
    if unknown := [name for name in names if not chosen[name]]:
        raise FgbuildError(_no_manifest(unknown[0], project))
    paths = {Path(PROJECT_FILE), *(path for found in chosen.values() for path in found)}
    problems = [
        {"path": error.path.as_posix(), "line": line, "field": field, "message": message}
        for error in errors
        if not names or error.manifest in paths
        for line, field, message in error.problems
    ]
    if project is None:
        return [], problems
    domains = [domain for domain in project.domains.values() if not names or domain.name in names]
    return domains, problems + data_problems(project, domains)


def _no_manifest(name: str, project: Project | None) -> str:
    for domain in project.domains.values() if project else ():
        if domain.path.stem == name:
            return f'{domain.path.as_posix()} holds the domain "{domain.name}"; say `fgbuild check {domain.name}`'
    return f'no manifest is named "{name}"; run `fgbuild new {name}` to make one'


def data_problems(project: Project, domains: list[Domain]) -> list[Problem]:
    """What is wrong with the rows of the domains' own JSONL files."""
    problems = []
    for domain in domains:
        for file in domain.resolved["dataset"]["files"]:
            from fgbuild.domains.own_data import inspect_rows

            _, found = inspect_rows(project.root / file, domain.resolved["tool"], display=file)
            problems += [{"path": file, "line": line, "field": "", "message": message} for line, message in found]
    return problems


def _print_json(domains: list[Domain], problems: list[Problem], *, resolved: bool) -> None:
    document: dict[str, Any] = {"passed": not problems, "problems": problems}
    document["domains"] = {
        domain.name: {"path": domain.path.as_posix()}
        | ({"resolved": domain.resolved, "origins": domain.origins} if resolved else {})
        for domain in domains
    }
    print_json(document)


def _print_text(domains: list[Domain], problems: list[Problem], *, resolved: bool) -> None:
    for problem in problems:
        where = f"{problem['path']}:{problem['line']}" if problem["line"] else problem["path"]
        field = f"{problem['field']}: " if problem["field"] else ""
        say(clean(f"{where}: {field}{problem['message']}", None))
    if resolved:
        for domain in domains:
            print("\n".join([f"# {domain.name}", *(clean(line, None) for line in resolved_lines(domain)), ""]))
    if problems:
        count = len(problems)
        say(f"{count} problem{'s' if count > 1 else ''}; nothing was changed")
    elif not domains:  # nor any problem: there are none at all
        say("no manifests yet; `fgbuild new NAME` makes one")
    else:
        say(f"checked: {', '.join(domain.name for domain in domains)}; no problems")


def resolved_lines(domain: Domain) -> list[str]:
    """`lora.r = 16   (default)` for every value of a domain."""
    from fgbuild.manifest.resolve import leaves
    from fgbuild.manifest.toml_lines import dotted

    lines = []
    for path in leaves(domain.resolved):
        value: Any = domain.resolved
        for part in path:
            value = value[part]
        field = dotted(path)
        origin = domain.origins.get(field, "default")
        lines.append(f"{field} = {json.dumps(value, ensure_ascii=False)}   ({origin})")
    return lines
