"""The figures of the error table: what is drawn, and what is told."""

import pytest
from pandas import DataFrame

from packnet_book.figures import (
    draw_course,
    draw_draws,
    draw_intervals,
    draw_matrices,
)


def intervals() -> DataFrame:
    return DataFrame(
        [
            ("a", "x", 10.0, 8.0, 12.0),
            ("b", "x", 90.0, 88.0, 92.0),
            ("a", "y", 2.0, -1.0, 5.0),  # reaches below zero
            ("b", "y", 40.0, 40.0, 40.0),
        ],
        columns=["method", "task", "mean", "low", "high"],
    )


def matrices() -> DataFrame:
    """Two seeds, of which the mean is 90, 5; 40, 80 for both methods."""
    rows = []
    for method in ("a", "b", "c"):
        for seed, shift in ((0, -2.0), (1, 2.0)):
            for after, task, accuracy in (
                ("x", "x", 90), ("x", "y", 5), ("y", "x", 40), ("y", "y", 80),
            ):  # fmt: skip
                rows.append((method, seed, after, task, accuracy + shift))
    columns = ["method", "seed", "after", "task", "accuracy"]
    return DataFrame(rows, columns=columns)


def course() -> DataFrame:
    rows = [
        (method, seed, step, error + seed)
        for method, errors in (("flat", [8, 8, 8]), ("up", [7, 50, 91]))
        for seed in (0, 2)
        for step, error in zip((0, 10, 100), errors)
    ]
    return DataFrame(rows, columns=["method", "seed", "steps", "error"])


def drawn_intervals():
    return draw_intervals(intervals())


def draws() -> DataFrame:
    """Three draws of two methods; one of "b" failed."""
    return DataFrame(
        [
            (method, task, error + add, error + add > 95)
            for task in ("x", "y")
            for method, error in (("a", 10.0), ("b", 91.0))
            for add in (0, 2, 5)
        ],
        columns=["method", "task", "top1_error", "failed"],
    )


def drawn_draws():
    return draw_draws(draws())


def drawn_matrices():
    return draw_matrices(matrices())


def drawn_course():
    return draw_course(course(), "steps", "error", "error on x")


@pytest.mark.parametrize(
    "draw", [drawn_intervals, drawn_draws, drawn_matrices, drawn_course]
)
def test_a_figure_is_small(draw):
    assert len(draw()._repr_html_()) < 60_000


def test_points_are_told_task_by_task():
    told = drawn_intervals().alternative
    assert "x: a 10.0, b 90.0. y: a 2.0, b 40.0." in told


def test_every_method_has_its_line_its_name_and_its_marker():
    (axes,) = drawn_intervals().figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["a", "b", "a", "b"]
    tasks = {text.get_text(): text.get_position()[1] for text in axes.texts}
    places = axes.get_yticks()
    assert tasks["x"] < places[0] < places[1] < tasks["y"] < places[2]
    bottom, top = axes.get_ylim()
    assert top < tasks["x"] and places[-1] < bottom  # the first on top
    points = [line for line in axes.lines if len(line.get_xdata()) == 1]
    shapes = {line.get_marker() for line in points} - {"|", "None"}
    assert len(shapes) == 2
    assert {"10.0", "90.0", "2.0", "40.0"} <= set(tasks)


def test_an_interval_that_reaches_zero_ends_at_the_edge():
    (axes,) = drawn_intervals().figure.axes
    assert axes.get_xlim()[0] == 0
    for line in axes.lines:
        assert min(line.get_xdata()) >= 0


def test_differences_stand_beside_zero_and_far_ones_are_arrows():
    table = DataFrame(
        [
            ("a", "x", 1.0, -1.0, 3.0), ("b", "x", -2.0, -3.0, -1.0),
            ("c", "x", 2.0, 1.0, 3.0), ("far", "x", 80.0, 79.0, 81.0),
        ],
        columns=["method", "task", "mean", "low", "high"],
    )  # fmt: skip
    drawing = draw_intervals(table, base="individual")
    assert "x: a +1.0, b -2.0, c +2.0, far +80.0." in drawing.alternative
    (axes,) = drawing.figure.axes
    left, right = axes.get_xlim()
    assert left < -3 and 3 < right < 10
    [arrow] = [line for line in axes.lines if line.get_xdata()[0] == right]
    assert arrow.get_marker() == ">"
    assert "+80.0" in [text.get_text() for text in axes.texts]


def test_an_interval_that_goes_on_beyond_the_axis_ends_in_an_arrow():
    near = [("packnet", f"{n}", 1.0, -3.0, 3.0) for n in range(4)]
    table = DataFrame(
        [*near, ("lwf", "0", 2.0, 1.0, 40.0),
         ("joint", "0", -2.0, -40.0, -1.0)],
        columns=["method", "task", "mean", "low", "high"],
    )  # fmt: skip
    drawing = draw_intervals(table, base="individual")
    assert drawing.alternative.endswith(
        "Goes on beyond the axis: 0 lwf +1.0 to +40.0, 0 joint -40.0 to -1.0."
    )
    (axes,) = drawing.figure.axes
    left, right = axes.get_xlim()
    ends = {">": [], "<": []}
    for line in axes.lines:
        if line.get_marker() in ends and len(line.get_xdata()) == 1:
            ends[line.get_marker()].append(line.get_xdata()[0])
    assert len(ends[">"]) == 1 and right < ends[">"][0]
    assert ends["<"] == [left]
    told = drawn_intervals().alternative  # errors end at 0, and do not go on
    assert "beyond" not in told


def test_matrices_are_told_as_means_of_the_seeds():
    told = drawn_matrices().alternative
    for method in ("a", "b", "c"):
        assert f"{method}: after x 90, 5; after y 40, 80." in told


def test_tasks_to_come_are_in_italics_and_the_diagonal_is_bold():
    axes = drawn_matrices().figure.axes[0]
    cells = {text.get_text(): text for text in axes.texts}
    assert set(cells) == {"90", "5", "40", "80"}
    assert cells["5"].get_style() == "italic"
    assert cells["40"].get_style() == "normal"
    assert cells["90"].get_fontweight() == cells["80"].get_fontweight()
    assert cells["90"].get_fontweight() == "bold"


def test_a_course_is_told_from_start_to_end():
    told = drawn_course().alternative
    assert "flat: 9.0 from beginning to end." in told
    assert (
        "up: 8.0 at first, 51.0 at 10, highest 92.0, in the end 92.0." in told
    )


def test_the_band_goes_from_the_lowest_seed_to_the_highest():
    axes = drawn_course().figure.axes[0]
    flat, _ = axes.collections
    heights = flat.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (8, 10)


def test_each_draw_has_a_mark_and_those_that_failed_are_hollow_and_told():
    drawing = drawn_draws()
    (axes,) = drawing.figure.axes
    marks = [
        (line.get_markerfacecolor() == "none", value)
        for line in axes.get_lines()
        if line.get_marker() != "None"
        for value in line.get_xdata()
    ]
    assert sorted(v for _, v in marks) == sorted(draws().top1_error)
    assert [v for hollow, v in marks if hollow] == [96.0, 96.0]
    assert "x: a 12.0, b 93.0 (failed: 96.0). y: a" in repr(drawing)
