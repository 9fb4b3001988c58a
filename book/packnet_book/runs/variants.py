"""PackNet with one thing done differently, to see what it is good for.

Each variant goes through the same stages as PackNet with the same
training. Some are sensible alternatives, some are mistakes that have
been made.
"""

from collections.abc import Sequence
from functools import partial

import torch

from packnet_book.runs.methods import Method, Steps, packnet
from packnet_core.network import PackNet


class AtRandom(Steps):
    """Frees weights by lot, in each layer as many as PackNet would."""

    @torch.no_grad()
    def prune(self, network: PackNet, fraction: float) -> None:
        task = len(network.tasks)
        for name, weight in network.layers.items():
            owner = network.owner[name].view(-1)
            mine = (owner == task).nonzero().squeeze(1)
            drawn = torch.randperm(len(mine))[: round(fraction * len(mine))]
            owner[mine[drawn]] = 0
            weight.view(-1)[mine[drawn]] = 0
        network.note_pruned(fraction)


class OneCutoff(Steps):
    """Frees the smallest weights of the whole network, not of each layer."""

    @torch.no_grad()
    def prune(self, network: PackNet, fraction: float) -> None:
        task = len(network.tasks)
        mine = {n: owner == task for n, owner in network.owner.items()}
        sizes = torch.cat(
            [w[mine[n]].abs() for n, w in network.layers.items()]
        )
        rank = round(fraction * len(sizes))
        if rank > 0:
            cutoff = sizes.kthvalue(rank).values
            for name, weight in network.layers.items():
                freed = mine[name] & (weight.abs() <= cutoff)
                network.owner[name][freed] = 0
                weight[freed] = 0
        network.note_pruned(fraction)


class StaleValues(Steps):
    """Gives a task the freed weights with their old values, not zeros."""

    @torch.no_grad()
    def add(
        self,
        network: PackNet,
        dense: PackNet,
        task: str,
        classes: Sequence[str],
    ) -> None:
        network.add_task(task, classes)
        number = len(network.tasks)
        for name, weight in network.layers.items():
            new = network.owner[name] == number
            weight[new] = dense.layers[name][new]


class _FreeBiases(PackNet):
    """Biases, and scales of normalisation, learn on with every task."""

    def frozen_rest(self):
        learning = {
            f"trunk.{name}" for name, _ in self.trunk.named_parameters()
        }
        yield from (e for e in super().frozen_rest() if e[0] not in learning)


class FreeBiases(Steps):
    """Trains the biases with every task.

    With a copy of the biases for each task, a task's error is what it is
    right after its own last stage. Without copies it is what it is at
    the end.
    """

    def ready(self, network: PackNet) -> PackNet:
        network.__class__ = _FreeBiases
        network.freeze_rest()
        network.trunk.requires_grad_(True)
        return network


class _DriftingNorms(PackNet):
    """Running statistics go on averaging, whatever the task."""

    def frozen_rest(self):
        shifting = {f"trunk.{name}" for name, _ in self.trunk.named_buffers()}
        yield from (e for e in super().frozen_rest() if e[0] not in shifting)

    def still(self):
        return iter(())


class DriftingNorms(Steps):
    """Fixes the parameters of batch norm, forgets its statistics."""

    def ready(self, network: PackNet) -> PackNet:
        network.__class__ = _DriftingNorms
        network.freeze_rest()
        return network


STEPS: dict[str, type[Steps]] = {
    "at-random": AtRandom,
    "one-cutoff": OneCutoff,
    "stale-values": StaleValues,
    "free-biases": FreeBiases,
    "drifting-norms": DriftingNorms,
}


VARIANTS: dict[str, Method] = {
    name: partial(packnet, steps=steps()) for name, steps in STEPS.items()
}
