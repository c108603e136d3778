"""Charts as shapes in a box of 1000 × 1000 that the page stretches, and marks in percent of its sides.

Text is no part of the box: it keeps its size whatever the page's width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from fgbuild.views.chart import Scale, Series, reduce_columns, scale_of
from fgbuild.views.text import number

_BOX = 1000
_COLUMNS = 400
"""Points are reduced to the lowest and highest of so many columns: about the pixels there are."""
_HOVERED = 200
_SMOOTHING = 0.9


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, in percent from the left or the top, and its label."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """style: the class that colours it. path: SVG path data."""

    style: str
    path: str


@dataclass(frozen=True, slots=True)
class Dot:
    left: float
    top: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """hover: [percent from the left, what to say there]."""

    lines: list[Line]
    dots: list[Dot]
    across: list[Tick]
    up: list[Tick]
    hover: list[tuple[float, str]]
    log: bool


@dataclass
class Drawn:
    """A series to draw. dots: mark its points instead of joining them. said: its name where a point is told."""

    style: str
    series: Series
    said: str = ""
    dots: bool = False
    show: Callable[[float], str] = field(default=number)


def smoothed(series: Series) -> Series:
    """The exponential moving average (0.9), corrected for its start as Adam's moments are."""
    found, mean, weight = Series(), 0.0, 0.0
    for x, y in zip(series.x, series.y):
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * y
        weight = _SMOOTHING * weight + (1 - _SMOOTHING)
        found.add(x, mean / weight)
    return found


def chart(drawn: Sequence[Drawn], *, ticks: int = 5, unit: str = "step") -> Chart | None:
    """None where no series has two points."""
    scale = scale_of(*(one.series for one in drawn))
    if scale is None or len({x for one in drawn for x in one.series.x}) < 2:
        return None
    show = drawn[0].show
    up = _log_ticks(scale) if scale.log else linear_ticks(scale.y_low, scale.y_high, ticks)
    return Chart(
        lines=[Line(one.style, _path(one.series, scale)) for one in drawn if not one.dots and len(one.series) > 1],
        dots=[_dot(one, scale, x, y) for one in drawn if one.dots for x, y in zip(one.series.x, one.series.y)],
        across=[Tick(_left(scale, x), number(x)) for x in linear_ticks(scale.x_low, scale.x_high, 5)],
        up=[Tick(_top(scale, y), show(y)) for y in up],
        hover=_hover(drawn, scale, unit),
        log=scale.log,
    )


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from low to high, about `most` of them."""
    if high <= low:
        return [low]
    raw = (high - low) / max(most, 1)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]


def _log_ticks(scale: Scale) -> list[float]:
    low, high = math.log10(scale.y_low), math.log10(scale.y_high)
    factors = (1, 2, 5) if high - low < 2.2 else (1,)
    found = [10.0**power * factor for power in range(math.floor(low), math.ceil(high) + 1) for factor in factors]
    return [value for value in found if scale.y_low <= value <= scale.y_high]


def _left(scale: Scale, x: float) -> float:
    return round(scale.place(x, scale.y_high, _BOX + 1, _BOX + 1)[0] / _BOX * 100, 1)


def _top(scale: Scale, y: float) -> float:
    return round(scale.place(scale.x_low, y, _BOX + 1, _BOX + 1)[1] / _BOX * 100, 1)


def _path(series: Series, scale: Scale) -> str:
    points = (scale.place(x, y, _BOX + 1, _BOX + 1) for x, y in reduce_columns(series.x, series.y, _COLUMNS))
    return "M" + "L".join(f"{x} {y}" for x, y in points)


def _dot(one: Drawn, scale: Scale, x: float, y: float) -> Dot:
    return Dot(_left(scale, x), _top(scale, y), f"{one.said} {one.show(y)}")


def _hover(drawn: Sequence[Drawn], scale: Scale, unit: str) -> list[tuple[float, str]]:
    """At the steps of the longest series, thinned: what each series has there."""
    steps = max((one.series.x for one in drawn), key=len)
    values = [(one, dict(zip(one.series.x, one.series.y))) for one in drawn if one.said]
    found = []
    for x in _thinned(steps):
        parts = [f"{one.said} {one.show(at[x])}" for one, at in values if x in at]
        found.append((_left(scale, x), " · ".join([f"{unit} {number(x)}", *parts])))
    return found


def _thinned(steps: Sequence[float]) -> Iterable[float]:
    every = max(math.ceil(len(steps) / _HOVERED), 1)
    return [*steps[:-1:every], *steps[-1:]]
