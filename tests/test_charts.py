"""Line charts and prepared pictures: what is drawn, with nothing cut."""

from itertools import pairwise

import numpy
import pytest
from matplotlib.colors import to_hex
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
    whole, labels = figure.bbox, {}
    for text in axes.texts:
        box = text.get_window_extent()
        labels[text.get_text().replace("\n", " ")] = box
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1
    assert set(labels) == set(NAMES)
    heights = sorted(box.y0 for box in labels.values())
    assert min(b - a for a, b in pairwise(heights)) > 8  # apart
    for line in axes.lines:  # and as their lines are
        name = next(
            text
            for text in axes.texts
            if text.get_text().replace("\n", " ") == line.get_label()
        )
        assert to_hex(name.get_color()) == to_hex(line.get_color())
    looks = {(line.get_marker(), line.get_linestyle()) for line in axes.lines}
    assert len(looks) == 4  # not by colour alone
    assert str(drawing).endswith("guarded. They rise.")


def test_chance_level_is_a_line_that_says_so():
    (axes,) = draw_lines(errors([0, 1, 2]), "", chance=95).figure.axes
    assert axes.lines[-1].get_ydata() == [95, 95]
    assert "chance level" in [text.get_text() for text in axes.texts]


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
