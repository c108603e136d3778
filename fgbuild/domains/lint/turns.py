"""Turns that the lint scenarios share: real calls on a generated project, and what is said about their responses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from fgbuild.domains.lint.project import Project
from fgbuild.domains.lint.rules import CODES
from fgbuild.domains.lint.values import FILES, MODULES
from fgbuild.domains.scenario import ANSWERED_MIDWAY, Message, counted, ended, plain, say
from fgbuild.domains.session import Done, Session, Step

# One question for each thing that may be missing: what is asked matters, and not in how many ways.
WHICH_PATH = "Which file or folder do you mean?"
WHICH_RULE = "Which rule do you mean?"
WHICH_LINE = "Which line do you mean?"

_FIRST = re.compile(r"(?P<file>.+):(?P<line>\d+) (?P<code>\w+) ")


def open_project(
    s: Session, *paths: str, rule: str | None = None, least: int = 0, clean: float = 0.25, untidy: bool = False
) -> None:
    """A project with these files and folders, each with problems of its own or, by the chance `clean`, without.

    rule: one that each of them breaks, unless it is clean. least: problems that are there in any case.
    """
    project = Project()
    for path in paths:
        count = 0 if not least and s.chance(clean) else s.number(max(1, least), 7)
        codes = [rule, *_codes(s, count - 1)] if rule and count else _codes(s, count)
        files = _modules(s, plain(path))
        for number, file in enumerate(files):
            project.add(s, file, codes[number :: len(files)], untidy=untidy and s.chance(0.8))
    elsewhere = plain(str(s.pick(FILES)))
    if elsewhere not in project.files and not any(elsewhere.startswith(f"{plain(path)}/") for path in paths):
        project.add(s, elsewhere, _codes(s, s.number(0, 2)))
    s.open(project.files)


def _codes(s: Session, count: int) -> list[str]:
    return s.sample(CODES, count) if count > 0 else []


def _modules(s: Session, path: str) -> list[str]:
    """The Python files of a path: itself, or some in the folder."""
    if path.endswith(".py"):
        return [path]
    folder = "" if path == "." else f"{path}/"
    return [f"{folder}{module}.py" for module in s.sample(MODULES, s.number(1, 3))]


class Check(NamedTuple):
    """A check by ruff, the place and code of the first problem where there is one, and its outcome in words."""

    done: Done
    file: str
    line: int
    code: str
    verdict: str

    @property
    def problems(self) -> int:
        return int(self.done.response["count"])


def check(s: Session, path: str, rule: str | None = None) -> Check:
    done = s.call("run_ruff", path=path, rule=rule)
    if done.failed:
        return Check(done, "", 0, "", f"{done.response['error']}.")
    if not done.response["count"]:
        return Check(done, "", 0, "", f"Found no problems in {'the project' if path == '.' else path}.")
    first = done.response["first"]
    place = _FIRST.match(first)
    assert place is not None, first
    verdict = f"Found {counted(done.response['count'], 'problem')}, first: {first}."
    return Check(done, place["file"], int(place["line"]), place["code"], verdict)


def reported(s: Session, found: Check) -> list[Message]:
    return ended(s, [*found.done.turns, say(found.verdict)], ANSWERED_MIDWAY)


def fix(s: Session, path: str, rule: str | None = None) -> Step:
    done = s.call("fix_lint", path=path, rule=rule)
    fixed, left = done.response["fixed"], done.response["left"]
    return Step(done, f"Fixed {counted(fixed, 'problem')}, {left} left.")


def reformat(s: Session, path: str) -> Step:
    done = s.call("format_code", path=path)
    return Step(done, f"Reformatted {counted(done.response['reformatted'], 'file')}.")


def explain(s: Session, code: str) -> Step:
    done = s.call("explain_rule", rule=code)
    return Step(done, f"{code} is {done.response['title']}: {done.response['summary']}")


def show(s: Session, path: str, line: int) -> Step:
    done = s.call("show_code", path=path, line=line)
    if done.failed:  # "src/a.py has 40 lines"
        return Step(done, f"There is no line {line}: {done.response['error']}.")
    return Step(done, f"Line {line}: {done.response['code']}")


def silence(s: Session, path: str, rule: str, line: int | None = None) -> Step:
    done = s.call("add_noqa", path=path, rule=rule, line=line)
    if done.failed:  # "no F401 in src/a.py"
        return Step(done, f"Nothing to silence: {done.response['error']}.")
    where = f"in {path}" if line is None else f"on line {line} of {path}"
    return Step(done, f"Silenced {rule} {where}.")


def joined(steps: Sequence[Step]) -> list[Message]:
    """The calls and responses of steps, one after the other."""
    return [turn for step in steps for turn in step.done.turns]
