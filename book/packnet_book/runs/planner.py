"""What a run would do, stage by stage, and what that costs.

A planner goes through the methods' own stages, with very small networks
that are never trained, and only counts.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial

import pandas
import torch

from packnet_book.runs.baselines import distilling
from packnet_book.runs.costs import Work, answering, bookkeeping, training
from packnet_book.runs.methods import METHODS, Stage, go_through
from packnet_book.runs.presets import Preset
from packnet_core.images import Pictures
from packnet_core.network import PackNet
from packnet_core.training import Objective, Phase
from packnet_core.trunks import Architecture, build

SMALL = Architecture("vgg16", width=1 / 32, size=32)


@dataclass(frozen=True)
class SetSize:
    """Classes of a set, pictures to train on, pictures to test on."""

    classes: int
    train: int
    test: int


# ImageNet as in ILSVRC 2012, the others with their official splits
# (Flowers: both smaller parts to train on, as PackNet has it).
SETS = {
    "imagenet": SetSize(1000, 1_281_167, 50_000),
    "cubs": SetSize(200, 5_994, 5_794),
    "cars": SetSize(196, 8_144, 8_041),
    "flowers": SetSize(102, 2_040, 6_149),
}


@dataclass(frozen=True)
class Device:
    """A graphics processor, as its maker states it.

    rates: floating-point operations a second, by precision, at most;
    memory: bytes; bandwidth: bytes a second to and from that memory.
    """

    name: str
    rates: Mapping[str, float]
    memory: float
    bandwidth: float


# "no" is float32 on the plain cores; halves are on the tensor cores, for
# dense matrices (makers also state twice as much, for sparse ones).
T4 = Device("T4", {"no": 8.1e12, "fp16": 65e12}, 16e9, 320e9)
H100 = Device(
    "H100 SXM", {"no": 67e12, "bf16": 989e12, "fp16": 989e12}, 80e9, 3.35e12
)


@dataclass(frozen=True)
class Planned:
    """One stage of a method: what is trained, and which tasks are tested."""

    method: str
    title: str
    task: str
    phase: Phase | None
    joint: bool
    work: Work
    tested: tuple[str, ...]


class Planner:
    """Goes through a method's stages, trains nothing and notes all.

    `planned` has the stages so far. Raises KeyError for a task whose
    size is not in `sets`.
    """

    def __init__(self, preset: Preset, sets: Mapping[str, SetSize]):
        self.preset, self.sets = preset, sets
        self.planned: list[Planned] = []

    def carry_out(self, method: str) -> None:
        """Note the first network's stage, then those of a method."""
        task = self.preset.tasks[0].name
        stage = Stage("train", task, self._new_network, self.preset.first)
        first = self.stage("first", stage)
        stages = METHODS[method](first, self.preset, self.shown)
        go_through(stages, partial(self.stage, method))

    def shown(self, task: str) -> Pictures:
        """No pictures, of as many classes as the task has."""
        classes = tuple(map(str, range(self.sets[task].classes)))
        nothing = torch.empty(0, 3, 1, 1, dtype=torch.uint8)
        return Pictures(nothing, torch.empty(0, dtype=torch.long), classes)

    def stage(self, method: str, stage: Stage) -> PackNet:
        """Note a stage of a method; its network, untrained."""
        network = stage.make()
        self.planned.append(
            Planned(
                method, stage.title, stage.task, stage.phase,
                stage.objective.joint, self._work(network, stage.objective),
                tuple(network.tasks),
            )
        )  # fmt: skip
        return deepcopy(network)  # one of its own, as a run has from disk

    def _new_network(self) -> PackNet:
        task, trunk = self.preset.tasks[0].name, build(SMALL)
        network = PackNet(trunk, trunk.out_features)
        network.add_task(task, self.shown(task).classes)
        return network

    def _work(self, network: PackNet, objective: Objective) -> Work:
        last = len(network.tasks)
        fixed = any((o != last).any() for o in network.owner.values())
        teacher = objective == distilling(self.preset.lwf_strength)
        everything = teacher or objective.joint
        answer = network.tasks if everything else network.tasks[-1:]
        return Work(
            heads=tuple(self.sets[name].classes for name in answer),
            trunk=any(p.requires_grad for p in network.trunk.parameters()),
            guarded=objective.guarded and fixed,
            teacher=teacher,
        )


def plan(
    preset: Preset, method: str, sets: Mapping[str, SetSize] = SETS
) -> list[Planned]:
    """The stages of a method, the common first network's to begin with."""
    planner = Planner(preset, sets)
    planner.carry_out(method)
    return planner.planned


def cost_table(
    preset: Preset, method: str, sets: Mapping[str, SetSize] = SETS
) -> pandas.DataFrame:
    """What each stage of a method costs.

    Columns: method, title, task, epochs, steps, images (trained on, over
    all epochs), tested (pictures), the floating-point operations of
    both: train, test; moved: bytes of the steps' `bookkeeping`.
    """
    rows = []
    for stage in plan(preset, method, sets):
        names = stage.tested if stage.joint else (stage.task,)
        epochs = steps = images = train = moved = 0
        if stage.phase is not None:
            epochs, batch = stage.phase.epochs, stage.phase.batch
            there = sum(sets[name].train for name in names)
            steps = epochs * max(there // batch, 1)
            images = steps * batch
            train = images * training(preset.architecture, stage.work)
            moved = steps * bookkeeping(preset.architecture, stage.work)
        tested = [sets[name] for name in stage.tested]
        test = sum(
            one.test * answering(preset.architecture, [one.classes])
            for one in tested
        )
        rows.append(
            (stage.method, stage.title, stage.task, epochs, steps, images,
             sum(one.test for one in tested), train, test, moved)
        )  # fmt: skip
    return pandas.DataFrame(
        rows,
        columns=[
            "method", "title", "task", "epochs", "steps", "images",
            "tested", "train", "test", "moved",
        ],
    )  # fmt: skip


def hours(
    cost: pandas.DataFrame, device: Device, precision: str, share: float
) -> pandas.Series:
    """Hours that each stage of a `cost_table` takes on a device.

    share: of the stated rate that the arithmetic reaches, above 0, up to
    1, an assumption and no measurement; the memory is taken to be as
    fast as stated, and pictures to be there when they are wanted.
    """
    arithmetic = (cost.train + cost.test) / (device.rates[precision] * share)
    return (arithmetic + cost.moved / device.bandwidth) / 3600


def without_first(preset: Preset) -> Preset:
    """The preset without its first task, on the same pretrained trunk.

    What was the second task takes the first one's place: it owns all
    weights to begin with.
    """
    return replace(
        preset,
        name=f"{preset.name} without {preset.tasks[0].name}",
        tasks=preset.tasks[1:],
        fractions=preset.fractions[:-1],
        first=preset.alone,
        retrain_first=preset.retrain,
    )
