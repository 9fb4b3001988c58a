"""The recorded studies: what each runs for one seed, and its table.

A study takes a seed and a directory for its runs, and returns tidy rows.
Runs with the same first task share the network that has learnt it.
"""

import os
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from itertools import permutations
from pathlib import Path

import pandas
import torch
from full_scale import Scale, measured
from pandas import DataFrame

from packnet_core.evaluation import evaluate
from packnet_core.experiments import Run
from packnet_core.lessons import DISTILLING, FINE_TUNING, OWN_WEIGHTS
from packnet_core.measures import accuracies
from packnet_core.methods import (
    METHODS,
    all_free,
    on_fixed_trunk,
    on_free_trunk,
    with_own_weights,
)
from packnet_core.network import PackNet
from packnet_core.pictures import generator
from packnet_core.presets import MINIATURE, PHOTOS, Drawn, Preset
from packnet_core.summary import bytes_by_part
from packnet_core.training import fit
from packnet_core.trunks import Architecture, build
from packnet_core.variants import STEPS

FIVE, THREE = (0, 1, 2, 3, 4), (0, 1, 2)
IN_TURN = ("packnet", "individual", "classifier-only", "sequential")
HIGHER = replace(MINIATURE, fractions=(0.75, 0.75, 0.75))
NORMED = replace(
    MINIATURE,
    architecture=replace(MINIATURE.architecture, name="vgg16_bn"),
    tasks=MINIATURE.tasks[:3],
    fractions=MINIATURE.fractions[:2],
)
FULL = Architecture("vgg16")


@dataclass(frozen=True)
class Study:
    """One recorded table.

    what: one sentence; settings: plain values that decide the results;
    table: makes the rows of one seed, given a directory for its runs;
    photographs: it reads those in the directory `PACKNET_PHOTOS`.
    """

    name: str
    what: str
    seeds: tuple[int, ...]
    settings: object
    table: Callable[[int, Path], DataFrame]
    photographs: bool = False


def run(preset: Preset, seed: int, folder: Path, name: str, **options) -> Run:
    """A run in its own directory, with the first network if it is there.

    The directory belongs to this preset: a changed one begins another.
    """
    place = generator(preset, options).initial_seed()
    out = folder / f"{name}-{seed}-{place:x}"
    made = Run(preset, out, seed=seed, **options)
    stages = made.out / "stages"
    stages.mkdir(exist_ok=True)
    config = (preset.architecture, preset.tasks[0], preset.first, options)
    key = generator(seed, config).initial_seed()
    common = folder / "first" / f"{key:x}"
    if not list(stages.glob("first-*.json")):
        for file in sorted(common.glob("first-*"), reverse=True):
            shutil.copy(file, stages)  # the record last
    made.first()
    if not common.exists():
        common.mkdir(parents=True)
        for file in stages.glob("first-*"):
            shutil.copy(file, common)
    return made


# The error table


def main_table(seed: int, folder: Path) -> DataFrame:
    """The error table: methods that train one task after the other."""
    made = run(MINIATURE, seed, folder, "main")
    table = made.carry_out(IN_TURN)
    return table[table.method.isin(IN_TURN)]


def lwf(seed: int, folder: Path) -> DataFrame:
    """The error table: Learning without Forgetting."""
    return rows_of(run(MINIATURE, seed, folder, "main"), "lwf")


def joint(seed: int, folder: Path) -> DataFrame:
    """The error table: all tasks at once."""
    return rows_of(run(MINIATURE, seed, folder, "main"), "joint")


def higher(seed: int, folder: Path) -> DataFrame:
    """PackNet with a higher first prune fraction."""
    return rows_of(run(HIGHER, seed, folder, "higher"), "packnet")


def matrices(seed: int, folder: Path) -> DataFrame:
    """Accuracy on every task after every task, trained yet or not."""
    made = run(MINIATURE, seed, folder, "main")
    names = [task.name for task in MINIATURE.tasks]
    rows = []

    def untrained(network: PackNet, task: str, method: str, after: str):
        """A task that has a random head as yet."""
        with torch.random.fork_rng():
            torch.manual_seed(generator(seed, task, "head").initial_seed())
            other = PackNet(deepcopy(network.trunk), network.features)
            other.add_task(task, made.classes(task))
        errors = evaluate(
            other, made.pictures(task, "test"),
            size=MINIATURE.architecture.size,
        )  # fmt: skip
        rows.append((method, after, task, 100 - errors.top1))

    with torch.random.fork_rng():
        torch.manual_seed(generator(seed, "untrained").initial_seed())
        nothing = build(MINIATURE.architecture)
    blank = PackNet(nothing, nothing.out_features)
    for task in names:
        untrained(blank, task, "untrained", "")
    history = made.history()
    for method in ("packnet", "classifier-only", "sequential", "lwf"):
        matrix = accuracies(history, method)
        for place, after in enumerate(names):
            for task in names[: place + 1]:
                rows.append((method, after, task, matrix.at[after, task]))
            network = made.after(method, after)
            for task in names[place + 1 :]:
                untrained(network, task, method, after)
    return DataFrame(rows, columns=["method", "after", "task", "accuracy"])


def switch(seed: int, folder: Path) -> DataFrame:
    """The first task's error while the second is trained."""
    made = run(MINIATURE, seed, folder, "main")
    first, second = (task.name for task in MINIATURE.tasks[:2])
    size = MINIATURE.architecture.size
    test = made.pictures(first, "test")
    rows = []

    def follow(method: str, network: PackNet, phase, lesson) -> None:
        def watch(step: int) -> None:
            if step not in MOMENTS and step % 40:
                return
            with network.view(first):
                errors = evaluate(network, test, size=size)
            network.train()
            rows.append((method, step, errors.top1))

        watch(0)
        fit(
            network, made.pictures(second, "train"), phase, size=size,
            lesson=lesson, seed=f"{seed}/switch", title=method, watch=watch,
        )  # fmt: skip

    with torch.random.fork_rng():
        torch.manual_seed(generator(seed, "switch").initial_seed())
        packed = with_own_weights(made, made.after("packnet", first), second)
        follow("packnet", packed, MINIATURE.add, OWN_WEIGHTS)
        tuned = on_free_trunk(made, made.first(), second)
        follow("sequential", tuned, MINIATURE.alone, FINE_TUNING)
        free = all_free(made, made.first(), [second])
        follow("lwf", free, MINIATURE.lwf, DISTILLING)
    return DataFrame(rows, columns=["method", "step", "top1_error"])


MOMENTS = (0, 1, 2, 4, 7, 10, 15, 20, 30)


# Sizes


def sizes(seed: int, folder: Path) -> DataFrame:
    """Bytes of the packed network and of separate ones, measured."""
    made = run(MINIATURE, seed, folder, "main")
    names = [task.name for task in MINIATURE.tasks]
    rows = []

    def weigh(network: str, method: str, files: list[Path]) -> None:
        parts = DataFrame([bytes_by_part(file) for file in files]).sum()
        for part, size in parts.items():
            rows.append((network, method, part, size))

    for method in METHODS:
        ends = [made.file_after(method, names[-1])]
        if method == "individual":
            ends = [made.file_after(method, name) for name in names]
        weigh("miniature", method, ends)
    packed, separate = full_size(folder / "full-size")
    weigh("vgg16", "packnet", [packed])
    weigh("vgg16", "individual", separate)
    shutil.rmtree(folder / "full-size")
    return DataFrame(rows, columns=["network", "method", "part", "bytes"])


def full_size(folder: Path) -> tuple[Path, list[Path]]:
    """VGG-16 with the paper's four tasks and random weights, as files."""
    folder.mkdir(parents=True, exist_ok=True)
    trunk = build(FULL)
    tasks = {"imagenet": 1000, "cubs": 200, "cars": 196, "flowers": 102}
    separate = []
    for name, classes in tasks.items():
        network = PackNet(trunk, trunk.out_features)
        network.add_task(name, classes)
        separate.append(folder / f"{name}.packnet")
        network.save(separate[-1])
    network = PackNet(trunk, trunk.out_features)
    for (name, classes), fraction in zip(
        tasks.items(), (0.5, 0.75, 0.75, None), strict=True
    ):
        network.add_task(name, classes)
        with torch.no_grad():  # as if it had been trained
            for layer, weight in network.layers.items():
                mine = network.owner[layer] == len(network.tasks)
                weight += mine * torch.randn_like(weight)
        if fraction is not None:
            network.prune(fraction)
    packed = folder / "packed.packnet"
    network.save(packed)
    return packed, separate


SCALE = Scale()


def full_scale(seed: int, folder: Path) -> DataFrame:
    """Time and memory of each phase at full size, random, three steps each.

    VGG-16 at 224 pixels, on a processor: what a step costs, not what it
    teaches.
    """
    return measured(FULL, SCALE, seed, folder / "full-scale")


# What is chosen, on validation pictures only


RATES = {
    "individual": (0.0133, 0.02, 0.03),
    "packnet": (0.02, 0.03, 0.045),
    "classifier-only": (0.01, 0.03, 0.1),
    "lwf": (0.006, 0.009, 0.0133),
    "joint": (0.009, 0.0133, 0.02),
}
PHASE = {
    "individual": "alone",
    "packnet": "add",
    "classifier-only": "classifier",
    "lwf": "lwf",
    "joint": "joint",
}


def tuning(seed: int, folder: Path) -> DataFrame:
    """Validation error of each method at three learning rates."""
    tables = []
    for method, rates in RATES.items():
        for rate in rates:
            phase = replace(getattr(MINIATURE, PHASE[method]), rate=rate)
            preset = replace(MINIATURE, **{PHASE[method]: phase})
            made = run(preset, seed, folder, "tuning", split="val")
            tables.append(rows_of(made, method).assign(rate=rate))
    columns = ["method", "rate", "task", "top1_error", "test_images"]
    return pandas.concat(tables)[columns]


# Ablations


FRACTIONS = (0.25, 0.5, 0.65, 0.75, 0.85, 0.95)
RETRAINED = 5  # epochs; with the two of a run only half can be freed


def pruning(seed: int, folder: Path) -> DataFrame:
    """The first task's error at each fraction, before and after retraining.

    Then made dense again from zero and trained once more, beside the
    network that was never pruned and trained for as long.
    """
    rows = []
    size = MINIATURE.architecture.size
    phase = replace(MINIATURE.retrain_first, epochs=RETRAINED)
    made = run(MINIATURE, seed, folder, "main")
    name = MINIATURE.tasks[0].name
    train, test = made.pictures(name, "train"), made.pictures(name, "test")

    def measure(fraction: float, stage: str, network: PackNet) -> None:
        errors = evaluate(network, test, size=size)
        rows.append((fraction, stage, errors.top1))

    def train_on(network: PackNet, stage: str) -> None:
        fit(network, train, phase, size=size, seed=f"{seed}/{stage}")

    network = made.first()
    measure(0.0, "trained", network)
    train_on(network, "retrained")
    measure(0.0, "retrained", network)
    train_on(network, "dense again")
    measure(0.0, "dense again", network)
    for fraction in FRACTIONS:
        network = made.first()
        network.prune(fraction)
        measure(fraction, "pruned", network)
        train_on(network, "retrained")
        measure(fraction, "retrained", network)
        for owner in network.owner.values():
            owner.fill_(1)  # the freed weights are back, from zero
        train_on(network, "dense again")
        measure(fraction, "dense again", network)
    return DataFrame(rows, columns=["fraction", "stage", "top1_error"])


def orders(seed: int, folder: Path) -> DataFrame:
    """PackNet with the added tasks in all six orders."""
    first, *added = MINIATURE.tasks
    tables = []
    for order in permutations(added):
        name = "order-" + "-".join(task.name for task in order)
        preset = replace(MINIATURE, tasks=(first, *order))
        if list(order) == added:
            name = "main"
        tables.append(rows_of(run(preset, seed, folder, name), "packnet"))
    return pandas.concat(tables)


def rows_of(made: Run, method: str) -> DataFrame:
    """The rows of one method."""
    table = made.carry_out([method])
    return table[table.method == method]


def steps(seed: int, folder: Path) -> DataFrame:
    """PackNet and the variants that need no other network.

    `own_error`: right after a task's own last stage; `top1_error`: at
    the end.
    """
    names = ["packnet", *(name for name in STEPS if name != "drifting-norms")]
    made = run(MINIATURE, seed, folder, "main")
    return pandas.concat([with_own_error(made, name) for name in names])


def with_own_error(made: Run, method: str) -> DataFrame:
    table = rows_of(made, method)
    matrix = accuracies(made.history(), method)
    own = [100 - matrix.at[task, task] for task in table.task]
    return table.assign(own_error=own)


def norms(seed: int, folder: Path) -> DataFrame:
    """Batch norm fixed after the first task, and left to drift."""
    made = run(NORMED, seed, folder, "norms")
    return pandas.concat(
        [with_own_error(made, m) for m in ("packnet", "drifting-norms")]
    )


WIDTHS = (0.0625, 0.125)


def widths(seed: int, folder: Path) -> DataFrame:
    """PackNet and individual networks, narrower ones too."""
    tables = []
    for width in (*WIDTHS, MINIATURE.architecture.width):
        wide = replace(MINIATURE.architecture, width=width)
        preset = replace(MINIATURE, architecture=wide)
        name = f"width-{width}" if width in WIDTHS else "main"
        made = run(preset, seed, folder, name)
        table = made.carry_out(["packnet", "individual"])
        kept = table[table.method.isin(["packnet", "individual"])]
        tables.append(kept.assign(width=width))
    return pandas.concat(tables)


def many_tasks() -> Preset:
    """Nine added tasks: halves of the three, then three recoloured.

    Half of the current task's weights is freed each time, so that few
    tasks use the network up.
    """
    first, *added = MINIATURE.tasks
    tasks: list[Drawn] = []
    for half, colours in ((0, (0, 1, 2)), (1, (0, 1, 2)), (0, (2, 0, 1))):
        for task in added:
            assert isinstance(task, Drawn)
            name = f"{task.name} {half + 1}"
            if colours != (0, 1, 2):
                name += " recoloured"
            tasks.append(
                replace(
                    task, name=name, of=task.name, colours=colours,
                    classes=(7 * half, 7 * half + 7),
                )
            )  # fmt: skip
    return replace(
        MINIATURE, tasks=(first, *tasks), fractions=(0.5,) * len(tasks)
    )


def capacity(seed: int, folder: Path) -> DataFrame:
    """The same network given task after task, beside individual ones."""
    made = run(many_tasks(), seed, folder, "capacity")
    table = made.carry_out(["packnet", "individual"])
    table = table[table.method.isin(["packnet", "individual"])]
    network = made.after("packnet", table.task.iloc[-1])
    owned = pandas.Series(0, index=network.tasks)
    for counts in network.shares().values():
        owned += counts[1:]
    share = 100 * owned / owned.sum()
    return table.assign(
        owned=table.task.map(share).where(table.method == "packnet")
    )


# Photographs


PRECISION = "bf16"


PHOTO_RATES = {
    "individual": (7e-4, 1.5e-3, 3e-3),
    "packnet": (2e-3, 4e-3, 8e-3),
    "classifier-only": (1e-2, 3e-2, 1e-1),
    "lwf": (7e-4, 1.5e-3, 3e-3),
}
RETRAINING = 0.25  # PackNet's rate after pruning, of that before
TUNED = ["method", "rate", "task", "top1_error", "test_images"]


def photos_at(preset: Preset, seed: int, folder: Path, **options) -> Run:
    """A run on the photographs in `PACKNET_PHOTOS`."""
    return run(
        preset, seed, folder, "photos",
        data=os.environ["PACKNET_PHOTOS"], precision=PRECISION, **options,
    )  # fmt: skip


def photos_tuning(seed: int, folder: Path) -> DataFrame:
    """Validation error of each method at three rates, on photographs.

    Of the trunk, or of the head where that alone is trained; on a fifth
    of each class's training pictures, which is held out.
    """
    tables = []
    for method, rates in PHOTO_RATES.items():
        for rate in rates:
            phase = PHASE[method]
            phases = {phase: replace(getattr(PHOTOS, phase), rate=rate)}
            if method == "packnet":
                phases["retrain"] = replace(
                    PHOTOS.retrain, rate=RETRAINING * rate
                )
            made = photos_at(
                replace(PHOTOS, **phases), seed, folder, split="val"
            )
            tables.append(rows_of(made, method).assign(rate=rate))
    return pandas.concat(tables)[TUNED]


def photos_inherited(seed: int, folder: Path) -> DataFrame:
    """The last task on each trunk that PackNet hands on.

    `trunk`: of the first task before it is pruned ("adapted"), or as it
    is when PackNet has done with a task; `trained`: a new head alone, or
    the free weights with it.
    """
    made = photos_at(PHOTOS, seed, folder)
    made.carry_out(["packnet"])
    *before, last = (task.name for task in PHOTOS.tasks)
    size = PHOTOS.architecture.size
    train, test = made.pictures(last, "train"), made.pictures(last, "test")
    rows = []

    def learn(trunk: str, trained: str, network: PackNet) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(generator(seed, "inherited").initial_seed())
            head_alone = trained == "head"
            add = on_fixed_trunk if head_alone else with_own_weights
            network = add(made, network, last)
        fit(
            network, train, PHOTOS.classifier if head_alone else PHOTOS.add,
            size=size, seed=f"{seed}/inherited", title=f"{trunk}, {trained}",
            accelerator=made.accelerator,
        )  # fmt: skip
        errors = evaluate(
            network, test, size=size, accelerator=made.accelerator
        )
        rows.append((trunk, trained, errors.top1, errors.images))

    learn("adapted", "head", made.first())
    for task in before:
        learn(task, "head", made.after("packnet", task))
        learn(task, "free weights", made.after("packnet", task))
    columns = ["trunk", "trained", "top1_error", "test_images"]
    return DataFrame(rows, columns=columns)


def photos(seed: int, folder: Path) -> DataFrame:
    """The error table on photographs, from a pretrained SqueezeNet.

    `own_error`: right after a task's own last stage.
    """
    made = photos_at(PHOTOS, seed, folder)
    table = made.carry_out(["individual"])
    alone = table[table.method == "individual"]
    others = ("packnet", "classifier-only", "sequential", "lwf")
    return pandas.concat(
        [alone.assign(own_error=alone.top1_error)]
        + [with_own_error(made, method) for method in others]
    )


def without(preset: Preset, *phases: str) -> dict:
    """What decides a study's results: all but some methods' phases."""
    settings = asdict(preset)
    return {name: settings[name] for name in settings if name not in phases}


def study(
    table: Callable[[int, Path], DataFrame],
    seeds: tuple[int, ...],
    *settings: object,
    name: str = "",
    photographs: bool = False,
) -> Study:
    told = " ".join((table.__doc__ or "").split())
    return Study(
        name or table.__name__, told, seeds, settings, table, photographs
    )


SMALL = asdict(MINIATURE)
PACKING = ("retrain_first", "add", "retrain", "alone")
REFERENCES = ("classifier", "lwf", "joint")
OTHERS = ("alone", *REFERENCES)
STUDIES = (
    study(tuning, (100,), SMALL, RATES),
    study(
        main_table,
        FIVE,
        without(MINIATURE, "lwf", "joint"),
        name="miniature",
    ),
    study(lwf, FIVE, without(MINIATURE, *PACKING, "classifier", "joint")),
    study(joint, FIVE, without(MINIATURE, *PACKING, "classifier", "lwf")),
    study(higher, FIVE, without(HIGHER, *OTHERS)),
    study(matrices, FIVE, without(MINIATURE, "joint")),
    study(switch, THREE, without(MINIATURE, "joint", "classifier"), MOMENTS),
    study(sizes, (0,), SMALL),
    study(full_scale, (0,), asdict(FULL), asdict(SCALE)),
    study(pruning, THREE, without(MINIATURE, *OTHERS), FRACTIONS, RETRAINED),
    study(steps, THREE, without(MINIATURE, *OTHERS)),
    study(orders, THREE, without(MINIATURE, *OTHERS)),
    study(norms, THREE, without(NORMED, *OTHERS)),
    study(widths, THREE, without(MINIATURE, *REFERENCES), WIDTHS),
    study(capacity, THREE, without(many_tasks(), *REFERENCES)),
    study(
        photos_tuning,
        (0,),
        without(PHOTOS, "joint"),
        (PHOTO_RATES, RETRAINING),
        PRECISION,
        photographs=True,
    ),
    study(
        photos, (0, 1), without(PHOTOS, "joint"), PRECISION, photographs=True
    ),
    study(
        photos_inherited,
        (0, 1),
        without(PHOTOS, "alone", "lwf", "joint"),
        PRECISION,
        photographs=True,
    ),
)
