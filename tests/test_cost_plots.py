"""The figures of costs: what is drawn, and what is told."""

import pytest
from pandas import DataFrame

from packnet_book.figures import draw_parts, draw_ranges, draw_rates
from packnet_core.training import Phase


def parts():
    table = DataFrame(
        {"weights": [1.0, 1.0], "teacher": [0.0, 0.0], "maps": [2.5, 0.0]},
        index=["all", "head"],
    )
    return draw_parts(table, "gigabytes", {"a T4": 16.0})


def rates():
    stages = [
        ("add birds", Phase(20, 1e-3, schedule="step")),
        ("retrain birds", Phase(10, 1e-4)),
    ]
    return draw_rates({"paper": stages, "again": stages[1:]}, "It falls.")


def ranges():
    rows = [("add", "slow", 12.0, 120.4), ("add", "fast", 0.011, 0.11)]
    table = DataFrame(rows, columns=["row", "of", "low", "high"])
    return draw_ranges(table, "hours")


@pytest.mark.parametrize("draw", [parts, rates, ranges])
def test_a_figure_is_small(draw):
    assert len(draw()._repr_html_()) < 60_000


def test_bars_of_parts_are_stacked_and_told():
    drawing = parts()
    axes = drawing.figure.axes[0]
    ends = {round(bar.get_x() + bar.get_width(), 3) for bar in axes.patches}
    assert ends == {1.0, 3.5}
    assert axes.get_xlim()[1] > 16
    assert "all: weights 1.00, maps 2.50, in all 3.50" in repr(drawing)
    assert "head: weights 1.00, in all 1.00" in repr(drawing)
    assert "teacher" not in repr(drawing)
    assert "A line at 16: a T4." in repr(drawing)


def test_parts_differ_by_hatch_and_not_by_colour_alone():
    hatches = [bar.get_hatch() for bar in parts().figure.axes[0].patches]
    assert len(set(hatches)) == 2


def test_learning_rates_follow_their_phases():
    drawing = rates()
    first, *_, last = drawing.figure.axes[0].lines[0].get_ydata()
    assert (first, last) == pytest.approx((1e-3, 1e-4))
    assert drawing.figure.axes[0].get_xlim() == (0, 30)
    assert "retrain birds, 10 epochs from 0.0001, constant" in repr(drawing)


def test_a_task_keeps_its_colour_and_retraining_is_dashed():
    above, below = rates().figure.axes
    trained, again = above.lines[0], above.lines[2]
    assert trained.get_color() == again.get_color()
    assert below.lines[0].get_color() == again.get_color()
    assert (trained.get_linestyle(), again.get_linestyle()) == ("-", "--")


def test_times_stand_with_others_of_their_unit():
    rows = [("long", "a", 12.0, 120.4), ("short", "a", 0.02, 0.5)]
    table = DataFrame(rows, columns=["row", "of", "low", "high"])
    figure = draw_ranges(table, "at best and at worst", time=True).figure
    minutes, hours = figure.axes
    assert minutes.get_title("left") == "minutes"
    assert hours.get_title("left") == "hours"
    told = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert told == ["1.2 to 30 min", "12 to 120 h"]
    assert hours.get_xscale() == "linear"


def test_ranges_are_told_with_digits_that_matter():
    drawing = ranges()
    assert "add: slow 12 to 120, fast 0.011 to 0.11." in repr(drawing)
    bars = drawing.figure.axes[0].patches
    assert [bar.get_x() for bar in bars] == [12.0, 0.011]
    assert bars[0].get_width() == pytest.approx(108.4)
