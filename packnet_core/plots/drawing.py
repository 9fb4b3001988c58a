"""Figures, each with the text that stands in for it.

Every function takes data and returns a `Drawing`; none touches the state
of matplotlib. Backgrounds are opaque white, to read the same on a light
and on a dark page. The colours are those of Okabe and Ito, which most
colour-blind readers tell apart; letters say all that they say.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
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
OWNERS = ("white", "#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7")
GREY = "#666666"


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
