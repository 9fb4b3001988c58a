"""Presets: what is trained, on what, and for how long, as plain data."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from packnet_book.drawn.kept import kept
from packnet_book.photos.layouts import read_set
from packnet_book.photos.preparation import Preparation
from packnet_book.photos.store import stored
from packnet_core.errors import BadRun
from packnet_core.images import Pictures
from packnet_core.training import Phase
from packnet_core.trunks import Architecture


@dataclass(frozen=True)
class Drawn:
    """A task whose pictures are drawn; so many a class and split.

    of: the drawn task it is taken from, the one of its name if empty;
    classes: the numbers of the first of its classes and of the one after
    the last, all if None; colours: which of red, green and blue (0, 1, 2)
    to take for each of the three.
    """

    name: str
    train: int
    test: int
    of: str = ""
    classes: tuple[int, int] | None = None
    colours: tuple[int, int, int] = (0, 1, 2)

    def read(
        self, split: str, size: int, data: Path | None, subset: float
    ) -> Pictures:
        """One split, "train" ("fit" is the same), "val" or "test"."""
        split = "train" if split == "fit" else split
        count = self.train if split == "train" else self.test
        return _drawn(self, split, max(round(subset * count), 1), size)


@lru_cache(maxsize=16)  # eight are the miniature's, of 50 MB in all
def _drawn(task: Drawn, split: str, count: int, size: int) -> Pictures:
    pictures = kept(task.of or task.name, split, count, size)
    assert isinstance(pictures.images, torch.Tensor)
    first, end = task.classes or (0, len(pictures.classes))
    here = (pictures.labels >= first) & (pictures.labels < end)
    return Pictures(
        pictures.images[here][:, list(task.colours)],
        pictures.labels[here] - first,
        pictures.classes[first:end],
    )


@dataclass(frozen=True)
class RealSet:
    """A task whose pictures are one of the real sets, on disk.

    name: one of `photos.layouts.LAYOUTS`, or any name if `of` is one;
    cropped: its pictures show their object alone, cut out along its box;
    classes: numbers of the first, of the one after the last, and the
    step from one to the next, of those it has; all if None.
    """

    name: str
    cropped: bool
    of: str = ""
    classes: tuple[int, int, int] | None = None

    def read(
        self, split: str, size: int, data: Path | None, subset: float
    ) -> Pictures:
        """One split: "train", "test"; "fit", "val", the two parts of
        "train" where something is chosen. Raises BadRun, BadPictures."""
        if data is None:
            raise BadRun(
                f"task {self.name!r} reads pictures from a directory: name "
                "it with --data DIR"
            )
        listing = read_set(
            self.of or self.name, data, "test" if split == "test" else "train"
        )
        if self.classes is not None:
            listing = listing.of_classes(range(*self.classes))
        if split in ("fit", "val"):
            listing = listing.divided()[split == "val"]
        listing = listing.subset(subset)
        return Pictures(
            stored(listing, Preparation(size, self.cropped)),
            torch.tensor(listing.labels),
            listing.classes,
        )


@dataclass(frozen=True)
class Preset:
    """Everything that a run does, apart from its seed.

    tasks: in the order of training; fractions: prune fraction after each
    task but the last; first: training of the first task (adapting it
    where it starts from trained weights; None to take these as they
    are); retrain_first, add, retrain:
    PackNet's phases; alone: of a task in a network of its own, and in
    plain fine-tuning; classifier: of a head on the fixed trunk; lwf: of
    Learning without Forgetting; ewc: of elastic weight consolidation;
    strengths: how much each holds on to what is old; joint: of all tasks
    at once (its epochs are over all pictures); pretrained: start from
    weights that were trained before: the book's own where it has some for
    this network (see `pretrained`), else ImageNet's.
    """

    name: str
    architecture: Architecture
    tasks: tuple[Drawn | RealSet, ...]
    fractions: tuple[float, ...]
    first: Phase | None
    retrain_first: Phase
    add: Phase
    retrain: Phase
    alone: Phase
    classifier: Phase
    lwf: Phase
    ewc: Phase
    joint: Phase
    lwf_strength: float = 1.0
    ewc_strength: float = 1e3
    pretrained: bool = False


# The small rung, with the first task learnt from random weights.
FROM_NOTHING = Preset(
    name="miniature",
    architecture=Architecture("vgg16", width=0.25, size=48, dropout=0.0),
    tasks=(
        Drawn("objects", train=150, test=50),
        Drawn("birds", train=60, test=50),
        Drawn("cars", train=60, test=50),
        Drawn("flowers", train=60, test=50),
    ),
    fractions=(0.5, 0.75, 0.75),
    first=Phase(12, 0.03, schedule="cosine", warmup=1, clip=2.0),
    retrain_first=Phase(2, 0.01, schedule="cosine", clip=2.0),
    add=Phase(14, 0.03, schedule="cosine", warmup=1, clip=5.0),
    retrain=Phase(4, 0.02, schedule="cosine", clip=5.0),
    alone=Phase(14, 0.02, schedule="cosine", warmup=1, clip=5.0),
    classifier=Phase(14, 0.1, schedule="cosine"),
    lwf=Phase(
        14,
        0.009,
        schedule="cosine",
        clip=5.0,
        weight_decay=5e-4,
        trunk_from=3,
    ),
    ewc=Phase(14, 0.02, schedule="cosine", warmup=1, clip=5.0),
    joint=Phase(22, 0.0133, schedule="cosine", warmup=1, clip=5.0),
)

# As PackNet's authors have it: 20 epochs for an added task, with every
# method, and 10 more to retrain after pruning.
PHOTOS = Preset(
    name="photos",
    architecture=Architecture("squeezenet1_1", size=112),
    tasks=(
        RealSet("imagenet", cropped=False),
        RealSet("cubs", cropped=True),
        RealSet("cars", cropped=True),
        RealSet("flowers", cropped=False),
    ),
    fractions=(0.5, 0.75, 0.75),
    first=Phase(4, 1e-3, schedule="cosine", warmup=0.5),
    retrain_first=Phase(5, 3e-4, schedule="cosine"),
    add=Phase(20, 4e-3, head_lr=3e-2, schedule="cosine", warmup=0.5),
    retrain=Phase(10, 1e-3, head_lr=1e-2, schedule="cosine"),
    alone=Phase(20, 1.5e-3, head_lr=3e-2, schedule="cosine", warmup=0.5),
    classifier=Phase(20, 3e-2, schedule="cosine"),
    lwf=Phase(
        20,
        1.5e-3,
        head_lr=1e-2,
        schedule="cosine",
        clip=5.0,
        weight_decay=5e-4,
        trunk_from=3,
    ),
    ewc=Phase(
        20, 1.5e-3, head_lr=3e-2, schedule="cosine", warmup=0.5, clip=5.0
    ),
    joint=Phase(20, 1.5e-3, head_lr=3e-2, schedule="cosine", warmup=0.5),
    pretrained=True,
)

# The authors' protocol: batch 32, momentum 0.9, no weight decay, a tenth of
# the rate every ten epochs, a new optimiser for every phase; ImageNet is
# retrained at the paper's rate, 1e-3 (their scripts have 1e-4). One thing
# is done differently: they keep the epoch that is best on the test set, here
# it is the last. ImageNet's own network is taken as it comes.
_PAPER = Phase(20, 1e-3, schedule="step", decay_every=10)
PAPER = Preset(
    name="paper",
    architecture=Architecture("vgg16"),
    tasks=PHOTOS.tasks,
    fractions=(0.5, 0.75, 0.75),
    first=None,
    retrain_first=replace(_PAPER, epochs=10, decay_every=5),
    add=_PAPER,
    retrain=Phase(10, 1e-4),
    alone=_PAPER,
    classifier=Phase(20, 1e-3),
    lwf=replace(_PAPER, weight_decay=5e-4, trunk_from=5),
    ewc=_PAPER,  # which they did not publish, nor joint training
    joint=_PAPER,
    pretrained=True,
)

# De Lange et al., "A continual learning survey", TPAMI 2021, with the
# fractions and epochs of ContinualAI's continual-learning-baselines: ten
# tasks of twenty classes, each every tenth of Tiny-ImageNet's.
_ADAM = Phase(30, 1e-3, batch=200, optimizer="adam")
SPLIT_TINY_IMAGENET = Preset(
    name="split-tiny-imagenet",
    architecture=Architecture("small_vgg", size=64, dropout=0.0),
    tasks=tuple(
        RealSet(f"tiny-{n + 1}", cropped=True, of="imagenet",
                classes=(n, 200, 10))
        for n in range(10)
    ),
    fractions=(0.90, 0.88, 0.87, 0.85, 0.83, 0.80, 0.75, 0.66, 0.50),
    first=_ADAM,
    retrain_first=replace(_ADAM, epochs=15),
    add=_ADAM,
    retrain=replace(_ADAM, epochs=15),
    alone=_ADAM,
    classifier=_ADAM,
    lwf=_ADAM,
    ewc=_ADAM,
    joint=_ADAM,
)  # fmt: skip


def with_rates(
    preset: Preset, lr: float | None = None, head_lr: float | None = None
) -> Preset:
    """The same preset with other learning rates where a task is learnt.

    lr: of the trunk; head_lr: of the new head; None: as it is. Holds
    for every method that learns a further task; the first task, and
    training again after pruning, keep their rates.
    """
    phases: dict[str, Any] = {
        name: replace(
            phase,
            lr=phase.lr if lr is None else lr,
            head_lr=phase.head_lr if head_lr is None else head_lr,
        )
        for name, phase in vars(preset).items()
        if name in ("add", "alone", "lwf", "ewc", "joint")
    }
    if head_lr is not None:  # it trains the head alone
        phases["classifier"] = replace(preset.classifier, lr=head_lr)
    return replace(preset, **phases)


def at_length(preset: Preset, epochs: int) -> Preset:
    """The same preset with so many epochs for each added task.

    All at once take as many over all pictures. Retraining after pruning
    takes half as many, as PackNet's authors have it (10 after 20).
    Raises BadRun.
    """
    _refuse_length(epochs)
    phases: dict[str, Any] = {
        name: replace(getattr(preset, name), epochs=epochs)
        for name in ("add", "alone", "classifier", "lwf", "ewc", "joint")
    }
    phases["lwf"] = replace(phases["lwf"], trunk_from=epochs // 4)
    retrain = replace(preset.retrain, epochs=max(epochs // 2, 1))
    return replace(preset, retrain=retrain, **phases)


def shortened(preset: Preset, epochs: int) -> Preset:
    """The same preset with so many epochs a phase. Raises BadRun."""
    _refuse_length(epochs)
    phases: dict[str, Any] = {
        name: replace(
            phase,
            epochs=epochs,
            warmup=min(phase.warmup, epochs / 4),
            trunk_from=min(phase.trunk_from, epochs // 4),
        )
        for name, phase in vars(preset).items()
        if isinstance(phase, Phase)
    }
    return replace(preset, **phases)


def _refuse_length(epochs: int) -> None:
    if epochs < 1:
        raise BadRun(f"epochs {epochs}: give 1 or more")


# The miniature for records that are due: the first task trained as long as
# `first_lengths` found it, the others four times as long as the first
# edition's, in batches half as large, for from 28 to 56 epochs individual
# networks still improved (`lengths`); retrained half as long as trained, as
# PackNet's authors do. Rates are where the searches of `tuning_…` begin.
BEFORE_TUNING = at_length(
    replace(
        FROM_NOTHING,
        first=Phase(48, 0.03, schedule="cosine", warmup=1, clip=2.0),
        retrain_first=replace(FROM_NOTHING.retrain_first, epochs=24),
        add=replace(FROM_NOTHING.add, lr=0.02, batch=16),
        retrain=replace(FROM_NOTHING.retrain, lr=0.0133, batch=16),
        alone=replace(FROM_NOTHING.alone, batch=16),
        classifier=replace(FROM_NOTHING.classifier, lr=0.05, batch=16),
        lwf=replace(FROM_NOTHING.lwf, lr=0.0045, batch=16),
        ewc=replace(FROM_NOTHING.ewc, lr=0.01, batch=16),
        joint=replace(FROM_NOTHING.joint, batch=16),
    ),
    56,
)
# And as they ended (an individual network's where it began); EWC's search at
# this length is still to be done.
FULL_LENGTH = replace(
    BEFORE_TUNING,
    add=replace(BEFORE_TUNING.add, lr=0.01414),
    retrain=replace(BEFORE_TUNING.retrain, lr=0.009405),
    classifier=replace(BEFORE_TUNING.classifier, lr=0.0125),
    lwf=replace(BEFORE_TUNING.lwf, lr=0.0045, head_lr=0.00225),
    lwf_strength=0.3333,
    joint=replace(BEFORE_TUNING.joint, lr=0.00665),
)

# The miniature as the chapters train it, in minutes: from weights that have
# learnt the first task at full length (`data/pretrained`), the others for
# fewer epochs.
MINIATURE = at_length(replace(FROM_NOTHING, first=None, pretrained=True), 8)

PRESETS = {
    p.name: p
    for p in (
        MINIATURE,
        replace(FULL_LENGTH, name="miniature-full"),
        PHOTOS,
        PAPER,
        SPLIT_TINY_IMAGENET,
    )
}


def preset(name: str) -> Preset:
    """The preset of a name. Raises BadRun."""
    if name not in PRESETS:
        raise BadRun(f"no preset {name!r}; choose from {', '.join(PRESETS)}")
    return PRESETS[name]
