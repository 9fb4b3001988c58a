"""The same rule? The owner map after pruning, weight by weight."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from pandas import DataFrame
from torch import Tensor, nn

from benchmarks.peers.doors import Door, doors
from packnet_core.trunks import Architecture, build

Change = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Settings:
    """Random weights of the miniature's topology and of an odd width."""

    width: float = 0.2
    size: int = 32
    classes: int = 10
    seed: int = 0


@dataclass(frozen=True)
class Case:
    """Weights, the same for all, and a fraction.

    change: makes the weights from random ones; second: prune a second
    task, after the first one was pruned by half; as_left: the second task
    keeps the weights that each implementation hands over.
    """

    name: str
    fraction: float
    change: Change = lambda weight: weight
    second: bool = False
    as_left: bool = False


def hundredths(weight: Tensor) -> Tensor:
    return (100 * weight).round() / 100


def with_zeros(weight: Tensor) -> Tensor:
    """Every tenth weight zero."""
    changed = weight.clone()
    changed.view(-1)[::10] = 0
    return changed


CASES = (
    Case("different magnitudes, half", 0.5),
    Case("different magnitudes, 0.75", 0.75),
    Case("different magnitudes, 0.3", 0.3),
    Case("equal magnitudes (hundredths), half", 0.5, hundredths),
    Case("a tenth of them zero, 0.05", 0.05, with_zeros),
    Case("second task, 0.75", 0.75, second=True),
    Case("second task, not trained, 0.75", 0.75, second=True, as_left=True),
)


def by_the_paper(weight: Tensor, owner: Tensor, task: int, share: float):
    """The owner map as the paper has it, written once more and plainly.

    Section 3: of the n weights of a task in a layer, sorted by magnitude,
    the round(share * n)-th gives the cutoff; all of the task that are no
    larger are freed. Returns the map and the cutoff.
    """
    own = sorted(abs(x) for x in weight[owner == task].tolist())
    rank = round(share * len(own))
    new = owner.clone()
    limit = own[rank - 1] if rank else -1.0
    new[(owner == task) & (weight.double().abs() <= limit)] = 0
    return new, limit


def compare(door: Door, case: Case) -> dict:
    """Prune, and count the weights that the paper's rule owns otherwise."""
    task = door.task
    before = door.owners()
    weights = [weight.clone() for weight in door.weights()]
    door.prune(case.fraction)
    owners = [owner.to(torch.uint8) for owner in door.owners()]
    layers = differ = at_cutoff = freed = wanted = floors = left = 0
    for weight, old, new, now in zip(
        weights, before, owners, door.weights(), strict=True
    ):
        old = old.to(torch.uint8)
        right, limit = by_the_paper(weight, old, task, case.fraction)
        other = new != right
        layers += bool(other.any())
        differ += int(other.sum())
        at_cutoff += int((weight[other].double().abs() == limit).sum())
        mine = int((old == task).sum())
        gone = (old == task) & (new == 0)
        freed, wanted = (
            freed + int(gone.sum()),
            wanted + int((right == 0).sum()),
        )
        floors += int(gone.sum()) == int(mine * case.fraction)
        left += int((now[new == 0] != 0).sum())
    return {
        "layers_that_differ": layers,
        "owners_that_differ": differ,
        "of_them_at_the_cutoff": at_cutoff,
        "freed": freed,
        "freed_by_the_rule": wanted,
        "layers_freed_by_floor": floors,
        "freed_but_not_zero": left,
    }


@torch.no_grad()
def fill(door: Door, case: Case, task: int, seed: int) -> None:
    """Give a task's weights values that are the same everywhere."""
    draws = torch.Generator().manual_seed(seed)
    for weight, owner in zip(door.weights(), door.owners(), strict=True):
        new = torch.randn(weight.shape, generator=draws)
        weight.copy_(torch.where(owner == task, case.change(new), weight))


def one(kind, case: Case, settings: Settings) -> dict:
    torch.manual_seed(settings.seed)
    trunk = build(Architecture("vgg16", settings.width, settings.size))
    head = nn.Linear(trunk.out_features, settings.classes)
    door = kind(trunk, head)
    images = torch.randn(2, 3, settings.size, settings.size)
    fill(door, case if not case.second else Case("", 0.5), 1, 1)
    if case.second:
        door.prune(0.5)
        door.finish()
        door.begin_next()
        door.logits(images)
        if not case.as_left:
            fill(door, case, 2, 2)
    shared = sum(weight.numel() for weight in door.weights())
    told = {"case": case.name, "fraction": case.fraction, "peer": kind.name,
            "layers": len(door.weights()), "weights": shared}  # fmt: skip
    return told | compare(door, case)


def run(settings: Settings) -> DataFrame:
    """Owner maps after pruning, compared weight by weight with the rule of
    the paper, which is written here once more and plainly."""
    return DataFrame(
        [one(kind, case, settings) for case in CASES for kind in doors()]
    )
