"""A training step with the guard, against the same step without it."""

from collections.abc import Callable

import torch
from torch.nn.functional import cross_entropy

from benchmarks.ratios import Ratio, compare
from packnet_book.runs.presets import MINIATURE
from packnet_core import PackNet
from packnet_core.trunks import Architecture, build


def run(architecture: Architecture, batch: int, pairs: int, steps: int):
    """Time of guarded steps over unguarded ones, second of two tasks."""
    images = torch.randn(batch, 3, architecture.size, architecture.size)
    labels = torch.arange(batch) % 10

    def training(guarded: bool) -> Callable[[], None]:
        torch.manual_seed(0)
        trunk = build(architecture)
        network = PackNet(trunk, trunk.out_features)
        network.add_task("first", 10)
        network.prune(0.5)
        network.add_task("second", 10)
        optimizer = torch.optim.SGD(network.parameters(), 1e-4, momentum=0.9)
        if guarded:
            network.guard(optimizer)

        def train() -> None:
            for _ in range(steps):
                optimizer.zero_grad()
                cross_entropy(network(images), labels).backward()
                optimizer.step()

        return train

    return compare(training(True), training(False), pairs=pairs)


def full() -> Ratio:
    """The full VGG-16, 8 pictures of 224 px."""
    return run(Architecture("vgg16"), batch=8, pairs=9, steps=1)


def miniature() -> Ratio:
    """The miniature, 32 pictures."""
    return run(MINIATURE.architecture, batch=32, pairs=31, steps=8)
