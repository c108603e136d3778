"""Requests to write one symbol's docstring: with and without a file, with and without a style."""

from __future__ import annotations

import re
from functools import partial

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.phrasings import recovering, writing
from fgbuild.domains.docstring.planted import State
from fgbuild.domains.docstring.styles import STYLES
from fgbuild.domains.docstring.turns import home, open_project, place, refused, style_slots, write
from fgbuild.domains.scenario import Episode, Scenario, say
from fgbuild.domains.session import Session

_STATES: tuple[State, ...] = ("none", "none", "none", "line", "wrong")
_ELSEWHERE = re.compile(r"; it is in (\S+)$")


def _write(s: Session, in_file: bool, styled: bool) -> Episode:
    symbol = s.pick(values.SYMBOLS)
    path = home(s, symbol)[0] if in_file else None
    style = s.choice(STYLES) if styled else None
    slots = {"symbol": symbol}
    if path:
        slots["path"] = path
    if style:
        slots.update(style_slots(style))
    place(s, symbol, s.choice(_STATES), path)
    return Episode(slots, write(s, symbol, path, style).reported(s))


def _write_elsewhere(s: Session) -> Episode:
    """The symbol is not in the file that is named: the tool says where it is, and it is documented there."""
    symbol = s.pick(values.LOCAL)
    path, other = s.sample(values.FILES, 2)
    open_project(s, {path: {}, other: {} if s.chance(0.1) else {symbol: "none"}})
    missed = s.call("write_docstring", symbol=symbol, path=path)
    elsewhere = _ELSEWHERE.search(missed.response["error"])
    slots = {"symbol": symbol, "path": path}
    if elsewhere is None:
        return Episode(slots, [*missed.turns, say(refused(missed))])
    found = s.call("write_docstring", symbol=symbol, path=elsewhere[1])
    return Episode(slots, [*missed.turns, *found.turns, say(f"Documented {symbol} in {elsewhere[1]}.")])


SCENARIOS = (
    Scenario("write", "single", partial(_write, in_file=False, styled=False), writing.WRITE, weight=1.2),
    Scenario("write_in_file", "single", partial(_write, in_file=True, styled=False), writing.WRITE_IN_FILE, weight=0.9),
    Scenario("write_styled", "single", partial(_write, in_file=False, styled=True), writing.WRITE_STYLED),
    Scenario(
        "write_styled_in_file",
        "single",
        partial(_write, in_file=True, styled=True),
        writing.WRITE_STYLED_IN_FILE,
        weight=0.9,
    ),
    Scenario("write_elsewhere", "sequence", _write_elsewhere, recovering.WRITE_ELSEWHERE, weight=0.6),
)
