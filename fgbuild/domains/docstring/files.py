"""Requests about the docstrings of a file or folder: list what lacks one, check them, convert them."""

from __future__ import annotations

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.phrasings import files
from fgbuild.domains.docstring.styles import STYLES
from fgbuild.domains.docstring.turns import (
    another,
    check,
    convert,
    open_project,
    some,
    spread,
    style_slots,
    undocumented,
)
from fgbuild.domains.scenario import ANSWERED_MIDWAY, Episode, Scenario, say
from fgbuild.domains.session import Session

_COUNTS = (0, 1, 2, 2)


def _undocumented(s: Session) -> Episode:
    path = s.pick(values.PATHS)
    open_project(s, spread(s, path, some(s, "none", _COUNTS)))
    return Episode({"path": path}, undocumented(s, path).reported(s, ANSWERED_MIDWAY))


def _check(s: Session) -> Episode:
    path = s.pick(values.PATHS)
    open_project(s, spread(s, path, some(s, "wrong", _COUNTS)))
    return Episode({"path": path}, check(s, path).reported(s, ANSWERED_MIDWAY))


def _convert(s: Session) -> Episode:
    path, style = s.pick(values.PATHS), s.choice(STYLES)
    open_project(s, spread(s, path, some(s, "sections", range(7))), style if s.chance(0.1) else another(s, style))
    return Episode({"path": path, **style_slots(style)}, convert(s, path, style).reported(s))


def _two_lists(s: Session) -> Episode:
    path, other = s.sample(values.PATHS, 2)
    names = list(some(s, "none", (0, 1, 2, 2)))
    wanted = spread(s, path, dict.fromkeys(names[:1], "none"))
    for file, bare in spread(s, other, dict.fromkeys(names[1:], "none")).items():
        wanted.setdefault(file, {}).update(bare)
    open_project(s, wanted)
    slots = {"path": path, "other": other}
    done = s.calls(("list_undocumented", {"path": path}), ("list_undocumented", {"path": other}))
    if s.chance(0.5):
        return Episode(slots, done.turns[:1])
    here, there = (response["symbols"] or "none" for response in done.responses)
    return Episode(slots, [*done.turns, say(f"Undocumented: {here} in {path}, {there} in {other}.")])


SCENARIOS = (
    Scenario("undocumented", "single", _undocumented, files.UNDOCUMENTED, weight=2.0),
    Scenario("check", "single", _check, files.CHECK, weight=1.3),
    Scenario("convert", "single", _convert, files.CONVERT, weight=1.6),
    Scenario("two_lists", "parallel", _two_lists, files.TWO_LISTS, weight=1.3),
)
