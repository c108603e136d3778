"""Check the shipped GGUFs: size, digest, header, load, template parity, stop tokens, smoke calls, repeated answers."""

from __future__ import annotations

import argparse
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from fgbuild.cli.output import print_json, say
from fgbuild.cli.selection import open_project
from fgbuild.cli.shipped import (
    GATE_FAILED,
    Shipped,
    add_domains,
    job_for,
    required_base,
    run_worker,
    shipped_models,
)
from fgbuild.errors import FgbuildError
from fgbuild.events import Event
from fgbuild.views.text import clean

_NAME_CELLS = 8
_REASON_CELLS = 1000
_UNITS = {"size": " MB", "load": " s"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_domains(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="also write a JUnit XML report")


def run(args: argparse.Namespace) -> int:
    """Verify for real, whatever a build has found before. Exit code 3 where a check fails."""
    project = open_project(args)
    models = shipped_models(project, args.domains, args.all)
    base = required_base(project)
    domains = {model.domain.name: _verify(model, project.root, base) for model in models}
    document = {"passed": all(report["passed"] for report in domains.values()), "domains": domains}
    if args.junit:
        _write_junit(args.junit, domains)
    if args.json:
        print_json(document)
    else:
        for name, report in domains.items():
            failed = [check["name"] for check in report["checks"] if not check["passed"]]
            print(f"{name}: failed: {', '.join(failed)}" if failed else f"{name}: passed")
    return 0 if document["passed"] else GATE_FAILED


def _verify(model: Shipped, root: Path, base: Path) -> dict[str, Any]:
    say(f"{model.domain.name}  {model.display}")
    job = job_for(model, root, "verify", {"base": base}, {"agent": str(model.agent)})
    _, report = run_worker("fgbuild.workers.verify", job, "report.json", on_event=_show)
    return {**report, "path": model.display}


def _show(event: Event) -> None:
    """One line for a finished check: what was measured, or why it failed."""
    if event["kind"] == "stage.check":
        mark = "✓" if event["passed"] else "✗"
        said = event["reason"] or f"{event['value']}{_UNITS.get(event['name'], '')}"
        say(f"  {mark} {event['name']:<{_NAME_CELLS}} {clean(said, _REASON_CELLS)}")


def _write_junit(path: Path, domains: dict[str, dict[str, Any]]) -> None:
    """A test suite for each domain and a test case for each check."""
    suites = ElementTree.Element("testsuites", name="fgbuild verify")
    for name, report in domains.items():
        failed = sum(not check["passed"] for check in report["checks"])
        tests = str(len(report["checks"]))
        suite = ElementTree.SubElement(suites, "testsuite", name=name, tests=tests, failures=str(failed))
        for check in report["checks"]:
            case = ElementTree.SubElement(suite, "testcase", classname=f"fgbuild.verify.{name}", name=check["name"])
            if not check["passed"]:
                message = _xml_text(check["reason"])
                failure = ElementTree.SubElement(case, "failure", message=message)
                failure.text = _xml_text(f"value: {check['value']}\nexpected: {check['expected']}")
    try:
        ElementTree.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise FgbuildError(f"--junit: {path} cannot be written ({error.strerror}); name another file") from None


def _xml_text(text: str) -> str:
    """Without the control characters that XML 1.0 cannot hold: reasons quote what a model wrote."""
    return "".join(character if character in "\t\n" or character >= " " else "�" for character in text)
