"""Who owns how much of a network, as one bar."""

from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from packnet_book.figures import system
from packnet_book.figures.drawing import (
    NARROW,
    STYLE,
    Drawing,
    plain,
    short,
)
from packnet_book.figures.system import EDGE, INK, ON
from packnet_book.runs.contents import owner_table
from packnet_core.network import PackNet


def draw_shares(network: PackNet, *, caption: str = "") -> Drawing:
    """One bar for all weights, and how far the layers are from it.

    network: at most five tasks, the colours that can be told apart.
    """
    table = owner_table(network)
    shares = 100 * table.drop(columns="weights").div(table.weights, axis=0)
    layers = shares.drop(index="all")
    whole = shares.loc["all"].astype(float).to_dict()
    owners = [name for name in [*network.tasks, "free"] if whole[name]]
    with rc_context(STYLE):
        figure = Figure(figsize=(NARROW, 1.6))
        axes = figure.subplots()
        values = [whole[name] for name in [*network.tasks, "free"]]
        left = 0.0
        draw_bar(axes, 0, values, 5)
        for number, name in enumerate([*network.tasks, "free"], start=1):
            if not whole[name]:
                continue
            label = f"{number} {name}" if name != "free" else name
            axes.text(
                left + whole[name] / 2, -0.5 - 0.45 * (number % 2 == 1),
                label, ha="center", va="bottom", fontweight="bold",
            )  # fmt: skip
            left += whole[name]
        axes.set(xlim=(0, 100), ylim=(0.5, -1.4), yticks=[])
        axes.set_xlabel(
            "percent of all weights; no layer is more than\n"
            f"{_spread(shares)} away from this"
        )
        plain(axes)
        axes.spines["left"].set_visible(False)
    told = ", ".join(f"{name} {whole[name]:.1f} %" for name in owners)
    names = [short(name) for name in layers.index]
    return Drawing(
        figure,
        f"A bar cut into the owners' shares. Of all weights: {told}. The "
        f"{len(names)} layers from {names[0]} to {names[-1]} differ from "
        f"this by less than {_spread(shares)}.",
        caption,
    )


def draw_bar(
    axes: Axes, place: float, shares: Sequence[float], least: float
) -> None:
    """A bar of shares in percent, task after task, what is free at the end.

    least: a share that is smaller has no number in it.
    """
    left = 0.0
    for number, share in enumerate(shares, start=1):
        look = system.owner(number % len(shares))
        if not share:
            continue
        axes.barh(
            place, share, left=left, height=0.75, color=look.fill,
            hatch=look.hatch, edgecolor=EDGE, linewidth=0.6,
        )  # fmt: skip
        if share > least:
            free = look is system.FREE
            axes.text(
                left + share / 2, place, f"{share:.1f}", ha="center",
                va="center", color=INK.light if free else ON,
                bbox={"color": look.fill, "pad": 1.5},
            )  # fmt: skip
        left += share


def _spread(shares) -> str:
    """Largest distance of a layer from the whole, rounded up, in words."""
    distance = (shares - shares.loc["all"]).abs().max().max()
    points = max(1, int(-(-distance // 1)))
    return f"{points} percentage point{'s' if points > 1 else ''}"
