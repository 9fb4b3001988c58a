"""Figures that set methods side by side, from recorded runs.

The same rules as in `figures`. Recorded numbers are the same everywhere,
so here the alternative texts tell them.
"""

import numpy as np
import pandas
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from packnet_book.figures import system
from packnet_book.figures.charts import draw_square
from packnet_book.figures.drawing import (
    NARROW,
    STYLE,
    WIDE,
    Drawing,
    label_ends,
    plain,
)
from packnet_book.figures.system import INK, QUIET, Look

BEYOND = 0.03  # of the axis: how much further one that goes on is drawn
FAR = 2.5  # times the typical reach: further out, an arrow and a number


def draw_intervals(
    table: pandas.DataFrame, *, base: str = "", caption: str = ""
) -> Drawing:
    """Errors as points with their intervals, on one linear axis.

    table: columns method, task, mean, low, high, in percent; a block a
    task, in it a line a method, both in the order of the rows. base: the
    numbers are differences from this method, in points, beside a line at
    zero; what is too far away for the axis is an arrow with its number,
    and an interval that goes on beyond it ends in an arrow.
    """
    tasks, methods = table.task.unique(), table.method.unique()
    looks = dict(zip(methods, system.looks(methods)))
    left, right = _reach(table, base)
    with rc_context(STYLE):
        figure, axes, places = _blocks(table, looks)
        for place, (task, method) in places:
            one = (table.task == task) & (table.method == method)
            _point(axes, place, table[one].iloc[0], looks[method],
                   (left, right), bool(base))  # fmt: skip
        axes.set_xlim(left, right)
        if base:
            axes.axvline(0, color=INK.light, linewidth=1.2)
            axes.set_xlabel(f"points of error above {base}")
        else:
            axes.set_xlabel("top-1 error, in percent")
    told = []
    for task in tasks:
        own = table[table.task == task].set_index("method")["mean"]
        sign = "+z" if base else ""
        means = ", ".join(
            f"{name} {own[name]:{sign}.1f}" for name in own.index
        )
        told.append(f"{task}: {means}.")
    cut = [
        f"{row.task} {row.method} {row.low:+z.1f} to {row.high:+z.1f}"
        for _, row in table.iterrows()
        if any(_goes_on(row, (left, right), bool(base)))
    ]
    if cut:
        told.append(f"Goes on beyond the axis: {', '.join(cut)}.")
    what = (
        f"difference of the top-1 error from {base}, in points, beside a "
        "line at zero"
        if base
        else "top-1 error in percent"
    )
    return Drawing(
        figure,
        f"Points with intervals: {what}, a block for each task, in it a "
        "line for each method. Means: " + " ".join(told),
        caption,
    )


def draw_draws(table: pandas.DataFrame, *, caption: str = "") -> Drawing:
    """Every draw's error as a mark of its own, and a stroke at the median.

    table: columns method, task, top1_error (percent) and failed (bool:
    its mark is hollow); a block a task, in it a line a method, both in
    the order of the rows.
    """
    methods = table.method.unique()
    looks = dict(zip(methods, system.looks(methods)))
    told: dict[str, list[str]] = {}
    with rc_context(STYLE):
        figure, axes, places = _blocks(table, looks)
        for place, (task, method) in places:
            one = (table.task == task) & (table.method == method)
            own, look = table[one], looks[method]
            middle = own.top1_error.median()
            for failed, fill in ((False, look.colour), (True, "none")):
                axes.plot(
                    own.top1_error[own.failed == failed],
                    [place] * (own.failed == failed).sum(), look.marker,
                    color=look.colour, markerfacecolor=fill, markersize=5,
                    clip_on=False,
                )  # fmt: skip
            axes.plot([middle] * 2, [place - 0.45, place + 0.45],
                      color=INK.light, linewidth=1.6)  # fmt: skip
            axes.text(
                1.19, place, f"{middle:.1f}", va="center", ha="right",
                transform=axes.get_yaxis_transform(), color=QUIET.light,
            )  # fmt: skip
            words = f"{method} {middle:.1f}"
            if own.failed.any():
                lost = ", ".join(
                    f"{e:.1f}" for e in own.top1_error[own.failed]
                )
                words += f" (failed: {lost})"
            told.setdefault(task, []).append(words)
        axes.set(xlim=(0, 100), xlabel="top-1 error, in percent")
    told_by_task = " ".join(f"{t}: {', '.join(w)}." for t, w in told.items())
    return Drawing(
        figure,
        "Marks, one for each draw: top-1 error in percent, a block for each "
        "task, in it a line for each method; hollow where training failed. "
        f"Medians: {told_by_task}",
        caption,
    )


def draw_matrices(table: pandas.DataFrame, *, caption: str = "") -> Drawing:
    """Accuracy on every task after every task, a square a method.

    table: columns method, after, task, accuracy (percent), and rows for
    several seeds, of which the mean is drawn. Tasks that are not trained
    yet stand in italics; a task's own stage is framed.
    """
    methods = table.method.unique()
    squares = {name: _matrix(table, name) for name in methods}
    with rc_context(STYLE):
        lines = -(-len(methods) // 2)
        figure = Figure(figsize=(WIDE, 2.2 * lines))
        panels = figure.subplots(lines, 2, squeeze=False).ravel()
        for axes in panels[len(methods) :]:
            axes.axis("off")
        for axes, (name, square), look in zip(
            panels, squares.items(), system.looks(methods)
        ):
            axes.set_title(name, fontweight="bold", pad=8, color=look.colour)
            values = square.to_numpy()
            draw_square(axes, values, values / 100, "{:.0f}")
            middles = np.arange(len(square)) + 0.5
            axes.set_xticks(middles, square.columns)
            axes.set_yticks(
                middles, [f"after {after}" for after in square.index]
            )
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
        caption,
    )


def draw_course(
    table: pandas.DataFrame,
    index: str,
    error: str,
    what: str,
    *,
    caption: str = "",
) -> Drawing:
    """Errors along a training: the mean of the seeds, and their band.

    table: columns method, seed, `index` (steps from 0) and `error`
    (percent); at most four methods. The band goes from the lowest seed
    to the highest, the axis of x is linear up to 1 and then logarithmic.
    what: says whose error it is.
    """
    told = []
    with rc_context(STYLE):
        figure = Figure(figsize=(NARROW, 3.1))
        axes = figure.subplots()
        ends = []
        methods = table.method.unique()
        for method, look in zip(methods, system.looks(methods)):
            seeds = table[table.method == method].groupby(index)[error]
            mean = seeds.mean()
            axes.fill_between(
                mean.index, seeds.min(), seeds.max(),
                color=look.colour, alpha=0.18, linewidth=0,
            )  # fmt: skip
            axes.plot(
                mean.index, mean, color=look.colour, linewidth=2,
                linestyle=look.dash, marker=look.marker, markersize=4.5,
            )  # fmt: skip
            ends.append((mean.iloc[-1], method, look.colour))
            told.append(f"{method}: {_tell(mean)}.")
        axes.set_xscale("symlog", linthresh=1)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set(xlim=(0, table[index].max()), ylim=(0, 103))
        label_ends(axes, ends, 2.5 * 72)
        axes.set_title(what, loc="left")
        axes.set_xlabel(f"{index} (logarithmic)")
        plain(axes, "y")
    return Drawing(
        figure,
        f"Line chart of {what} over {index}, on a logarithmic axis: the "
        "mean of the seeds, in a band from the lowest to the highest. "
        + " ".join(told),
        caption,
    )


def _blocks(
    table: pandas.DataFrame, looks: dict[str, Look]
) -> tuple[Figure, Axes, list[tuple[float, tuple[str, str]]]]:
    """Axes with a block for each task of a table, in it a line for each
    method, named; and the height of each line."""
    tasks, methods = table.task.unique(), table.method.unique()
    step = 0.185  # inches a line
    lines = len(tasks) * (len(methods) + 1.4)
    figure = Figure(figsize=(NARROW, step * lines + 0.7))
    axes = figure.subplots()
    place, places = 0.0, []
    for task in tasks:
        axes.text(
            0, place, task, fontweight="bold", va="center", ha="right",
            transform=axes.get_yaxis_transform(),
        )  # fmt: skip
        place += 1
        there = set(table.method[table.task == task])
        for method in methods:
            if method in there:
                places.append((place, (task, method)))
                place += 1
        place += 0.4
    names = [method for _, (_, method) in places]
    axes.set_yticks([height for height, _ in places], names)
    for label, name in zip(axes.get_yticklabels(), names):
        if looks[name].name == "packnet":
            label.set(fontweight="bold", color=looks[name].colour)
    axes.set_ylim(place - 0.6, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    plain(axes, "x")
    return figure, axes, places


def _reach(table: pandas.DataFrame, base: str) -> tuple[float, float]:
    """The ends of the axis: from 0, or as far as most differences go."""
    if not base:
        return 0, max(5, min(100, 1.04 * table.high.max()))
    far = table[["low", "high"]].abs().max(axis=1)
    near = far[far <= max(1.0, FAR * far.median())]
    inside = table.loc[near.index]
    left, right = min(0, inside.low.min()), max(0, inside.high.max())
    edge = 0.06 * max(right - left, 1)
    return left - edge, right + edge


def _point(
    axes: Axes, place: float, point, look: Look,
    ends: tuple[float, float], differences: bool,
) -> None:  # fmt: skip
    """One mean with its interval, and its number at the right."""
    left, right = ends
    mean, low, high = point["mean"], point["low"], point["high"]
    accent = look.name == "packnet"
    if left <= mean <= right:
        beyond = _goes_on(point, ends, differences)
        room = BEYOND * (right - left) * beyond[1]
        low, high = max(low, left), min(high, right) + room
        _, caps, _ = axes.errorbar(
            mean, place, xerr=[[mean - low], [high - mean]],
            fmt=look.marker, color=look.colour,
            markersize=6 if accent else 5,
            elinewidth=2 if accent else 1.3, capsize=3, clip_on=False,
        )  # fmt: skip
        for cap, goes_on, way in zip(caps, beyond, "<>"):
            if goes_on:
                cap.set(marker=way, markersize=4)
    else:
        edge, way = (right, ">") if mean > right else (left, "<")
        axes.plot(edge, place, way, color=look.colour, clip_on=False)
    sign = "+z" if differences else ""
    axes.text(
        1.19, place, f"{mean:{sign}.1f}", va="center", ha="right",
        transform=axes.get_yaxis_transform(),
        color=look.colour if accent else QUIET.light,
        fontweight="bold" if accent else "normal",
    )  # fmt: skip


def _goes_on(
    point, ends: tuple[float, float], differences: bool
) -> tuple[bool, bool]:
    """Whether an interval goes on beyond either end of the axis.

    An error that is no difference ends at 0 and at 100.
    """
    left, right = ends
    return (
        differences and point["low"] < left <= point["mean"],
        differences and point["mean"] <= right < point["high"],
    )


def _matrix(table: pandas.DataFrame, method: str) -> pandas.DataFrame:
    """Mean accuracies: a row for each stage, a column for each task."""
    own = table[table.method == method]
    order = own.after.unique()
    return own.pivot_table("accuracy", "after", "task").loc[order, order]


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
