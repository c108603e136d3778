"""Requests that look one symbol up: its signature, or the docstring it has now."""

from __future__ import annotations

from functools import partial

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.phrasings import lookup
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


def _signature(d: Draw, in_file: bool) -> Episode:
    symbol, path = d.pick(values.SYMBOLS), d.pick(values.FILES) if in_file else None
    slots = {"symbol": symbol, **({"path": path} if path else {})}
    signature = d.pick(values.SIGNATURES)
    return maybe_answered(
        d,
        slots,
        call("get_signature", symbol=symbol, path=path),
        result("get_signature", signature=signature),
        f"{symbol}{signature}",
    )


def _read(d: Draw, in_file: bool) -> Episode:
    symbol, path = d.pick(values.SYMBOLS), d.pick(values.FILES) if in_file else None
    slots = {"symbol": symbol, **({"path": path} if path else {})}
    text = "" if d.chance(0.2) else d.pick(values.SUMMARIES)
    return maybe_answered(
        d,
        slots,
        call("read_docstring", symbol=symbol, path=path),
        result("read_docstring", docstring=text),
        f"It says: {text}" if text else "It has no docstring.",
        ANSWERED_MIDWAY,
    )


def _two_signatures(d: Draw) -> Episode:
    names = d.sample(values.SYMBOLS, 2)
    found = d.sample(values.SIGNATURES, 2)
    turns = [calls(*(("get_signature", {"symbol": name}) for name in names))]
    if d.chance(0.5):
        turns.append(results(*(("get_signature", {"signature": signature}) for signature in found)))
        turns.append(say(f"{names[0]}{found[0]} and {names[1]}{found[1]}"))
    return Episode({"symbol": names[0], "other": names[1]}, turns)


SCENARIOS = (
    Scenario("signature", "single", partial(_signature, in_file=False), lookup.SIGNATURE, weight=1.4),
    Scenario("signature_in_file", "single", partial(_signature, in_file=True), lookup.SIGNATURE_IN_FILE, weight=0.9),
    Scenario("read", "single", partial(_read, in_file=False), lookup.READ, weight=1.2),
    Scenario("read_in_file", "single", partial(_read, in_file=True), lookup.READ_IN_FILE, weight=0.9),
    Scenario("two_signatures", "parallel", _two_signatures, lookup.TWO_SIGNATURES, weight=1.3),
)
