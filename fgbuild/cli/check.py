"""Validate fgbuild.toml, every manifest and the data files they name; build nothing."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

from fgbuild.cli.output import print_json, say, whole_number
from fgbuild.errors import FgbuildError
from fgbuild.manifest.project import Domain, Project
from fgbuild.views.text import clean

Problem = dict[str, Any]
"""path, line (or None), field, message: what `--json` prints for one problem."""


class Found(NamedTuple):
    """domains: resolved, without those whose manifest has problems. left_out: problems of lines that a build leaves
    out, as `dataset.max_bad` lets it."""

    domains: list[Domain]
    problems: list[Problem]
    left_out: list[Problem]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="check these alone (default: all)")
    parser.add_argument("--resolved", action="store_true", help="print every final value and where it came from")
    parser.add_argument("--base", metavar="NAME", help="resolve for this base model")
    parser.add_argument("--profile", metavar="NAME", help="resolve with this profile")
    parser.add_argument(
        "--max-bad", type=whole_number, metavar="N", help="bad lines that may be left out (default: dataset.max_bad)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    from fgbuild.root import find_root

    root = find_root(args.root)
    found = inspect(root, args.domains, base=args.base, profile=args.profile, max_bad=args.max_bad)
    if args.json:
        _print_json(found, resolved=args.resolved)
    else:
        _print_text(found, resolved=args.resolved)
    return 2 if found.problems else 0


def inspect(root: Path, names: list[str], *, base: str | None, profile: str | None, max_bad: int | None) -> Found:
    """The chosen domains (none named: all) and what is wrong with their files and `fgbuild.toml`.

    max_bad: bad lines that may be left out of each domain, in place of its own dataset.max_bad.
    Raises FgbuildError for an unknown name.
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
        return Found([], problems, [])
    domains = [domain for domain in project.domains.values() if not names or domain.name in names]
    left_out: list[Problem] = []
    for domain in domains:
        lines, allowed = _data_problems(project, domain, max_bad)
        (left_out if allowed else problems).extend(lines)
    return Found(domains, problems, left_out)


def _no_manifest(name: str, project: Project | None) -> str:
    for domain in project.domains.values() if project else ():
        if domain.path.stem == name:
            return f'{domain.path.as_posix()} holds the domain "{domain.name}"; say `fgbuild check {domain.name}`'
    return f'no manifest is named "{name}"; run `fgbuild new {name}` to make one'


def _data_problems(project: Project, domain: Domain, max_bad: int | None) -> tuple[list[Problem], bool]:
    """What is wrong with the rows of a domain's own JSONL files, and whether all of it may be left out."""
    dataset = domain.resolved["dataset"]
    problems: list[Problem] = []
    bad, useless = 0, False
    places: dict[str, str] = {}
    for file in dataset["files"]:
        from fgbuild.domains.own_data import bad_lines, concerns_file, inspect_rows

        _, found = inspect_rows(project.root / file, domain.resolved["tool"], display=file, places=places)
        problems += [{"path": file, "line": line, "field": "", "message": message} for line, message in found]
        bad += bad_lines(found)
        useless |= concerns_file(found)
    return problems, not useless and bad <= (dataset["max_bad"] if max_bad is None else max_bad)


def _print_json(found: Found, *, resolved: bool) -> None:
    document: dict[str, Any] = {"passed": not found.problems, "problems": found.problems, "left_out": found.left_out}
    document["domains"] = {
        domain.name: {"path": domain.path.as_posix()}
        | ({"resolved": domain.resolved, "origins": domain.origins} if resolved else {})
        for domain in found.domains
    }
    print_json(document)


def _print_text(found: Found, *, resolved: bool) -> None:
    for prefix, problems in (("left out: ", found.left_out), ("", found.problems)):
        for problem in problems:
            where = f"{problem['path']}:{problem['line']}" if problem["line"] else problem["path"]
            field = f"{problem['field']}: " if problem["field"] else ""
            say(clean(f"{prefix}{where}: {field}{problem['message']}", None))
    if resolved:
        for domain in found.domains:
            print("\n".join([f"# {domain.name}", *(clean(line, None) for line in resolved_lines(domain)), ""]))
    if found.problems:
        count = len(found.problems)
        say(f"{count} problem{'s' if count > 1 else ''}; nothing was changed")
    elif not found.domains:  # nor any problem: there are none at all
        say("no manifests yet; `fgbuild new NAME` makes one")
    else:
        verdict = "no problems but in the lines left out" if found.left_out else "no problems"
        say(f"checked: {', '.join(domain.name for domain in found.domains)}; {verdict}")


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
