"""Requests without a call: an argument is missing (one short question), or no tool fits."""

from __future__ import annotations

from fgbuild.domains.contrast import contrast
from fgbuild.domains.docstring import files, lookup, values, writing
from fgbuild.domains.docstring.phrasings import clarifying, declining
from fgbuild.domains.docstring.styles import STYLES
from fgbuild.domains.docstring.turns import WHICH_FILE, WHICH_STYLE, WHICH_SYMBOL, style_slots
from fgbuild.domains.scenario import NO_TOOL, Draw, Episode, Scenario, say


def _slots(d: Draw) -> dict[str, str]:
    """Values for phrasings that name something although no call follows."""
    style = d.choice(STYLES)
    return {"path": d.pick(values.FILES), "symbol": d.pick(values.SYMBOLS), **style_slots(style)}


def _file_missing(d: Draw) -> Episode:
    return Episode(_slots(d), [say(WHICH_FILE)])


def _symbol_missing(d: Draw) -> Episode:
    return Episode(_slots(d), [say(WHICH_SYMBOL)])


def _style_missing(d: Draw) -> Episode:
    return Episode({**_slots(d), "path": d.pick(values.PATHS)}, [say(WHICH_STYLE)])


def _no_tool(d: Draw) -> Episode:
    return Episode(_slots(d), [say(NO_TOOL)])


_PLACES = ("file", "module", "script", "folder", "package")
_CODE = ("function", "class", "method", "helper")
_CALLS = {scenario.name: scenario for scenario in (*lookup.SCENARIOS, *writing.SCENARIOS, *files.SCENARIOS)}

SCENARIOS = (
    Scenario("file_missing", "clarify", _file_missing, clarifying.FILE_MISSING, weight=0.7),
    Scenario("symbol_missing", "clarify", _symbol_missing, clarifying.SYMBOL_MISSING, weight=0.7),
    Scenario("style_missing", "clarify", _style_missing, clarifying.STYLE_MISSING, weight=0.7),
    contrast(_CALLS["undocumented"], "path", _PLACES, WHICH_FILE, weight=0.4),
    contrast(_CALLS["check"], "path", _PLACES, WHICH_FILE, weight=0.3),
    contrast(_CALLS["convert"], "path", _PLACES, WHICH_FILE, _slots, weight=0.4),
    contrast(_CALLS["signature"], "symbol", _CODE, WHICH_SYMBOL, weight=0.3),
    contrast(_CALLS["read"], "symbol", _CODE, WHICH_SYMBOL, weight=0.3),
    contrast(_CALLS["write"], "symbol", _CODE, WHICH_SYMBOL, weight=0.4),
    contrast(_CALLS["write_styled"], "symbol", _CODE, WHICH_SYMBOL, _slots, weight=0.3),
    Scenario("unrelated", "decline", _no_tool, declining.UNRELATED, weight=0.8),
    Scenario("other_coding_work", "decline", _no_tool, declining.OTHER_CODING_WORK, weight=2.2),
)
