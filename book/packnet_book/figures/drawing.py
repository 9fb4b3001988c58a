"""Figures, each with the text that stands in for it.

Every function takes data and returns a `Drawing`; none touches the state
of matplotlib. Backgrounds are opaque white, to read the same on a light
and on a dark page. The colours are those of Okabe and Ito, which most
colour-blind readers tell apart; letters say all that they say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from PIL import Image

STYLE: dict[Any, Any] = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 10,
    "legend.frameon": False,
    "text.color": "black",
}
GREY = "#666666"
# Of owners: free, and five tasks.
OWNERS = ("white", "#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7")
HATCHES = ("", "////", "....", "xxxx", "----", "oooo")
# Of lines and marks: as many as can be told apart.
COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B07500", "#2A8FC7", "black",
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":")


@dataclass(frozen=True, repr=False)
class Drawing:
    """A figure and its alternative text.

    In a notebook it shows as the picture; its text output is the
    alternative text, so a check of text outputs covers the data drawn.
    """

    figure: Figure
    alternative: str

    def __repr__(self) -> str:
        return self.alternative

    def _repr_png_(self) -> bytes:
        drawn, small = BytesIO(), BytesIO()
        with rc_context(STYLE):
            self.figure.savefig(drawn, format="png", dpi=144)
        few_colours = Image.open(drawn).convert("RGB").quantize(256)
        few_colours.save(small, format="png", optimize=True)
        return small.getvalue()


def kind(owner: int) -> int:
    """The place of an owner's colour; they come again after the fifth."""
    return 0 if owner == 0 else 1 + (int(owner) - 1) % 5


def keys(tasks: Sequence[str], owners: Iterable) -> list[Patch | Line2D]:
    """A legend of owners, each by number and name, free at the end."""
    return [
        Patch(
            facecolor=OWNERS[kind(owner)], edgecolor=GREY,
            hatch=HATCHES[kind(owner)],
            label=f"{owner} {tasks[owner - 1]}" if owner else "free",
        )
        for owner in sorted(map(int, owners), key=lambda o: (o == 0, o))
    ]  # fmt: skip


def plain(axes: Axes, grid: Literal["x", "y", "both"] | None = None) -> None:
    """No frame at the top and at the right; grid lines behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    if grid:
        axes.grid(axis=grid, color="#dddddd")
        axes.set_axisbelow(True)


def short(layer: str) -> str:
    """A layer's name as figures show it."""
    return layer.removesuffix(".weight")
