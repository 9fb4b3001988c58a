"""The explorer: every layer of a packed network, filter by filter.

What a network was like when each of its tasks had been finished can be
read from the network as it is: fixed weights do not change, and a weight
of a later task was free. So the explorer shows every such stage, and at
each the view of every task, from the one file.

Large networks are sampled: of each layer some filters, evenly spaced,
until the document is as long as it may be. Shares are counted over all.
"""

import os

import numpy as np
from torch import Tensor

from packnet_book.explorer.page import Page, fill, packed
from packnet_core import load
from packnet_core.errors import NoTask
from packnet_core.network import PackNet

LIMIT, LARGE_LIMIT = 390_000, 4_900_000  # bytes of the document
LARGE = 10_000_000  # weights, from which a network gets the large limit
BLOCK = 16  # inputs side by side where a filter has no height and width
STEPS = 127  # values are stored as whole numbers from -127 to 127


def explore(
    network: PackNet | str | os.PathLike, limit: int | None = None
) -> Page:
    """A page in which to choose layer, filter, stage and view.

    network: with at least one task, or its file; limit: bytes that the
    document may have, if not 390 kB, or 4.9 MB for more than ten million
    weights; as many filters are shown as fit. Values are rounded to a
    127th of the largest in their filter. Raises NoTask, and what `load`
    raises.
    """
    if not isinstance(network, PackNet):
        network = load(network)
    if not network.tasks:
        raise NoTask("a network without a task owns nothing: add one first")
    title = f"Who owns which weight: {', '.join(network.tasks)}"
    counts = network.owner_counts()
    sizes = [sum(owned) for owned in counts.values()]
    if limit is None:
        limit = LIMIT if sum(sizes) <= LARGE else LARGE_LIMIT
    room = limit  # weights a layer; shrinks until the document fits
    while sum(min(size, room) for size in sizes) > limit:
        room = int(0.9 * room)  # a weight takes more than a byte
    while True:
        document, shown = _document(network, counts, title, room)
        if len(document) <= limit or room == 1:
            break
        room = max(1, int(room * min(0.9, limit / len(document))))
    layers = len(counts)
    totals = np.sum(list(counts.values()), axis=0)
    told = ", ".join(
        f"{name} {100 * count / totals.sum():.1f} %"
        for name, count in zip(["free", *network.tasks], totals)
        if count
    )
    filters = sum(len(weight) for weight in network.layers.values())
    sampled = "" if shown == filters else f", {shown:,} of them"
    return Page(
        document,
        title,
        f"Explorer of {layers} layers with {filters:,} filters{sampled} to "
        f"look into. Owners of all weights: {told}.",
        height=1150,
    )


def _document(
    network: PackNet, counts: dict[str, list[int]], title: str, room: int
) -> tuple[str, int]:
    """The document with so many weights a layer, and its filters."""
    layers, values, owners = [], [], []
    for name, weight in network.layers.items():
        rows = weight.detach().cpu().float().flatten(1).numpy()  # (F, W)
        owned = network.owner[name].cpu().flatten(1).numpy()
        count = min(len(rows), max(1, room // rows.shape[1]))
        chosen = np.linspace(0, len(rows) - 1, count).round().astype(int)
        rows, owned = rows[chosen], owned[chosen]
        largest = np.abs(rows).max(axis=1)
        scale = np.where(largest > 0, largest, 1) / STEPS
        values.append((rows / scale[:, None]).round().astype(np.int8))
        owners.append(owned)
        layers.append(
            {
                "name": name.removesuffix(".weight"),
                "filters": len(weight),
                "shown": chosen.tolist(),
                "block": _block(weight),
                "weights": rows.shape[1],
                "counts": counts[name],
                "scales": [float(f"{s:.6g}") for s in scale],
            }
        )
    blob = b"".join(
        part.tobytes() for part in (*values, *owners)
    )  # all values, then all owners, layer after layer
    data = {
        "tasks": [
            {"name": record.name, "classes": len(record.classes)}
            for record in network.records
        ],
        "layers": layers,
        "weights": packed(blob),
    }
    document = fill("explorer", title, data)
    return document, sum(len(layer["shown"]) for layer in layers)


def _block(weight: Tensor) -> list[int]:
    """Rows and columns of what is enlarged: a kernel, or some inputs."""
    if weight.dim() > 2 and weight[0, 0].numel() > 1:
        return [weight.shape[2], weight[0, 0].numel() // weight.shape[2]]
    return [4, BLOCK // 4]
