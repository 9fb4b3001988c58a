"""The methods that are compared, each as the stages it goes through.

A method walks through the tasks of a laboratory and asks it for stages:
"this network, trained so". What the laboratory has on disk already it
does not train again. All methods start from the same first-task network.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from typing import Protocol

from packnet_core.objectives import (
    DISTILLING,
    EVERYTHING,
    FINE_TUNING,
    OWN_WEIGHTS,
    Objective,
)
from packnet_core.network import PackNet
from packnet_book.runs.presets import Preset
from packnet_core.training import Phase


class Runner(Protocol):
    """What a method needs: the preset, and somebody who does the work."""

    preset: Preset

    def first(self) -> PackNet:
        """The network that has learnt the first task, all its weights."""

    def classes(self, task: str) -> tuple[str, ...]:
        """The names of a task's classes."""

    def stage(
        self,
        method: str,
        title: str,
        task: str,
        make: Callable[[], PackNet],
        phase: Phase | None,
        objective: Objective = OWN_WEIGHTS,
    ) -> PackNet:
        """Make a network, train it for a phase, test all its tasks."""


class Steps:
    """What PackNet does between two phases of training.

    A variant of PackNet (see `variants`) does one of these differently.
    """

    def prune(self, network: PackNet, fraction: float) -> None:
        """Free a share of the current task's weights."""
        network.prune(fraction)

    def add(
        self, network: PackNet, dense: PackNet, task: str, classes: Sequence
    ) -> None:
        """Add a task; dense: the network before it was last pruned."""
        network.add_task(task, classes)

    def ready(self, network: PackNet) -> PackNet:
        """The network as it goes into training and testing."""
        return network


def packnet(
    lab: Runner, method: str = "packnet", steps: Steps | None = None
) -> PackNet:
    """Train, prune, train again; give what is free to the next task."""
    preset, steps = lab.preset, steps or Steps()
    network = dense = lab.first()
    for place, task in enumerate(preset.tasks):
        if place > 0:
            make = partial(_added, lab, steps, network, dense, task.name)
            network = lab.stage(method, "add", task.name, make, preset.add)
        if place < len(preset.fractions):
            dense, fraction = network, preset.fractions[place]
            make = partial(_pruned, steps, dense, fraction)
            network = lab.stage(method, "prune", task.name, make, None)
            make = partial(steps.ready, network)
            phase = preset.retrain if place > 0 else preset.retrain_first
            network = lab.stage(method, "retrain", task.name, make, phase)
    return network


def _added(
    lab: Runner, steps: Steps, network: PackNet, dense: PackNet, task: str
) -> PackNet:
    steps.add(network, dense, task, lab.classes(task))
    return steps.ready(network)


def _pruned(steps: Steps, dense: PackNet, fraction: float) -> PackNet:
    network = deepcopy(dense)
    steps.prune(network, fraction)
    return steps.ready(network)


def individual(lab: Runner) -> None:
    """A network of its own for each task, from the first task's."""
    for task in lab.preset.tasks[1:]:
        make = partial(in_own_network, lab, task.name)
        lab.stage("individual", "train", task.name, make, lab.preset.alone)


def classifier_only(lab: Runner) -> None:
    """The first task's trunk as it is; each task trains its head alone."""
    network = lab.first()
    for task in lab.preset.tasks[1:]:
        make = partial(on_fixed_trunk, lab, network, task.name)
        network = lab.stage(
            "classifier-only", "train", task.name, make, lab.preset.classifier
        )


def sequential(lab: Runner) -> None:
    """Plain fine-tuning: one trunk for all, each task keeps its head."""
    network = lab.first()
    for task in lab.preset.tasks[1:]:
        make = partial(on_free_trunk, lab, network, task.name)
        network = lab.stage(
            "sequential", "train", task.name, make, lab.preset.alone,
            FINE_TUNING,
        )  # fmt: skip


def lwf(lab: Runner) -> None:
    """Learning without Forgetting: fine-tuning that keeps old answers."""
    network = lab.first()
    for task in lab.preset.tasks[1:]:
        make = partial(all_free, lab, network, [task.name])
        network = lab.stage(
            "lwf", "train", task.name, make, lab.preset.lwf, DISTILLING
        )


def joint(lab: Runner) -> None:
    """All tasks at once, on all pictures: what no sequence can have."""
    added = [task.name for task in lab.preset.tasks[1:]]
    make = partial(all_free, lab, lab.first(), added)
    lab.stage("joint", "train", added[-1], make, lab.preset.joint, EVERYTHING)


def with_own_weights(lab: Runner, network: PackNet, task: str) -> PackNet:
    network.add_task(task, lab.classes(task))
    return network


def in_own_network(lab: Runner, task: str) -> PackNet:
    """A task in a network of its own, on the first network's trunk."""
    first = lab.first()
    return with_own_weights(lab, PackNet(first.trunk, first.out_features), task)


def on_fixed_trunk(lab: Runner, network: PackNet, task: str) -> PackNet:
    """A further head on a trunk that stays as it is."""
    network.add_head(task, lab.classes(task))
    network.trunk.requires_grad_(False)
    return network


def on_free_trunk(lab: Runner, network: PackNet, task: str) -> PackNet:
    """A further head; it and the trunk are trained, not the old heads."""
    network.add_head(task, lab.classes(task))
    network.unfreeze()
    return network


def all_free(lab: Runner, network: PackNet, tasks: list[str]) -> PackNet:
    """Further heads; everything is trained."""
    for task in tasks:
        network.add_head(task, lab.classes(task))
    network.unfreeze(heads=True)
    return network


Method = Callable[[Runner], PackNet | None]
METHODS: dict[str, Method] = {
    "packnet": packnet,
    "individual": individual,
    "classifier-only": classifier_only,
    "sequential": sequential,
    "lwf": lwf,
    "joint": joint,
}
