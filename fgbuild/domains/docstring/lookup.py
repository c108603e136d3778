"""Requests that look one symbol up: its signature, or the docstring it has now."""

from __future__ import annotations

from functools import partial

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.phrasings import lookup, recovering
from fgbuild.domains.docstring.planted import State
from fgbuild.domains.docstring.turns import home, misspelt, open_project, place, quoted, read, refused, signature
from fgbuild.domains.scenario import ANSWERED_MIDWAY, Episode, Scenario, say
from fgbuild.domains.session import Session

_STATES: tuple[State, ...] = ("none", "line", "line", "line", "sections")


def _asked(s: Session, in_file: bool) -> tuple[str, str | None, dict[str, str]]:
    """A symbol, its file where that is named, and the slots of both."""
    symbol = s.pick(values.SYMBOLS)
    path = home(s, symbol)[0] if in_file else None
    return symbol, path, {"symbol": symbol, **({"path": path} if path else {})}


def _signature(s: Session, in_file: bool) -> Episode:
    symbol, path, slots = _asked(s, in_file)
    place(s, symbol, s.choice(_STATES), path)
    return Episode(slots, signature(s, symbol, path).reported(s))


def _read(s: Session, in_file: bool) -> Episode:
    symbol, path, slots = _asked(s, in_file)
    place(s, symbol, s.choice(_STATES), path)
    return Episode(slots, read(s, symbol, path).reported(s, ANSWERED_MIDWAY))


def _two_signatures(s: Session) -> Episode:
    symbol, other = s.sample(values.SYMBOLS, 2)
    (file, name), (place_of_other, other_name) = home(s, symbol), home(s, other)
    if other == other_name:  # of no module: a class and its method are to be in one file
        place_of_other = file
    if name == other_name:  # `load` and `config.load` would be the same
        open_project(s, {place_of_other: {name: "line"}})
    else:
        files: dict[str, dict[str, State]] = {file: {name: "line"}}
        files.setdefault(place_of_other, {})[other_name] = "line"
        open_project(s, files)
    done = s.calls(("get_signature", {"symbol": symbol}), ("get_signature", {"symbol": other}))
    if done.failed or s.chance(0.5):
        return Episode({"symbol": symbol, "other": other}, done.turns[:1])
    first, second = (response["signature"] for response in done.responses)
    return Episode({"symbol": symbol, "other": other}, [*done.turns, say(f"{symbol}{first} and {other}{second}")])


def _read_misspelt(s: Session) -> Episode:
    """No symbol has this name: the tool says which one is nearly the same, and its docstring is read."""
    symbol = s.pick(values.FUNCTIONS + values.CLASSES)
    place(s, symbol, s.choice(_STATES), s.pick(values.FILES))
    wrong = misspelt(s, symbol)
    missed = s.call("read_docstring", symbol=wrong)
    if not str(missed.response["error"]).endswith(f"there is {symbol}"):  # it is not in the project at all
        return Episode({"symbol": wrong}, [*missed.turns, say(refused(missed))])
    found = s.call("read_docstring", symbol=symbol)
    return Episode({"symbol": wrong}, [*missed.turns, *found.turns, say(quoted(found, symbol))])


SCENARIOS = (
    Scenario("signature", "single", partial(_signature, in_file=False), lookup.SIGNATURE, weight=1.4),
    Scenario("signature_in_file", "single", partial(_signature, in_file=True), lookup.SIGNATURE_IN_FILE, weight=0.9),
    Scenario("read", "single", partial(_read, in_file=False), lookup.READ, weight=1.2),
    Scenario("read_in_file", "single", partial(_read, in_file=True), lookup.READ_IN_FILE, weight=0.9),
    Scenario("two_signatures", "parallel", _two_signatures, lookup.TWO_SIGNATURES, weight=1.3),
    Scenario("read_misspelt", "sequence", _read_misspelt, recovering.READ_MISSPELT, weight=0.6),
)
