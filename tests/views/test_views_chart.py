from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbuild.views.chart import LIMIT, Scale, Series, braille, overlaid, points, reduce_columns, scale_of

VALUES = st.floats(-1e15, 1e15, allow_nan=False)


@given(st.lists(VALUES, min_size=1, max_size=300), st.integers(1, 40))
def test_reduction_keeps_extremes_ends_and_order(y: list[float], columns: int) -> None:
    x = [float(step) for step in range(len(y))]
    points = reduce_columns(x, y, columns)
    assert len(points) <= 2 * columns
    assert min(value for _, value in points) == min(y)
    assert max(value for _, value in points) == max(y)
    assert [step for step, _ in points] == sorted({step for step, _ in points})
    assert set(points) <= set(zip(x, y))


@given(st.sets(VALUES, min_size=2, max_size=200), st.integers(1, 20))
def test_each_column_keeps_its_own_extremes(steps: set[float], columns: int) -> None:
    x = sorted(steps)
    y = [(index * 7919) % 101 for index in range(len(x))]
    points = reduce_columns(x, y, columns)

    def column(step: float) -> int:
        return min(int((step - x[0]) / (x[-1] - x[0]) * columns), columns - 1)

    for index in range(columns):
        before = [value for step, value in zip(x, y) if column(step) == index]
        after = [value for step, value in points if column(step) == index]
        assert (min(before, default=0), max(before, default=0)) == (min(after, default=0), max(after, default=0))


def test_reduction_into_no_column_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        reduce_columns([1.0], [1.0], 0)


def test_a_step_seen_before_replaces_what_came_after_it() -> None:
    series = Series()
    for step in range(1, 11):
        series.add(step, 10.0 - step)
    series.add(5, 99.0)  # resumed from the checkpoint of step 4
    assert series.x == [1, 2, 3, 4, 5]
    assert series.y[-1] == series.last == 99.0


def test_a_full_series_keeps_a_lone_spike_and_the_newest_point() -> None:
    series = Series()
    for step in range(LIMIT * 3):
        series.add(step, 50.0 if step == 1234 else 1.0 + step / 1e6)
    assert len(series) <= LIMIT
    assert max(series.y) == 50.0
    assert series.x[series.y.index(50.0)] == 1234
    assert series.x[-1] == LIMIT * 3 - 1
    assert series.x == sorted(set(series.x))


@given(st.lists(VALUES, min_size=1, max_size=60), st.integers(1, 30), st.integers(1, 12))
def test_braille_fills_exactly_its_canvas(y: list[float], width: int, height: int) -> None:
    series = Series()
    for step, value in enumerate(y):
        series.add(step, value)
    scale = scale_of(series)
    assert scale is not None
    lines = braille(series, scale, width, height)
    assert [len(line) for line in lines] == [width] * height
    assert all(character == " " or "\u2800" < character <= "\u28ff" for line in lines for character in line)
    assert any(character != " " for line in lines for character in line)


def test_a_falling_loss_goes_from_top_left_to_bottom_right() -> None:
    series = Series([1.0, 2.0, 3.0], [3.0, 2.0, 0.2])
    scale = scale_of(series)
    assert scale is not None
    assert not scale.log
    lines = braille(series, scale, 10, 5)
    assert lines[0][0] != " "
    assert lines[-1][-1] != " "
    assert lines[0][-1] == lines[-1][0] == " "


def test_a_loss_over_decades_gets_a_logarithmic_axis() -> None:
    scale = scale_of(Series([1.0, 2.0], [6.7, 0.001]), Series())
    assert scale is not None
    assert scale.log
    assert scale.place(1.0, 0.0, 10, 9) == (0, 8)  # zero cannot be drawn: it lands on the lower edge


def test_a_linear_axis_begins_at_zero() -> None:
    series = Series([1.0, 2.0], [17.1, 14.1])
    scale = scale_of(series)
    assert scale == Scale(1.0, 2.0, 0.0, 17.1, log=False)
    assert "".join(braille(series, scale, 10, 5)[2:]).strip() == ""  # it hardly fell
    assert scale_of(Series([1.0, 2.0], [-2.0, 3.0])) == Scale(1.0, 2.0, -2.0, 3.0, log=False)


@pytest.mark.parametrize(("value", "low", "high"), [(8.2e-06, 0.0, 8.2e-06), (0.0, 0.0, 1.0), (-2.0, -2.0, 0.0)])
def test_one_point_has_axes_with_two_ends(value: float, low: float, high: float) -> None:
    assert scale_of(Series([111.0], [value])) == Scale(0.0, 111.0, low, high, log=False)


def test_x_ends_at_the_goal_and_not_where_an_earlier_curve_did() -> None:
    now, before = Series([1.0, 2.0], [3.0, 2.0]), Series([1.0, 50.0, 90.0], [3.0, 1.0, 0.001])
    assert scale_of(now, before, goal=60.0) == Scale(1.0, 60.0, 0.0, 3.0, log=False)
    assert scale_of(now, before, goal=1.0) == Scale(1.0, 90.0, 0.001, 3.0, log=True)  # it went on beyond its goal


def test_nothing_to_draw() -> None:
    assert scale_of(Series(), Series()) is None


def test_points_mark_the_lowest_and_highest_of_each_stretch() -> None:
    series = Series([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 0.0, 1.0])
    scale = scale_of(series)
    assert scale is not None
    assert points(series, scale, 4, 2, "o") == [" o o", "o o "]
    assert points(series, scale, 4, 2, "o", every=4) == [" o  ", "o   "]
    assert points(Series(), scale, 3, 1, "o") == ["   "]


def test_layers_are_laid_over_each_other_from_the_first_to_the_last() -> None:
    assert overlaid(["a  "], ["bb "]) == [
        [
            (0, "a"),
            (1, "b "),
        ]
    ]
    assert overlaid([" x", "  "], ["··", " ·"]) == [[(1, "·"), (0, "x")], [(1, " ·")]]
