"""Figures of the weights that pruning looks at."""

import numpy as np
import pandas
import pytest
import torch
from matplotlib.colors import to_hex

from packnet_book.figures import draw_layers, draw_magnitudes
from packnet_book.figures.system import ACCENT
from packnet_core import PackNet


@pytest.fixture
def network() -> PackNet:
    """Two linear layers whose magnitudes are 1 to 100, in any order."""
    torch.manual_seed(0)
    trunk = torch.nn.Sequential(
        torch.nn.Linear(10, 10), torch.nn.Linear(10, 10)
    )
    network = PackNet(trunk, features=10)
    network.add_task("some", 2)
    with torch.no_grad():
        for weight in network.layers.values():
            signs = torch.randint(2, (100,)) * 2 - 1
            weight.copy_((signs * (torch.randperm(100) + 1)).view(10, 10))
    return network


def test_the_lines_enclose_the_shares_that_they_name(network):
    drawn = draw_magnitudes(
        network, ["0.weight", "1.weight"], (0.5, 0.9), "Even."
    )
    for axes in drawn.figure.axes:
        pairs = [
            sorted(segment[0, 0] for segment in lines.get_segments())
            for lines in axes.collections
        ]
        assert np.array(pairs) == pytest.approx(
            np.array([[-50.5, 50.5], [-90.1, 90.1]])
        )
        assert [text.get_text().strip() for text in axes.texts] == [
            "50 %", "90 %",
        ]  # fmt: skip
    assert drawn.alternative == (
        "Histograms of the weights of 0, 1, each with pairs of lines "
        "between which the smallest 50, 90 percent lie. Even."
    )


def test_each_layer_has_its_point_joined_to_the_error_of_the_whole():
    errors = pandas.Series({"a.weight": 30.0, "b.weight": 7.5})
    drawn = draw_layers(errors, 6.0, "The first suffers most.")
    (axes,) = drawn.figure.axes
    points = axes.lines[1]
    assert to_hex(points.get_color()) == ACCENT.light
    assert np.array_equal(points.get_xdata(), [30.0, 7.5])
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]
    assert axes.lines[0].get_xdata()[0] == 6.0
    assert drawn.alternative.endswith("The first suffers most.")
