"""Requests to write one symbol's docstring: with and without a file, with and without a style."""

from __future__ import annotations

from functools import partial

from fgbuild.domains.docstring import values
from fgbuild.domains.docstring.phrasings import writing
from fgbuild.domains.docstring.turns import style_slots, written
from fgbuild.domains.scenario import Draw, Episode, Scenario, call, maybe_answered


def _write(d: Draw, in_file: bool, styled: bool) -> Episode:
    symbol = d.pick(values.SYMBOLS)
    path = d.pick(values.FILES) if in_file else None
    style = d.choice(values.STYLES) if styled else None
    slots = {"symbol": symbol}
    if path:
        slots["path"] = path
    if style:
        slots.update(style_slots(style))
    return maybe_answered(
        d,
        slots,
        call("write_docstring", symbol=symbol, path=path, style=style),
        written(symbol),
        f"Documented {symbol}.",
    )


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
)
