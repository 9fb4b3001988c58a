"""Figures of what a run takes: memory, time, and its learning rates.

The same rules as in `figures`. What is drawn is computed, not measured, so
it is the same everywhere, and the alternative texts tell it.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from packnet_book.figures import system
from packnet_book.figures.drawing import NARROW, STYLE, Drawing, plain
from packnet_book.figures.system import EDGE, INK, ON, PARTS, QUIET, RULE
from packnet_core.training import Phase

POINTS = 120  # in a stage, of its learning rate
RETRAINING = "retrain"  # such stages are dashed
STYLES: tuple[tuple[Literal["-", "--"], str], ...] = (
    ("-", "train"),
    ("--", RETRAINING),
)
UNITS = (  # of a time: at most so many hours, name, how many in an hour
    (1 / 60, "seconds", "s", 3600.0),
    (1.0, "minutes", "min", 60.0),
    (np.inf, "hours", "h", 1.0),
)


def draw_parts(
    table: pandas.DataFrame,
    what: str,
    limits: Mapping[str, float],
    *,
    caption: str = "",
) -> Drawing:
    """Stacked bars, one a row, cut into the parts that the columns name.

    table: at most eight columns, in the unit that `what` names, below
    the axis; a column of zeros is left out. limits: lines across, each
    with its name.
    """
    shown = table.loc[:, (table != 0).any()]
    rows = [str(name) for name in shown.index]
    most = shown.sum(axis=1).max()
    end = max(1.15 * most, *(1.02 * limit for limit in limits.values()), 0)
    with rc_context(STYLE):
        keys = -(-len(shown.columns) // 3)
        height = 0.44 * len(rows) + 0.85 + 0.2 * keys + 0.2 * bool(limits)
        figure = Figure(figsize=(NARROW, height))
        axes = figure.subplots()
        left = np.zeros(len(rows))
        for number, part in enumerate(shown.columns):
            values = shown[part].to_numpy(dtype=float)
            fill, hatch = PARTS[number]
            axes.barh(
                rows, values, left=left, height=0.7, label=part,
                color=fill, hatch=hatch, edgecolor=EDGE, linewidth=0.6,
            )  # fmt: skip
            for place, value in enumerate(values):
                if value > 0.11 * end:
                    axes.text(
                        left[place] + value / 2, place, _few(value),
                        ha="center", va="center", color=ON,
                        bbox={"color": fill, "pad": 1},
                    )  # fmt: skip
            left += values
        for place, total in enumerate(left):
            axes.annotate(
                f"{total:.1f}", (total, place), (4, 0), va="center",
                textcoords="offset points", fontweight="bold",
            )  # fmt: skip
        for name, limit in limits.items():
            axes.axvline(limit, color=INK.light, ls="--", lw=1.2)
            axes.text(
                limit - 0.01 * most, -0.6, name, ha="right", va="bottom",
            )  # fmt: skip
        axes.set(
            ylim=(len(rows) - 0.5, -0.5 - 0.7 * bool(limits)), xlabel=what
        )
        axes.set_xlim(0, end)
        axes.tick_params(axis="y", length=0)
        plain(axes, "x")
        figure.legend(loc="outside upper center", ncols=3, columnspacing=1.2)
    told = []
    for row, values in zip(rows, shown.to_numpy(dtype=float)):
        named = [
            f"{part} {value:.2f}"
            for part, value in zip(shown.columns, values)
            if value
        ]
        told.append(f"{row}: {', '.join(named)}, in all {values.sum():.2f}.")
    lines = "".join(f" A line at {v:g}: {n}." for n, v in limits.items())
    return Drawing(
        figure,
        f"Stacked bars: {what}. " + " ".join(told) + lines,
        caption,
    )


def draw_rates(
    runs: Mapping[str, Sequence[tuple[str, Phase]]],
    what: str,
    *,
    caption: str = "",
) -> Drawing:
    """The learning rate along whole runs, a panel a run, stage by stage.

    runs: of each panel's name its stages in order, each with its name,
    whose last word is its task, and its phase; what: what is to be seen,
    for the alternative text. A task has its colour in every panel;
    retraining is dashed.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(NARROW, 2.3 * len(runs) + 0.2))
        panels = figure.subplots(len(runs), 1, squeeze=False)[:, 0]
        for axes, (name, stages) in zip(panels, runs.items()):
            _draw_run(axes, stages)
            axes.set_title(name, loc="left", fontweight="bold", pad=18)
        panels[-1].set_xlabel("epochs of training, over all stages")
        styles = [
            Line2D([], [], color=QUIET.light, linestyle=dash, linewidth=2,
                   label=label)
            for dash, label in STYLES
        ]  # fmt: skip
        figure.legend(
            handles=styles, loc="outside upper right", ncols=2,
            handlelength=3,
        )  # fmt: skip
    told = []
    for name, stages in runs.items():
        named = [
            f"{title}, {phase.epochs} epochs from {phase.lr:g}, "
            f"{phase.schedule}"
            for title, phase in stages
        ]
        told.append(f"{name}: {'; '.join(named)}.")
    return Drawing(
        figure,
        "Learning rate along the training, on a logarithmic axis, a panel "
        f"for each run. {' '.join(told)} {what}",
        caption,
    )


def draw_ranges(
    table: pandas.DataFrame,
    what: str,
    *,
    time: bool = False,
    caption: str = "",
) -> Drawing:
    """Bars from a lowest to a highest value, on a logarithmic axis.

    table: columns row, of, low, high (above 0); a line for each row, in
    it a bar for each `of`, both in the order of the table; at most six
    of these. what: the numbers and their unit, below the axis. time: the
    numbers are hours; they are told in seconds, minutes or hours, and a
    panel for each of these has a linear axis.
    """
    rows, kinds = list(table.row.unique()), list(table.of.unique())
    looks = dict(zip(kinds, system.SERIES))
    groups = _by_unit(table) if time else [("", table, 1.0, "")]
    high = 0.8 / len(kinds)
    with rc_context(STYLE):
        lines = [group.row.nunique() for _, group, _, _ in groups]
        each = 0.19 * len(kinds) + 0.1
        height = each * sum(lines) + 0.55 * len(groups) + 0.65
        figure = Figure(figsize=(NARROW, height))
        panels = figure.subplots(
            len(groups), 1, squeeze=False, height_ratios=lines
        )[:, 0]
        for axes, (title, group, times, unit) in zip(panels, groups):
            own_rows = [row for row in rows if row in set(group.row)]
            for number, kind in enumerate(kinds):
                own = group[group.of == kind]
                places = [
                    own_rows.index(row)
                    + (number - (len(kinds) - 1) / 2) * high
                    for row in own.row
                ]
                axes.barh(
                    places, times * (own.high - own.low),
                    left=times * own.low, height=0.85 * high,
                    color=looks[kind].fill, hatch=looks[kind].hatch,
                    edgecolor=EDGE, linewidth=0.6, label=kind,
                )  # fmt: skip
                for place, low, end in zip(places, own.low, own.high):
                    low, end = times * low, times * end
                    axes.annotate(
                        f"{_short(low)} to {_short(end)}"
                        + (f" {unit}" if unit else ""),
                        (end, place), (4, 0), va="center",
                        textcoords="offset points",
                    )  # fmt: skip
            axes.set_yticks(range(len(own_rows)), own_rows)
            axes.set(ylim=(len(own_rows) - 0.5, -0.5))
            if time:
                axes.set_title(title, loc="left", fontweight="bold")
                axes.set_xlim(0, 1.45 * times * group.high.max())
            else:
                axes.set(xscale="log")
                axes.set_xlim(table.low.min() / 1.5, table.high.max() * 8)
                axes.xaxis.set_minor_locator(NullLocator())
                axes.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
            axes.tick_params(axis="y", length=0)
            plain(axes, "x")
        panels[-1].set_xlabel(what)
        handles, labels = panels[-1].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside upper center",
            ncols=min(3, len(kinds)), columnspacing=1.2,
        )  # fmt: skip
    told = []
    for row in rows:
        named = [
            f"{bar.of} {_short(bar.low)} to {_short(bar.high)}"
            for bar in table[table.row == row].itertuples()
        ]
        told.append(f"{row}: {', '.join(named)}.")
    axis = (
        "a panel for what takes seconds, minutes, and hours"
        if time
        else "on a logarithmic axis"
    )
    return Drawing(
        figure,
        f"Bars from lowest to highest, {axis}: {what}. " + " ".join(told),
        caption,
    )


def _draw_run(axes: Axes, stages: Sequence[tuple[str, Phase]]) -> None:
    """The rates of one run; a task's name once, above its stages."""
    tasks = list(dict.fromkeys(title.split()[-1] for title, _ in stages))
    looks = dict(zip(tasks, system.looks(tasks)))
    begun, spans = 0.0, {task: [np.inf, 0.0] for task in tasks}
    for title, phase in stages:
        task = title.split()[-1]
        epochs = np.linspace(0, phase.epochs, POINTS, endpoint=False)
        rates = [phase.lr * phase.factor(e) for e in epochs]
        axes.plot(
            begun + epochs, rates, linewidth=2.2, color=looks[task].colour,
            linestyle="--" if title.startswith(RETRAINING) else "-",
        )  # fmt: skip
        spans[task][0] = min(spans[task][0], begun)
        begun += phase.epochs
        spans[task][1] = begun
        axes.axvline(begun, color=RULE.light, linewidth=0.8)
    for task, (start, end) in spans.items():
        axes.text(
            (start + end) / 2, 1.02, task, ha="center", va="bottom",
            color=looks[task].colour, fontweight="bold",
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
        if start:
            axes.axvline(start, color=QUIET.light, linewidth=1)
    axes.set(yscale="log", xlim=(0, begun), ylabel="learning rate")
    highest = max(phase.lr for _, phase in stages)
    axes.set_ylim(highest / 200, 2 * highest)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(
        lambda value, _: np.format_float_positional(value, trim="-")
    )
    plain(axes, "y")


def _by_unit(table: pandas.DataFrame):
    """Rows together whose times are told in the same unit."""
    most = table.groupby("row", sort=False).high.median()
    groups, below = [], 0.0
    for limit, title, unit, times in UNITS:
        names = most[(most >= below) & (most < limit)].index
        if len(names):
            own = table[table.row.isin(names)]
            groups.append((title, own, times, unit))
        below = limit
    return groups


def _few(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _short(value: float) -> str:
    """Two digits that matter, and none behind the point from 10 on."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
