"""Figures that set methods side by side, from recorded runs.

The same rules as in `figures`. Recorded numbers are the same everywhere,
so here the alternative texts tell them.
"""

import numpy as np
import pandas
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, NullLocator

from packnet_book.figures.drawing import (
    COLOURS,
    DASHES,
    GREY,
    MARKERS,
    STYLE,
    Drawing,
    plain,
)


def draw_intervals(table: pandas.DataFrame) -> Drawing:
    """Errors as points with their intervals, on a logarithmic axis.

    table: columns method, task, mean, low, high, in percent; a panel a
    task, a line a method, both in the order of the rows; at most seven
    methods.
    """
    tasks, methods = table.task.unique(), table.method.unique()
    least = max(0.5, 0.8 * min(table.low.min(), table["mean"].min()))
    ticks = [tick for tick in (1, 3, 10, 30, 100) if tick >= least]
    with rc_context(STYLE):
        rows = -(-len(tasks) // 2)  # two panels beside each other
        height = rows * (0.25 * len(methods) + 0.5) + 0.4
        figure = Figure(figsize=(5.5, height))
        panels = figure.subplots(rows, 2, sharey=True, squeeze=False)
        for axes in panels.flat[len(tasks) :]:
            axes.set_visible(False)
        for axes, task in zip(panels.flat, tasks):
            own = table[table.task == task].set_index("method")
            for number, method in enumerate(methods):
                point = own.loc[method]
                reach = (
                    point["mean"] - max(point["low"], least),
                    point["high"] - point["mean"],
                )
                axes.errorbar(
                    point["mean"], number, xerr=np.reshape(reach, (2, 1)),
                    fmt=MARKERS[number], color=COLOURS[number],
                    markersize=4.5, elinewidth=1.2, capsize=4.5,
                )  # fmt: skip
            axes.set(title=task, xscale="log", xlim=(least, 115))
            axes.set_xticks(ticks, [str(tick) for tick in ticks])
            axes.xaxis.set_minor_locator(NullLocator())
            plain(axes, "x")
        panels[0, 0].set_yticks(range(len(methods)), methods)
        panels[0, 0].set_ylim(len(methods) - 0.5, -0.5)  # the first on top
        figure.supxlabel("top-1 error, in percent (logarithmic)", fontsize=10)
    told = []
    for task in tasks:
        own = table[table.task == task].set_index("method")["mean"]
        means = ", ".join(f"{name} {own[name]:.1f}" for name in methods)
        told.append(f"{task}: {means}.")
    return Drawing(
        figure,
        "Points with intervals: top-1 error in percent on a logarithmic "
        "axis, a panel for each task, a line for each method. Means: "
        + " ".join(told),
    )


def draw_matrices(table: pandas.DataFrame) -> Drawing:
    """Accuracy on every task after every task, a square a method.

    table: columns method, after, task, accuracy (percent), and rows for
    several seeds, of which the mean is drawn. Tasks that are not trained
    yet stand in italics; a task's own stage is framed.
    """
    methods = table.method.unique()
    squares = {name: _matrix(table, name) for name in methods}
    with rc_context(STYLE):
        lines = -(-len(methods) // 2)
        figure = Figure(figsize=(7, 2.9 * lines))
        panels = figure.subplots(lines, 2, squeeze=False).ravel()
        for axes in panels[len(methods) :]:
            axes.axis("off")
        for axes, (name, square) in zip(panels, squares.items()):
            axes.set_title(name, fontweight="bold", pad=22)
            _draw_square(axes, square)
    told = []
    for name, square in squares.items():
        stages = [
            f"after {after} {', '.join(f'{value:.0f}' for value in values)}"
            for after, values in zip(square.index, square.to_numpy())
        ]
        told.append(f"{name}: {'; '.join(stages)}.")
    tasks = ", ".join(squares[methods[0]].columns)
    return Drawing(
        figure,
        "Squares of accuracies in percent, one a method, darker where "
        f"larger. Each has a row for each stage; columns: {tasks}. "
        "The diagonal is framed; tasks not trained yet are in italics. "
        + " ".join(told),
    )


def draw_course(
    table: pandas.DataFrame, index: str, error: str, what: str
) -> Drawing:
    """Errors along a training: the mean of the seeds, and their band.

    table: columns method, seed, `index` (steps from 0) and `error`
    (percent); at most four methods. The band goes from the lowest seed
    to the highest, the axis of x is linear up to 1 and then logarithmic.
    what: says whose error it is.
    """
    told = []
    with rc_context(STYLE):
        figure = Figure(figsize=(7, 3.4))
        axes = figure.subplots()
        ends = {}
        for number, method in enumerate(table.method.unique()):
            seeds = table[table.method == method].groupby(index)[error]
            mean, colour = seeds.mean(), COLOURS[number]
            axes.fill_between(
                mean.index, seeds.min(), seeds.max(),
                color=colour, alpha=0.2, linewidth=0,
            )  # fmt: skip
            axes.plot(
                mean.index, mean, color=colour, linewidth=1.8,
                linestyle=DASHES[number], marker=MARKERS[number],
                markersize=4,
            )  # fmt: skip
            ends[method] = (mean.iloc[-1], colour)
            told.append(f"{method}: {_tell(mean)}.")
        at = -np.inf
        for method, (end, colour) in sorted(
            ends.items(), key=lambda named: named[1][0]
        ):
            at = max(end, at + 7)  # names stay apart
            axes.annotate(
                method, (table[index].max(), at), (8, 0),
                textcoords="offset points", va="center",
                color=colour, fontweight="bold",
            )  # fmt: skip
        axes.set_xscale("symlog", linthresh=1)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.set(xlim=(0, table[index].max()), ylim=(0, 105))
        axes.set(xlabel=index, ylabel=what)
        plain(axes, "y")
    return Drawing(
        figure,
        f"Line chart of {what} over {index}, on a logarithmic axis: the "
        "mean of the seeds, in a band from the lowest to the highest. "
        + " ".join(told),
    )


def _matrix(table: pandas.DataFrame, method: str) -> pandas.DataFrame:
    """Mean accuracies: a row for each stage, a column for each task."""
    own = table[table.method == method]
    order = own.after.unique()
    return own.pivot_table("accuracy", "after", "task").loc[order, order]


def _draw_square(axes: Axes, square: pandas.DataFrame) -> None:
    """A heat map with its numbers."""
    size = len(square)
    axes.set(xlim=(0, size), ylim=(size, 0))
    for (row, column), value in np.ndenumerate(square.to_numpy()):
        grey = 1 - 0.75 * value / 100
        axes.add_patch(
            Rectangle(
                (column + 0.03, row + 0.05), 0.94, 0.9, fc=(grey,) * 3,
                ec="black", lw=2 if row == column else 0,
            )
        )  # fmt: skip
        axes.text(
            column + 0.5, row + 0.5, f"{value:.0f}",
            ha="center", va="center", fontsize=11,
            color="black" if grey > 0.5 else "white",
            style="italic" if column > row else "normal",
            fontweight="bold" if row == column else "normal",
        )  # fmt: skip
    middles = np.arange(size) + 0.5
    axes.set_xticks(middles, square.columns)
    axes.set_yticks(middles, [f"after {name}" for name in square.index])
    axes.tick_params(length=0, bottom=False, labelbottom=False)
    axes.tick_params(labeltop=True)
    for side in axes.spines.values():
        side.set_color(GREY)
        side.set_visible(False)


def _tell(mean: pandas.Series) -> str:
    """A line in words: its start, where it has gone half way, its end."""
    start, end = mean.iloc[0], mean.iloc[-1]
    if (mean == start).all():
        return f"{start:.1f} from beginning to end"
    far = (mean - start).abs()
    half = far.index[far >= far.max() / 2][0]
    return (
        f"{start:.1f} at first, {mean[half]:.1f} at {half:g}, highest "
        f"{mean.max():.1f}, in the end {end:.1f}"
    )
