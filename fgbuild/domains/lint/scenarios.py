"""The lint domain's scenarios: what follows each kind of request."""

from __future__ import annotations

from fgbuild.domains.contrast import contrast
from fgbuild.domains.lint.phrasings import (
    abstaining,
    changing,
    checking,
    declining,
    mending,
    misplaced,
    multistep,
    parallel,
    project,
)
from fgbuild.domains.lint.rules import CODES
from fgbuild.domains.lint.turns import (
    WHICH_LINE,
    WHICH_PATH,
    WHICH_RULE,
    check,
    counted,
    explain,
    fix,
    joined,
    open_project,
    plain,
    reformat,
    reported,
    show,
    silence,
)
from fgbuild.domains.lint.values import FILES, FOLDERS, TARGETS
from fgbuild.domains.scenario import NO_TOOL, Draw, Episode, Scenario, ended, say
from fgbuild.domains.session import Session

_LAST_LINE = 480


def _check_path(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path)
    return Episode({"path": path}, reported(s, check(s, path)))


def _check_rule(s: Session) -> Episode:
    path, rule = s.pick(TARGETS), s.pick(CODES)
    open_project(s, path, rule=rule)
    return Episode({"path": path, "rule": rule}, reported(s, check(s, path, rule)))


def _check_project(s: Session) -> Episode:
    open_project(s, *s.sample(FILES, 2))
    return Episode({}, reported(s, check(s, ".")))


def _fix_path(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path)
    return Episode({"path": path}, ended(s, fix(s, path).told))


def _fix_project(s: Session) -> Episode:
    open_project(s, *s.sample(FILES, 3))
    return Episode({}, ended(s, fix(s, ".").told))


def _fix_rule(s: Session) -> Episode:
    path, rule = s.pick(TARGETS), s.pick(CODES)
    open_project(s, path, rule=rule, clean=0.1)
    return Episode({"path": path, "rule": rule}, ended(s, fix(s, path, rule).told))


def _format_path(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path, untidy=True)
    return Episode({"path": path}, ended(s, reformat(s, path).told))


def _explain_rule(s: Session) -> Episode:
    rule = s.pick(CODES)
    return Episode({"rule": rule}, ended(s, explain(s, rule).told))


def _show_line(s: Session) -> Episode:
    path = s.pick(FILES)
    open_project(s, path)
    line = s.number(1, 40 if s.chance(0.8) else _LAST_LINE)
    return Episode({"path": path, "line": line}, ended(s, show(s, path, line).told))


def _silence_in_file(s: Session) -> Episode:
    path, rule = s.pick(FILES), s.pick(CODES)
    open_project(s, path, rule=rule, clean=0.1)
    return Episode({"path": path, "rule": rule}, ended(s, silence(s, path, rule).told))


def _silence_on_line(s: Session) -> Episode:
    path, rule = s.pick(FILES), s.pick(CODES)
    open_project(s, path, rule=rule, clean=0.1)
    line = s.number(1, 40 if s.chance(0.8) else _LAST_LINE)
    slots = {"path": path, "rule": rule, "line": line}
    return Episode(slots, ended(s, silence(s, path, rule, line).told))


def _check_then_show(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path, clean=0.15)
    found = check(s, path)
    rest = show(s, found.file, found.line).told if found.problems else [say(found.verdict)]
    return Episode({"path": path}, found.done.turns + rest)


def _check_then_explain(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path, clean=0.15)
    found = check(s, path)
    return Episode(
        {"path": path}, found.done.turns + (explain(s, found.code).told if found.problems else [say(found.verdict)])
    )


def _check_then_fix(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path)
    found = check(s, path)
    return Episode({"path": path}, found.done.turns + (fix(s, path).told if found.problems else [say(found.verdict)]))


def _fix_then_check(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path)
    fixed, left = fix(s, path), check(s, path)
    return Episode({"path": path}, [*fixed.done.turns, *left.done.turns, say(left.verdict)])


def _fix_then_format(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path, untidy=True)
    steps = [fix(s, path), reformat(s, path)]
    (fixed, changed) = (step.done.response for step in steps)
    answer = f"Fixed {counted(fixed['fixed'], 'problem')}, reformatted {counted(changed['reformatted'], 'file')}."
    return Episode({"path": path}, [*joined(steps), say(answer)])


def _find_then_silence(s: Session) -> Episode:
    path, rule = s.pick(FILES), s.pick(CODES)
    open_project(s, path, rule=rule, least=1)
    found = check(s, path, rule)
    return Episode({"path": path, "rule": rule}, found.done.turns + silence(s, path, rule, found.line).told)


def _full_cleanup(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path, least=2, untidy=True)
    first, fixed, tidied, last = check(s, path), fix(s, path), reformat(s, path), check(s, path)
    steps = [*first.done.turns, *joined([fixed, tidied]), *last.done.turns]
    return Episode({"path": path}, [*steps, say(last.verdict)])


def _check_misplaced(s: Session) -> Episode:
    """The file is named without its folder: the tool says where it is, and the check is made there."""
    full = plain(str(s.pick([path for path in FILES if plain(path).count("/") > 0])))
    path = full.rsplit("/", 1)[-1]
    open_project(s, full)
    missed = check(s, path)
    if not missed.done.failed:  # another file of this name is at the top
        return Episode({"path": path}, reported(s, missed))
    if f"there is {full}" not in missed.done.response["error"]:  # it is in two places
        return Episode({"path": path}, [*missed.done.turns, say(f"{missed.done.response['error']}.")])
    found = check(s, full)
    return Episode({"path": path}, [*missed.done.turns, *found.done.turns, say(found.verdict)])


def _check_two(s: Session) -> Episode:
    path, other = s.sample(FILES if s.chance(0.7) else FOLDERS, 2)
    open_project(s, path, other)
    done = s.calls(("run_ruff", {"path": path}), ("run_ruff", {"path": other}))
    here, there = (response["count"] for response in done.responses)
    turns = [*done.turns, say(f"Found {counted(here, 'problem')} in {path}, {there} in {other}.")]
    return Episode({"path": path, "other": other}, ended(s, turns))


def _explain_two(s: Session) -> Episode:
    rule, other = s.sample(CODES, 2)
    done = s.calls(("explain_rule", {"rule": rule}), ("explain_rule", {"rule": other}))
    return Episode({"rule": rule, "other": other}, done.turns[:1])


def _clarify_path(d: Draw) -> Episode:
    return Episode({"rule": d.pick(CODES)}, [say(WHICH_PATH)])


def _clarify_rule(d: Draw) -> Episode:
    return Episode({}, [say(WHICH_RULE)])


def _clarify_line(d: Draw) -> Episode:
    return Episode({"path": d.pick(FILES)}, [say(WHICH_LINE)])


def _clarify_silence(d: Draw) -> Episode:
    slots = {"path": d.pick(FILES), "line": d.number(1, _LAST_LINE)}
    return Episode(slots, [say(WHICH_RULE)])


def _decline(d: Draw) -> Episode:
    return Episode({"path": d.pick(TARGETS)}, [say(NO_TOOL)])


def _rule(d: Draw) -> dict[str, str]:
    return {"rule": d.pick(CODES)}


def _file(d: Draw) -> dict[str, str]:
    return {"path": d.pick(FILES)}


_PLACES = ("file", "module", "script", "folder", "package")
_RULES = ("rule", "warning", "check")
_CHECK_PATH = Scenario("check_path", "single", _check_path, checking.CHECK_PATH, 1.8)
_FIX_PATH = Scenario("fix_path", "single", _fix_path, changing.FIX_PATH, 1.8)
_FIX_RULE = Scenario("fix_rule", "single", _fix_rule, changing.FIX_RULE, 1.8)
_FORMAT_PATH = Scenario("format_path", "single", _format_path, changing.FORMAT_PATH, 1.2)
_EXPLAIN_RULE = Scenario("explain_rule", "single", _explain_rule, checking.EXPLAIN_RULE, 1.7)
_SILENCE_IN_FILE = Scenario("silence_in_file", "single", _silence_in_file, changing.SILENCE_IN_FILE, 1.3)

SCENARIOS: tuple[Scenario, ...] = (
    _CHECK_PATH,
    Scenario("check_rule", "single", _check_rule, checking.CHECK_RULE, 2.0),
    Scenario("check_project", "single", _check_project, project.CHECK_PROJECT, 1.6),
    _EXPLAIN_RULE,
    Scenario("show_line", "single", _show_line, checking.SHOW_LINE, 1.8),
    _FIX_PATH,
    Scenario("fix_project", "single", _fix_project, project.FIX_PROJECT, 1.4),
    _FIX_RULE,
    _FORMAT_PATH,
    _SILENCE_IN_FILE,
    Scenario("silence_on_line", "single", _silence_on_line, changing.SILENCE_ON_LINE, 1.6),
    Scenario("check_then_show", "sequence", _check_then_show, multistep.CHECK_THEN_SHOW, 1.0),
    Scenario("check_then_explain", "sequence", _check_then_explain, multistep.CHECK_THEN_EXPLAIN, 1.0),
    Scenario("check_then_fix", "sequence", _check_then_fix, mending.CHECK_THEN_FIX, 1.1),
    Scenario("fix_then_check", "sequence", _fix_then_check, mending.FIX_THEN_CHECK, 1.1),
    Scenario("fix_then_format", "sequence", _fix_then_format, mending.FIX_THEN_FORMAT, 1.0),
    Scenario("find_then_silence", "sequence", _find_then_silence, multistep.FIND_THEN_SILENCE, 0.9),
    Scenario("full_cleanup", "sequence", _full_cleanup, mending.FULL_CLEANUP, 0.8),
    Scenario("check_misplaced", "sequence", _check_misplaced, misplaced.CHECK_MISPLACED, 0.8),
    Scenario("check_two", "parallel", _check_two, parallel.CHECK_TWO, 1.4),
    Scenario("explain_two", "parallel", _explain_two, parallel.EXPLAIN_TWO, 1.0),
    Scenario("clarify_check", "clarify", _clarify_path, abstaining.CLARIFY_CHECK, 1.4),
    Scenario("clarify_fix", "clarify", _clarify_path, abstaining.CLARIFY_FIX, 1.4),
    Scenario("clarify_rule", "clarify", _clarify_rule, abstaining.CLARIFY_RULE, 0.4),
    Scenario("clarify_line", "clarify", _clarify_line, abstaining.CLARIFY_LINE, 0.9),
    Scenario("clarify_silence", "clarify", _clarify_silence, abstaining.CLARIFY_SILENCE, 0.6),
    contrast(_CHECK_PATH, "path", _PLACES, WHICH_PATH, weight=1.5),
    contrast(_FIX_PATH, "path", _PLACES, WHICH_PATH, weight=1.3),
    contrast(_FIX_RULE, "path", _PLACES, WHICH_PATH, _rule, weight=0.4),
    contrast(_FORMAT_PATH, "path", _PLACES, WHICH_PATH, weight=0.5),
    contrast(_EXPLAIN_RULE, "rule", _RULES, WHICH_RULE, weight=0.5),
    contrast(_SILENCE_IN_FILE, "rule", _RULES, WHICH_RULE, _file, weight=0.6),
    Scenario("decline_general", "decline", _decline, declining.DECLINE_GENERAL, 1.4),
    Scenario("decline_engineering", "decline", _decline, declining.DECLINE_ENGINEERING, 1.5),
    Scenario("decline_nearby", "decline", _decline, declining.DECLINE_NEARBY, 2.6),
)
