"""Who owns which weight: filters, kernels, layers, and how it came about.

The same rules as in `figures`. Owners are told by their number, or by a
hatch, as well as by their colour. Shares are exact counts and stand in
the alternative texts; trained values differ a little between processors
and do not.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from packnet_book.figures.drawing import (
    GREY,
    HATCHES,
    MARKERS,
    OWNERS,
    STYLE,
    Drawing,
    keys,
    kind,
    plain,
    short,
)
from packnet_book.runs.contents import filter_table, owner_table
from packnet_core.network import PackNet


def draw_first_layer(network: PackNet, filters: int = 8) -> Drawing:
    """Filters of the first layer as colour pictures, with their owners.

    A layer of three input channels; evenly spaced filters. Above each
    filter as an image (grey is zero), below it the owners of its red,
    green and blue kernel, by number. Raises ValueError for a first layer
    with another number of channels.
    """
    name, weight = next(iter(network.layers.items()))
    if weight.dim() != 4 or weight.shape[1] != 3:
        raise ValueError(
            f"{name} has shape {tuple(weight.shape)}: only a layer of three "
            "channels can be shown as colours"
        )
    chosen = _spaced(len(weight), filters)
    values = weight.detach().cpu().float().numpy()[chosen]  # (F, 3, h, w)
    owners = network.owner[name].cpu().numpy()[chosen]
    with rc_context(STYLE):
        figure = Figure(figsize=(7, 4.2))
        panels = figure.subplots(
            4, len(chosen), squeeze=False, height_ratios=(1.3, 1, 1, 1)
        )
        for column, (value, owner) in enumerate(zip(values, owners)):
            largest = np.abs(value).max() or 1.0
            image = (value / largest + 1) / 2  # (3, h, w), from 0 to 1
            top = panels[0, column]
            top.imshow(image.transpose(1, 2, 0), interpolation="nearest")
            top.set_title(f"{chosen[column]}", fontsize=9)
            _bare(top)
            for channel in range(3):
                axes = panels[1 + channel, column]
                _draw_owned(axes, owner[channel])
                if column == 0:
                    axes.set_ylabel(("red", "green", "blue")[channel])
        figure.legend(
            handles=keys(network.tasks, set(owners.ravel())),
            loc="outside lower center", ncols=5,
        )  # fmt: skip
    return Drawing(
        figure,
        f"{len(chosen)} of the {len(weight)} filters of {short(name)}, each "
        "as a small colour picture in which grey is zero, and under it the "
        "owners of its red, green and blue weights, as numbers. Owners of "
        f"the filters shown: {_told(owners, network.tasks)}.",
    )


def draw_mosaic(
    network: PackNet, layer: str, filters: int = 5, kernels: int = 5
) -> Drawing:
    """Kernels of some filters of a layer: values, in frames of owners.

    layer: a name as in `network.layers`, of a convolution; a row a
    filter, a column an input channel, both evenly spaced. The size of a
    dot is the size of the weight, filled where positive; the ground is
    the owner's colour, with its number in the corner.
    """
    weight = network.layers[layer].detach().cpu().float().numpy()
    rows = _spaced(len(weight), filters)
    columns = _spaced(weight.shape[1], kernels)
    values = weight[np.ix_(rows, columns)]  # (rows, columns, h, w)
    owners = network.owner[layer].cpu().numpy()[np.ix_(rows, columns)]
    largest = np.abs(values).max() or 1.0
    with rc_context(STYLE):
        figure = Figure(figsize=(6, 1.15 * len(rows) + 0.7))
        panels = figure.subplots(len(rows), len(columns), squeeze=False)
        places = np.ndindex(values.shape[0], values.shape[1])
        for place, axes in zip(places, panels.flat):
            _draw_owned(axes, owners[place])
            for (row, column), value in np.ndenumerate(values[place]):
                axes.plot(
                    column, row, "o", color="black", clip_on=False,
                    markersize=9 * np.sqrt(abs(value) / largest),
                    fillstyle="full" if value > 0 else "none",
                )  # fmt: skip
            if place[0] == 0:
                axes.set_title(f"{columns[place[1]]}", fontsize=9)
            if place[1] == 0:
                axes.set_ylabel(f"{rows[place[0]]}")
        figure.suptitle("input channel", fontsize=9)
        figure.supylabel("filter", fontsize=9)
        figure.legend(
            handles=keys(network.tasks, set(owners.ravel())),
            loc="outside lower center", ncols=5,
        )  # fmt: skip
    height, width = values.shape[2:]
    return Drawing(
        figure,
        f"Kernels of {short(layer)}, {height} by {width} weights each, of "
        f"{len(rows)} of its {len(weight)} filters and {len(columns)} of its "
        f"{weight.shape[1]} input channels. A dot for each weight, larger "
        "where the weight is, filled where positive, on the colour and with "
        f"the number of its owner. Owners of those shown: "
        f"{_told(owners, network.tasks)}.",
    )


def draw_growth(network: PackNet) -> Drawing:
    """How the shares came about: owners when each task was finished.

    Fixed weights stay, so that this can be read from the last network.
    At most five tasks.
    """
    totals = owner_table(network).loc["all"]
    stages = []
    for number in range(1, len(network.tasks) + 1):
        counts = totals[["free", *network.tasks]].to_numpy(dtype=float).copy()
        counts[0] += counts[number + 1 :].sum()
        counts[number + 1 :] = 0
        stages.append(100 * counts / counts.sum())
    with rc_context(STYLE | {"hatch.linewidth": 0.6}):
        figure = Figure(figsize=(7, 0.5 * len(stages) + 1.1))
        axes = figure.subplots()
        names = [f"after {name}" for name in network.tasks]
        left = np.zeros(len(stages))
        for owner in [*range(1, len(network.tasks) + 1), 0]:
            shares = np.array([stage[owner] for stage in stages])
            axes.barh(
                names, shares, left=left, height=0.75, color=OWNERS[owner],
                hatch=HATCHES[owner], edgecolor="black", linewidth=0.5,
            )  # fmt: skip
            for place, share in enumerate(shares):
                if share > 5:
                    axes.text(
                        left[place] + share / 2, place, f"{share:.1f}",
                        ha="center", va="center", fontsize=9,
                        bbox={"color": "white", "pad": 1},
                    )  # fmt: skip
            left = left + shares
        axes.invert_yaxis()
        axes.set_xlim(0, 100)
        axes.set_xlabel("share of all weights, in percent")
        plain(axes)
        figure.legend(
            handles=keys(network.tasks, set(range(len(network.tasks) + 1))),
            loc="outside upper center", ncols=5,
        )  # fmt: skip
    told = [
        f"{name}: "
        + ", ".join(
            f"{owner} {share:.1f}"
            for owner, share in zip(["free", *network.tasks], stage)
            if share
        )
        for name, stage in zip(names, stages)
    ]
    return Drawing(
        figure,
        "Stacked bars, one for each time at which a task was finished: "
        f"shares of all weights in percent. {'; '.join(told)}.",
    )


def draw_reuse(network: PackNet) -> Drawing:
    """How much of what a task sees is its own: filter by filter.

    A panel a task but the first, a row a layer: the middle half of the
    filters as a bar, the median as a line, from the filter with the
    least to that with the most as whiskers.
    """
    table = filter_table(network)
    later = network.tasks[1:]
    layers = table.layer.unique()
    told = []
    with rc_context(STYLE):
        figure = Figure(figsize=(7, 0.24 * len(layers) + 0.9))
        row = figure.subplots(1, max(1, len(later)), sharey=True,
                              squeeze=False)[0]  # fmt: skip
        for axes, task in zip(row, later):
            number = network.number(task)
            seen = table[network.tasks[:number]].sum(axis=1)
            own = (100 * table[task] / seen.where(seen > 0)).fillna(0)
            axes.boxplot(
                [own[table.layer == layer] for layer in layers],
                orientation="horizontal", widths=0.6, whis=(0, 100),
                patch_artist=True,
                boxprops={"facecolor": OWNERS[number]},
                medianprops={"color": "black", "linewidth": 1.5},
            )  # fmt: skip
            axes.set_title(f"{number} {task}")
            axes.set(xlim=(0, 100), xlabel="own, in percent")
            plain(axes, "x")
            total = table[task].sum() / seen.sum()
            told.append(f"{task} {100 * total:.1f} %")
        row[0].set_yticks(
            range(1, len(layers) + 1), [short(name) for name in layers]
        )
        row[0].invert_yaxis()
    return Drawing(
        figure,
        "Boxes, a panel for each task but the first and a row for each of "
        f"{len(layers)} layers: which share of the weights that a filter "
        "shows to the task is the task's own; the rest is reused from "
        f"earlier tasks. Own, over all filters: {', '.join(told)}.",
    )


def draw_sizes(network: PackNet, shape: str) -> Drawing:
    """How large the weights of each owner are, layer by layer.

    The median magnitude, a mark a task, on a logarithmic axis; shape:
    what is to be seen, without numbers.
    """
    rows = []
    for name, weight in network.layers.items():
        for number, task in enumerate(network.tasks, start=1):
            own = weight.detach()[network.owner[name] == number].abs()
            if len(own):
                rows.append((short(name), task, float(own.median())))
    table = pandas.DataFrame(rows, columns=["layer", "task", "median"])
    names = list(dict.fromkeys(table.layer))
    with rc_context(STYLE):
        figure = Figure(figsize=(7, 0.24 * len(names) + 1.1))
        axes = figure.subplots()
        for number, task in enumerate(network.tasks, start=1):
            own_rows = table[table.task == task]
            axes.plot(
                own_rows["median"], [names.index(n) for n in own_rows.layer],
                MARKERS[kind(number) - 1], linestyle="none",
                color=OWNERS[kind(number)], markersize=7,
                markeredgecolor="black", label=f"{number} {task}",
            )  # fmt: skip
        axes.set_yticks(range(len(names)), names)
        axes.set(ylim=(len(names) - 0.5, -0.5), xscale="log")
        axes.set_xlabel("median magnitude of a weight (logarithmic)")
        plain(axes, "both")
        figure.legend(loc="outside upper center", ncols=5)
    return Drawing(
        figure,
        f"Marks on a logarithmic axis, a row for each of {len(names)} "
        "layers: the median magnitude of the weights of "
        f"{', '.join(network.tasks)}. {shape}",
    )


def _spaced(count: int, most: int) -> list[int]:
    """At most so many numbers below `count`, evenly spaced."""
    spaced = np.linspace(0, count - 1, min(count, most)).round()
    return [int(number) for number in spaced]


def _draw_owned(axes: Axes, owners: np.ndarray) -> None:
    """A kernel as squares in the colours and numbers of its owners."""
    colours = np.array([to_rgb(OWNERS[kind(o)]) for o in owners.ravel()])
    axes.imshow(colours.reshape(*owners.shape, 3), interpolation="nearest")
    for (row, column), owner in np.ndenumerate(owners):
        if owner:
            axes.text(
                column + 0.42, row + 0.42, str(owner), fontsize=7.5,
                ha="right", va="bottom",
            )  # fmt: skip
    for edges, line in ((owners.shape[1], axes.axvline),
                        (owners.shape[0], axes.axhline)):  # fmt: skip
        for _, edge in pairwise(range(edges)):
            line(edge - 0.5, color=GREY, linewidth=0.5)
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color(GREY)


def _told(owners: np.ndarray, tasks: Sequence[str]) -> str:
    """How many weights belong to whom."""
    counts = np.bincount(owners.ravel(), minlength=len(tasks) + 1)
    return ", ".join(
        f"{name} {count}"
        for name, count in zip(["free", *tasks], counts)
        if count
    )
