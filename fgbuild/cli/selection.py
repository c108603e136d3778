"""Which project and which stages a command is about: arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from fgbuild.errors import FgbuildError
from fgbuild.root import find_root

TYPE_CHECKING = False  # not from typing, which takes a thirtieth of a build with nothing to do
if TYPE_CHECKING:
    from fgbuild.engine.graph import Graph
    from fgbuild.manifest import Project


def add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="domains by name (default: all)")
    parser.add_argument("--all", action="store_true", help="all domains")
    add_variant(parser)
    parser.add_argument("--until", metavar="STAGE", help="stop after this stage (train, export, …)")


def add_variant(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", metavar="NAME", help="base model of fgbuild.toml to build on")
    parser.add_argument("--profile", metavar="NAME", help="profile of fgbuild.toml to apply")


def positive(text: str) -> int:
    """An argument that counts something."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def open_project(args: argparse.Namespace) -> Project:
    """The project in `--root` or above the current directory, for the chosen base and profile."""
    from fgbuild.manifest import resolve_project  # not needed to know what the arguments are

    root: Path = find_root(args.root)
    return resolve_project(root, base=args.base, profile=args.profile)


def chosen_graph(args: argparse.Namespace, project: Project) -> Graph:
    """The stages that the arguments name."""
    from fgbuild.engine.graph import build_graph, select
    from fgbuild.stages import PIPELINE

    if args.all and args.domains:
        raise FgbuildError("--all and names of domains exclude each other; leave one of them out")
    return select(build_graph(project, PIPELINE), args.domains, args.until)
