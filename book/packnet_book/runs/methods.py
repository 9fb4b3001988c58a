"""The methods that are compared, each as the stages it goes through.

A method is a generator: it yields a stage ("this network, trained so")
and is sent the network as it is after the stage. Whoever goes through it
says what a stage is: `runner` trains, or takes what is on disk already,
`planner` only counts. All methods start from the same first-task network.
"""

from collections.abc import Callable, Generator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any, TypeVar

from torch import Tensor

from packnet_book.runs.baselines import (
    EVERYTHING,
    FINE_TUNING,
    Elastic,
    distilling,
    importance,
)
from packnet_book.runs.presets import Preset
from packnet_core.images import Pictures
from packnet_core.network import PackNet
from packnet_core.training import OWN_WEIGHTS, Objective, Phase


@dataclass(frozen=True)
class Stage:
    """A network is made, then trained for a phase.

    title: what is done ("train", "add", "prune" or "retrain"); task: the
    name of the task that it is done for; make: returns the network to
    train, and may change one that it was given; phase: None if nothing
    is trained; objective: what the training minimises.
    """

    title: str
    task: str
    make: Callable[[], PackNet]
    phase: Phase | None
    objective: Objective = OWN_WEIGHTS


Kept = TypeVar("Kept")
Stages = Generator[Stage, PackNet, Kept]
Shown = Callable[[str], Pictures]  # a task's name to what it is taught by
Add = Callable[[PackNet, str, Sequence[str]], PackNet]
Method = Callable[[PackNet, Preset, Shown], Stages[PackNet | None]]


def go_through(stages: Stages[Kept], do: Callable[[Stage], PackNet]) -> Kept:
    """Do the stages of a method one after the other.

    do: returns the network after a stage, one of its own. Returns the
    network that the method keeps, None if it keeps none.
    """
    network: Any = None  # what a generator is begun with
    while True:
        try:
            stage = stages.send(network)
        except StopIteration as end:
            return end.value
        network = do(stage)


class Steps:
    """What PackNet does between two phases of training.

    A variant of PackNet (see `variants`) does one of these differently.
    """

    def prune(self, network: PackNet, fraction: float) -> None:
        """Free a share of the current task's weights."""
        network.prune(fraction)

    def add(
        self,
        network: PackNet,
        dense: PackNet,
        task: str,
        classes: Sequence[str],
    ) -> None:
        """Add a task; dense: the network before it was last pruned."""
        network.add_task(task, classes)

    def ready(self, network: PackNet) -> PackNet:
        """The network as it goes into training and testing."""
        return network


USUAL = Steps()


def packnet(
    network: PackNet, preset: Preset, shown: Shown, steps: Steps = USUAL
) -> Stages[PackNet]:
    """Train, prune, train again; give what is free to the next task."""
    dense = network
    for place, task in enumerate(preset.tasks):
        if place > 0:
            network = yield _added(
                network, dense, task.name, shown, preset.add, steps
            )
        if place < len(preset.fractions):
            dense, fraction = network, preset.fractions[place]
            phase = preset.retrain if place > 0 else preset.retrain_first
            network = yield from _packed(
                dense, task.name, fraction, phase, steps
            )
    return network


def _added(
    network: PackNet,
    dense: PackNet,
    task: str,
    shown: Shown,
    phase: Phase,
    steps: Steps,
) -> Stage:
    """Give a task what is free, and train it."""

    def make() -> PackNet:
        steps.add(network, dense, task, shown(task).classes)
        return steps.ready(network)

    return Stage("add", task, make, phase)


def _packed(
    dense: PackNet, task: str, fraction: float, phase: Phase, steps: Steps
) -> Stages[PackNet]:
    """Free a share of a task's weights, and train the rest again."""

    def pruned() -> PackNet:
        network = deepcopy(dense)
        steps.prune(network, fraction)
        return steps.ready(network)

    network = yield Stage("prune", task, pruned, None)
    return (yield Stage("retrain", task, lambda: steps.ready(network), phase))


def individual(first: PackNet, preset: Preset, shown: Shown) -> Stages[None]:
    """A network of its own for each task, from the first task's."""
    for task in preset.tasks[1:]:
        yield _trained(first, task.name, shown, in_own_network, preset.alone)


def classifier_only(
    first: PackNet, preset: Preset, shown: Shown
) -> Stages[None]:
    """The first task's trunk as it is; each task trains its head alone."""
    return _in_turn(
        first, preset, shown, on_fixed_trunk, preset.classifier, OWN_WEIGHTS
    )


def sequential(first: PackNet, preset: Preset, shown: Shown) -> Stages[None]:
    """Plain fine-tuning: one trunk for all, each task keeps its head."""
    return _in_turn(
        first, preset, shown, on_free_trunk, preset.alone, FINE_TUNING
    )


def lwf(first: PackNet, preset: Preset, shown: Shown) -> Stages[None]:
    """Learning without Forgetting: fine-tuning that keeps old answers."""
    objective = distilling(preset.lwf_strength)
    return _in_turn(first, preset, shown, all_free, preset.lwf, objective)


def ewc(first: PackNet, preset: Preset, shown: Shown) -> Stages[None]:
    """Elastic weight consolidation: fine-tuning that moves little of what
    earlier tasks need."""
    network = first
    earlier: list[Callable[[], tuple[Tensor, Tensor]]] = []
    for known, task in pairwise(preset.tasks):
        measured = partial(
            _measured, deepcopy(network), known.name, shown,
            preset.architecture.size,
        )  # fmt: skip
        earlier = [*earlier, cache(measured)]  # never, if all is done

        def loss(network: PackNet, earlier=earlier) -> Elastic:
            terms = [term() for term in earlier]
            return Elastic(network, terms, preset.ewc_strength)

        network = yield _trained(
            network, task.name, shown, on_free_trunk, preset.ewc,
            Objective(loss, guarded=False),
        )  # fmt: skip


def _measured(
    network: PackNet, task: str, shown: Shown, size: int
) -> tuple[Tensor, Tensor]:
    """What a task that is learnt needs of the trunk, and the trunk."""
    return importance(network, shown(task), size)


def joint(first: PackNet, preset: Preset, shown: Shown) -> Stages[None]:
    """All tasks at once, on all pictures: what no sequence can have."""
    added = [task.name for task in preset.tasks[1:]]

    def make() -> PackNet:
        for task in added:
            all_free(first, task, shown(task).classes)
        return first

    yield Stage("train", added[-1], make, preset.joint, EVERYTHING)


def _in_turn(
    network: PackNet,
    preset: Preset,
    shown: Shown,
    add: Add,
    phase: Phase,
    objective: Objective,
) -> Stages[None]:
    """One network, to which each further task is added and trained."""
    for task in preset.tasks[1:]:
        network = yield _trained(
            network, task.name, shown, add, phase, objective
        )


def _trained(
    network: PackNet,
    task: str,
    shown: Shown,
    add: Add,
    phase: Phase,
    objective: Objective = OWN_WEIGHTS,
) -> Stage:
    """Add a task to a network, and train it."""
    return Stage(
        "train",
        task,
        lambda: add(network, task, shown(task).classes),
        phase,
        objective,
    )


def with_own_weights(
    network: PackNet, task: str, classes: Sequence[str]
) -> PackNet:
    """The network with a further task, which owns all free weights."""
    network.add_task(task, classes)
    return network


def in_own_network(
    first: PackNet, task: str, classes: Sequence[str]
) -> PackNet:
    """A new network with this task alone, on a copy of the first's trunk."""
    network = PackNet(deepcopy(first.trunk), first.out_features)
    return with_own_weights(network, task, classes)


def on_fixed_trunk(
    network: PackNet, task: str, classes: Sequence[str]
) -> PackNet:
    """The network with a further head, on a trunk that stays as it is."""
    network.add_head(task, classes)
    network.trunk.requires_grad_(False)
    return network


def on_free_trunk(
    network: PackNet, task: str, classes: Sequence[str]
) -> PackNet:
    """A further head; it and the trunk are trained, not the old heads."""
    network.add_head(task, classes)
    network.unfreeze()
    return network


def all_free(network: PackNet, task: str, classes: Sequence[str]) -> PackNet:
    """A further head; everything is trained, the old heads too."""
    network.add_head(task, classes)
    network.unfreeze(heads=True)
    return network


METHODS: dict[str, Method] = {
    "packnet": packnet,
    "individual": individual,
    "classifier-only": classifier_only,
    "sequential": sequential,
    "lwf": lwf,
    "ewc": ewc,
    "joint": joint,
}
