"""Figures, each with the text that stands in for it.

Every function takes data and returns a `Drawing`; none touches the state
of matplotlib. Looks are those of `system`: what a thing is decides its
colour, its mark and its hatch, in every figure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from packnet_book.figures import system
from packnet_book.figures.system import EDGE, RULE
from packnet_book.figures.vector import STYLE, figure_html

__all__ = ["STYLE", "WIDE", "Drawing", "keys", "label_ends", "plain", "short"]
NARROW, WIDE = 4.75, 6.6  # inches: fits a phone; scrolls on one


@dataclass(frozen=True, repr=False)
class Drawing:
    """A figure, its alternative text, and what it shows in a sentence.

    In a notebook it shows as vectors, in the colours of the page around
    it; its text output is the alternative text, so a check of text
    outputs covers the data drawn. caption: below the figure; in it
    `[words](address)` is a link.
    """

    figure: Figure
    alternative: str
    caption: str = ""

    def __repr__(self) -> str:
        return self.alternative

    def _repr_html_(self) -> str:
        return figure_html(self.figure, self.alternative, self.caption)


def keys(tasks: Sequence[str], owners: Iterable) -> list[Patch]:
    """A legend of owners, each by number and name, free at the end."""
    return [
        Patch(
            facecolor=system.owner(owner).fill, edgecolor=EDGE,
            hatch=system.owner(owner).hatch,
            label=f"{owner} {tasks[owner - 1]}" if owner else "free",
        )
        for owner in sorted(map(int, owners), key=lambda o: (o == 0, o))
    ]  # fmt: skip


def plain(axes: Axes, grid: Literal["x", "y", "both"] | None = None) -> None:
    """No frame at the top and at the right; grid lines behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    if grid:
        axes.grid(axis=grid, color=RULE.light, linewidth=0.8)
        axes.set_axisbelow(True)


def label_ends(
    axes: Axes, ends: Sequence[tuple[float, str, str]], height: float
) -> None:
    """Names at the right of lines, kept apart; the limits of y are set.

    ends: (value, name, colour), a name on one line or several; height: of
    the axes in points.
    """
    low, high = axes.get_ylim()
    size = 13 * (high - low) / height  # of a line of letters
    order = sorted(range(len(ends)), key=lambda place: ends[place][0])
    half = [size * (1 + ends[at][1].count("\n")) / 2 for at in order]
    apart = [one + other for one, other in pairwise(half)]
    places: list[float] = []
    for rank, place in enumerate(order):
        at = min(max(ends[place][0], low), high)
        places.append(max(at, places[-1] + apart[rank - 1]) if places else at)
    if places and places[-1] > high:  # too high: down, the top one first
        places[-1] = high
        for rank in range(len(places) - 2, -1, -1):
            places[rank] = min(places[rank], places[rank + 1] - apart[rank])
    for place, at in zip(order, places):
        _, name, colour = ends[place]
        axes.text(
            1.02, at, name, color=colour, va="center", fontweight="bold",
            transform=axes.get_yaxis_transform(),
        )  # fmt: skip


def short(layer: str) -> str:
    """A layer's name as figures show it."""
    return layer.removesuffix(".weight")
