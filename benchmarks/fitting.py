"""`fit`, its guard included, against a plain loop on the same batches."""

import os
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.ratios import Ratio, compare
from packnet_book.drawn import draw
from packnet_book.runs.presets import MINIATURE
from packnet_core import PackNet, Phase, Pictures, fit
from packnet_core.images import normalise, shuffled
from packnet_core.trunks import build

SIZE, STEPS, EPOCHS = MINIATURE.architecture.size, 20, 6


def run() -> tuple[Ratio, Ratio]:
    """Time of a phase by `fit` over that of the loop one would write.

    The second of two tasks on the miniature network, 32 pictures a step,
    half as many steps as an added task takes in the chapters.
    The plain loop has neither owners nor a guard, nor anything else that
    fit looks after. First: it has the same batches, squares cut at random
    out of the pictures, as floats. Second: it finds them ready.
    """
    os.environ["TQDM_DISABLE"] = "1"
    pictures = draw("birds", "train", 64, size=SIZE)
    pictures = Pictures(
        pictures.images[: 32 * STEPS],
        pictures.labels[: 32 * STEPS],
        pictures.classes,
    )
    torch.manual_seed(0)
    trunk = build(MINIATURE.architecture)
    network = PackNet(trunk, trunk.out_features)
    network.add_task("first", 10)
    network.prune(0.5)
    network.add_task("birds", pictures.classes)
    phase = Phase(EPOCHS, 1e-3)
    other = build(MINIATURE.architecture)
    plain = nn.Sequential(
        other, nn.Linear(other.out_features, len(pictures.classes))
    )

    def batches() -> Iterable[tuple[Tensor, Tensor]]:
        for epoch in range(EPOCHS):
            for some in shuffled(len(pictures), 32, epoch=epoch):
                draws = torch.rand(len(some), 3)
                cut = pictures.crops(some, SIZE, draws, torch.device("cpu"))
                yield normalise(cut), pictures.labels[some]

    ready = list(batches())

    def ours() -> None:
        fit(network, pictures, phase, size=SIZE)

    def theirs(batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        optimizer = torch.optim.SGD(plain.parameters(), 1e-3, momentum=0.9)
        plain.train()
        for images, labels in batches:
            optimizer.zero_grad()
            loss = cross_entropy(plain(images), labels)
            loss.backward()
            optimizer.step()
            loss.item()

    return (
        compare(ours, lambda: theirs(batches()), pairs=11),
        compare(ours, lambda: theirs(ready), pairs=5),
    )
