"""The test domain's scenarios: what follows each kind of request."""

from __future__ import annotations

from fgbuild.domains.contrast import contrast
from fgbuild.domains.scenario import NO_TOOL, Draw, Episode, Message, Scenario, ended, say
from fgbuild.domains.session import Session
from fgbuild.domains.test.phrasings import (
    abstaining,
    declining,
    diagnosing,
    inspecting,
    measuring,
    multistep,
    recovering,
    running,
)
from fgbuild.domains.test.turns import (
    Step,
    cover,
    find_slow,
    joined,
    list_tests,
    open_node,
    open_packages,
    open_project,
    plain,
    ran_before,
    reported,
    rerun,
    run,
    show,
)
from fgbuild.domains.test.values import FILES, FOLDERS, KEYWORDS, NODES, PACKAGES, TARGETS

_IN_FOLDERS = [path for path in map(plain, FILES) if "/" in path]
_DOTTED = [package for package in PACKAGES if "." in package and len({*package.split(".")}) == package.count(".") + 1]
"""Packages that their last part alone does not name otherwise: no `mail.mail`."""

_WHICH_TESTS = "Which tests should I run?"
_WHICH_PLACE = "Which file or folder should I list?"
_WHICH_TEST = "Which test do you mean?"
_WHICH_PACKAGE = "Which package should I measure?"


def _run_path(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path)
    return Episode({"path": path}, reported(s, run(s, path)))


def _run_keyword(s: Session) -> Episode:
    path, keyword = s.pick(TARGETS), s.pick(KEYWORDS)
    open_project(s, path, keyword=keyword)
    return Episode({"path": path, "keyword": keyword}, reported(s, run(s, path, keyword)))


def _run_node(s: Session) -> Episode:
    node = s.pick(NODES)
    open_node(s, node, missing=0.1)
    return Episode({"node": node}, reported(s, run(s, node)))


def _run_all(s: Session) -> Episode:
    open_project(s, ".")
    return Episode({}, reported(s, run(s, ".")))


def _rerun_failed(s: Session) -> Episode:
    open_project(s, ".", passing=0.1, recovering=0.6)
    ran_before(s)
    return Episode({}, reported(s, rerun(s)))


def _list_tests(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path)
    return Episode({"path": path}, reported(s, list_tests(s, path)))


def _show_failure(s: Session) -> Episode:
    node = s.pick(NODES)
    open_node(s, node, passing=0.1)
    return Episode({"node": node}, ended(s, show(s, node).told))


def _coverage(s: Session) -> Episode:
    package = s.pick(PACKAGES)
    open_packages(s, package)
    return Episode({"package": package}, ended(s, cover(s, package).told))


def _coverage_minimum(s: Session) -> Episode:
    package, minimum = s.pick(PACKAGES), s.number(40, 100)
    open_packages(s, package)
    return Episode({"package": package, "minimum": minimum}, ended(s, cover(s, package, minimum).told))


def _slow_tests(s: Session) -> Episode:
    open_project(s, ".", slow=True)
    ran_before(s)
    return Episode({}, ended(s, find_slow(s).told))


def _slow_tests_count(s: Session) -> Episode:
    count = s.number(2, 60)
    open_project(s, ".", slow=True)
    ran_before(s)
    return Episode({"count": count}, ended(s, find_slow(s, count).told))


def _with_failure(s: Session, done: Step) -> list[Message]:
    """A run, and its first failure where there is one."""
    return joined([done, show(s, done.first)] if done.first else [done])


def _run_then_show(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path, passing=0.2)
    return Episode({"path": path}, _with_failure(s, run(s, path)))


def _keyword_then_show(s: Session) -> Episode:
    path, keyword = s.pick(TARGETS), s.pick(KEYWORDS)
    open_project(s, path, keyword=keyword, passing=0.2)
    return Episode({"path": path, "keyword": keyword}, _with_failure(s, run(s, path, keyword)))


def _rerun_then_show(s: Session) -> Episode:
    open_project(s, ".", passing=0.05, recovering=0.3)
    ran_before(s)
    return Episode({}, _with_failure(s, rerun(s)))


def _list_then_run(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path)
    listed = list_tests(s, path)
    return Episode({"path": path}, joined([listed, run(s, listed.first)]))


def _run_then_coverage(s: Session) -> Episode:
    path, package = s.pick(TARGETS), s.pick(PACKAGES)
    open_project(s, path, package=package, passing=0.7)
    done = run(s, path)
    return Episode({"path": path, "package": package}, joined([done] if done.first else [done, cover(s, package)]))


def _run_show_rerun(s: Session) -> Episode:
    path = s.pick(TARGETS)
    open_project(s, path, passing=0.0, recovering=0.5)
    done = run(s, path)
    return Episode({"path": path}, joined([done, show(s, done.first), rerun(s)]))


def _full_report(s: Session) -> Episode:
    path, package = s.pick(TARGETS), s.pick(PACKAGES)
    open_project(s, path, package=package, slow=True)
    steps = [list_tests(s, path), run(s, path), cover(s, package), find_slow(s)]
    return Episode({"path": path, "package": package}, joined(steps))


def _run_misplaced(s: Session) -> Episode:
    """The file is named without its folder: the tool says where it is, and the tests are run there."""
    full = s.pick(_IN_FOLDERS)
    path = full.rsplit("/", 1)[-1]
    open_project(s, full)
    return Episode({"path": path}, joined([run(s, path), run(s, full)]))


def _coverage_misnamed(s: Session) -> Episode:
    """The package is named by its last part: the tool gives its full name, and that is measured."""
    full = s.pick(_DOTTED)
    package = full.rsplit(".", 1)[-1]
    open_packages(s, full)
    return Episode({"package": package}, joined([cover(s, package), cover(s, full)]))


def _slow_before_a_run(s: Session) -> Episode:
    """No test was run yet, so there are no durations: all are run first."""
    count = s.number(2, 60)
    open_project(s, ".", slow=True)
    return Episode({"count": count}, joined([find_slow(s, count), run(s, "."), find_slow(s, count)]))


def _run_two(s: Session) -> Episode:
    path, other = s.sample(FILES if s.chance(0.7) else FOLDERS, 2)
    open_project(s, path, other)
    done = s.calls(("run_tests", {"path": path}), ("run_tests", {"path": other}))
    here, there = (response["failed"] for response in done.responses)
    turns = [*done.turns, say(f"Result: {here} failed in {path}, {there} in {other}.")]
    return Episode({"path": path, "other": other}, ended(s, turns))


def _coverage_two(s: Session) -> Episode:
    package, other = s.sample(PACKAGES, 2)
    open_packages(s, package, other)
    done = s.calls(("measure_coverage", {"package": package}), ("measure_coverage", {"package": other}))
    return Episode({"package": package, "other": other}, done.turns[:1])


def _clarify_run(d: Draw) -> Episode:
    return Episode({"keyword": d.pick(KEYWORDS)}, [say(_WHICH_TESTS)])


def _clarify_list(d: Draw) -> Episode:
    return Episode({}, [say(_WHICH_PLACE)])


def _clarify_failure(d: Draw) -> Episode:
    return Episode({"path": d.pick(FILES)}, [say(_WHICH_TEST)])


def _clarify_coverage(d: Draw) -> Episode:
    return Episode({"minimum": d.number(40, 100)}, [say(_WHICH_PACKAGE)])


def _decline(d: Draw) -> Episode:
    slots = {"path": d.pick(TARGETS), "node": d.pick(NODES), "package": d.pick(PACKAGES)}
    return Episode(slots, [say(NO_TOOL)])


def _keyword(d: Draw) -> dict[str, str]:
    return {"keyword": d.pick(KEYWORDS)}


_PLACES = ("file", "module", "folder", "directory", "package")
_RUN_PATH = Scenario("run_path", "single", _run_path, running.RUN_PATH, 1.6)
_RUN_KEYWORD = Scenario("run_keyword", "single", _run_keyword, running.RUN_KEYWORD, 1.3)
_LIST_TESTS = Scenario("list_tests", "single", _list_tests, inspecting.LIST_TESTS, 1.2)
_SHOW_FAILURE = Scenario("show_failure", "single", _show_failure, inspecting.SHOW_FAILURE, 1.3)
_COVERAGE = Scenario("coverage", "single", _coverage, measuring.COVERAGE, 1.2)

SCENARIOS: tuple[Scenario, ...] = (
    _RUN_PATH,
    _RUN_KEYWORD,
    Scenario("run_node", "single", _run_node, running.RUN_NODE, 0.9),
    Scenario("run_all", "single", _run_all, running.RUN_ALL, 0.6),
    Scenario("rerun_failed", "single", _rerun_failed, running.RERUN_FAILED, 1.0),
    _LIST_TESTS,
    _SHOW_FAILURE,
    _COVERAGE,
    Scenario("coverage_minimum", "single", _coverage_minimum, measuring.COVERAGE_MINIMUM, 1.1),
    Scenario("slow_tests", "single", _slow_tests, measuring.SLOW_TESTS, 0.9),
    Scenario("slow_tests_count", "single", _slow_tests_count, measuring.SLOW_TESTS_COUNT, 1.0),
    Scenario("run_then_show", "sequence", _run_then_show, diagnosing.RUN_THEN_SHOW, 1.1),
    Scenario("keyword_then_show", "sequence", _keyword_then_show, diagnosing.KEYWORD_THEN_SHOW, 0.8),
    Scenario("rerun_then_show", "sequence", _rerun_then_show, diagnosing.RERUN_THEN_SHOW, 1.0),
    Scenario("list_then_run", "sequence", _list_then_run, multistep.LIST_THEN_RUN, 0.9),
    Scenario("run_then_coverage", "sequence", _run_then_coverage, multistep.RUN_THEN_COVERAGE, 1.0),
    Scenario("run_show_rerun", "sequence", _run_show_rerun, diagnosing.RUN_SHOW_RERUN, 0.6),
    Scenario("full_report", "sequence", _full_report, multistep.FULL_REPORT, 0.7),
    Scenario("run_misplaced", "sequence", _run_misplaced, recovering.RUN_MISPLACED, 0.8),
    Scenario("coverage_misnamed", "sequence", _coverage_misnamed, recovering.COVERAGE_MISNAMED, 0.7),
    Scenario("slow_before_a_run", "sequence", _slow_before_a_run, recovering.SLOW_BEFORE_A_RUN, 0.6),
    Scenario("run_two", "parallel", _run_two, multistep.RUN_TWO, 1.4),
    Scenario("coverage_two", "parallel", _coverage_two, multistep.COVERAGE_TWO, 1.0),
    Scenario("clarify_run", "clarify", _clarify_run, abstaining.CLARIFY_RUN, 1.0),
    Scenario("clarify_list", "clarify", _clarify_list, abstaining.CLARIFY_LIST, 0.6),
    Scenario("clarify_failure", "clarify", _clarify_failure, abstaining.CLARIFY_FAILURE, 0.8),
    Scenario("clarify_coverage", "clarify", _clarify_coverage, abstaining.CLARIFY_COVERAGE, 0.7),
    contrast(_RUN_PATH, "path", _PLACES, _WHICH_TESTS, weight=0.7),
    contrast(_RUN_KEYWORD, "path", _PLACES, _WHICH_TESTS, _keyword, weight=0.4),
    contrast(_LIST_TESTS, "path", _PLACES, _WHICH_PLACE, weight=0.5),
    contrast(_SHOW_FAILURE, "node", ("test", "test case"), _WHICH_TEST, weight=0.6),
    contrast(_COVERAGE, "package", ("package", "module", "code"), _WHICH_PACKAGE, weight=0.5),
    Scenario("decline_general", "decline", _decline, declining.DECLINE_GENERAL, 1.3),
    Scenario("decline_engineering", "decline", _decline, declining.DECLINE_ENGINEERING, 1.3),
    Scenario("decline_nearby", "decline", _decline, declining.DECLINE_NEARBY, 1.9),
)
