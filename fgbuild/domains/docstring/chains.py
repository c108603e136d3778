"""Sequences: later calls depend on earlier responses, and the last answer is grounded in them."""

from __future__ import annotations

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.phrasings import checking, documenting
from fgbuild.domains.docstring.turns import checked, checked_answer, listed, style_slots, written
from fgbuild.domains.scenario import Draw, Episode, Scenario, call, calls, result, results, say


def _document_first(d: Draw) -> Episode:
    path, symbols = d.pick(values.FILES), d.sample(values.SYMBOLS, d.choice((1, 2, 3)))
    turns = [
        call("list_undocumented", path=path),
        listed(symbols),
        call("write_docstring", symbol=symbols[0], path=path),
        written(symbols[0]),
        say(f"Documented {symbols[0]}."),
    ]
    return Episode({"path": path}, turns)


def _document_all(d: Draw) -> Episode:
    path, symbols = d.pick(values.FILES), d.sample(values.SYMBOLS, d.choice((1, 2, 2)))
    turns = [
        call("list_undocumented", path=path),
        listed(symbols),
        calls(*(("write_docstring", {"symbol": symbol, "path": path}) for symbol in symbols)),
        results(*(("write_docstring", {"written": symbol}) for symbol in symbols)),
        say(f"Documented {' and '.join(symbols)}."),
    ]
    return Episode({"path": path}, turns)


def _write_if_missing(d: Draw) -> Episode:
    symbol = d.pick(values.SYMBOLS)
    turns = [call("read_docstring", symbol=symbol)]
    if d.chance(0.65):
        turns += [
            result("read_docstring", docstring=""),
            call("write_docstring", symbol=symbol),
            written(symbol),
            say(f"Documented {symbol}."),
        ]
    else:
        text = d.pick(values.SUMMARIES)
        turns += [result("read_docstring", docstring=text), say(f"It says: {text}")]
    return Episode({"symbol": symbol}, turns)


def _convert_then_check(d: Draw) -> Episode:
    path, style = d.pick(values.PATHS), d.choice(values.STYLES)
    wrong = d.sample(values.SYMBOLS, d.choice((0, 1, 2)))
    turns = [
        call("convert_style", path=path, style=style),
        result("convert_style", converted=d.number(2, 60)),
        call("check_docstrings", path=path),
        checked(wrong),
        say(checked_answer(wrong)),
    ]
    return Episode({"path": path, **style_slots(style)}, turns)


def _read_first_wrong(d: Draw) -> Episode:
    path, symbols = d.pick(values.FILES), d.sample(values.SYMBOLS, d.choice((1, 2, 3)))
    text = d.pick(values.SUMMARIES)
    turns = [
        call("check_docstrings", path=path),
        checked(symbols),
        call("read_docstring", symbol=symbols[0], path=path),
        result("read_docstring", docstring=text),
        say(f"It says: {text}"),
    ]
    return Episode({"path": path}, turns)


def _document_first_styled_and_check(d: Draw) -> Episode:
    path, style = d.pick(values.FILES), d.choice(values.STYLES)
    symbols = d.sample(values.SYMBOLS, d.choice((1, 2, 3)))
    wrong = d.sample(values.SYMBOLS, d.choice((0, 0, 1)))
    turns = [
        call("list_undocumented", path=path),
        listed(symbols),
        call("write_docstring", symbol=symbols[0], path=path, style=style),
        written(symbols[0]),
        call("check_docstrings", path=path),
        checked(wrong),
        say(checked_answer(wrong)),
    ]
    return Episode({"path": path, **style_slots(style)}, turns)


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
