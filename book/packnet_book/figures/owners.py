"""Who owns which weight: filters, kernels, layers, and how it came about.

The same rules as in `figures`. Owners are told by their number, or by a
hatch, as well as by their colour. Shares are exact counts and stand in
the alternative texts; trained values differ a little between processors
and do not.
"""

from collections.abc import Sequence

import numpy as np
import pandas
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from packnet_book.figures import system
from packnet_book.figures.drawing import (
    NARROW,
    STYLE,
    WIDE,
    Drawing,
    keys,
    plain,
    short,
)
from packnet_book.figures.shares import draw_bar
from packnet_book.figures.system import EDGE, INK, ON
from packnet_book.runs.contents import filter_table, owner_table
from packnet_core.network import PackNet


def draw_first_layer(
    network: PackNet, filters: int = 6, *, caption: str = ""
) -> Drawing:
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
        figure = Figure(figsize=(NARROW, 3.5))
        panels = figure.subplots(
            4, len(chosen), squeeze=False, height_ratios=(1.3, 1, 1, 1)
        )
        for column, (value, owner) in enumerate(zip(values, owners)):
            largest = np.abs(value).max() or 1.0
            image = (value / largest + 1) / 2  # (3, h, w), from 0 to 1
            top = panels[0, column]
            top.imshow(image.transpose(1, 2, 0), interpolation="none")
            top.set_title(f"{chosen[column]}")
            _bare(top)
            for channel in range(3):
                axes = panels[1 + channel, column]
                _draw_owned(axes, owner[channel])
                if column == 0:
                    axes.set_ylabel(("red", "green", "blue")[channel])
        figure.legend(
            handles=keys(network.tasks, set(owners.ravel())),
            loc="outside lower center", ncols=3,
        )  # fmt: skip
    return Drawing(
        figure,
        f"{len(chosen)} of the {len(weight)} filters of {short(name)}, each "
        "as a small colour picture in which grey is zero, and under it the "
        "owners of its red, green and blue weights, as numbers. Owners of "
        f"the filters shown: {_told(owners, network.tasks)}.",
        caption,
    )


def draw_mosaic(
    network: PackNet,
    layer: str,
    filters: int = 5,
    kernels: int = 5,
    *,
    caption: str = "",
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
        figure = Figure(figsize=(NARROW, 0.9 * len(rows) + 1.1))
        panels = figure.subplots(len(rows), len(columns), squeeze=False)
        places = np.ndindex(values.shape[0], values.shape[1])
        for place, axes in zip(places, panels.flat):
            _draw_owned(axes, owners[place])
            for (row, column), value in np.ndenumerate(values[place]):
                axes.plot(
                    column - 0.1, row - 0.1, "o", color=ON, clip_on=False,
                    markersize=9 * np.sqrt(abs(value) / largest),
                    fillstyle="full" if value > 0 else "none",
                )  # fmt: skip
            if place[0] == 0:
                axes.set_title(f"{columns[place[1]]}")
            if place[1] == 0:
                axes.set_ylabel(f"{rows[place[0]]}")
        figure.suptitle("input channel", fontsize=10)
        figure.supylabel("filter", fontsize=10)
        dots = [
            Line2D(
                [],
                [],
                marker="o",
                linestyle="none",
                color=INK.light,
                markerfacecolor=fill,
                markersize=size,
                label=label,
            )
            for fill, size, label in (
                (INK.light, 8, "large, positive"),
                ("none", 8, "large, negative"),
                (INK.light, 3, "small"),
            )
        ]
        figure.legend(
            handles=[*keys(network.tasks, set(owners.ravel())), *dots],
            loc="outside lower center", ncols=3, columnspacing=1.2,
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
        caption,
    )


def draw_growth(network: PackNet, *, caption: str = "") -> Drawing:
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
    with rc_context(STYLE):
        figure = Figure(figsize=(NARROW, 0.5 * len(stages) + 1.1))
        axes = figure.subplots()
        names = [f"after {name}" for name in network.tasks]
        for place, stage in enumerate(stages):
            draw_bar(axes, place, [*stage[1:], stage[0]], 5)
        axes.set_yticks(range(len(names)), names)
        axes.set(ylim=(len(names) - 0.5, -0.5), xlim=(0, 100))
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("share of all weights, in percent")
        plain(axes)
        figure.legend(
            handles=keys(network.tasks, set(range(len(network.tasks) + 1))),
            loc="outside upper center", ncols=3, columnspacing=1.2,
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
        caption,
    )


def draw_reuse(network: PackNet, *, caption: str = "") -> Drawing:
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
        figure = Figure(figsize=(WIDE, 0.24 * len(layers) + 0.9))
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
                boxprops={
                    "facecolor": system.owner(number).fill, "color": EDGE,
                },
                medianprops={"color": ON, "linewidth": 1.8},
                whiskerprops={"color": system.QUIET.light},
                capprops={"color": system.QUIET.light},
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
        caption,
    )


def draw_sizes(network: PackNet, shape: str, *, caption: str = "") -> Drawing:
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
        figure = Figure(figsize=(NARROW, 0.22 * len(names) + 1.2))
        axes = figure.subplots()
        for number, task in enumerate(network.tasks, start=1):
            own_rows = table[table.task == task]
            axes.plot(
                own_rows["median"], [names.index(n) for n in own_rows.layer],
                system.owner(number).marker, linestyle="none",
                color=system.owner(number).fill, markersize=6.5,
                markeredgecolor=EDGE, label=f"{number} {task}",
            )  # fmt: skip
        axes.set_yticks(range(len(names)), names)
        axes.set(ylim=(len(names) - 0.5, -0.5), xscale="log")
        axes.set_xlabel("median magnitude of a weight (logarithmic)")
        plain(axes, "both")
        figure.legend(
            loc="outside upper center",
            ncols=4,
            columnspacing=1,
            handletextpad=0.2,
        )
    return Drawing(
        figure,
        f"Marks on a logarithmic axis, a row for each of {len(names)} "
        "layers: the median magnitude of the weights of "
        f"{', '.join(network.tasks)}. {shape}",
        caption,
    )


def _spaced(count: int, most: int) -> list[int]:
    """At most so many numbers below `count`, evenly spaced."""
    spaced = np.linspace(0, count - 1, min(count, most)).round()
    return [int(number) for number in spaced]


def _draw_owned(axes: Axes, owners: np.ndarray) -> None:
    """A kernel as squares in the colours and numbers of its owners."""
    rows, columns = owners.shape
    for (row, column), owner in np.ndenumerate(owners):
        axes.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5), 1, 1, lw=0.5, ec=EDGE,
                fc=system.owner(owner).fill, clip_on=False,
            )
        )  # fmt: skip
        if owner:
            axes.text(
                column + 0.42, row + 0.42, str(owner), fontsize=7.5,
                ha="right", va="bottom", color=ON,
            )  # fmt: skip
    axes.set(
        xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), aspect="equal"
    )
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color(EDGE)


def _told(owners: np.ndarray, tasks: Sequence[str]) -> str:
    """How many weights belong to whom."""
    counts = np.bincount(owners.ravel(), minlength=len(tasks) + 1)
    return ", ".join(
        f"{name} {count}"
        for name, count in zip(["free", *tasks], counts)
        if count
    )
