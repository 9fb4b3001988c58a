"""The cutoff, dragged over the weights of real layers.

What is shown at each percent is counted beforehand, by the rule of
`packnet_core.pruning` on the magnitudes in order, so the page decides
nothing and its numbers are the library's.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas
from torch import Tensor

from packnet_book.explorer.page import Page
from packnet_book.figures.drawing import short
from packnet_book.figures.system import STAGES
from packnet_book.interactives.page import page

STEPS = 100  # 0 % to 99 %
BINS = 60  # of a histogram
REACH = 0.995  # share of the weights that a histogram shows
SIDE = 12  # squares of weights in a row, and rows


def drag_cutoff(
    layers: Mapping[str, Tensor],
    shown: Sequence[str] = (),
    errors: pandas.DataFrame | None = None,
    seeds: int = 0,
    percent: int = 50,
    title: str = "Drag the cutoff",
) -> Page:
    """A page on which weights fall to zero as the cutoff is dragged.

    layers: the weights of one task, float tensors of any shape; shown: the
    names of those to look at, all if empty; the others count where one
    cutoff is taken for all. errors: recorded top-1 errors in percent, by
    percent freed (index), with the columns `pruned` and `retrained`;
    seeds: of how many they are the means; percent: freed at first. Raises
    KeyError for a layer that is not there.
    """
    sizes = {n: np.sort(_values(w).abs().numpy()) for n, w in layers.items()}
    for_all = _cutoffs(np.sort(np.concatenate(list(sizes.values()))))
    names = list(shown) or list(layers)
    data = {
        "layers": [
            _layer(name, layers[name], sizes[name], for_all) for name in names
        ],
        "forAll": [_digits(limit) for limit in for_all],
        "errors": _errors(errors),
        "seeds": seeds,
        "percent": percent,
    }
    told = ", ".join(f"{short(n)} with {len(sizes[n]):,}" for n in names)
    return page(
        "cutoff",
        title,
        f"Weights of {told}, and the cutoff up to which pruning frees them, "
        "to be dragged.",
        data,
        height=300 + 218 * len(names) + (190 if errors is not None else 0),
        looks=STAGES[1:],
    )


def _values(weight: Tensor) -> Tensor:
    return weight.detach().cpu().float().flatten()


def _cutoffs(sizes: np.ndarray) -> list[float]:
    """The cutoff at each percent, -1 where nothing is freed.

    sizes: magnitudes in order (n,).
    """
    ranks = [round(step / STEPS * len(sizes)) for step in range(STEPS)]
    return [float(sizes[rank - 1]) if rank else -1.0 for rank in ranks]


def _layer(
    name: str, weight: Tensor, sizes: np.ndarray, for_all: list[float]
) -> dict:
    """What is shown of a layer; for_all: the cutoffs of all layers."""
    own = _cutoffs(sizes)
    values = _values(weight).numpy()
    left, width, bins, whole = _histogram(values)
    sample, columns = _sample(weight)
    return {
        "name": short(name),
        "weights": len(sizes),
        "asked": [round(step / STEPS * len(sizes)) for step in range(STEPS)],
        "each": {
            "cutoffs": [_digits(limit) for limit in own],
            "freed": np.searchsorted(sizes, own, "right").tolist(),
            "falls": _falls(sample, own),
        },
        "one": {
            "freed": np.searchsorted(sizes, for_all, "right").tolist(),
            "falls": _falls(sample, for_all),
        },
        "left": _digits(left),
        "width": _digits(width),
        "bins": bins,
        "wholeNumbers": whole,
        "sample": [_digits(value) for value in sample.tolist()],
        "columns": columns,
    }


def _falls(sample: np.ndarray, cutoffs: list[float]) -> list[int]:
    """The percent at which each weight is freed first; 100 for never."""
    return np.searchsorted(cutoffs, np.abs(sample), "left").tolist()


def _histogram(
    values: np.ndarray,
) -> tuple[float, float, list[int], bool]:
    """Where it begins, how wide a bin is, the counts, and whether there is
    a bin for each whole number because there are no others."""
    whole = bool((values == values.round()).all())
    if whole:
        reach = np.abs(values).max() + 0.5
        edges = np.arange(-reach, reach + 1)
    else:
        reach = np.quantile(np.abs(values), REACH)
        edges = np.linspace(-reach, reach, BINS + 1)
    counts, _ = np.histogram(values, edges)
    return edges[0], edges[1] - edges[0], counts.tolist(), whole


def _sample(weight: Tensor) -> tuple[np.ndarray, int]:
    """Some weights of a layer, row by row, and how many are in a row.

    A small filter whole; of a convolution its first kernels, side by
    side; of a linear layer the first weights of an output.
    """
    kernels = weight.detach().cpu().float()
    if kernels.dim() == 2 and kernels.numel() <= SIDE**2:
        return kernels.flatten().numpy(), kernels.shape[1]
    high, wide = kernels.shape[-2:] if kernels.dim() > 2 else (1, 1)
    down, across = max(1, SIDE // high), max(1, SIDE // wide)
    tiles = kernels.reshape(-1, high, wide)[: down * across]
    across = min(across, len(tiles))
    down = len(tiles) // across
    tiles = tiles[: down * across].view(down, across, high, wide)
    rows = tiles.permute(0, 2, 1, 3).reshape(down * high, across * wide)
    return rows.flatten().numpy(), across * wide


def _errors(errors: pandas.DataFrame | None) -> list[list[float]]:
    """Percent freed, error when pruned, error when retrained."""
    if errors is None:
        return []
    rows = errors[["pruned", "retrained"]].sort_index()
    return [
        [_digits(at), _digits(pruned), _digits(retrained)]
        for at, pruned, retrained in rows.itertuples()
    ]


def _digits(value: float) -> float:
    """Six digits, which are enough to be shown."""
    return float(f"{value:.6g}")
