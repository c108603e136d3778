"""A loss curve in little memory, and its reduction to the columns of a chart.

Pure: no terminal, no third-party import. A terminal has some hundred columns, so a series is
reduced to the lowest and highest point of each column before anything is drawn.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

LIMIT = 4096
_COMPACT_COLUMNS = LIMIT // 4
_FEWEST = 5
"""Points of a loss that can be said to have risen."""
# Below this ratio of highest to lowest a linear axis shows a loss better than a logarithmic one.
_LOG_RATIO = 30.0
# Braille dot bits of U+2800, by row and column: https://www.unicode.org/charts/PDF/U2800.pdf
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass
class Series:
    """Points (x, y) with x strictly increasing, at most `LIMIT` of them.

    When full, the points are reduced to the lowest and highest of each column, so that an hours-long
    curve keeps its shape and its extremes. A point whose x was passed already (training resumed
    from a checkpoint) replaces what was recorded from there on.
    """

    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    changes: int = field(default=0, compare=False)
    """Points that were added so far: who has drawn them knows by it whether there is anything new."""

    def add(self, x: float, y: float) -> None:
        self.changes += 1
        if self.x and x <= self.x[-1]:
            start = bisect_left(self.x, x)
            del self.x[start:], self.y[start:]
        self.x.append(x)
        self.y.append(y)
        if len(self.x) > LIMIT:
            # The newest point is what the display quotes: it stays as it is.
            points = reduce_columns(self.x[:-1], self.y[:-1], _COMPACT_COLUMNS)
            self.x = [point[0] for point in points] + [x]
            self.y = [point[1] for point in points] + [y]

    def __len__(self) -> int:
        return len(self.x)

    @property
    def last(self) -> float | None:
        """The newest y, or None where there is no point yet."""
        return self.y[-1] if self.y else None


def resumed_from(loss: Series) -> float | None:
    """The step of the checkpoint that a training went on from, by the first steps that it reported; None where it began
    at its beginning."""
    if len(loss) < 2:
        return None
    step = loss.x[1] - loss.x[0]
    return loss.x[0] - step if loss.x[0] > 2 * step else None


def rose(loss: Series) -> bool:
    """Whether a training made its loss worse: it ended more than a tenth above where it began, or once halved, it went
    more than half of the way back up.

    Means of a tenth of the points each, at least three where there are, so that one step, or a loss that was low from
    the beginning and stayed so, is none. Where the beginning is not known (resumed from a checkpoint), nor is this.
    """
    y, count = loss.y, len(loss)
    if count < _FEWEST or resumed_from(loss) is not None:
        return False
    size = _tenth(loss)
    low = min(sum(y[at : at + size]) / size for at in range(0, count - size + 1, size))
    start, end = beginning(loss), ending(loss)
    return end > 1.1 * start or (low < start / 2 and end > (start + low) / 2)


def beginning(loss: Series) -> float:
    """Where a loss began: its first point, or the mean of the first tenth where that is higher, as one step says little
    of a loss that is low already. At least one point is there."""
    size = _tenth(loss)
    return max(loss.y[0], sum(loss.y[:size]) / size)


def ending(loss: Series) -> float:
    """Where it has come: the mean of its last tenth."""
    size = _tenth(loss)
    return sum(loss.y[-size:]) / size


def _tenth(loss: Series) -> int:
    """Points of a tenth, at least three where there are twice as many."""
    return max(len(loss) // 10, min(len(loss) // 2, 3), 1)


def reduce_columns(x: Sequence[float], y: Sequence[float], columns: int) -> list[tuple[float, float]]:
    """The lowest and the highest point of each of `columns` equal slices of x, in order of x.

    `x` is increasing and as long as `y`. At most 2 × `columns` points come back; a slice whose
    lowest and highest are one point gives one. Raises ValueError where `columns` is less than 1.
    """
    if columns < 1:
        raise ValueError("columns must be at least 1")
    if len(x) <= columns:
        return list(zip(x, y))
    first, span = x[0], x[-1] - x[0]
    points: list[tuple[float, float]] = []
    low = high = 0
    current = 0
    for index in range(len(x)):
        column = min(int((x[index] - first) / span * columns), columns - 1)
        if column != current:
            points.extend((x[i], y[i]) for i in sorted({low, high}))
            current, low, high = column, index, index
        elif y[index] < y[low]:
            low = index
        elif y[index] > y[high]:
            high = index
    points.extend((x[i], y[i]) for i in sorted({low, high}))
    return points


@dataclass(frozen=True)
class Scale:
    """The ranges of a chart's axes; `log` where y is drawn logarithmically."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    log: bool

    def place(self, x: float, y: float, columns: int, rows: int) -> tuple[int, int]:
        """The dot (column, row) of a point, row 0 at the top; points outside land on the edge."""
        across = _share(x, self.x_low, self.x_high)
        if self.log:
            up = _share(math.log10(max(y, self.y_low)), math.log10(self.y_low), math.log10(self.y_high))
        else:
            up = _share(y, self.y_low, self.y_high)
        return round(across * (columns - 1)), round((1.0 - up) * (rows - 1))


def _share(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.5


def scale_of(*series: Series, goal: float | None = None) -> Scale | None:
    """Axes that hold every point of the series; None where there is no point. goal: where x ends, if that is known and
    no point of the first series is beyond it; what others have beyond is not shown.

    A linear axis begins at 0, so that a loss that hardly falls is seen to.
    """
    if goal is not None and not (series[0].x and series[0].x[-1] > goal):
        series = tuple(up_to(one, goal) for one in series)
    else:
        goal = None
    filled = [one for one in series if one.x]
    if not filled:
        return None
    x_low, x_high = min(one.x[0] for one in filled), goal or max(one.x[-1] for one in filled)
    if x_low == x_high:
        x_low, x_high = (0.0, x_high) if x_high > 0 else (x_low, x_low + 1)
    y_low, y_high = min(min(one.y) for one in filled), max(max(one.y) for one in filled)
    if y_low > 0 and y_high / y_low >= _LOG_RATIO:
        return Scale(x_low, x_high, y_low, y_high, log=True)
    y_low, y_high = min(y_low, 0.0), max(y_high, 0.0) if y_low == y_high else y_high
    return Scale(x_low, x_high, y_low, y_high if y_high > y_low else 1.0, log=False)


def up_to(series: Series, x: float) -> Series:
    """The points up to that x."""
    end = bisect_right(series.x, x)
    return series if end == len(series) else Series(series.x[:end], series.y[:end])


def joined(first: Series, second: Series) -> Series:
    """A series that goes on with another one; the first ends before the second begins."""
    return Series(first.x + second.x, first.y + second.y) if len(first) else second


def braille(series: Series, scale: Scale, width: int, height: int) -> list[str]:
    """The series as a line of braille dots: `height` strings of `width` characters.

    A cell without a dot is a space, so that other marks can be laid over it.
    """
    columns, rows = width * 2, height * 4
    cells = [[0] * width for _ in range(height)]
    previous: tuple[int, int] | None = None
    for x, y in reduce_columns(series.x, series.y, columns):
        point = scale.place(x, y, columns, rows)
        for column, row in _line(previous or point, point):
            cells[row // 4][column // 2] |= _DOTS[row % 4][column % 2]
        previous = point
    return ["".join(chr(0x2800 + bits) if bits else " " for bits in row) for row in cells]


def points(series: Series, scale: Scale, width: int, height: int, mark: str, every: int = 1) -> list[str]:
    """The series as single marks: `height` strings of `width` characters, spaces where there is none.

    Of every `every` columns the lowest and the highest point are marked, so that a curve below shows between them.
    """
    cells = [[" "] * width for _ in range(height)]
    for x, y in reduce_columns(series.x, series.y, max(width // every, 1)):
        column, row = scale.place(x, y, width, height)
        cells[row][column] = mark
    return ["".join(row) for row in cells]


def overlaid(*layers: list[str]) -> list[list[tuple[int, str]]]:
    """Layers of one size laid over each other, the first on top: for each row its pieces (index of the layer, text).

    Where no layer has a mark, the piece counts to the last layer.
    """
    rows = []
    for lines in zip(*layers, strict=True):
        row: list[tuple[int, str]] = []
        for cells in zip(*lines, strict=True):
            top = next((index for index, cell in enumerate(cells) if cell != " "), len(layers) - 1)
            if row and row[-1][0] == top:
                row[-1] = (top, row[-1][1] + cells[top])
            else:
                row.append((top, cells[top]))
        rows.append(row)
    return rows


def _line(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """Every dot on the straight line between two dots, both included."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    return [
        (
            start[0] + round((end[0] - start[0]) * step / steps),
            start[1] + round((end[1] - start[1]) * step / steps),
        )
        for step in range(steps + 1)
    ]
