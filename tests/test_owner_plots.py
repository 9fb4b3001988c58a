"""Figures of owners draw what is in the network, to the weight."""

import numpy as np
import pytest
import torch

from packnet_book.figures import (
    draw_first_layer,
    draw_growth,
    draw_mosaic,
    draw_reuse,
    draw_shares,
    draw_sizes,
)
from packnet_book.runs.contents import filter_table
from packnet_core import PackNet
from packnet_core.trunks import Architecture, build


@pytest.fixture(scope="module")
def network() -> PackNet:
    """Two tasks and a share that is free, with random weights."""
    torch.manual_seed(0)
    trunk = build(Architecture("vgg16", width=1 / 16, size=32))
    network = PackNet(trunk, trunk.out_features)
    for number, name in enumerate(("one", "two"), start=1):
        network.add_task(name, 4)
        with torch.no_grad():
            for layer, weight in network.layers.items():
                mine = network.owner[layer] == number
                weight += mine * torch.randn_like(weight) / number
        network.prune(0.5)
    return network


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_the_table_of_filters_adds_up_to_that_of_layers(network):
    table = filter_table(network)
    sums = table.groupby("layer")[["free", "one", "two"]].sum()
    for layer, counts in network.owner_counts().items():
        assert sums.loc[layer].tolist() == counts
    row = table[(table.layer == "features.2.weight") & (table["filter"] == 3)]
    owner = network.owner["features.2.weight"][3]
    assert int(row["two"].iloc[0]) == int((owner == 2).sum())


def test_first_filters_show_the_owners_of_each_channel(network):
    drawn = draw_first_layer(network, filters=3)
    owner = network.owner["features.0.weight"]
    panels = np.array(drawn.figure.axes).reshape(4, 3)
    assert [axes.get_title() for axes in panels[0]] == ["0", "2", "3"]
    for column, number in enumerate((0, 2, 3)):
        for channel in range(3):
            wanted = [
                str(o) for o in owner[number, channel].flatten().tolist() if o
            ]
            assert texts(panels[1 + channel, column]) == wanted
    count = int((owner[[0, 2, 3]] == 2).sum())
    assert f"two {count}." in drawn.alternative


def test_a_layer_without_colours_is_refused():
    network = PackNet(torch.nn.Linear(4, 4), features=4)
    with pytest.raises(ValueError, match="only a layer of three channels"):
        draw_first_layer(network)


def test_a_mosaic_shows_sizes_signs_and_owners(network):
    layer = "features.5.weight"
    drawn = draw_mosaic(network, layer, filters=2, kernels=2)
    axes = drawn.figure.axes[3]  # the last filter, the last channel
    weight = network.layers[layer].detach()
    chosen = weight[[0, len(weight) - 1]][:, [0, weight.shape[1] - 1]]
    kernel = weight[-1, -1].flatten()
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    largest = chosen.abs().max().item()
    for dot, value in zip(dots, kernel.tolist(), strict=True):
        size = 9 * (abs(value) / largest) ** 0.5
        assert dot.get_markersize() == pytest.approx(size, rel=1e-4)
        assert (dot.get_fillstyle() == "full") == (value > 0)
    owner = network.owner[layer][-1, -1].flatten().tolist()
    assert texts(axes) == [str(o) for o in owner if o]


def test_growth_is_read_from_the_last_network(network):
    drawn = draw_growth(network)
    totals = np.sum(list(network.owner_counts().values()), axis=0)
    free, one, two = 100 * totals / totals.sum()
    assert drawn.alternative.endswith(
        f"after one: free {100 - one:.1f}, one {one:.1f}; "
        f"after two: free {free:.1f}, one {one:.1f}, two {two:.1f}."
    )
    (axes,) = drawn.figure.axes
    ends = [bar.get_x() + bar.get_width() for bar in axes.patches]
    assert ends == pytest.approx([one, 100, one, one + two, 100])


def test_one_bar_shows_the_shares_of_all_layers(network):
    drawn = draw_shares(network)
    totals = np.sum(list(network.owner_counts().values()), axis=0)
    free, one, two = 100 * totals / totals.sum()
    assert f"one {one:.1f} %, two {two:.1f} %, free {free:.1f} %." in str(
        drawn
    )
    (axes,) = drawn.figure.axes
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == pytest.approx([one, two, free])


def test_reuse_counts_what_a_task_sees(network):
    table = filter_table(network)
    seen = table[["one", "two"]].sum(axis=1)
    own = 100 * table["two"].sum() / seen.sum()
    drawn = draw_reuse(network)
    assert f"two {own:.1f} %." in drawn.alternative
    (axes,) = drawn.figure.axes
    assert axes.get_title() == "2 two"


def test_sizes_are_medians_of_each_owners_weights(network):
    drawn = draw_sizes(network, "Shape.")
    (axes,) = drawn.figure.axes
    name, weight = next(iter(network.layers.items()))
    for number, line in enumerate(axes.lines, start=1):
        own = weight.detach()[network.owner[name] == number].abs()
        assert line.get_xdata()[0] == pytest.approx(own.median().item())
    assert drawn.alternative.endswith("Shape.")


@pytest.mark.parametrize(
    "draw",
    [
        draw_first_layer,
        lambda network: draw_mosaic(network, "features.5.weight"),
        draw_growth,
        draw_shares,
        draw_reuse,
        lambda network: draw_sizes(network, ""),
    ],
)
def test_a_figure_is_small_enough_for_a_chapter(network, draw):
    assert len(draw(network)._repr_html_()) < 120_000
