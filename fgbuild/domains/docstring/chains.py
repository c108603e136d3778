"""Sequences: later calls depend on earlier responses, and the last answer is grounded in them."""

from __future__ import annotations

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.phrasings import checking, documenting
from fgbuild.domains.docstring.styles import STYLES
from fgbuild.domains.docstring.turns import (
    another,
    check,
    convert,
    joined,
    open_project,
    place,
    read,
    some,
    spread,
    style_slots,
    undocumented,
    write,
)
from fgbuild.domains.scenario import Episode, Scenario, say
from fgbuild.domains.session import Session

_COUNTS = (0, 1, 1, 2, 2, 3, 3, 3)
"""How many symbols a first call finds: mostly enough to go on with."""


def _document_first(s: Session) -> Episode:
    path = s.pick(values.FILES)
    open_project(s, {path: some(s, "none", _COUNTS)})
    bare = undocumented(s, path)
    if not bare.symbols:
        return Episode({"path": path}, bare.told)
    return Episode({"path": path}, bare.done.turns + write(s, bare.symbols[0], path).told)


def _document_all(s: Session) -> Episode:
    path = s.pick(values.FILES)
    open_project(s, {path: some(s, "none", (0, 1, 1, 1, 2, 2, 2, 2))})
    bare = undocumented(s, path)
    if not bare.symbols:
        return Episode({"path": path}, bare.told)
    done = s.calls(*(("write_docstring", {"symbol": symbol, "path": path}) for symbol in bare.symbols))
    written = " and ".join(response["written"] for response in done.responses)
    return Episode({"path": path}, [*bare.done.turns, *done.turns, say(f"Documented {written}.")])


def _write_if_missing(s: Session) -> Episode:
    symbol = s.pick(values.SYMBOLS)
    place(s, symbol, "none" if s.chance(0.7) else "line")
    now = read(s, symbol)
    if now.done.failed or now.done.response["docstring"]:
        return Episode({"symbol": symbol}, now.told)
    return Episode({"symbol": symbol}, now.done.turns + write(s, symbol).told)


def _convert_then_check(s: Session) -> Episode:
    path, style = s.pick(values.PATHS), s.choice(STYLES)
    names = some(s, "sections", (1, 2, 3)) | some(s, "wrong", (0, 1, 2))
    open_project(s, spread(s, path, names), another(s, style))
    converted, found = convert(s, path, style), check(s, path)
    return Episode({"path": path, **style_slots(style)}, converted.done.turns + found.told)


def _read_first_wrong(s: Session) -> Episode:
    path = s.pick(values.FILES)
    open_project(s, {path: some(s, "wrong", _COUNTS)})
    found = check(s, path)
    if not found.symbols:
        return Episode({"path": path}, found.told)
    return Episode({"path": path}, found.done.turns + read(s, found.symbols[0], path).told)


def _document_first_styled_and_check(s: Session) -> Episode:
    path, style = s.pick(values.FILES), s.choice(STYLES)
    names = some(s, "wrong", (0, 0, 1), values.FUNCTIONS) | some(s, "none", (1, 2, 3))
    open_project(s, {path: names})
    bare = undocumented(s, path)
    written, found = write(s, bare.symbols[0], path, style), check(s, path)
    return Episode({"path": path, **style_slots(style)}, joined([bare, written]) + found.told)


SCENARIOS = (
    Scenario("document_first", "sequence", _document_first, documenting.DOCUMENT_FIRST, weight=1.0),
    Scenario("document_all", "sequence", _document_all, documenting.DOCUMENT_ALL, weight=1.1),
    Scenario("write_if_missing", "sequence", _write_if_missing, documenting.WRITE_IF_MISSING, weight=1.1),
    Scenario("convert_then_check", "sequence", _convert_then_check, checking.CONVERT_THEN_CHECK, weight=1.0),
    Scenario("read_first_wrong", "sequence", _read_first_wrong, checking.READ_FIRST_WRONG, weight=1.0),
    Scenario(
        "document_first_styled_and_check",
        "sequence",
        _document_first_styled_and_check,
        documenting.DOCUMENT_FIRST_STYLED_AND_CHECK,
        weight=0.8,
    ),
)
