"""Figures of what changes when one thing is done differently.

The same rules as in `figures`. The numbers are recorded, so they are the
same everywhere, and the alternative texts tell them.
"""

import numpy as np
import pandas
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from packnet_book.figures.drawing import (
    COLOURS,
    DASHES,
    MARKERS,
    STYLE,
    Drawing,
    plain,
)

TICKS = (0.001, 0.01, 0.1, 1, 10, 100)


def draw_changes(table: pandas.DataFrame, what: str) -> Drawing:
    """Differences as points with their intervals, beside a line at zero.

    table: columns group, row, mean, low, high; a block a group, in it a
    line for each row, in the order of the table; at most seven groups.
    A point is filled where its interval leaves zero out, and hollow
    where it does not. what: what the numbers are, below the axis.
    """
    groups = table.group.unique()
    with rc_context(STYLE):
        lines = len(table) + 1.3 * len(groups)
        figure = Figure(figsize=(6, 0.24 * lines + 0.8))
        axes = figure.subplots()
        place, places, names = 0.0, [], []
        for number, group in enumerate(groups):
            axes.text(
                0, place, group, fontweight="bold", va="center",
                transform=axes.get_yaxis_transform(),
                bbox={"color": "white", "pad": 1},
            )  # fmt: skip
            place += 1
            for point in table[table.group == group].itertuples():
                _draw_change(axes, place, point, number)
                places.append(place)
                names.append(point.row)
                place += 1
            place += 0.3
        axes.axvline(0, color="black", linewidth=1.2)
        axes.set_yticks(places, names)
        axes.set(ylim=(place - 0.6, -0.7), xlabel=what)
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.08)
        axes.spines["left"].set_visible(False)  # the line at zero is enough
        plain(axes, "x")
    told = [
        f"{group or 'All'}: "
        + ", ".join(
            f"{point.row} {point.mean:+z.1f} "
            f"({point.low:+z.1f} to {point.high:+z.1f})"
            for point in table[table.group == group].itertuples()
        )
        + "."
        for group in groups
    ]
    return Drawing(
        figure,
        f"Points with intervals beside a line at zero: {what}. "
        + " ".join(told),
    )


def draw_trends(table: pandas.DataFrame, what: str, reach: str) -> Drawing:
    """Lines over a few settings, each mean with a bar.

    table: columns panel, line, at, mean, low, high; panels, lines and
    settings (words, at equal distances) in the order of the rows; at
    most four lines. what: the axis of y; reach: what the bars show.
    """
    panels, lines = table.panel.unique(), table.line.unique()
    settings = list(dict.fromkeys(table["at"]))
    with rc_context(STYLE):
        figure = Figure(figsize=(6, 3.4))
        row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(row, panels):
            own = table[table.panel == panel]
            for number, line in enumerate(lines):
                points = own[own.line == line]
                shift = 0.07 * (number - (len(lines) - 1) / 2)
                axes.errorbar(
                    [settings.index(name) + shift for name in points["at"]],
                    points["mean"],
                    yerr=(
                        points["mean"] - points.low,
                        points.high - points["mean"],
                    ),
                    color=COLOURS[number], marker=MARKERS[number],
                    linestyle=DASHES[number], label=line, markersize=5.5,
                    linewidth=1.8, elinewidth=1.2, capsize=3,
                )  # fmt: skip
            axes.set_title(panel)
            axes.set_xticks(range(len(settings)), settings, fontsize=9)
            axes.set_xlim(-0.3, len(settings) - 0.7)
            axes.axhline(0, color="black", linewidth=1)
            plain(axes, "y")
        row[0].set_ylabel(what)
        figure.legend(
            *row[0].get_legend_handles_labels(),
            loc="outside upper center", ncols=len(lines), handlelength=3,
        )  # fmt: skip
    told = []
    for panel in panels:
        for line in lines:
            own = table[(table.panel == panel) & (table.line == line)]
            values = "; ".join(
                f"at {at.replace(chr(10), ', ')}: {mean:.1f} "
                f"({low:.1f} to {high:.1f})"
                for at, mean, low, high in own[
                    ["at", "mean", "low", "high"]
                ].itertuples(index=False)
            )
            name = f"{panel}, {line}" if panel else line
            told.append(f"{name} {values}.")
    return Drawing(
        figure, f"Line chart of {what}; {reach}. " + " ".join(told)
    )


def draw_capacity(table: pandas.DataFrame, owned: pandas.Series) -> Drawing:
    """Task after task from top to bottom: errors, and what each owns.

    table: columns method, task, mean, low, high, in percent, tasks in
    the order of training, at most seven methods; owned: percent of all
    weights, indexed by task.
    """
    methods, tasks = list(table.method.unique()), list(table.task.unique())
    places = np.arange(len(tasks))
    shares = owned[tasks]
    with rc_context(STYLE):
        figure = Figure(figsize=(6, 0.3 * len(tasks) + 1.3))
        left, right = figure.subplots(
            1, 2, sharey=True, width_ratios=(1.7, 1)
        )
        for number, method in enumerate(methods):
            points = table[table.method == method].set_index("task")
            points = points.loc[tasks]
            shift = 0.26 * (number - (len(methods) - 1) / 2)
            left.errorbar(
                points["mean"], places + shift,
                xerr=(
                    points["mean"] - points.low,
                    points.high - points["mean"],
                ),
                color=COLOURS[number], marker=MARKERS[number],
                linestyle="none", label=method, markersize=5,
                elinewidth=1.2, capsize=2.5,
            )  # fmt: skip
        left.set_yticks(
            places, [f"{n}  {task}" for n, task in enumerate(tasks, 1)]
        )
        left.set(ylim=(len(tasks) - 0.5, -0.5), title="top-1 error, %")
        left.set_xlim(left=0)
        left.tick_params(axis="y", length=0)
        right.plot(shares, places, "P", color="black", markersize=6)
        for place, share in zip(places, shares):
            right.annotate(
                f"{share:.3g}", (share, place), (7, 0), fontsize=9,
                textcoords="offset points", va="center",
            )  # fmt: skip
        right.set(
            xscale="log", xlim=(shares.min() / 3, shares.max() * 8),
            title="owns, % of weights",
        )  # fmt: skip
        ticks = [t for t in TICKS if shares.min() / 3 <= t <= shares.max()]
        right.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        right.xaxis.set_minor_locator(NullLocator())
        right.tick_params(axis="y", length=0)
        for axes in (left, right):
            plain(axes, "x")
        figure.legend(
            *left.get_legend_handles_labels(),
            loc="outside lower center", ncols=len(methods),
        )  # fmt: skip
    means = table.pivot(index="task", columns="method", values="mean")
    told = []
    for task in tasks:
        errors = ", ".join(
            f"{method} {mean:.1f}"
            for method, mean in means.loc[task, methods].items()
        )
        told.append(f"{task}: {errors}, owns {shares[task]:.3g}.")
    return Drawing(
        figure,
        "Two charts side by side with a line for each task, in the order of "
        "training: mean top-1 errors in percent, with bars; and the share "
        "of all weights that the task owns, in percent, on a logarithmic "
        "axis. " + " ".join(told),
    )


def _draw_change(axes: Axes, place: float, point, number: int) -> None:
    """One difference, its interval, and both in numbers at the right."""
    clear = not point.low <= 0 <= point.high
    axes.errorbar(
        point.mean, place,
        xerr=[[point.mean - point.low], [point.high - point.mean]],
        fmt=MARKERS[number], color=COLOURS[number],
        markerfacecolor=COLOURS[number] if clear else "white",
        markersize=5.5, elinewidth=1.5, capsize=3.5,
    )  # fmt: skip
    half = (point.high - point.low) / 2
    axes.text(
        1.02, place, f"{point.mean:+z.1f} ± {half:.1f}", va="center",
        transform=axes.get_yaxis_transform(), fontsize=9,
    )  # fmt: skip
