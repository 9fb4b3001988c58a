"""Line charts and prepared pictures: what is drawn, with nothing cut."""

import numpy
import pytest
from numpy.testing import assert_allclose
from pandas import DataFrame, Index

from packnet_book.figures import draw_lines, draw_prepared

NAMES = ["nothing frozen", "decay", "old momentum", "guarded"]


def errors(steps: list) -> DataFrame:
    rows = [[place + 10 * line for line in range(4)] for place in range(3)]
    return DataFrame(rows, columns=NAMES, index=Index(steps, name="steps"))


@pytest.mark.parametrize("steps", [[0, 10, 144], ["one", "two", "three"]])
def test_each_column_is_a_line_with_its_name_within_the_figure(steps):
    table = errors(steps)
    drawing = draw_lines(table, "They rise.")
    figure = drawing.figure
    (axes,) = figure.axes
    for line, name in zip(axes.lines, NAMES, strict=True):
        assert line.get_label() == name
        assert_allclose(line.get_ydata(), table[name])
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box, whole = legend.get_window_extent(), figure.bbox
    assert whole.x0 <= box.x0 and box.x1 <= whole.x1
    assert box.y1 <= whole.y1
    looks = {(line.get_marker(), line.get_linestyle()) for line in axes.lines}
    assert len(looks) == 4  # not by colour alone
    assert str(drawing).endswith("guarded. They rise.")


def test_guessing_is_a_line_without_a_name_in_the_legend():
    figure = draw_lines(errors([0, 1, 2]), "", chance=95).figure
    (axes,), (legend,) = figure.axes, figure.legends
    assert axes.lines[-1].get_ydata() == [95, 95]
    assert [text.get_text() for text in legend.get_texts()] == NAMES


def test_prepared_pictures_are_shown_whole_beside_their_sizes():
    first = numpy.zeros((6, 4, 3), numpy.uint8)
    second = numpy.full((3, 9, 3), 200, numpy.uint8)
    drawing = draw_prepared([("one", first), ("two", second)], (1, 2, 3, 5))
    one, two = drawing.figure.axes
    for axes, image in ((one, first), (two, second)):
        assert (axes.images[0].get_array() == image).all()
    assert [axes.get_title() for axes in (one, two)] == [
        "one\n4 × 6",
        "two\n9 × 3",
    ]
    for patch in one.patches:  # a light line on a dark one
        assert patch.get_xy() == (0.5, 1.5)
        assert (patch.get_width(), patch.get_height()) == (2, 3)
    assert len(one.patches) == 2 and not two.patches
    drawing.figure.draw_without_rendering()
    heights = [axes.get_window_extent().height for axes in (one, two)]
    assert heights[0] == pytest.approx(heights[1], rel=0.02)
    assert str(drawing) == (
        "Side by side: one, 4 by 6 pixels; two, 9 by 3 pixels. "
        "In the first a box has the edges (1, 2, 3, 5)."
    )
    assert "box" not in str(draw_prepared([("one", first)]))
