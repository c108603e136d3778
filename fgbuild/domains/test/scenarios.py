"""The test domain's scenarios: what follows each kind of request."""

from __future__ import annotations

from typing import Any, NamedTuple

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
from fgbuild.domains.test.phrasings import (
    abstaining,
    declining,
    diagnosing,
    inspecting,
    measuring,
    multistep,
    running,
)
from fgbuild.domains.test.values import ERRORS, FILES, FOLDERS, KEYWORDS, NAMES, NODES, OUTCOMES, PACKAGES, TARGETS

REFUSAL = "None of my tools can do that."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _test_in(d: Draw, path: str, keyword: str | None = None) -> str:
    """The node id of a test that pytest may collect from the path and select by the keyword."""
    if path == ".":
        return str(d.pick(NODES))
    name = f"test_{keyword}_{d.choice(OUTCOMES)}" if keyword else d.pick(NAMES)
    file = path if path.endswith(".py") else f"{path.rstrip('/')}/{str(d.pick(FILES)).rsplit('/', 1)[-1]}"
    return f"{file}::{name}"


class _Run(NamedTuple):
    """A test run: its call, its response, the first test that failed, and its outcome in words."""

    turns: list[Message]
    response: dict[str, Any]
    first: str
    verdict: str


def _run(name: str, arguments: dict[str, Any], passed: int, failed: int, first: str) -> _Run:
    """A run by `run_tests` or `rerun_failed`; `first` is the first test that fails, if any does."""
    response: dict[str, Any] = {"passed": passed, "failed": failed}
    verdict = f"Result: {passed} passed."
    if failed:
        response["first"] = first
        verdict = f"Result: {failed} failed, {passed} passed, first: {first}."
    return _Run([call(name, **arguments), result(name, **response)], response, first, verdict)


def _reported(d: Draw, run: _Run) -> list[Message]:
    return ended(d, [*run.turns, say(run.verdict)], ANSWERED_MIDWAY)


def _run_path(d: Draw, path: str, keyword: str | None, failed: int) -> _Run:
    first = _test_in(d, path, keyword)
    return _run("run_tests", {"path": path, "keyword": keyword}, d.number(1, 90), failed, first)


def _run_single(d: Draw, node: str) -> _Run:
    failed = d.number(0, 1)
    return _run("run_tests", {"path": node}, 1 - failed, failed, node)


def _failures(d: Draw, passing: float = 0.5) -> int:
    return 0 if d.chance(passing) else d.number(1, 20)


def _list(path: str, count: int, first: str) -> list[Message]:
    answer = say(f"Found {_counted(count, 'test')}, first: {first}.")
    return [call("list_tests", path=path), result("list_tests", count=count, first=first), answer]


def _show(d: Draw, node: str) -> list[Message]:
    error, line = d.pick(ERRORS), d.number(1, 300)
    response = result("show_failure", error=error, line=line)
    return [call("show_failure", node_id=node), response, say(f"Line {line}: {error}.")]


def _cover(d: Draw, package: str, minimum: int | None = None) -> list[Message]:
    percent = d.number(20, 100)
    found: dict[str, Any] = {"percent": percent}
    ending = "."
    if minimum is not None:
        found["reached"] = percent >= minimum
        ending = ", enough." if percent >= minimum else ", too low."
    response = result("measure_coverage", **found)
    answer = say(f"Coverage of {package}: {percent}%{ending}")
    return [call("measure_coverage", package=package, minimum=minimum), response, answer]


def _slow(d: Draw, count: int | None, slowest: str) -> list[Message]:
    seconds = d.number(2, 90)
    response = result("find_slow_tests", slowest=slowest, seconds=seconds)
    return [call("find_slow_tests", count=count), response, say(f"Slowest: {slowest}, {seconds} s.")]


def _run_one_path(d: Draw) -> Episode:
    path = d.pick(TARGETS)
    run = _run_path(d, path, None, _failures(d))
    return Episode({"path": path}, _reported(d, run))


def _run_keyword(d: Draw) -> Episode:
    path, keyword = d.pick(TARGETS), d.pick(KEYWORDS)
    run = _run_path(d, path, keyword, _failures(d))
    return Episode({"path": path, "keyword": keyword}, _reported(d, run))


def _run_node(d: Draw) -> Episode:
    node = d.pick(NODES)
    run = _run_single(d, node)
    return Episode({"node": node}, _reported(d, run))


def _run_all(d: Draw) -> Episode:
    run = _run_path(d, ".", None, _failures(d))
    return Episode({}, _reported(d, run))


def _rerun_failed(d: Draw) -> Episode:
    run = _run("rerun_failed", {}, d.number(1, 20), _failures(d), d.pick(NODES))
    return Episode({}, _reported(d, run))


def _list_tests(d: Draw) -> Episode:
    path = d.pick(TARGETS)
    return Episode({"path": path}, ended(d, _list(path, d.number(1, 90), _test_in(d, path)), ANSWERED_MIDWAY))


def _show_failure(d: Draw) -> Episode:
    node = d.pick(NODES)
    return Episode({"node": node}, ended(d, _show(d, node)))


def _coverage(d: Draw) -> Episode:
    package = d.pick(PACKAGES)
    return Episode({"package": package}, ended(d, _cover(d, package)))


def _coverage_minimum(d: Draw) -> Episode:
    package, minimum = d.pick(PACKAGES), d.number(40, 100)
    return Episode({"package": package, "minimum": minimum}, ended(d, _cover(d, package, minimum)))


def _slow_tests(d: Draw) -> Episode:
    return Episode({}, ended(d, _slow(d, None, d.pick(NODES))))


def _slow_tests_count(d: Draw) -> Episode:
    count = d.number(2, 60)
    return Episode({"count": count}, ended(d, _slow(d, count, d.pick(NODES))))


def _run_then_show(d: Draw) -> Episode:
    path, failed = d.pick(TARGETS), _failures(d, passing=0.2)
    run = _run_path(d, path, None, failed)
    return Episode({"path": path}, run.turns + (_show(d, run.first) if failed else [say(run.verdict)]))


def _keyword_then_show(d: Draw) -> Episode:
    path, keyword, failed = d.pick(TARGETS), d.pick(KEYWORDS), _failures(d, passing=0.2)
    run = _run_path(d, path, keyword, failed)
    slots = {"path": path, "keyword": keyword}
    return Episode(slots, run.turns + (_show(d, run.first) if failed else [say(run.verdict)]))


def _rerun_then_show(d: Draw) -> Episode:
    failed = _failures(d, passing=0.2)
    run = _run("rerun_failed", {}, d.number(1, 20), failed, d.pick(NODES))
    return Episode({}, run.turns + (_show(d, run.first) if failed else [say(run.verdict)]))


def _list_then_run(d: Draw) -> Episode:
    path = d.pick(TARGETS)
    first = _test_in(d, path)
    listed, run = _list(path, d.number(1, 90), first)[:-1], _run_single(d, first)
    return Episode({"path": path}, [*listed, *run.turns, say(run.verdict)])


def _run_then_coverage(d: Draw) -> Episode:
    path, package, failed = d.pick(TARGETS), d.pick(PACKAGES), _failures(d, passing=0.7)
    run = _run_path(d, path, None, failed)
    rest = [say(run.verdict)] if failed else _cover(d, package)
    return Episode({"path": path, "package": package}, run.turns + rest)


def _run_show_rerun(d: Draw) -> Episode:
    path, failed = d.pick(TARGETS), d.number(1, 20)
    run = _run_path(d, path, None, failed)
    shown = _show(d, run.first)[:-1]
    still = d.number(0, failed)
    again = _run("rerun_failed", {}, failed - still, still, run.first)
    return Episode({"path": path}, [*run.turns, *shown, *again.turns, say(again.verdict)])


def _full_report(d: Draw) -> Episode:
    path, package = d.pick(TARGETS), d.pick(PACKAGES)
    run = _run_path(d, path, None, _failures(d))
    listed = _list(path, run.response["passed"] + run.response["failed"], _test_in(d, path))[:-1]
    covered, slow = _cover(d, package)[:-1], _slow(d, None, _test_in(d, path))
    return Episode({"path": path, "package": package}, [*listed, *run.turns, *covered, *slow])


def _run_two(d: Draw) -> Episode:
    path, other = d.sample(FILES if d.chance(0.7) else FOLDERS, 2)
    here, there = _run_path(d, path, None, _failures(d)), _run_path(d, other, None, _failures(d))
    turns = [
        calls(("run_tests", {"path": path}), ("run_tests", {"path": other})),
        results(("run_tests", here.response), ("run_tests", there.response)),
        say(f"Result: {here.response['failed']} failed in {path}, {there.response['failed']} in {other}."),
    ]
    return Episode({"path": path, "other": other}, ended(d, turns))


def _coverage_two(d: Draw) -> Episode:
    package, other = d.sample(PACKAGES, 2)
    slots = {"package": package, "other": other}
    return Episode(slots, [calls(("measure_coverage", {"package": package}), ("measure_coverage", {"package": other}))])


def _clarify_run(d: Draw) -> Episode:
    return Episode({"keyword": d.pick(KEYWORDS)}, [say("Which tests should I run?")])


def _clarify_list(d: Draw) -> Episode:
    return Episode({}, [say("Which file or folder should I list?")])


def _clarify_failure(d: Draw) -> Episode:
    return Episode({"path": d.pick(FILES)}, [say("Which test do you mean?")])


def _clarify_coverage(d: Draw) -> Episode:
    return Episode({"minimum": d.number(40, 100)}, [say("Which package should I measure?")])


def _decline(d: Draw) -> Episode:
    slots = {"path": d.pick(TARGETS), "node": d.pick(NODES), "package": d.pick(PACKAGES)}
    return Episode(slots, [say(REFUSAL)])


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("run_path", "single", _run_one_path, running.RUN_PATH, 1.6),
    Scenario("run_keyword", "single", _run_keyword, running.RUN_KEYWORD, 1.3),
    Scenario("run_node", "single", _run_node, running.RUN_NODE, 0.9),
    Scenario("run_all", "single", _run_all, running.RUN_ALL, 0.6),
    Scenario("rerun_failed", "single", _rerun_failed, running.RERUN_FAILED, 1.0),
    Scenario("list_tests", "single", _list_tests, inspecting.LIST_TESTS, 1.2),
    Scenario("show_failure", "single", _show_failure, inspecting.SHOW_FAILURE, 1.3),
    Scenario("coverage", "single", _coverage, measuring.COVERAGE, 1.2),
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
    Scenario("run_two", "parallel", _run_two, multistep.RUN_TWO, 1.4),
    Scenario("coverage_two", "parallel", _coverage_two, multistep.COVERAGE_TWO, 1.0),
    Scenario("clarify_run", "clarify", _clarify_run, abstaining.CLARIFY_RUN, 1.7),
    Scenario("clarify_list", "clarify", _clarify_list, abstaining.CLARIFY_LIST, 1.1),
    Scenario("clarify_failure", "clarify", _clarify_failure, abstaining.CLARIFY_FAILURE, 1.5),
    Scenario("clarify_coverage", "clarify", _clarify_coverage, abstaining.CLARIFY_COVERAGE, 1.2),
    Scenario("decline_general", "decline", _decline, declining.DECLINE_GENERAL, 1.3),
    Scenario("decline_engineering", "decline", _decline, declining.DECLINE_ENGINEERING, 1.3),
    Scenario("decline_nearby", "decline", _decline, declining.DECLINE_NEARBY, 1.9),
)
