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

from packnet_book.figures import system
from packnet_book.figures.drawing import (
    NARROW,
    STYLE,
    WIDE,
    Drawing,
    label_ends,
    plain,
)
from packnet_book.figures.system import (
    ACCENT,
    INK,
    PAPER,
    QUIET,
    RULE,
)

TICKS = (0.001, 0.01, 0.1, 1, 10, 100)


def draw_changes(
    table: pandas.DataFrame, what: str, *, caption: str = ""
) -> Drawing:
    """Differences as points with their intervals, beside a line at zero.

    table: columns group, row, mean, low, high; a block a group, in it a
    line for each row, in the order of the table. A point is filled where
    its interval excludes zero, and hollow where it does not. what: what
    the numbers are, below the axis.
    """
    groups = table.group.unique()
    with rc_context(STYLE):
        lines = len(table) + sum(1.4 if group else 0.3 for group in groups)
        figure = Figure(figsize=(NARROW, 0.2 * lines + 0.8))
        axes = figure.subplots()
        place, places, names = 0.0, [], []
        for group in groups:
            if group:
                axes.text(
                    0, place, group, fontweight="bold", va="center",
                    transform=axes.get_yaxis_transform(),
                    bbox={"color": PAPER.light, "pad": 1},
                )  # fmt: skip
                place += 1
            for point in table[table.group == group].itertuples():
                _draw_change(axes, place, point)
                places.append(place)
                names.append(point.row)
                place += 1
            place += 0.4 if group else 0
        axes.axvline(0, color=INK.light, linewidth=1.2)
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
        caption,
    )


def draw_trends(
    table: pandas.DataFrame,
    what: str,
    reach: str,
    *,
    x: str = "",
    caption: str = "",
) -> Drawing:
    """Lines over a few settings, each mean with a bar.

    table: columns panel, line, at, mean, low, high; panels and lines in
    the order of the rows, at most four lines. Settings are numbers, which
    stand where they belong on an axis, or words at equal distances. A
    table whose panels are its lines gives small multiples: each line in
    a panel of its own, the others pale behind it. what: the axis of y;
    reach: what the bars show; x: the axis of x.
    """
    panels, lines = list(table.panel.unique()), list(table.line.unique())
    looks = dict(zip(lines, system.looks(lines)))
    multiples = panels == lines
    numeric = pandas.api.types.is_numeric_dtype(table["at"])
    settings = list(dict.fromkeys(table["at"]))
    with rc_context(STYLE):
        figure = Figure(figsize=(NARROW, 3.1))
        row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(row, panels):
            if multiples:
                for line in lines:
                    other = table[(table.line == line) & (line != panel)]
                    axes.plot(
                        _places(other["at"], settings, numeric),
                        other["mean"], color=RULE.light, linewidth=2,
                    )  # fmt: skip
            own = table[table.panel == panel]
            for number, line in enumerate(lines):
                points = own[own.line == line]
                if not len(points):
                    continue
                shift = 0.07 * (number - (len(lines) - 1) / 2)
                bars = (points.high > points.low).any()
                axes.errorbar(
                    _places(points["at"], settings, numeric)
                    + (0 if numeric or multiples else shift),
                    points["mean"],
                    yerr=(
                        points["mean"] - points.low,
                        points.high - points["mean"],
                    ) if bars else None,
                    color=looks[line].colour, marker=looks[line].marker,
                    linestyle=looks[line].dash, label=line, markersize=5.5,
                    linewidth=2, elinewidth=1.2, capsize=3,
                )  # fmt: skip
            axes.set_title(panel, fontweight="bold", **(
                {"color": looks[panel].colour} if multiples else {}
            ))  # fmt: skip
            if numeric:
                axes.set_xticks(settings, [f"{at:g}" for at in settings])
                _thin(axes, settings)
            else:
                axes.set_xticks(range(len(settings)), settings)
                axes.set_xlim(-0.3, len(settings) - 0.7)
            axes.axhline(0, color=INK.light, linewidth=1)
            plain(axes, "y")
        if multiples:
            figure.supxlabel(x, fontsize=10)
            row[0].set_ylabel(what)
        elif len(panels) == 1:
            row[0].set_title(what, loc="left")
            row[0].set_xlabel(x)
            ends = table.groupby("line", sort=False)["mean"].last()
            label_ends(
                row[0], [(float(ends[name]), name, looks[name].colour)
                         for name in lines], 2.4 * 72,
            )  # fmt: skip
        else:
            figure.suptitle(what, fontsize=10, x=0.01, ha="left")
            for axes in row:
                axes.set_xlabel(x)
            named = {
                name: handle
                for axes in row
                for handle, name in zip(*axes.get_legend_handles_labels())
            }
            figure.legend(
                named.values(), named, loc="outside lower center",
                ncols=2, handlelength=2.6, columnspacing=1.2,
            )  # fmt: skip
    told = []
    for panel in panels:
        for line in lines:
            own = table[(table.panel == panel) & (table.line == line)]
            if not len(own):
                continue
            values = "; ".join(
                f"at {_named(at)}: {mean:.1f} ({low:.1f} to {high:.1f})"
                for at, mean, low, high in own[
                    ["at", "mean", "low", "high"]
                ].itertuples(index=False)
            )
            name = f"{panel}, {line}" if panel not in ("", line) else line
            told.append(f"{name} {values}.")
    return Drawing(
        figure, f"Line chart of {what}; {reach}. " + " ".join(told), caption
    )


def draw_capacity(
    table: pandas.DataFrame, owned: pandas.Series, *, caption: str = ""
) -> Drawing:
    """Task after task from top to bottom: errors, and what each owns.

    table: columns method, task, mean, low, high, in percent, tasks in
    the order of training, at most seven methods; owned: percent of all
    weights, indexed by task.
    """
    methods, tasks = list(table.method.unique()), list(table.task.unique())
    places = np.arange(len(tasks))
    shares = owned[tasks]
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDE, 0.32 * len(tasks) + 1.3))
        left, right = figure.subplots(
            1, 2, sharey=True, width_ratios=(1.7, 1)
        )
        for number, look in enumerate(system.looks(methods)):
            points = table[table.method == methods[number]].set_index("task")
            points = points.loc[tasks]
            shift = 0.26 * (number - (len(methods) - 1) / 2)
            left.errorbar(
                points["mean"], places + shift,
                xerr=(
                    points["mean"] - points.low,
                    points.high - points["mean"],
                ),
                color=look.colour, marker=look.marker,
                linestyle="none", label=methods[number], markersize=5.5,
                elinewidth=1.2, capsize=2.5,
            )  # fmt: skip
        left.set_yticks(
            places, [f"{n}  {task}" for n, task in enumerate(tasks, 1)]
        )
        left.set(ylim=(len(tasks) - 0.5, -0.5), title="top-1 error, %")
        left.set_xlim(left=0)
        left.tick_params(axis="y", length=0)
        least = shares.min() / 3
        right.hlines(places, least, shares, color=QUIET.light, linewidth=1)
        right.plot(shares, places, "o", color=INK.light, markersize=5.5)
        for place, share in zip(places, shares):
            right.annotate(
                f"{share:.3g}", (share, place), (7, 0),
                textcoords="offset points", va="center",
            )  # fmt: skip
        right.set(
            xscale="log", xlim=(least, shares.max() * 12),
            title="owns, % of weights",
        )  # fmt: skip
        ticks = [t for t in TICKS if least <= t <= shares.max()]
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
        caption,
    )


def _draw_change(axes: Axes, place: float, point) -> None:
    """One difference, its interval, and both in numbers at the right."""
    clear = not point.low <= 0 <= point.high
    colour = ACCENT if clear else QUIET
    axes.errorbar(
        point.mean, place,
        xerr=[[point.mean - point.low], [point.high - point.mean]],
        fmt="o", color=colour.light,
        markerfacecolor=colour.light if clear else PAPER.light,
        markersize=6, elinewidth=1.6, capsize=3,
    )  # fmt: skip
    half = (point.high - point.low) / 2
    axes.text(
        1.02, place, f"{point.mean:+z.1f} ± {half:.1f}", va="center",
        transform=axes.get_yaxis_transform(),
        color=INK.light if clear else QUIET.light,
    )  # fmt: skip


def _places(at: pandas.Series, settings: list, numeric: bool) -> np.ndarray:
    """Where settings stand on the axis of x."""
    found = [value if numeric else settings.index(value) for value in at]
    return np.array(found, dtype=float)


def _thin(axes: Axes, settings: list) -> None:
    """Of numbers too close to be read, only some are written."""
    low, high = min(settings), max(settings)
    last = high
    labels = axes.get_xticklabels()
    for value, label in sorted(
        zip(settings, labels), key=lambda pair: -pair[0]
    ):
        if value not in (low, high) and last - value < 0.09 * (high - low):
            label.set_text("")
        else:
            last = value
    axes.set_xticks(settings, [label.get_text() for label in labels])


def _named(at: object) -> str:
    """A setting as the alternative text has it."""
    return f"{at:g}" if isinstance(at, int | float) else (
        str(at).replace("\n", ", ")
    )  # fmt: skip
