"""PackNet: several tasks in one network, without forgetting.

Mallya & Lazebnik, "PackNet: Adding Multiple Tasks to a Single Network
by Iterative Pruning", arXiv:1711.05769. Each method is a step of the
paper: `add_task` (train), `prune` (then train again), `add_task`, …
"""

import json
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import wraps
from operator import index
from typing import TypeVar, cast

import torch
from accelerate.optimizer import AcceleratedOptimizer
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import skip_init
from torch.optim import Optimizer

from packnet_core import files, masking, pruning, trunks
from packnet_core.errors import (
    BadState,
    BadTask,
    BadTrunk,
    Changed,
    Diverged,
    NoFreeWeights,
    NoTask,
    TooManyTasks,
    UnknownTask,
)
from packnet_core.guard import Guard, digest
from packnet_core.views import (
    View,
    innermost,
    place,
    refuse_export,
    refuse_inside,
)

Method = TypeVar("Method", bound=Callable)


def _alone(method: Method) -> Method:
    """Let no other thread exchange weights while a method runs."""

    @wraps(method)
    def locked(self, *args, **options):
        with self._lock:
            return method(self, *args, **options)

    return cast(Method, locked)


EXTRA = "_extra_state"  # torch's name for what is no tensor of a module


@dataclass(frozen=True)
class Task:
    """What a network records of one of its tasks.

    classes: their names in the order of the outputs; fractions: the
    prune fractions applied to the task so far, in order.
    """

    name: str
    classes: tuple[str, ...]
    fractions: tuple[float, ...] = ()


class Extracted(nn.Module):
    """One task of a packed network alone: a trunk and a head."""

    def __init__(self, trunk: nn.Module, head: nn.Module):
        super().__init__()
        self.trunk = trunk
        self.head = head

    def forward(self, *inputs, **options) -> Tensor:
        """Logits (B, classes) for what the trunk takes."""
        return self.head(self.trunk(*inputs, **options))


class PackNet(nn.Module):
    """One trunk that holds several tasks, and a head for each.

    trunk: any module that maps images (B, 3, H, W), or other inputs, to
    features (B, `features`). The weights of its convolutions, linear
    layers and attention are shared out among the tasks. Everything else
    in it (biases, normalisation, every buffer) is trained with the first
    task and fixed from the second on.

    `provenance` is a dictionary of plain values that is saved along.

    Raises BadTrunk if nothing in the trunk can be shared out, or if it
    has layers with which earlier tasks could not be kept exact.
    """

    def __init__(self, trunk: nn.Module, features: int):
        super().__init__()
        masking.refuse_inexact(trunk)
        self.trunk = trunk
        self.out_features = index(features)
        self.heads = nn.ModuleList()
        self.owners = masking.OwnerMap(masking.shared_out(trunk))
        self.records: list[Task] = []
        self.provenance: dict = {}
        # Digests of what is fixed, by its name in the state; None while
        # nothing is.
        self._proof: dict[str, str] | None = None
        self._proven_at: list = []
        # Owners are the same in every process: none sends them about.
        self._ddp_params_and_buffers_to_ignore = [
            f"owners.{name}" for name, _ in self.owners
        ]
        self.register_load_state_dict_post_hook(_settle_loaded)
        self._forget_others()

    def _forget_others(self) -> None:
        """Begin without guards, and with a lock of its own."""
        self._guard: Callable[[], Guard | None] = _no_guard
        self._lock = threading.RLock()  # while weights are exchanged

    # What is there

    @property
    def tasks(self) -> list[str]:
        """The names of the tasks, in the order in which they came."""
        return [record.name for record in self.records]

    @property
    def layers(self) -> dict[str, nn.Parameter]:
        """The weights that are shared out, by their name in the trunk."""
        return masking.shared_out(self.trunk)

    @property
    def owner(self) -> dict[str, Tensor]:
        """Who owns each weight, by its name in the trunk.

        uint8 tensors, shaped like the weights: 0 free, k of the k-th task.
        """
        return dict(self.owners)

    def number(self, name: str) -> int:
        """The owner number of a task, from 1. Raises UnknownTask."""
        if name not in self.tasks:
            known = ", ".join(self.tasks) or "none yet"
            raise UnknownTask(f"no task {name!r}; tasks here: {known}")
        return self.tasks.index(name) + 1

    def owner_counts(self) -> dict[str, list[int]]:
        """How many weights of each layer are free, of task 1, of task 2, …

        Keyed like `owner`.
        """
        return {
            name: masking.counts(owner, len(self.records))
            for name, owner in self.owners
        }

    def summary(self) -> str:
        """What is shared out and who owns it, and what is fixed, as text."""
        rows = self.owner_counts()
        rows["all"] = [sum(column) for column in zip(*rows.values())]
        wide = max(map(len, rows))
        owned = ", % ".join(["free", *self.tasks])
        lines = [f"shared out among the tasks (weights; % {owned})"]
        for name, row in rows.items():
            parts = "".join(f"{100 * n / sum(row):8.2f}" for n in row)
            lines.append(f"  {name:{wide}} {sum(row):>12,}{parts}")
        lines.append("trained with the first task, fixed from the second on")
        shared = {id(weight) for weight in self.layers.values()}
        rest = [
            p for p in self.trunk.named_parameters() if id(p[1]) not in shared
        ]
        few = [tensor.numel() for _, tensor in rest if tensor.dim() < 2]
        lines.append(f"  biases, scales, shifts: {sum(few):,} in {len(few)}")
        for name, tensor in [*rest, *self.trunk.named_buffers()]:
            if tensor.dim() >= 2:
                lines.append(
                    f"  {name}: {list(tensor.shape)}, not shared out"
                )
        held = [name for name, m in self.trunk.named_modules() if m._buffers]
        lines.append(
            f"in eval mode then, for their buffers: {held or 'none'}"
        )
        return "\n".join(lines)

    # Answers

    @torch.compiler.disable(recursive=False)
    def forward(self, *inputs, **options) -> Tensor:
        """Logits (B, classes) of the current task, or of the view's.

        inputs: what the trunk takes, as a rule images (B, 3, H, W).
        Raises NoTask before the first `add_task`.
        """
        view = innermost(self)
        task = view.task if view else self._current()
        return self.heads[task - 1](self.features(*inputs, **options))

    @torch.compiler.disable(recursive=False)
    def features(self, *inputs, **options) -> Tensor:
        """The trunk's output (B, out_features), in a view as its task
        sees it."""
        for module in self.still():
            module.training = False
        if self.training:
            self._proven_at = []  # whatever is written to from now on
        view = innermost(self)
        with self._lock:
            if view is None:
                return self.trunk(*inputs, **options)
            refuse_export(self.tasks[view.task - 1])
            weights = view.weights()
            return functional_call(self.trunk, weights, inputs, options)

    @_alone
    def view(self, name: str) -> View:
        """The network as one task sees it, within a `with` block.

        No parameter changes: the block's calls go through copies in which
        later tasks' weights are zero. Views nest, and each thread has its
        own. They are for looking: no guarded optimiser steps in one.
        Raises UnknownTask, Changed.
        """
        task = self.number(name)
        self._check()
        self._prove()
        return View(self, task)

    @_alone
    def extract(self, name: str) -> Extracted:
        """One task as a plain module, independent of the network.

        In eval mode, with what the task does not see set to zero; for
        export, quantisation, shipping. Raises UnknownTask, Changed.
        """
        task = self.number(name)
        self._check()
        self._prove()
        trunk = deepcopy(self.trunk)
        for layer, weight in masking.shared_out(trunk).items():
            seen = masking.masked(weight, self.owner[layer], task)
            weight.data = seen.detach()
        head = deepcopy(self.heads[task - 1])
        return Extracted(trunk, head).requires_grad_(True).eval()

    # The steps of the paper

    @_alone
    def add_task(self, name: str, classes: int | Iterable[str]) -> None:
        """Hand every free weight to a new task, from zero; add its head.

        classes: how many, or their names in the order of the labels.
        What is owned already is fixed from now on. The first task takes
        the trunk as it is. Guarded optimisers train the new head too.
        Raises BadTask, NoFreeWeights, TooManyTasks, InsideView, Changed.
        """
        record, head = self._new_task(name, classes)
        task = len(self.records) + 1
        if not any((owner == masking.FREE).any() for _, owner in self.owners):
            raise NoFreeWeights(
                f"no free weights left for {name!r}: prune "
                f"{self.tasks[-1]!r} first, for instance prune(0.5)"
            )
        with files.uninterrupted():
            for layer, weight in self.layers.items():
                masking.hand_over(weight, self.owner[layer], task)
            self._begin(record, head)

    @_alone
    def add_head(self, name: str, classes: int | Iterable[str]) -> None:
        """Add a task that owns no weights: it uses all that are there.

        Its head alone is its own, so this needs no free weights. Raises
        BadTask, NoTask, TooManyTasks, InsideView, Changed.
        """
        self._current()
        record, head = self._new_task(name, classes)
        with files.uninterrupted():
            self._begin(record, head)

    @_alone
    def prune(self, fraction: float) -> None:
        """Free the smallest weights of the current task, layer by layer.

        fraction: share of the task's weights to free, in [0, 1). Freed
        weights are zero and stay so until the next `add_task`; train
        again after this. What raises has changed nothing. Raises
        BadFraction, Diverged, NoTask, InsideView, Changed.
        """
        refuse_inside(self, "prune")
        task, fraction = self._current(), pruning.checked(fraction)
        self._check()
        self._prove()
        layers, owner = self.layers, self.owner
        limits = {}
        for name, weight in layers.items():
            try:
                limits[name] = pruning.cutoff(
                    weight, owner[name], task, fraction
                )
            except Diverged as error:
                raise Diverged(f"{name}: {error}") from error
        with files.uninterrupted():
            for name, weight in layers.items():
                pruning.free_up_to(weight, owner[name], task, limits[name])
            self.note_pruned(fraction)

    def note_pruned(self, fraction: float) -> None:
        """Record that the current task was pruned; the owners say how.

        For whoever frees weights by another rule than `prune`.
        """
        last = self.records[self._current() - 1]
        fractions = (*last.fractions, pruning.checked(fraction))
        self.records[-1] = Task(last.name, last.classes, fractions)
        self._remember()

    @_alone
    def guard(self, optimizer: Optimizer) -> None:
        """From now on no step of this optimiser changes a fixed weight.

        Fixed are the weights of earlier tasks, free weights (at zero)
        and, from the second task on, everything else but the new head.
        Holds for any optimiser, with decay, momentum or clipping, and
        follows later `add_task` and `prune`.
        """
        if isinstance(optimizer, AcceleratedOptimizer):
            optimizer = optimizer.optimizer
        guard = self._guard()
        if guard is None:
            guard = Guard(self._before_step)
            self._guard = weakref.ref(guard)
        guard.watch(optimizer)
        self._remember()

    def unfreeze(self, heads: bool = False) -> None:
        """Let everything change again, until the next task is added.

        For methods that forget: the trunk takes gradients, normalisation
        learns, nothing is proven. heads: the earlier heads change too. An
        optimiser that is guarded goes on putting back what was fixed.
        """
        self._proof = None
        self.trunk.requires_grad_(True)
        if heads:
            self.heads.requires_grad_(True)

    def _new_task(
        self, name: str, classes: int | Iterable[str]
    ) -> tuple[Task, nn.Linear]:
        """Record and head of a new task, if it may be added."""
        refuse_inside(self, "add a task")
        self._check()
        self._prove()
        if isinstance(classes, str):
            raise BadTask(f"classes {classes!r}: give a number, or the names")
        if not isinstance(classes, Iterable):
            classes = [str(label) for label in range(index(classes))]
        names = tuple(str(label) for label in classes)
        if not isinstance(name, str) or not name:
            raise BadTask(f"task {name!r}: a task needs a name")
        if name in self.tasks:
            raise BadTask(f"there is a task {name!r} already: rename one")
        if len(names) < 2:
            raise BadTask(
                f"task {name!r} has {len(names)} class(es): "
                "at least two are needed to tell apart"
            )
        if len(self.records) == masking.MOST_TASKS:
            raise TooManyTasks(
                f"the network holds {masking.MOST_TASKS} tasks already, all "
                "that one byte can tell apart: start another network"
            )
        like = next(iter(self.layers.values()))
        head = nn.Linear(self.out_features, len(names))
        return Task(str(name), names), head.to(like.device, like.dtype)

    def _empty_head(self, classes: int) -> nn.Linear:
        like = next(iter(self.layers.values()))
        return skip_init(
            nn.Linear, self.out_features, classes,
            device=like.device, dtype=like.dtype,
        )  # fmt: skip

    def _begin(self, record: Task, head: nn.Module) -> None:
        """Take a new task in, and fix what is not its own."""
        former = self.heads[-1] if self.records else self.trunk
        self.heads.append(head)
        self.records.append(record)
        guard = self._guard()
        if guard is not None:
            guard.take(list(head.parameters()), set(former.parameters()))
        self.freeze()

    # What is fixed

    def frozen(self) -> Iterator[tuple[str, Tensor]]:
        """What is not shared out and may not change, by its name in the
        state: from the second task on the rest of the trunk with all its
        buffers, and the earlier heads."""
        if len(self.records) > 1:
            shared = {id(weight) for weight in self.layers.values()}
            for name, tensor in (
                *self.trunk.named_parameters(),
                *self.trunk.named_buffers(),
            ):
                if id(tensor) not in shared:
                    yield f"trunk.{name}", tensor
            for number, head in enumerate(self.heads[:-1]):
                for name, tensor in head.named_parameters():
                    yield f"heads.{number}.{name}", tensor

    def still(self) -> Iterator[nn.Module]:
        """Modules that stay in eval mode: those with buffers, from the
        second task on."""
        if self._proof is not None:
            yield from (m for m in self.trunk.modules() if m._buffers)

    def freeze(self) -> None:
        """Fix what is not shared out, from the second task on; prove it.

        Shared weights of finished tasks are held by the guard.
        """
        for _, tensor in self.frozen():
            tensor.requires_grad_(False).grad = None
        self._proof = self._take_proof() if len(self.records) > 1 else None
        self._mark_proven()
        self._remember()

    def _take_proof(self) -> dict[str, str]:
        """Digests of all fixed bits, by their names in the state."""
        below, owner = len(self.records), self.owner
        return {
            f"trunk.{name}": digest(weight, owner[name], below)
            for name, weight in self.layers.items()
        } | {name: digest(tensor) for name, tensor in self.frozen()}

    @_alone
    def _prove(self) -> None:
        """See that no fixed bit has changed. Raises Changed.

        A guard puts right what was changed past its optimiser's steps.
        Looks again only after training, or where something was written.
        """
        if self._proof is None or self._stamps() == self._proven_at:
            return
        guard = self._guard()
        if guard is not None and self._take_proof() != self._proof:
            guard.restore()
        found = self._take_proof()
        changed = [n for n in self._proof if found.get(n) != self._proof[n]]
        if changed:
            raise Changed(
                f"{changed[0]}: bits of finished tasks have changed. Guard "
                "every optimiser, with net.guard(optimizer), also one inside "
                "another; go on from what was last saved"
            )
        self._mark_proven()

    def _mark_proven(self) -> None:
        self._proven_at = [] if self._proof is None else self._stamps()

    def _stamps(self) -> list:
        """Something that differs when a tensor was written to, as far as
        torch notices: not through `.data`."""
        tensors = (*self.trunk.parameters(), *self.buffers(),
                   *self.heads.parameters())  # fmt: skip
        return [(id(t), stamp(t), place(t)) for t in tensors]

    def _remember(self) -> None:
        guard = self._guard()
        if guard is not None:
            owner = self.owner
            layers = ((w, owner[n]) for n, w in self.layers.items())
            others = [tensor for _, tensor in self.frozen()]
            guard.remember(layers, len(self.records), others)

    def _before_step(self) -> None:
        refuse_inside(self, "train")
        self._proven_at = []  # whatever an optimiser writes through
        guard = self._guard()
        if guard is not None and not guard.is_current():
            self._remember()

    def _current(self) -> int:
        if not self.records:
            raise NoTask("the network has no task yet: call add_task first")
        return len(self.records)

    @_alone
    def _check(self) -> None:
        """See that the shared layers are those of the owner map.

        Raises BadTrunk that names a layer which came, went, or changed
        its shape.
        """
        masking.refuse_inexact(self.trunk)
        layers, owner = self.layers, self.owner
        for name in owner:
            if name not in layers:
                raise BadTrunk(
                    f"{name} is no plain weight any more (replaced, wrapped "
                    "or quantised): use extract(task) for such a copy, or "
                    "put the layer back"
                )
            if layers[name].shape != owner[name].shape:
                raise BadTrunk(
                    f"{name} has another shape, {tuple(layers[name].shape)}, "
                    f"than its owners, {tuple(owner[name].shape)}: put the "
                    "layer back, or make a PackNet of the new trunk"
                )
        for name in layers.keys() - owner.keys():
            raise BadTrunk(
                f"{name} came in after the PackNet was made, and nobody "
                "owns it: change the trunk first, then make a PackNet of it"
            )

    def train(self, mode: bool = True) -> "PackNet":
        """Set training or eval mode. Raises Changed on leaving training
        if fixed bits were changed by then."""
        if self.training and not mode:
            self._prove()
        return super().train(mode)

    # How it travels

    def __getstate__(self) -> dict:
        left = {"_guard", "_lock"}
        state = {k: v for k, v in self.__dict__.items() if k not in left}
        with self._lock:  # modules of its own: no call exchanges weights
            kept = {
                id(t): t
                for t in (*self.trunk.parameters(), *self.trunk.buffers())
            }
            trunk = deepcopy(self.trunk, kept)
        state["_modules"] = {**state["_modules"], "trunk": trunk}
        return state

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self._forget_others()
        self._proven_at = []

    @_alone
    def _apply(self, fn, recurse=True):
        self._prove()
        kinds = [tensor.dtype for tensor in self.parameters()]
        super()._apply(fn, recurse)
        if kinds != [tensor.dtype for tensor in self.parameters()]:
            if self._proof is not None:  # other bits, for the same numbers
                self._proof = self._take_proof()
        self._proven_at = []
        self._remember()
        return self

    def state_dict(self, *args, **options):
        """Everything, owners and tasks included, by name."""
        with self._lock:  # never what a view shows for a moment
            return super().state_dict(*args, **options)

    def get_extra_state(self) -> Tensor:
        """Tasks, digests and provenance, as the bytes of a JSON text."""
        about = {
            "features": self.out_features,
            "tasks": [asdict(record) for record in self.records],
            "proof": self._proof,
            "provenance": self.provenance,
        }
        text = json.dumps(about, default=str).encode()
        return torch.frombuffer(bytearray(text), dtype=torch.uint8).clone()

    def set_extra_state(self, state: Tensor) -> None:
        """Take over what `get_extra_state` gave."""
        about = json.loads(bytes(state.cpu().tolist()))
        self.records = [_task(record) for record in about["tasks"]]
        self.provenance = about["provenance"]
        self._proof = about["proof"]

    def _load_from_state_dict(self, state, prefix, *args):
        own = {
            name.removeprefix(prefix): tensor
            for name, tensor in state.items()
            if name.startswith(prefix)
        }
        strict, former = args[1], len(self.heads)
        try:
            self._fit_state(own, strict)
        except BaseException:
            del self.heads[former:]
            raise
        super()._load_from_state_dict(state, prefix, *args)

    def _fit_state(self, own: dict[str, Tensor], strict: bool) -> None:
        """See that a state is one of this network, or build its heads.

        Raises BadState, before anything else is changed.
        """
        if EXTRA not in own:
            if self.records or any(n.startswith("owners.") for n in own):
                raise BadState(
                    "this state has no tasks, and the owners of its weights "
                    "are unknown: load what PackNet.state_dict() gave"
                )
            return
        about = json.loads(bytes(own[EXTRA].cpu().tolist()))
        records = [_task(record) for record in about["tasks"]]
        known = [(r.name, r.classes) for r in self.records]
        if known and known != [(r.name, r.classes) for r in records]:
            raise BadState(
                f"this state has the tasks {[r.name for r in records]}, the "
                f"network has {self.tasks}: load it into a PackNet without "
                "tasks, PackNet(trunk, features)"
            )
        if not known:
            self.heads.extend(
                self._empty_head(len(r.classes)) for r in records
            )
        there = {n: t for n, t in self.state_dict().items() if n != EXTRA}
        for name in there.keys() ^ (own.keys() - {EXTRA}):
            if strict or name in there:
                what = "lacks" if name in there else "has, besides,"
                raise BadState(
                    f"this state {what} {name}: it is of another network; "
                    "build the trunk that was saved"
                )
        for name, tensor in there.items():
            if own[name].shape != tensor.shape:
                raise BadState(
                    f"this state has {name} in shape "
                    f"{tuple(own[name].shape)}, the network in "
                    f"{tuple(tensor.shape)}: build the trunk that was saved"
                )
        for name, text in (about["proof"] or {}).items():
            owner = None
            if name.startswith("trunk."):
                owner = own.get(f"owners.{name.removeprefix('trunk.')}")
            if name not in own:  # a buffer that is not saved
                continue
            if digest(own[name], owner, len(records)) != text:
                raise BadState(
                    f"this state's {name} is not what its finished tasks "
                    "were trained to: it was changed after they were fixed"
                )

    @_alone
    def save(self, path: str | os.PathLike) -> None:
        """Write the packed network to one file, replacing it at once.

        Raises OSError if it cannot be written; an older file of that
        name is then still whole. Raises BadTask for a head that is no
        linear layer, InsideView, Changed.
        """
        refuse_inside(self, "save")
        self._check()
        self._proven_at = []
        self._prove()
        tensors = {f"trunk.{n}": t for n, t in _once(self.trunk).items()}
        for number, (task, head) in enumerate(zip(self.tasks, self.heads), 1):
            if type(head) is not nn.Linear or head.bias is None:
                raise BadTask(
                    f"the head of {task!r} is no linear layer with a bias, "
                    "and a .packnet file has no place for it: keep such a "
                    "network with torch.save(net.state_dict(), path)"
                )
            tensors[f"head.{number}.weight"] = head.weight
            tensors[f"head.{number}.bias"] = head.bias
        architecture = getattr(self.trunk, "architecture", None)
        header = {
            "architecture": architecture and asdict(architecture),
            "features": self.out_features,
            "tasks": [asdict(record) for record in self.records],
            "provenance": self.provenance,
        }
        files.write(path, header, tensors, self.owner, len(self.records))


def load(path: str | os.PathLike, trunk: nn.Module | None = None) -> PackNet:
    """Read a packed network.

    trunk: needed if the library did not build the saved trunk; its
    weights are replaced, its number type is kept. Raises
    FileNotFoundError, DamagedFile, BadTrunk.
    """
    header, tensors, codes = files.read(path)
    built = trunk is None
    with files.damage_named(path):
        if trunk is None:
            if header["architecture"] is None:
                raise BadTrunk(
                    f"{path}: its trunk was not built by this library; "
                    "build it yourself and call load(path, trunk)"
                )
            architecture = trunks.Architecture(**header["architecture"])
            with torch.device("meta"):  # shapes only; the file has values
                trunk = trunks.build(architecture)
        own = {
            name.removeprefix("trunk."): tensor
            for name, tensor in tensors.items()
            if name.startswith("trunk.")
        }
        shapes = {name: tensor.shape for name, tensor in _once(trunk).items()}
        if shapes != {name: tensor.shape for name, tensor in own.items()}:
            raise BadTrunk(
                f"{path}: its tensors do not fit the trunk; "
                "build the trunk that was saved"
            )
        trunk.load_state_dict(own, strict=built, assign=built)
        network = PackNet(trunk, header["features"])
        network.provenance = dict(header["provenance"])
        records = [_task(record) for record in header["tasks"]]
        for number, record in enumerate(records, start=1):
            weight = tensors[f"head.{number}.weight"]
            bias = tensors[f"head.{number}.bias"]
            wanted = len(record.classes), network.out_features
            if weight.shape != wanted or record.name in network.tasks:
                raise ValueError(f"task {record.name!r}: wrong, or twice")
            network.records.append(record)
            network.heads.append(network._empty_head(wanted[0]))
            network.heads[-1].load_state_dict(
                {"weight": weight, "bias": bias}
            )
        for name, owner in network.owners:
            flat = files.decode(codes[name], len(records), owner.numel())
            owner.copy_(flat.view(owner.shape))
        network.freeze()
    return network


def _no_guard() -> None:
    """What a network without a guarded optimiser has instead."""


def stamp(tensor: Tensor) -> int:
    """How often a tensor was written to, as far as torch counts it."""
    return -1 if tensor.is_inference() else tensor._version


def _task(record: dict) -> Task:
    return Task(
        str(record["name"]),
        tuple(str(name) for name in record["classes"]),
        tuple(pruning.checked(f) for f in record["fractions"]),
    )


def _once(trunk: nn.Module) -> dict[str, Tensor]:
    """Parameters and saved buffers by name, shared ones once."""
    named: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in trunk.state_dict(keep_vars=True).items():
        if isinstance(tensor, Tensor) and id(tensor) not in seen:
            named[name] = tensor.detach()
            seen.add(id(tensor))
    return named


def _settle_loaded(network: PackNet, _) -> None:
    """After a state was loaded: the same is fixed as where it was saved."""
    frozen = network._proof is not None
    if frozen:
        network.freeze()
    network._mark_proven()
    network._remember()
