"""Figures of what a run takes: memory, time, and its learning rates.

The same rules as in `figures`. What is drawn is computed, not measured, so
it is the same everywhere, and the alternative texts tell it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from packnet_book.figures.drawing import (
    COLOURS,
    GREY,
    HATCHES,
    OWNERS,
    STYLE,
    Drawing,
    plain,
)
from packnet_core.training import Phase

FACES = (*OWNERS[1:], "white", "#bbbbbb", "#8FB8DE")
MARKS = ("", *HATCHES[1:], "\\\\\\\\", "++++")
POINTS = 200  # in a stage, of its learning rate


def draw_parts(
    table: pandas.DataFrame, what: str, limits: Mapping[str, float]
) -> Drawing:
    """Stacked bars, one a row, cut into the parts that the columns name.

    table: at most eight columns, in the unit that `what` names, below
    the axis; a column of zeros is left out. limits: lines across, each
    with its name.
    """
    shown = table.loc[:, (table != 0).any()]
    rows = [str(name) for name in shown.index]
    most = shown.sum(axis=1).max()
    with rc_context(STYLE | {"hatch.linewidth": 0.6}):
        figure = Figure(figsize=(6.5, 0.42 * len(rows) + 1.7))
        axes = figure.subplots()
        left = np.zeros(len(rows))
        for number, part in enumerate(shown.columns):
            values = shown[part].to_numpy(dtype=float)
            axes.barh(
                rows, values, left=left, height=0.7, label=part,
                color=FACES[number], hatch=MARKS[number],
                edgecolor="black", linewidth=0.5,
            )  # fmt: skip
            left += values
        for place, total in enumerate(left):
            axes.text(total + 0.01 * most, place, f"{total:.1f}", va="center")
        for name, limit in limits.items():
            axes.axvline(limit, color="black", linestyle="--", linewidth=1.2)
            axes.text(
                limit - 0.01 * most, -0.6, name, ha="right", va="bottom",
            )  # fmt: skip
        axes.set(
            ylim=(len(rows) - 0.5, -0.5 - 0.7 * bool(limits)), xlabel=what
        )
        ends = [1.1 * most, *(1.02 * limit for limit in limits.values())]
        axes.set_xlim(0, max(ends))
        axes.tick_params(axis="y", length=0)
        plain(axes, "x")
        figure.legend(loc="outside upper center", ncols=4, fontsize=9)
    told = []
    for row, values in zip(rows, shown.to_numpy(dtype=float)):
        named = [
            f"{part} {value:.2f}"
            for part, value in zip(shown.columns, values)
            if value
        ]
        told.append(f"{row}: {', '.join(named)}, in all {values.sum():.2f}.")
    lines = "".join(f" A line at {v:g}: {n}." for n, v in limits.items())
    return Drawing(figure, f"Stacked bars: {what}. " + " ".join(told) + lines)


def draw_rates(
    runs: Mapping[str, Sequence[tuple[str, Phase]]], what: str
) -> Drawing:
    """The learning rate along whole runs, a panel a run, stage by stage.

    runs: of each panel's name its stages in order, each with its name
    (two words stand below each other) and its phase; what: what is to be
    seen, for the alternative text.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(7, 2.3 * len(runs)))
        panels = figure.subplots(len(runs), 1, squeeze=False)[:, 0]
        for axes, (name, stages) in zip(panels, runs.items()):
            begun = 0
            for number, (title, phase) in enumerate(stages):
                epochs = np.linspace(0, phase.epochs, POINTS, endpoint=False)
                rates = [phase.lr * phase.factor(e) for e in epochs]
                axes.plot(
                    begun + epochs, rates, linewidth=2,
                    color=COLOURS[number % 2],
                )  # fmt: skip
                middle = begun + phase.epochs / 2
                axes.text(
                    middle, 1.02, title.replace(" ", "\n"), fontsize=8,
                    ha="center", va="bottom",
                    transform=axes.get_xaxis_transform(),
                )  # fmt: skip
                begun += phase.epochs
                axes.axvline(begun, color=GREY, linewidth=0.8, linestyle=":")
            axes.set(yscale="log", xlim=(0, begun), ylabel="learning rate")
            axes.set_title(name, pad=32, loc="left", fontweight="bold")
            highest = max(phase.lr for _, phase in stages)
            axes.set_ylim(highest / 200, 2 * highest)
            axes.yaxis.set_minor_locator(NullLocator())
            plain(axes, "y")
        panels[-1].set_xlabel("epochs of training, over all stages")
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
    )


def draw_ranges(table: pandas.DataFrame, what: str) -> Drawing:
    """Bars from a lowest to a highest value, on a logarithmic axis.

    table: columns row, of, low, high (above 0); a line for each row, in
    it a bar for each `of`, both in the order of the table; at most six
    of these. what: the numbers and their unit, below the axis.
    """
    rows, kinds = list(table.row.unique()), list(table.of.unique())
    high = 0.8 / len(kinds)
    with rc_context(STYLE | {"hatch.linewidth": 0.6}):
        height = (0.24 * len(kinds) + 0.12) * len(rows) + 1.2
        figure = Figure(figsize=(6.5, height))
        axes = figure.subplots()
        for number, kind in enumerate(kinds):
            own = table[table.of == kind]
            places = [
                rows.index(row) + (number - (len(kinds) - 1) / 2) * high
                for row in own.row
            ]
            axes.barh(
                places, own.high - own.low, left=own.low, height=0.9 * high,
                color=OWNERS[1 + number], hatch=HATCHES[number],
                edgecolor="black", linewidth=0.5, label=kind,
            )  # fmt: skip
            for place, low, end in zip(places, own.low, own.high):
                axes.text(
                    end * 1.08, place, f"{_short(low)} to {_short(end)}",
                    va="center", fontsize=8,
                )  # fmt: skip
        axes.set_yticks(range(len(rows)), rows)
        axes.set(ylim=(len(rows) - 0.5, -0.5), xscale="log", xlabel=what)
        axes.set_xlim(table.low.min() / 1.5, table.high.max() * 6)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.tick_params(axis="y", length=0)
        plain(axes, "x")
        figure.legend(loc="outside upper center", ncols=2)
    told = []
    for row in rows:
        named = [
            f"{bar.of} {_short(bar.low)} to {_short(bar.high)}"
            for bar in table[table.row == row].itertuples()
        ]
        told.append(f"{row}: {', '.join(named)}.")
    return Drawing(
        figure,
        f"Bars from lowest to highest, on a logarithmic axis: {what}. "
        + " ".join(told),
    )


def _short(value: float) -> str:
    """Two digits that matter, and none behind the point from 10 on."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
