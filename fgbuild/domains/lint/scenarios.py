"""The lint domain's scenarios: what follows each kind of request."""

from __future__ import annotations

from typing import Any, NamedTuple

from fgbuild.domains.lint.phrasings import (
    abstaining,
    changing,
    checking,
    declining,
    mending,
    multistep,
    parallel,
    project,
)
from fgbuild.domains.lint.rules import CODES, FIXABLE_CODES, RULES
from fgbuild.domains.lint.values import FILES, FOLDERS, TARGETS
from fgbuild.domains.scenario import (
    ANSWERED_MIDWAY,
    Draw,
    Episode,
    Message,
    Scenario,
    call,
    calls,
    ended,
    result,
    results,
    say,
)

REFUSAL = "None of my tools can do that."
# One question for each thing that may be missing: what is asked matters, and not in how many ways.
WHICH_PATH = "Which file or folder do you mean?"
WHICH_RULE = "Which rule do you mean?"
_LAST_LINE = 480


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _file_in(d: Draw, path: str) -> str:
    """A file that ruff may report when it checks the path."""
    if path.endswith(".py"):
        return path
    name = str(d.pick(FILES)).rsplit("/", 1)[-1]
    return name if path == "." else f"{path.rstrip('/')}/{name}"


class _Check(NamedTuple):
    """A ruff check: its call, its response, the problem it reports first, and its outcome in words."""

    turns: list[Message]
    response: dict[str, Any]
    file: str
    code: str
    line: int
    verdict: str


def _check(d: Draw, path: str, rule: str | None, count: int) -> _Check:
    """A check of a path that finds `count` problems."""
    file, code, line = _file_in(d, path), rule or str(d.pick(CODES)), d.number(1, _LAST_LINE)
    if not count:
        found: dict[str, Any] = {"count": 0}
        verdict = f"Found no problems in {'the project' if path == '.' else path}."
    else:
        first = f"{file}:{line} {code} {RULES[code].name}"
        found = {"count": count, "first": first}
        verdict = f"Found {_counted(count, 'problem')}, first: {first}."
    turns = [call("run_ruff", path=path, rule=rule), result("run_ruff", **found)]
    return _Check(turns, found, file, code, line, verdict)


def _reported(d: Draw, check: _Check) -> list[Message]:
    return ended(d, [*check.turns, say(check.verdict)], ANSWERED_MIDWAY)


def _problem_count(d: Draw, clean: float = 0.25) -> int:
    return 0 if d.chance(clean) else d.number(1, 30)


def _fix(path: str, rule: str | None, fixed: int, left: int) -> list[Message]:
    return [call("fix_lint", path=path, rule=rule), result("fix_lint", fixed=fixed, left=left)]


def _fix_report(fixed: int, left: int) -> str:
    return f"Fixed {_counted(fixed, 'problem')}, {left} left."


def _format(path: str, changed: int) -> list[Message]:
    return [call("format_code", path=path), result("format_code", reformatted=changed)]


def _explain(code: str) -> list[Message]:
    rule = RULES[code]
    response = result("explain_rule", title=rule.name, summary=rule.summary)
    return [call("explain_rule", rule=code), response, say(f"{code} is {rule.name}: {rule.summary}")]


def _show(path: str, line: int, code: str) -> list[Message]:
    source = RULES[code].example
    response = result("show_code", code=source)
    return [call("show_code", path=path, line=line), response, say(f"Line {line}: {source}")]


def _silence(path: str, rule: str, line: int | None) -> list[Message]:
    where = f"in {path}" if line is None else f"on line {line} of {path}"
    response = result("add_noqa", added=f"# noqa: {rule}")
    return [call("add_noqa", path=path, rule=rule, line=line), response, say(f"Silenced {rule} {where}.")]


def _check_path(d: Draw) -> Episode:
    path = d.pick(TARGETS)
    check = _check(d, path, None, _problem_count(d))
    return Episode({"path": path}, _reported(d, check))


def _check_rule(d: Draw) -> Episode:
    path, rule = d.pick(TARGETS), d.pick(CODES)
    check = _check(d, path, rule, _problem_count(d))
    return Episode({"path": path, "rule": rule}, _reported(d, check))


def _check_project(d: Draw) -> Episode:
    check = _check(d, ".", None, _problem_count(d))
    return Episode({}, _reported(d, check))


def _fix_path(d: Draw) -> Episode:
    path, fixed, left = d.pick(TARGETS), d.number(1, 30), d.number(0, 5)
    return Episode({"path": path}, ended(d, [*_fix(path, None, fixed, left), say(_fix_report(fixed, left))]))


def _fix_project(d: Draw) -> Episode:
    fixed, left = d.number(1, 60), d.number(0, 9)
    return Episode({}, ended(d, [*_fix(".", None, fixed, left), say(_fix_report(fixed, left))]))


def _fix_rule(d: Draw) -> Episode:
    path, rule, fixed, left = d.pick(TARGETS), d.pick(FIXABLE_CODES), d.number(1, 30), d.number(0, 5)
    turns = [*_fix(path, rule, fixed, left), say(_fix_report(fixed, left))]
    return Episode({"path": path, "rule": rule}, ended(d, turns))


def _format_path(d: Draw) -> Episode:
    path = d.pick(TARGETS)
    changed = 1 if path.endswith(".py") else d.number(1, 30)
    turns = [*_format(path, changed), say(f"Reformatted {_counted(changed, 'file')}.")]
    return Episode({"path": path}, ended(d, turns))


def _explain_rule(d: Draw) -> Episode:
    rule = d.pick(CODES)
    return Episode({"rule": rule}, ended(d, _explain(rule)))


def _show_line(d: Draw) -> Episode:
    path, line = d.pick(FILES), d.number(1, _LAST_LINE)
    return Episode({"path": path, "line": line}, ended(d, _show(path, line, d.pick(CODES))))


def _silence_in_file(d: Draw) -> Episode:
    path, rule = d.pick(FILES), d.pick(CODES)
    return Episode({"path": path, "rule": rule}, ended(d, _silence(path, rule, None)))


def _silence_on_line(d: Draw) -> Episode:
    path, rule, line = d.pick(FILES), d.pick(CODES), d.number(1, _LAST_LINE)
    slots = {"path": path, "rule": rule, "line": line}
    return Episode(slots, ended(d, _silence(path, rule, line)))


def _check_then_show(d: Draw) -> Episode:
    path, count = d.pick(TARGETS), _problem_count(d, clean=0.15)
    check = _check(d, path, None, count)
    rest = _show(check.file, check.line, check.code) if count else [say(check.verdict)]
    return Episode({"path": path}, check.turns + rest)


def _check_then_explain(d: Draw) -> Episode:
    path, count = d.pick(TARGETS), _problem_count(d, clean=0.15)
    check = _check(d, path, None, count)
    return Episode({"path": path}, check.turns + (_explain(check.code) if count else [say(check.verdict)]))


def _check_then_fix(d: Draw) -> Episode:
    path, count = d.pick(TARGETS), _problem_count(d)
    check = _check(d, path, None, count)
    if not count:
        return Episode({"path": path}, [*check.turns, say(check.verdict)])
    left = d.number(0, min(count - 1, 4))
    turns = [*check.turns, *_fix(path, None, count - left, left), say(_fix_report(count - left, left))]
    return Episode({"path": path}, turns)


def _fix_then_check(d: Draw) -> Episode:
    path, fixed, left = d.pick(TARGETS), d.number(1, 30), d.number(0, 4)
    check = _check(d, path, None, left)
    return Episode({"path": path}, [*_fix(path, None, fixed, left), *check.turns, say(check.verdict)])


def _fix_then_format(d: Draw) -> Episode:
    path, fixed = d.pick(TARGETS), d.number(1, 30)
    changed = 1 if path.endswith(".py") else d.number(1, 30)
    answer = f"Fixed {_counted(fixed, 'problem')}, reformatted {_counted(changed, 'file')}."
    return Episode({"path": path}, [*_fix(path, None, fixed, 0), *_format(path, changed), say(answer)])


def _find_then_silence(d: Draw) -> Episode:
    path, rule = d.pick(FILES), d.pick(CODES)
    check = _check(d, path, rule, 1)
    return Episode({"path": path, "rule": rule}, check.turns + _silence(path, rule, check.line))


def _full_cleanup(d: Draw) -> Episode:
    path, before, left = d.pick(TARGETS), d.number(4, 30), d.number(0, 3)
    changed = 1 if path.endswith(".py") else d.number(1, 30)
    first, last = _check(d, path, None, before), _check(d, path, None, left)
    steps = [*first.turns, *_fix(path, None, before - left, left), *_format(path, changed), *last.turns]
    return Episode({"path": path}, [*steps, say(last.verdict)])


def _check_two(d: Draw) -> Episode:
    pool = FILES if d.chance(0.7) else FOLDERS
    path, other = d.sample(pool, 2)
    here, there = _check(d, path, None, _problem_count(d)), _check(d, other, None, _problem_count(d))
    turns = [
        calls(("run_ruff", {"path": path}), ("run_ruff", {"path": other})),
        results(("run_ruff", here.response), ("run_ruff", there.response)),
        say(f"Found {_counted(here.response['count'], 'problem')} in {path}, {there.response['count']} in {other}."),
    ]
    return Episode({"path": path, "other": other}, ended(d, turns))


def _explain_two(d: Draw) -> Episode:
    rule, other = d.sample(CODES, 2)
    return Episode(
        {"rule": rule, "other": other}, [calls(("explain_rule", {"rule": rule}), ("explain_rule", {"rule": other}))]
    )


def _clarify_check(d: Draw) -> Episode:
    return Episode({"rule": d.pick(CODES)}, [say(WHICH_PATH)])


def _clarify_fix(d: Draw) -> Episode:
    return Episode({"rule": d.pick(FIXABLE_CODES)}, [say(WHICH_PATH)])


def _clarify_rule(d: Draw) -> Episode:
    return Episode({}, [say(WHICH_RULE)])


def _clarify_line(d: Draw) -> Episode:
    return Episode({"path": d.pick(FILES)}, [say("Which line do you mean?")])


def _clarify_silence(d: Draw) -> Episode:
    slots = {"path": d.pick(FILES), "line": d.number(1, _LAST_LINE)}
    return Episode(slots, [say(WHICH_RULE)])


def _decline(d: Draw) -> Episode:
    return Episode({"path": d.pick(TARGETS)}, [say(REFUSAL)])


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("check_path", "single", _check_path, checking.CHECK_PATH, 1.8),
    Scenario("check_rule", "single", _check_rule, checking.CHECK_RULE, 2.0),
    Scenario("check_project", "single", _check_project, project.CHECK_PROJECT, 1.2),
    Scenario("explain_rule", "single", _explain_rule, checking.EXPLAIN_RULE, 1.7),
    Scenario("show_line", "single", _show_line, checking.SHOW_LINE, 1.8),
    Scenario("fix_path", "single", _fix_path, changing.FIX_PATH, 1.8),
    Scenario("fix_project", "single", _fix_project, project.FIX_PROJECT, 1.1),
    Scenario("fix_rule", "single", _fix_rule, changing.FIX_RULE, 1.8),
    Scenario("format_path", "single", _format_path, changing.FORMAT_PATH, 1.2),
    Scenario("silence_in_file", "single", _silence_in_file, changing.SILENCE_IN_FILE, 1.3),
    Scenario("silence_on_line", "single", _silence_on_line, changing.SILENCE_ON_LINE, 1.6),
    Scenario("check_then_show", "sequence", _check_then_show, multistep.CHECK_THEN_SHOW, 1.0),
    Scenario("check_then_explain", "sequence", _check_then_explain, multistep.CHECK_THEN_EXPLAIN, 1.0),
    Scenario("check_then_fix", "sequence", _check_then_fix, mending.CHECK_THEN_FIX, 1.1),
    Scenario("fix_then_check", "sequence", _fix_then_check, mending.FIX_THEN_CHECK, 1.1),
    Scenario("fix_then_format", "sequence", _fix_then_format, mending.FIX_THEN_FORMAT, 1.0),
    Scenario("find_then_silence", "sequence", _find_then_silence, multistep.FIND_THEN_SILENCE, 0.9),
    Scenario("full_cleanup", "sequence", _full_cleanup, mending.FULL_CLEANUP, 0.8),
    Scenario("check_two", "parallel", _check_two, parallel.CHECK_TWO, 1.4),
    Scenario("explain_two", "parallel", _explain_two, parallel.EXPLAIN_TWO, 1.0),
    Scenario("clarify_check", "clarify", _clarify_check, abstaining.CLARIFY_CHECK, 1.8),
    Scenario("clarify_fix", "clarify", _clarify_fix, abstaining.CLARIFY_FIX, 1.8),
    Scenario("clarify_rule", "clarify", _clarify_rule, abstaining.CLARIFY_RULE, 0.6),
    Scenario("clarify_line", "clarify", _clarify_line, abstaining.CLARIFY_LINE, 1.0),
    Scenario("clarify_silence", "clarify", _clarify_silence, abstaining.CLARIFY_SILENCE, 1.0),
    Scenario("decline_general", "decline", _decline, declining.DECLINE_GENERAL, 1.4),
    Scenario("decline_engineering", "decline", _decline, declining.DECLINE_ENGINEERING, 1.5),
    Scenario("decline_nearby", "decline", _decline, declining.DECLINE_NEARBY, 2.6),
)
