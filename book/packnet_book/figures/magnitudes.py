"""What there is to prune: how large the weights are, layer by layer.

The same rules as in `figures`. Trained weights differ a little between
processors, so the alternative texts say what is drawn, and the caller
adds the shape that it has checked.
"""

from collections.abc import Sequence

import numpy as np
import pandas
from matplotlib import rc_context
from matplotlib.figure import Figure

from packnet_book.figures.drawing import (
    NARROW,
    STYLE,
    Drawing,
    plain,
    short,
)
from packnet_book.figures.system import ACCENT, AREA, INK, QUIET
from packnet_core.network import PackNet


def draw_magnitudes(
    network: PackNet,
    layers: Sequence[str],
    fractions: Sequence[float],
    shape: str,
    *,
    caption: str = "",
) -> Drawing:
    """Histograms of the weights of some layers, and where pruning cuts.

    layers: names as in `network.layers`; fractions: each as a pair of
    lines, between which lie the smallest weights of that share; shape:
    what is to be seen, without numbers.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(NARROW, 1.45 * len(layers)))
        row = figure.subplots(len(layers), 1, squeeze=False)[:, 0]
        for axes, name in zip(row, layers):
            values = network.layers[name].detach().cpu().numpy().ravel()
            reach = np.quantile(np.abs(values), 0.995)
            axes.hist(values, bins=np.linspace(-reach, reach, 61), color=AREA)
            axes.set_xlim(-reach, reach)
            peak = axes.get_ylim()[1]
            for number, fraction in enumerate(fractions):
                cut = np.quantile(np.abs(values), fraction)
                end = peak * (1.05 + 0.22 * (len(fractions) - number))
                axes.vlines(
                    [-cut, cut], 0, end, color=ACCENT.light, linewidth=1.2
                )
                axes.text(
                    cut, end, f" {100 * fraction:g} %", color=INK.light,
                    va="top",
                )  # fmt: skip
            axes.set_ylim(0, peak * (1.05 + 0.22 * len(fractions)))
            axes.set_title(short(name), loc="left", pad=2)
            axes.set_yticks([])
            axes.spines[["top", "right", "left"]].set_visible(False)
        figure.supxlabel("value of the weight", fontsize=10)
    percent = ", ".join(f"{100 * f:g}" for f in fractions)
    named = ", ".join(short(name) for name in layers)
    return Drawing(
        figure,
        f"Histograms of the weights of {named}, each with pairs "
        f"of lines between which the smallest {percent} percent lie. {shape}",
        caption,
    )


def draw_layers(
    errors: pandas.Series, whole: float, shape: str, *, caption: str = ""
) -> Drawing:
    """An error for each layer as a point, beside that of the whole network.

    errors: in percent, indexed by layer; whole: in percent, as a line;
    shape: what is to be seen, without numbers.
    """
    names = [short(name) for name in errors.index]
    with rc_context(STYLE):
        figure = Figure(figsize=(NARROW, 0.22 * len(names) + 0.9))
        axes = figure.subplots()
        places = np.arange(len(names))
        axes.axvline(whole, color=QUIET.light, linestyle=":", linewidth=1.5)
        axes.hlines(places, whole, errors, color=ACCENT.light, linewidth=1.5)
        axes.plot(errors, places, "o", color=ACCENT.light, markersize=5)
        axes.set_yticks(places, names)
        axes.set(ylim=(len(names) - 0.5, -0.5), xlim=(0, 100))
        axes.set_xlabel("top-1 error, in percent (dotted: nothing pruned)")
        plain(axes, "x")
    return Drawing(
        figure,
        f"Points, one for each of the {len(names)} layers from {names[0]} "
        f"to {names[-1]}: top-1 error in percent, from 0 to 100, joined to "
        f"a dotted line at the error of the whole network. {shape}",
        caption,
    )
