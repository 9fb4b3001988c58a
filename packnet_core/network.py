"""PackNet: several tasks in one network, without forgetting.

Mallya & Lazebnik, "PackNet: Adding Multiple Tasks to a Single Network
by Iterative Pruning", arXiv:1711.05769. Each method is a step of the
paper: `add_task` (train), `prune` (then train again), `add_task`, …
"""

import os
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import index

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.optim import Optimizer

from packnet_core import masking as owners
from packnet_core import pruning
from packnet_core.errors import (
    BadTask,
    BadTrunk,
    InsideView,
    NoFreeWeights,
    NoTask,
    TooManyTasks,
    UnknownTask,
)
from packnet_core.guard import Guard


@dataclass(frozen=True)
class Task:
    """What a network records of one of its tasks.

    classes: their names in the order of the outputs; fractions: the
    prune fractions applied to the task so far, in order.
    """

    name: str
    classes: tuple[str, ...]
    fractions: tuple[float, ...] = ()


def prunable(trunk: nn.Module) -> dict[str, nn.Parameter]:
    """The weights of all convolutions and linear layers, by name."""
    layers: dict[str, nn.Parameter] = {}
    seen: set[int] = set()  # a weight may be shared by several modules
    for name, module in trunk.named_modules():
        if isinstance(module, _ConvNd | nn.Linear):
            weight = module._parameters.get("weight")
            if weight is not None and id(weight) not in seen:
                layers[f"{name}.weight" if name else "weight"] = weight
                seen.add(id(weight))
    return layers


class PackNet(nn.Module):
    """One trunk that holds several tasks, and a head for each.

    trunk: any module that maps images (B, 3, H, W) to features
    (B, features). The weights of its convolutions and linear layers are
    shared out among the tasks. Everything else in it (biases,
    normalisation with its running statistics) is trained with the first
    task and fixed from the second on.

    `owner` holds, for each shared weight by its name in the trunk, a
    uint8 tensor of the same shape: 0 free, k of the k-th task.
    `provenance` is a dictionary of plain values that is saved along.

    Raises BadTrunk if nothing in the trunk can be pruned.
    """

    def __init__(self, trunk: nn.Module, features: int):
        super().__init__()
        self.trunk = trunk
        self.features = features
        self.heads = nn.ModuleList()
        self.records: list[Task] = []
        self.provenance: dict = {}
        self.layers = prunable(trunk)
        if not self.layers:
            raise BadTrunk(
                "the trunk has no convolution and no linear layer: "
                "there is nothing to prune"
            )
        self.owner = {
            name: torch.zeros_like(
                weight, dtype=torch.uint8, requires_grad=False
            )
            for name, weight in self.layers.items()
        }
        self._norms = [m for m in trunk.modules() if isinstance(m, _NormBase)]
        self._seen: int | None = None  # the task of the innermost view
        self._whole: dict[str, Tensor] = {}  # all weights, while in a view
        self._guards: weakref.WeakSet[Guard] = weakref.WeakSet()
        self.register_load_state_dict_post_hook(
            lambda network, _: network._remember()
        )

    @property
    def tasks(self) -> list[str]:
        """The names of the tasks, in the order in which they came."""
        return [record.name for record in self.records]

    def number(self, name: str) -> int:
        """The owner number of a task, from 1. Raises UnknownTask."""
        if name not in self.tasks:
            known = ", ".join(self.tasks) or "none yet"
            raise UnknownTask(f"no task {name!r}; tasks here: {known}")
        return self.tasks.index(name) + 1

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes) of the current task for images (B, 3, H, W).

        Raises NoTask before the first `add_task`.
        """
        task = self._seen or self._current()
        if len(self.records) > 1:
            self._fix_norms()
        return self.heads[task - 1](self.trunk(images))

    def add_task(self, name: str, classes: int | Sequence[str]) -> None:
        """Hand every free weight to a new task, from zero; add its head.

        classes: how many, or their names in the order of the labels.
        What is owned already is fixed from now on. The first task takes
        the trunk as it is. Raises BadTask, NoFreeWeights, TooManyTasks,
        InsideView.
        """
        classes = self._named(name, classes)
        task = len(self.records) + 1
        if not any((owner == owners.FREE).any() for _, owner in self._map()):
            raise NoFreeWeights(
                f"no free weights left for {name!r}: prune "
                f"{self.tasks[-1]!r} first, for instance prune(0.5)"
            )
        for weight, owner in self._map():
            owners.hand_over(weight, owner, task)
        self._begin(name, classes)

    def add_head(self, name: str, classes: int | Sequence[str]) -> None:
        """Add a task that owns no weights: it uses all that are there.

        Its head alone is its own, so this needs no free weights. What
        may be trained with it is yours to decide: under `guard` nothing
        but the head (a classifier on fixed features), without it what
        takes gradients. Raises BadTask, TooManyTasks, InsideView.
        """
        self._begin(name, self._named(name, classes))

    def _named(self, name: str, classes: int | Sequence[str]) -> list[str]:
        """The class names of a new task, if it may be added."""
        self.refuse_inside_view("add a task")
        if isinstance(classes, str):
            raise BadTask(f"classes {classes!r}: give a number, or the names")
        if not isinstance(classes, Sequence):
            classes = [str(label) for label in range(index(classes))]
        if not name:
            raise BadTask("a task needs a name")
        if name in self.tasks:
            raise BadTask(f"there is a task {name!r} already: rename one")
        if len(classes) < 2:
            raise BadTask(
                f"task {name!r} has {len(classes)} class(es): "
                "at least two are needed to tell apart"
            )
        if len(self.records) == owners.MOST_TASKS:
            raise TooManyTasks(
                f"the network holds {owners.MOST_TASKS} tasks already, all "
                "that one byte can tell apart: start another network"
            )
        return list(classes)

    def _begin(self, name: str, classes: Sequence[str]) -> None:
        """Give a new task its head, and fix what is not its own."""
        like = next(iter(self.layers.values()))
        head = nn.Linear(self.features, len(classes))
        self.heads.append(head.to(like.device, like.dtype))
        self.records.append(Task(name, tuple(classes)))
        for parameter in self._others():
            parameter.requires_grad_(False).grad = None
        self._remember()

    def prune(self, fraction: float) -> None:
        """Free the smallest weights of the current task, layer by layer.

        fraction: share of the task's weights to free, in [0, 1). Freed
        weights are zero and stay so until the next `add_task`; train
        again after this. Raises BadFraction, NoTask, InsideView.
        """
        self.refuse_inside_view("prune")
        task = self._current()
        for weight, owner in self._map():
            pruning.free_smallest(weight, owner, task, fraction)
        record = self.records[-1]
        self.records[-1] = Task(
            record.name, record.classes, (*record.fractions, fraction)
        )
        self._remember()

    def guard(self, optimizer: Optimizer) -> None:
        """From now on no step of this optimiser changes a fixed weight.

        Fixed are the weights of earlier tasks, free weights (at zero)
        and, from the second task on, everything else but the new head.
        Holds for any optimiser, with decay, momentum or clipping, and
        follows later `add_task` and `prune`.
        """
        optimizer = getattr(optimizer, "optimizer", optimizer)  # accelerate
        self._guards.add(
            Guard(optimizer, lambda: self.refuse_inside_view("train"))
        )
        self._remember()

    @contextmanager
    def view(self, name: str) -> Iterator["PackNet"]:
        """The network as one task sees it, within a `with` block.

        The weights of later tasks are set aside, not overwritten, and
        are back at the end of the block, whatever happens in it. Views
        nest. They are for looking: what an optimiser does inside one is
        undone with it (a guarded one refuses). Raises UnknownTask.
        """
        task, seen = self.number(name), self._seen
        try:
            self._show(task)
            yield self
        finally:
            self._show(seen)

    def owner_counts(self) -> dict[str, list[int]]:
        """How many weights of each layer are free, of task 1, of task 2, …

        Keyed like `owner`.
        """
        return {
            name: owners.counts(owner, len(self.records))
            for name, owner in self.owner.items()
        }

    def save(self, path: str | os.PathLike) -> None:
        """Write the packed network to one file, replacing it at once.

        Raises OSError if it cannot be written; an older file of that
        name is then still whole.
        """
        from packnet_core.files import save  # files know networks

        self.refuse_inside_view("save")
        save(self, path)

    def _current(self) -> int:
        if not self.records:
            raise NoTask("the network has no task yet: call add_task first")
        return len(self.records)

    def _map(self) -> Iterator[tuple[nn.Parameter, Tensor]]:
        for name, weight in self.layers.items():
            yield weight, self.owner[name]

    def _others(self) -> Iterator[nn.Parameter]:
        """Parameters that may not change at all any more."""
        if len(self.records) > 1:
            shared = {id(weight) for weight in self.layers.values()}
            for parameter in self.trunk.parameters():
                if id(parameter) not in shared:
                    yield parameter
            yield from self.heads[:-1].parameters()

    def _fix_norms(self) -> None:
        """Keep running statistics from drifting in train mode."""
        for norm in self._norms:
            free = any(p.requires_grad for p in norm.parameters())
            if self._guards or not free:
                norm.eval()

    def _remember(self) -> None:
        task = len(self.records)
        for guard in self._guards:
            guard.remember(self._map(), task, self._others())

    def refuse_inside_view(self, what: str) -> None:
        """Raise InsideView, naming `what`, while seen as a task."""
        if self._seen is not None:
            raise InsideView(
                f"cannot {what} while the network is seen as "
                f"{self.tasks[self._seen - 1]!r}: leave the view first"
            )

    @torch.no_grad()
    def _show(self, task: int | None) -> None:
        """Show what a task sees, or the whole network again for None."""
        torch.clear_autocast_cache()  # it may hold weights as seen before
        if self._seen is None:
            self._whole = {n: w.data for n, w in self.layers.items()}
        for n, weight in self.layers.items():
            weight.data = self._whole[n]
            if task is not None:
                weight.data = owners.seen(weight.data, self.owner[n], task)
        if task is None:
            self._whole = {}
        self._seen = task

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_guards": weakref.WeakSet()}

    def _apply(self, fn, recurse=True):
        seen = self._seen
        self._show(None)  # move whole weights, not what a view shows
        super()._apply(fn, recurse)
        for name, weight in self.layers.items():
            owner = self.owner[name]
            moved = (weight.device, weight.stride())
            if moved != (owner.device, owner.stride()):
                self.owner[name] = torch.empty_like(
                    weight, dtype=torch.uint8, requires_grad=False
                ).copy_(owner)
        self._remember()
        self._show(seen)
        return self
