"""What a run would do, stage by stage, and what that costs.

The methods themselves are carried out, with very small networks that
are never trained, in a laboratory that only keeps the books.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace

import pandas

from packnet_book.runs.costs import Work, answering, bookkeeping, training
from packnet_core.objectives import DISTILLING, OWN_WEIGHTS, Objective
from packnet_book.runs.methods import METHODS
from packnet_core.network import PackNet
from packnet_core.masking import count_owned
from packnet_book.runs.presets import Preset
from packnet_core.training import Phase
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
class Stage:
    """One stage of a method: what is trained, and which tasks are tested."""

    method: str
    title: str
    task: str
    phase: Phase | None
    joint: bool
    work: Work
    tested: tuple[str, ...]


class Planner:
    """A laboratory (see `methods`) that trains nothing and notes all."""

    def __init__(self, preset: Preset, sets: Mapping[str, SetSize]):
        self.preset, self.sets = preset, sets
        self.stages: list[Stage] = []
        trunk = build(SMALL)
        network = PackNet(trunk, trunk.out_features)
        task = preset.tasks[0].name
        network.add_task(task, self.classes(task))
        self._first = network
        self._note("first", "train", task, network, preset.first, OWN_WEIGHTS)

    def first(self) -> PackNet:
        return deepcopy(self._first)

    def classes(self, task: str) -> tuple[str, ...]:
        return tuple(map(str, range(self.sets[task].classes)))

    def stage(
        self,
        method: str,
        title: str,
        task: str,
        make: Callable[[], PackNet],
        phase: Phase | None,
        objective: Objective = OWN_WEIGHTS,
    ) -> PackNet:
        network = deepcopy(make())
        self._note(method, title, task, network, phase, objective)
        return network

    def _note(
        self,
        method: str,
        title: str,
        task: str,
        network: PackNet,
        phase: Phase | None,
        objective: Objective,
    ) -> None:
        names = tuple(network.tasks)
        last = len(names)
        fixed = any(count_owned(o, last) < o.numel() for o in network.owner.values())
        teacher = objective == DISTILLING
        answer = names if teacher or objective.joint else names[-1:]
        work = Work(
            heads=tuple(self.sets[name].classes for name in answer),
            trunk=any(p.requires_grad for p in network.trunk.parameters()),
            guarded=objective.guarded and fixed,
            teacher=teacher,
        )
        self.stages.append(
            Stage(method, title, task, phase, objective.joint, work, names)
        )


def plan(
    preset: Preset, method: str, sets: Mapping[str, SetSize] = SETS
) -> list[Stage]:
    """The stages of a method, the common first network's to begin with."""
    books = Planner(preset, sets)
    METHODS[method](books)
    return books.stages


def budget(
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
    """Hours that each stage of a budget takes on a device.

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
