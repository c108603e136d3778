"""Requests about the docstrings of a file or folder: list what lacks one, check them, convert them."""

from __future__ import annotations

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.phrasings import files
from fgbuild.domains.docstring.turns import (
    checked,
    checked_answer,
    listed,
    listed_answer,
    style_slots,
)
from fgbuild.domains.scenario import (
    ANSWERED_MIDWAY,
    Draw,
    Episode,
    Scenario,
    call,
    calls,
    maybe_answered,
    result,
    results,
    say,
)


def _some_symbols(d: Draw) -> list[str]:
    return d.sample(values.SYMBOLS, d.choice((0, 1, 2, 2)))


def _undocumented(d: Draw) -> Episode:
    path, symbols = d.pick(values.PATHS), _some_symbols(d)
    request = call("list_undocumented", path=path)
    return maybe_answered(d, {"path": path}, request, listed(symbols), listed_answer(symbols), ANSWERED_MIDWAY)


def _check(d: Draw) -> Episode:
    path, symbols = d.pick(values.PATHS), _some_symbols(d)
    request = call("check_docstrings", path=path)
    return maybe_answered(d, {"path": path}, request, checked(symbols), checked_answer(symbols), ANSWERED_MIDWAY)


def _convert(d: Draw) -> Episode:
    path, style, count = d.pick(values.PATHS), d.choice(values.STYLES), d.number(2, 60)
    return maybe_answered(
        d,
        {"path": path, **style_slots(style)},
        call("convert_style", path=path, style=style),
        result("convert_style", converted=count),
        f"Converted {count} docstrings to {style} style.",
    )


def _two_lists(d: Draw) -> Episode:
    paths = d.sample(values.PATHS, 2)
    turns = [calls(*(("list_undocumented", {"path": path}) for path in paths))]
    if d.chance(0.5):
        found = d.sample(values.SYMBOLS, 2)
        turns.append(results(*(("list_undocumented", {"count": 1, "symbols": name}) for name in found)))
        turns.append(say(f"Undocumented: {found[0]} in {paths[0]}, {found[1]} in {paths[1]}."))
    return Episode({"path": paths[0], "other": paths[1]}, turns)


SCENARIOS = (
    Scenario("undocumented", "single", _undocumented, files.UNDOCUMENTED, weight=2.0),
    Scenario("check", "single", _check, files.CHECK, weight=1.3),
    Scenario("convert", "single", _convert, files.CONVERT, weight=1.6),
    Scenario("two_lists", "parallel", _two_lists, files.TWO_LISTS, weight=1.3),
)
