"""Publish a domain's model: to a directory, or to a repository of the Hugging Face Hub."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable

from fgbuild.cli.output import print_json, say
from fgbuild.cli.selection import add_variant, open_project
from fgbuild.cli.shipped import job_for, run_worker, shipped_models
from fgbuild.engine.build import locked
from fgbuild.engine.graph import build_graph
from fgbuild.engine.paths import Paths
from fgbuild.engine.plan import SKIP, Planner
from fgbuild.engine.reasons import NOT_PASSED_BEFORE
from fgbuild.engine.workspace import Workspace
from fgbuild.errors import FgbuildError, GateError
from fgbuild.events import Event
from fgbuild.manifest import Project
from fgbuild.stages import PIPELINE
from fgbuild.views.text import clean

HUB = "hub:"
_REPO = re.compile(r"[\w.-]+/[\w.-]+")
_WANTED = ("export", "verify", "eval")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", metavar="DOMAIN", help="whose model to publish")
    parser.add_argument("--to", required=True, metavar="hub:USER/REPO|DIR", help="where it goes")
    parser.add_argument("--public", action="store_true", help="a repository that is made can be seen by everyone")
    parser.add_argument(
        "--force",
        action="store_true",
        help="also what has not passed verify and eval, and into a directory that holds other files",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_variant(parser)


def run(args: argparse.Namespace) -> int:
    """Under the tree's lock: no build exchanges the files meanwhile. Exit code 3 for what did not pass."""
    to = destination(args.to)
    project = open_project(args)
    model = shipped_models(project, [args.domain], everything=False)[0]
    with locked(Paths(project.root)):
        if not args.force:
            require_passed(project, args.domain)
        options = {"to": to, "public": args.public, "force": args.force}
        job = job_for(model, project.root, "publish", {}, options)
        _, done = run_worker("fgbuild.workers.publish", job, "published.json", on_event=_progress(args.domain))
    if args.json:
        print_json(done)
    else:
        print(clean(f"published {args.domain} to {done['url'] or args.to}", None))
    return 0


def destination(to: str) -> str:
    """`hub:OWNER/NAME`, or an absolute path. Raises FgbuildError for a repository's name that is none."""
    if not to.startswith(HUB):
        return os.path.abspath(to)
    if not _REPO.fullmatch(to.removeprefix(HUB)):
        raise FgbuildError(f"--to: {to.removeprefix(HUB)!r} is no repository; write hub:USER/REPO")
    return to


def require_passed(project: Project, domain: str) -> None:
    """Raises GateError where verify or eval did not pass on the placed file, FgbuildError where they are out of date.

    What counts is what a build would say: the file is that of the manifest, the code and the base as they are now.
    """
    graph = build_graph(project, PIPELINE).upto([f"{domain}:{kind}" for kind in _WANTED])
    with Workspace(project.root) as workspace:
        decisions = Planner(workspace).plan(graph)
    for kind in _WANTED:
        decision = decisions[f"{domain}:{kind}"]
        if decision.action == SKIP:
            continue
        next_step = f"run `fgbuild build {domain}`, or publish it as it is with --force"
        if NOT_PASSED_BEFORE in decision.reasons:
            raise GateError(f"{decision.stage.id} did not pass; {next_step}")
        why = "; ".join(reason.text for reason in decision.reasons) or "not in place"
        raise FgbuildError(f"{decision.stage.id} is not up to date ({why}); {next_step}")


def _progress(domain: str) -> Callable[[Event], None]:
    """One line on stderr, redrawn in place on a terminal; elsewhere what is done in tenths."""
    shown = 0

    def show(event: Event) -> None:
        nonlocal shown
        if event["kind"] != "stage.progress":
            return
        done, total, eta = event["done"], event["total"], event["eta_seconds"]
        left = f", {eta:.0f} s left" if eta else ""
        line = f"{domain}: {done:.1f} of {total:.1f} MB{left}"
        if sys.stderr.isatty():
            end = "\n" if done >= total else ""
            print(f"\r\x1b[2K{line}", end=end, file=sys.stderr, flush=True)
        elif done < total and (tenth := int(10 * done / total)) > shown:
            shown = tenth
            say(line)

    return show
