"""Who owns how much of each layer, as stacked bars."""

from matplotlib import rc_context
from matplotlib.figure import Figure

from packnet_book.figures.drawing import (
    HATCHES,
    OWNERS,
    STYLE,
    Drawing,
    plain,
    short,
)
from packnet_book.runs.contents import owner_table
from packnet_core.network import PackNet


def draw_shares(network: PackNet) -> Drawing:
    """One bar a layer and one for all, cut into the owners' shares.

    network: at most five tasks, the colours that can be told apart.
    """
    table = owner_table(network)
    shares = 100 * table.drop(columns="weights").div(table.weights, axis=0)
    shares = shares.iloc[::-1]  # the first layer on top
    names = [short(name) for name in shares.index]
    with rc_context(STYLE | {"hatch.linewidth": 0.6}):
        figure = Figure(figsize=(7, 0.28 * len(names) + 1))
        axes = figure.subplots()
        left = 0 * shares["free"]
        for number, owner in enumerate(shares.columns):
            if not shares[owner].any():
                continue
            axes.barh(
                names, shares[owner], left=left, height=0.8,
                color=OWNERS[number], hatch=HATCHES[number],
                edgecolor="black", linewidth=0.5, label=owner,
            )  # fmt: skip
            for place, share in enumerate(shares[owner]):
                if share > 8:
                    axes.text(
                        left.iloc[place] + share / 2, place, f"{share:.0f}",
                        ha="center", va="center", fontsize=8,
                        bbox={"color": "white", "pad": 1},
                    )  # fmt: skip
            left = left + shares[owner]
        axes.set_xlim(0, 100)
        axes.set_xlabel("share of the layer's weights, in percent")
        plain(axes)
        figure.legend(loc="outside upper center", ncols=6)
    told = ", ".join(
        f"{owner} {share:.1f} %"
        for owner, share in shares.loc["all"].items()
        if share
    )
    return Drawing(
        figure,
        f"Stacked bars, one for each of the {len(names) - 1} layers from "
        f"{names[-1]} to {names[1]} and one for all. Of all weights: {told}. "
        "The layers differ from this by less than "
        f"{_spread(shares):.0f} percentage points.",
    )


def _spread(shares) -> float:
    """Largest distance of a layer from the whole, rounded up to 1."""
    distance = (shares - shares.loc["all"]).abs().max().max()
    return max(1.0, -(-distance // 1))
