"""The methods that are compared, each as the stages it goes through.

A method walks through the tasks of a laboratory and asks it for stages:
"this network, trained so". What the laboratory has on disk already it
does not train again. All methods start from the same first-task network.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from typing import Protocol

from torch import nn

from packnet_core.network import PackNet
from packnet_core.presets import Preset
from packnet_core.training import Phase


class Laboratory(Protocol):
    """What a method needs: the preset, and somebody who does the work."""

    preset: Preset

    def first(self) -> PackNet:
        """The network that has learnt the first task, all its weights."""

    def new_task(self, network: PackNet, task: str) -> PackNet:
        """Add a task of the preset to a network, and return it."""

    def stage(
        self,
        method: str,
        title: str,
        task: str,
        make: Callable[[], PackNet],
        phase: Phase | None,
        shown: "Shown",
    ) -> PackNet:
        """Make a network, train it for a phase, test what it shows."""


# How to test each task so far: its name, and the network that shows it.
Shown = Callable[[PackNet], Iterator[tuple[str, nn.Module]]]


def all_tasks(network: PackNet) -> Iterator[tuple[str, nn.Module]]:
    """A packed network shows each of its tasks in a view."""
    for name in network.tasks:
        with network.view(name):
            yield name, network


def packnet(lab: Laboratory) -> PackNet:
    """Train, prune, train again; give what is free to the next task."""
    preset = lab.preset
    network = lab.first()
    for place, task in enumerate(preset.tasks):
        if place > 0:
            make = partial(lab.new_task, network, task.name)
            network = lab.stage(
                "packnet", "add", task.name, make, preset.add, all_tasks
            )
        if place < len(preset.fractions):
            make = partial(_pruned, network, preset.fractions[place])
            network = lab.stage(
                "packnet", "prune", task.name, make, None, all_tasks
            )
            make = partial(_as_it_is, network)
            phase = preset.retrain if place > 0 else preset.retrain_first
            network = lab.stage(
                "packnet", "retrain", task.name, make, phase, all_tasks
            )
    return network


def individual(lab: Laboratory) -> None:
    """A network of its own for each task, from the first task's."""
    for task in lab.preset.tasks[1:]:
        make = partial(_alone, lab, lab.first(), task.name)
        lab.stage(
            "individual", "train", task.name, make, lab.preset.alone,
            all_tasks,
        )  # fmt: skip


def sequential(lab: Laboratory) -> None:
    """Plain fine-tuning: one trunk for all, each task keeps its head."""
    network = lab.first()
    heads = {network.tasks[0]: network.heads[0]}

    def shown(network: PackNet) -> Iterator[tuple[str, nn.Module]]:
        newest = {network.tasks[0]: network.heads[0]}
        for name, head in (heads | newest).items():
            yield name, nn.Sequential(network.trunk, head)

    for task in lab.preset.tasks[1:]:
        make = partial(_alone, lab, network, task.name)
        network = lab.stage(
            "sequential", "train", task.name, make, lab.preset.alone, shown
        )
        heads[task.name] = network.heads[0]


def _as_it_is(network: PackNet) -> PackNet:
    return network


def _pruned(network: PackNet, fraction: float) -> PackNet:
    network.prune(fraction)
    return network


def _alone(lab: Laboratory, start: PackNet, task: str) -> PackNet:
    """A task in a network of its own that starts from another's trunk."""
    trunk = deepcopy(start.trunk).requires_grad_(True)
    return lab.new_task(PackNet(trunk, start.features), task)


METHODS: dict[str, Callable[[Laboratory], PackNet | None]] = {
    "packnet": packnet,
    "individual": individual,
    "sequential": sequential,
}
