"""The figures of what if: what is drawn, and what is told."""

import pandas
import pytest
from matplotlib.colors import to_hex
from pandas import DataFrame

from packnet_book.figures import draw_capacity, draw_changes, draw_trends


def changes() -> DataFrame:
    return DataFrame(
        [
            ("first", "x", 2.0, 1.0, 3.0),
            ("first", "y", -1.0, -4.0, 2.0),
            ("second", "x", -0.04, -0.06, -0.02),
        ],
        columns=["group", "row", "mean", "low", "high"],
    )


def trends() -> DataFrame:
    rows = [
        (panel, line, at, mean, mean - 1, mean + 2)
        for panel, shift in (("p", 0.0), ("q", 10.0))
        for line, slope in (("a", 2.0), ("b", -3.0))
        for at, mean in (("low\n10", shift), ("high\n90", shift + slope))
    ]
    return DataFrame(
        rows, columns=["panel", "line", "at", "mean", "low", "high"]
    )


def capacity() -> tuple[DataFrame, pandas.Series]:
    table = DataFrame(
        [
            ("a", "s", 5.0, 4.0, 6.0), ("a", "t", 9.0, 8.0, 11.0),
            ("b", "s", 5.0, 5.0, 5.0), ("b", "t", 7.0, 6.0, 9.0),
        ],
        columns=["method", "task", "mean", "low", "high"],
    )  # fmt: skip
    return table, pandas.Series({"t": 0.25, "s": 99.75})  # in any order


def drawn_changes():
    return draw_changes(changes(), "points")


def drawn_trends():
    return draw_trends(trends(), "errors", "bars: all seeds")


def drawn_capacity():
    return draw_capacity(*capacity())


@pytest.mark.parametrize(
    "draw", [drawn_changes, drawn_trends, drawn_capacity]
)
def test_a_figure_is_small(draw):
    assert len(draw()._repr_html_()) < 60_000


@pytest.mark.parametrize(
    "draw", [drawn_changes, drawn_trends, drawn_capacity]
)
def test_no_letter_is_smaller_than_ten_points_on_a_figure_that_fits(draw):
    figure = draw().figure
    assert figure.get_size_inches()[0] <= 6.6
    for axes in figure.axes:
        labels = [*axes.get_xticklabels(), *axes.get_yticklabels()]
        for text in [*axes.texts, *labels, axes.title, axes.xaxis.label]:
            assert text.get_fontsize() >= 10 or not text.get_text()


def test_changes_are_told_group_by_group_with_their_intervals():
    assert drawn_changes().alternative == (
        "Points with intervals beside a line at zero: points. "
        "first: x +2.0 (+1.0 to +3.0), y -1.0 (-4.0 to +2.0). "
        "second: x +0.0 (-0.1 to +0.0)."
    )


def test_a_point_is_filled_only_where_its_interval_leaves_zero_out():
    (axes,) = drawn_changes().figure.axes
    points = {
        line.get_xdata()[0]: to_hex(line.get_markerfacecolor())
        for line in axes.lines
        if line.get_marker() == "o"
    }
    hollow = "#ffffff"
    assert {x: face == hollow for x, face in points.items()} == {
        2.0: False, -1.0: True, -0.04: False,
    }  # fmt: skip


def test_rows_come_in_order_below_the_name_of_their_group():
    (axes,) = drawn_changes().figure.axes
    heights = dict(
        zip(
            [label.get_text() for label in axes.get_yticklabels()],
            axes.get_yticks(),
        )
    )
    names = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert names["first"] < heights["y"] < names["second"] < heights["x"]
    bottom, top = axes.get_ylim()
    assert top < names["first"] and heights["x"] < bottom  # the first on top
    assert {"+2.0 ± 1.0", "-1.0 ± 3.0", "+0.0 ± 0.0"} <= set(names)


def test_zero_is_inside_even_where_all_changes_are_far_from_it():
    table = changes().assign(mean=40.0, low=39.0, high=41.0)
    (axes,) = draw_changes(table, "points").figure.axes
    left, right = axes.get_xlim()
    assert left < 0 < 41 < right


def test_trends_are_told_panel_by_panel():
    assert drawn_trends().alternative == (
        "Line chart of errors; bars: all seeds. "
        "p, a at low, 10: 0.0 (-1.0 to 2.0); at high, 90: 2.0 (1.0 to 4.0). "
        "p, b at low, 10: 0.0 (-1.0 to 2.0); at high, 90: "
        "-3.0 (-4.0 to -1.0). "
        "q, a at low, 10: 10.0 (9.0 to 12.0); at high, 90: "
        "12.0 (11.0 to 14.0). "
        "q, b at low, 10: 10.0 (9.0 to 12.0); at high, 90: "
        "7.0 (6.0 to 9.0)."
    )


def test_panels_share_their_axis_and_lines_differ_without_colour():
    left, right = drawn_trends().figure.axes
    assert left.get_ylim() == right.get_ylim()
    assert [axes.get_title() for axes in (left, right)] == ["p", "q"]
    for axes in (left, right):
        ticks = [label.get_text() for label in axes.get_xticklabels()]
        assert ticks == ["low\n10", "high\n90"]
        lines = [bars[0] for bars in axes.containers]
        assert len({line.get_marker() for line in lines}) == 2
        assert len({line.get_linestyle() for line in lines}) == 2


def test_bars_reach_from_low_to_high():
    axes = drawn_trends().figure.axes[1]
    _, _, (bars,) = axes.containers[0]
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert ends == [[9, 12], [11, 14]]


def test_a_line_may_leave_settings_out():
    table = trends().drop(index=2)  # p, b, low
    axes = draw_trends(table, "errors", "bars").figure.axes[0]
    a, b = (bars[0].get_xdata() for bars in axes.containers)
    assert len(a) == 2 and len(b) == 1
    assert abs(a[1] - b[0]) < 0.2  # at the same setting


def test_tasks_are_told_with_errors_and_shares():
    assert drawn_capacity().alternative.endswith(
        "s: a 5.0, b 5.0, owns 99.8. t: a 9.0, b 7.0, owns 0.25."
    )


def test_tasks_are_numbered_from_the_top_and_stand_beside_their_shares():
    left, right = drawn_capacity().figure.axes
    names = [label.get_text() for label in left.get_yticklabels()]
    assert names == ["1  s", "2  t"]
    assert left.get_ylim() == (1.5, -0.5)
    (points,) = right.lines
    assert points.get_xdata().tolist() == [99.75, 0.25]
    assert [text.get_text() for text in right.texts] == ["99.8", "0.25"]
    assert right.get_xscale() == "log"
    assert left.get_xlim()[0] == 0
