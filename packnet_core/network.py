"""PackNet: several tasks in one network, without forgetting.

Mallya & Lazebnik, "PackNet: Adding Multiple Tasks to a Single Network
by Iterative Pruning", arXiv:1711.05769. The paper's steps, and where
they are taken:

* train, and train again after pruning: `training.fit`;
* select the smallest weights of a layer: `pruning.cutoff`;
* set them to zero: `pruning.free_up_to`;
* freeze what is left, while later tasks train: `guard.Guard`;
* hand the freed weights over to the next task: `masking.hand_over`;
* mask the weights for an earlier task: `masking.masked`."""

import json
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from operator import index

import torch
from accelerate.optimizer import AcceleratedOptimizer
from torch import Tensor, nn

from packnet_core import errors, files, masking, pruning, trunks
from packnet_core.guard import Guard, digest
from packnet_core.views import View, innermost, written

RESERVED = ("free", "all", "weights", "layer", "filter")  # in tables
EXTRA = "_extra_state"  # torch's name for what is no tensor of a module


@dataclass(frozen=True)
class Task:
    """A task as a network records it. classes: their names in the order of
    the outputs; fractions: by which it was pruned so far, in order."""

    name: str
    classes: tuple[str, ...]
    fractions: tuple[float, ...] = ()


class Extracted(nn.Module):
    """One task of a packed network alone: a trunk and a head."""

    def __init__(self, trunk: nn.Module, head: nn.Module):
        super().__init__()
        self.trunk, self.head = trunk, head

    def forward(self, *inputs, **options) -> Tensor:
        """Logits (B, classes) for what the trunk takes."""
        return self.head(_whole(self.trunk(*inputs, **options)))


class PackNet(nn.Module):
    """One trunk that holds several tasks, and a head for each.

    trunk: any module that maps images (B, 3, H, W), or other inputs, to
    features (B, `features`). The weights of its convolutions, linear
    layers and attention are shared out among the tasks. Everything else
    in it (biases, normalisation, every buffer) is trained with the first
    task and fixed from the second on. `provenance`: plain values, saved
    along. Raises BadTrunk if nothing can be shared out, or if there are
    layers with which earlier tasks could not be kept exact."""

    def __init__(self, trunk: nn.Module, features: int):
        super().__init__()
        masking.refuse_inexact(trunk)
        self.trunk = trunk
        self.out_features = index(features)
        self.heads = nn.ModuleList()
        self.owners = masking.OwnerMap(masking.shared_out(trunk))
        self.records: list[Task] = []
        self.provenance: dict = {}
        # Digests of what is fixed, by its name in the state, if anything is.
        self._proof: dict[str, str] | None = None
        self._proven_at: list | None = None  # stamps of when it held
        # Owners are the same in every process: none sends them about.
        kept = [f"owners.{name}" for name in self.owner]
        self._ddp_params_and_buffers_to_ignore = kept
        self.register_load_state_dict_post_hook(_fix_loaded)
        self._forget_others()

    def _forget_others(self) -> None:
        """Begin without guards, and with a lock of its own."""
        self._guard: Callable[[], Guard | None] = lambda: None
        self.lock = threading.RLock()  # while weights are exchanged

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
        """Who owns each weight, by its name in the trunk: uint8 tensors
        like the weights, 0 where free, k where the k-th task does."""
        return dict(self.owners.named_buffers())

    def number(self, name: str) -> int:
        """The owner number of a task, from 1. Raises UnknownTask."""
        if name not in self.tasks:
            known = ", ".join(self.tasks) or "none yet"
            raise errors.UnknownTask(f"no task {name!r}; tasks here: {known}")
        return self.tasks.index(name) + 1

    def owner_counts(self) -> dict[str, list[int]]:
        """How many weights of each layer are free, of task 1, 2, …"""
        length = len(self.records) + 1
        return {
            name: torch.bincount(owner.flatten().cpu(), None, length).tolist()
            for name, owner in self.owner.items()
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
        few = [p.numel() for _, p in self._rest() if p.dim() < 2]
        lines.append("trained with the first task, fixed from the second on")
        lines.append(f"  biases, scales, shifts: {sum(few):,} in {len(few)}")
        for name, tensor in (*self._rest(), *self.trunk.named_buffers()):
            if tensor.dim() >= 2:
                lines.append(f"  {name}: {[*tensor.shape]}, not shared out")
        held = [name for name, m in self.trunk.named_modules() if m._buffers]
        lines.append(f"in eval mode then, for their buffers: {held or None}")
        return "\n".join(lines)

    def _rest(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The trunk's parameters that are not shared out."""
        shared = set(self.layers.values())
        everything = self.trunk.named_parameters()
        yield from ((n, p) for n, p in everything if p not in shared)

    # Answers

    @torch.compiler.disable(recursive=False)
    def forward(self, *inputs, **options) -> Tensor:
        """Logits (B, classes) of the current task, or of the view's, for
        what the trunk takes. Raises NoTask before the first `add_task`."""
        view = innermost(self)
        head = self.heads[(view.task if view else self._current()) - 1]
        return head(_whole(self.features(*inputs, **options)))

    @torch.compiler.disable(recursive=False)
    def features(self, *inputs, **options) -> Tensor:
        """The trunk's output (B, out_features), as a view's task sees it."""
        for module in self.still():
            module.training = False
        if self.training or torch.is_grad_enabled():  # a step may follow, and
            self._proven_at = None  # fused ones write without torch's notice
        view = innermost(self)
        with self.lock:
            if view is None:
                return self.trunk(*inputs, **options)
            if torch.jit.is_tracing() or torch.compiler.is_compiling():
                raise errors.InsideView(
                    "no program is made of a view: take "
                    f"net.extract({self.tasks[view.task - 1]!r})"
                )
            return view.call(inputs, options)

    def view(self, name: str) -> View:
        """The network as one task sees it, within a `with` block.

        No parameter changes: the block's calls go through copies in which
        later tasks' weights are zero. Views nest, each thread has its own,
        and no guarded optimiser steps in one. Raises UnknownTask; on
        entering Changed, BadTrunk, InsideView."""
        return View(self, self.number(name))

    def extract(self, name: str) -> Extracted:
        """One task as a plain module, independent of the network, in eval
        mode, with what the task does not see set to zero: for export,
        quantisation, shipping. Raises UnknownTask, Changed."""
        task, owner = self.number(name), self.owner
        with self.lock:
            self.see_unchanged()
            alone = deepcopy(Extracted(self.trunk, self.heads[task - 1]))
        for layer, weight in masking.shared_out(alone.trunk).items():
            weight.data = masking.masked(weight, owner[layer], task)
        return alone.requires_grad_(True).eval()

    # The steps of the paper

    @contextmanager
    def _changing(self, what: str) -> Iterator[None]:
        """Change the network as a whole or not at all, and alone."""
        with self.lock:
            self._refuse_inside(what)
            self.see_unchanged()
            with files.uninterrupted():
                yield

    def add_task(self, name: str, classes: int | Iterable[str]) -> None:
        """Hand every free weight to a new task, from zero; add its head.

        classes: how many, or their names in the order of the labels.
        What is owned already is fixed from now on; the first task takes
        the trunk as it is. Guarded optimisers train the new head too.
        Raises BadTask, NoFreeWeights, InsideView, Changed."""
        record, owner = self._new_task(name, classes), self.owner
        with self._changing("add a task"):
            if not any((o == masking.FREE).any() for o in owner.values()):
                raise errors.NoFreeWeights(
                    f"no free weights left for {name!r}: prune "
                    f"{self.tasks[-1]!r} first, for instance prune(0.5)"
                )
            task = len(self.records) + 1
            for layer, weight in self.layers.items():
                masking.hand_over(weight, owner[layer], task)
            self._begin(record)

    def add_head(self, name: str, classes: int | Iterable[str]) -> None:
        """Add a task that owns a head alone, and uses all weights there.
        Raises BadTask, NoTask, InsideView, Changed."""
        self._current()
        record = self._new_task(name, classes)
        with self._changing("add a task"):
            self._begin(record)

    def prune(self, fraction: float) -> None:
        """Free the smallest weights of the current task, layer by layer.

        fraction: the share, in [0, 1). Freed weights are zero until the next
        `add_task`: train again now. What raises has changed nothing. Raises
        BadFraction, BadTask, Diverged, NoTask, InsideView, Changed."""
        task, fraction = self._current(), pruning.checked(fraction)
        with self._changing("prune"):
            layers, owner = self.layers, self.owner
            if not any(masking.owned(o, task).any() for o in owner.values()):
                raise errors.BadTask(
                    f"{self.tasks[-1]!r} owns no weights to free: give it "
                    "some, with add_task instead of add_head"
                )
            limits = {
                name: pruning.cutoff(w, owner[name], task, fraction, name)
                for name, w in layers.items()
            }
            for name, weight in layers.items():
                pruning.free_up_to(weight, owner[name], task, limits[name])
            self.note_pruned(fraction)

    def note_pruned(self, fraction: float) -> None:
        """Record a pruning, also by another rule than `prune`'s."""
        last = self.records[-1]
        fractions = (*last.fractions, fraction)
        self.records[-1] = replace(last, fractions=fractions)
        self._remember()

    def guard(self, optimizer: torch.optim.Optimizer) -> None:
        """From now on no step of this optimiser, whatever it is, changes a
        fixed weight: those of earlier tasks, free ones (at zero) and, from
        the second task on, everything else but the new head. Holds after
        later calls of `add_task` and `prune` too."""
        if isinstance(optimizer, AcceleratedOptimizer):
            optimizer = optimizer.optimizer
        guard = self._guard() or Guard(self._before_step)
        self._guard = weakref.ref(guard)
        guard.attach(optimizer)
        self._remember()

    def unfreeze(self, heads: bool = False) -> None:
        """Let everything change again, for methods that forget: the trunk
        takes gradients, normalisation learns, nothing is proven until the
        next task is added, and guards let go until `guard` or `prune` is
        called. heads: the earlier heads change too."""
        self._proof = None
        if guard := self._guard():
            guard.remember((), 0, ())
        self.trunk.requires_grad_(True)
        if heads:
            self.heads.requires_grad_(True)

    def _current(self) -> int:
        if not self.records:
            raise errors.NoTask("there is no task yet: call add_task first")
        return len(self.records)

    def _new_task(self, name: str, classes: int | Iterable[str]) -> Task:
        """The record of a new task, if it may be called so."""
        if not isinstance(classes, Iterable):
            classes = map(str, range(index(classes)))
        names = tuple(map(str, classes))
        if isinstance(classes, str) or len(names) < 2:
            raise errors.BadTask(
                f"classes {names}: give a number, at least two, or the names"
            )
        taken = [*self.tasks, *RESERVED]
        if not isinstance(name, str) or not name or name in taken:
            raise errors.BadTask(
                f"task {name!r} needs a name of its own; taken: {taken}"
            )
        if len(self.records) == masking.MOST_TASKS:
            raise errors.BadTask(
                f"one byte tells {masking.MOST_TASKS} tasks apart, and so "
                "many are here: start another network"
            )
        return Task(str(name), names)

    def _begin(self, record: Task) -> None:
        """Take a new task in, and fix what is not its own."""
        former = self.heads[-1] if self.records else self.trunk
        like = next(iter(self.layers.values()))
        head = nn.Linear(self.out_features, len(record.classes))
        self.heads.append(head.to(like.device, like.dtype))
        self.records.append(record)
        if guard := self._guard():
            guard.take(list(head.parameters()), set(former.parameters()))
        self.freeze_rest()

    # What is fixed

    def frozen_rest(self) -> Iterator[tuple[str, Tensor]]:
        """What is fixed though not shared out, by its name in the state: from
        the second task on all buffers, earlier heads, the trunk's rest."""
        if len(self.records) > 1:
            for name, tensor in (*self._rest(), *self.trunk.named_buffers()):
                yield f"trunk.{name}", tensor
            earlier = self.heads[:-1]
            both = (*earlier.named_parameters(), *earlier.named_buffers())
            yield from ((f"heads.{name}", tensor) for name, tensor in both)

    def still(self) -> Iterator[nn.Module]:
        """Modules that stay in eval mode, for their buffers are fixed."""
        if self._proof is not None:
            fixed = (*self.trunk.modules(), *self.heads[:-1].modules())
            yield from (m for m in fixed if m._buffers)

    def freeze_rest(self) -> None:
        """Freeze what is not shared out, from the second task on, and
        take the digests of all that is fixed."""
        for _, tensor in self.frozen_rest():
            tensor.requires_grad_(False).grad = None
        self._proof = self._digests() if len(self.records) > 1 else None
        self._proven_at = self._stamps()
        self._remember()

    def _digests(self, view: View | None = None) -> dict[str, str]:
        """Digests of all fixed bits, by their names in the state."""
        end, owner = len(self.records), self.owner
        shown = view.weights(True) if view and view.task == end - 1 else {}
        copies = {w: [c] for w, c in shown.items() if c.is_contiguous()}
        return {
            f"trunk.{n}": digest(w, owner[n], end, *copies.get(w, []))
            for n, w in self.layers.items()
        } | {name: digest(tensor) for name, tensor in self.frozen_rest()}

    def _stamps(self) -> list:
        return [written(t) for t in (*self.parameters(), *self.buffers())]

    def _prove(self, view: View | None = None) -> None:
        """See that no fixed bit has changed, if anything was written to
        since; a guard puts right what it can. Raises Changed."""
        with self.lock:
            if self._proof is None or self._stamps() == self._proven_at:
                return
            present = self._digests(view)
            if present != self._proof and (guard := self._guard()):
                guard.restore()
                present = self._digests()
        for name, text in self._proof.items():
            if present.get(name) != text:
                raise errors.Changed(
                    f"{name}: bits of finished tasks have changed: go back "
                    "to a saved network, and net.guard(optimizer) every one"
                )
        self._proven_at = self._stamps()

    def _remember(self) -> None:
        """Let the guard, if there is one, know what is fixed now."""
        if guard := self._guard():
            owner, others = self.owner, dict(self.frozen_rest()).values()
            layers = [(w, owner[n]) for n, w in self.layers.items()]
            with self.lock:
                guard.remember(layers, len(self.records), others)

    def _before_step(self) -> None:
        self._refuse_inside("train")
        self._proven_at = None  # whatever an optimiser writes through
        if (guard := self._guard()) and not guard.is_current():
            self._remember()

    def _refuse_inside(self, what: str) -> None:
        if view := innermost(self):
            raise errors.InsideView(
                f"cannot {what} while the network is seen as "
                f"{self.tasks[view.task - 1]!r}: leave the view first"
            )

    def see_unchanged(self, view: View | None = None) -> None:
        """See that the layers are those of the owner map, and that no fixed
        bit has changed; view: one that is entered, whose copies are written
        on the way. Raises BadTrunk, Changed."""
        masking.refuse_inexact(self.trunk)
        layers, owner = self.layers, self.owner
        for name in owner.keys() | layers.keys():
            if name not in layers:
                raise errors.BadTrunk(
                    f"{name} is no plain weight any more: put it back, and "
                    "change (or quantise) what extract(task) gives instead"
                )
            if name not in owner or layers[name].shape != owner[name].shape:
                raise errors.BadTrunk(
                    f"{name} came in, or changed its shape, and nobody owns "
                    "it: change the trunk before a PackNet is made of it"
                )
        self._prove(view)

    def train(self, mode: bool = True) -> "PackNet":
        """Set training or eval mode. Raises Changed on leaving training
        if fixed bits were changed by then."""
        if self.training and not mode:
            self._prove()
        return super().train(mode)

    # How it travels

    def __getstate__(self) -> dict:
        state = {**self.__dict__, "_guard": None, "lock": None}
        with self.lock:  # modules of its own: no call exchanges weights
            tensors = (*self.trunk.parameters(), *self.trunk.buffers())
            trunk = deepcopy(self.trunk, {id(t): t for t in tensors})
        state["_modules"] = {**state["_modules"], "trunk": trunk}
        return state

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self._forget_others()
        self._proven_at = None

    def _apply(self, fn, recurse=True):
        with self.lock:
            self._prove()
            before = self._stamps()
            super()._apply(fn, recurse)
            if self._stamps() != before:  # other bits, the same numbers
                self._proof = self._proof and self._digests()
                self._remember()
        return self

    def state_dict(self, *args, **options):
        """Everything, owners and tasks included, by name."""
        with self.lock:  # never what a view shows for a moment
            return super().state_dict(*args, **options)

    def get_extra_state(self) -> Tensor:
        """Tasks, digests and provenance, as the bytes of a JSON text."""
        about = {"proof": self._proof, "provenance": self.provenance}
        return _as_bytes({"tasks": [*map(asdict, self.records)], **about})

    def set_extra_state(self, state: Tensor) -> None:
        """Take over what `get_extra_state` gave."""
        self.records, self._proof, self.provenance = _from_bytes(state)

    def _load_from_state_dict(self, state, prefix, local, strict, *args):
        self._fit_state(files.part(state, prefix), strict)
        super()._load_from_state_dict(state, prefix, local, strict, *args)

    def _fit_state(self, own: dict[str, Tensor], strict: bool) -> None:
        """Refuse what is no state of this network, before anything else is
        changed; build its heads, if it has none. Raises BadState."""
        if EXTRA not in own:
            if self.records or files.part(own, "owners."):
                raise errors.BadState(
                    "this state has no tasks: load what state_dict() gave"
                )
            return
        records, proof, _ = _from_bytes(own.pop(EXTRA))
        new = () if self.records else records
        known = [(r.name, r.classes) for r in self.records or records]
        if known != [(r.name, r.classes) for r in records]:
            raise errors.BadState(
                f"the state has the tasks {[r.name for r in records]}, not "
                f"{self.tasks}: load it into a PackNet without tasks"
            )
        with torch.device("meta"):  # shapes only, whatever the state says
            heads = nn.ModuleList(
                nn.Linear(self.out_features, len(r.classes)) for r in new
            )
        state = self.state_dict() | heads.state_dict(prefix="heads.")
        wanted = {n: t.shape for n, t in state.items() if n != EXTRA}
        given = {n: t.shape for n, t in own.items() if strict or n in wanted}
        for name, _ in sorted(wanted.items() ^ given.items()):
            raise errors.BadState(
                f"{name} is not there, or of another shape, in the state or "
                "in the network: build the trunk that was saved"
            )
        for name, text in (proof or {}).items():
            layer = name.removeprefix("trunk.")
            owner = own.get(f"owners.{layer}") if layer != name else None
            # A buffer that is not saved has no place in the state.
            if name in own and text != digest(own[name], owner, len(records)):
                raise errors.BadState(
                    f"{name} was changed in this state after it was fixed: "
                    "load an earlier one"
                )
        like = next(iter(self.layers.values()))
        self.heads.extend(heads.to_empty(device=like.device).to(like.dtype))

    def save(self, path: str | os.PathLike) -> None:
        """Write the whole network, in a view too, to one file, replacing it
        at once. Raises OSError, and leaves an older file as it was; BadTask
        for a head that is no linear layer; Changed."""
        for task, head in zip(self.tasks, self.heads):
            if type(head) is not nn.Linear or head.bias is None:
                raise errors.BadTask(
                    f"the head of {task!r} is no linear layer with a bias: "
                    "keep it with torch.save(net.state_dict(), path)"
                )
        architecture = getattr(self.trunk, "architecture", None)
        header = {
            "architecture": architecture and asdict(architecture),
            "features": self.out_features,
            "tasks": [*map(asdict, self.records)],
            "provenance": self.provenance,
        }
        self._proven_at = None
        with self.lock:
            self.see_unchanged()
            tensors = self.state_dict()
            del tensors[EXTRA]
            for name, owner in self.owner.items():
                code = files.encode(owner, len(self.records))
                tensors[f"owners.{name}"] = code
            files.write(path, header, tensors)


def load(path: str | os.PathLike, trunk: nn.Module | None = None) -> PackNet:
    """Read a packed network. trunk: needed if the library did not build
    the saved one; its weights are replaced, its number type is kept.
    Raises OSError, DamagedFile, BadTrunk."""
    built = trunk is None
    with files.damage_named(path):
        header, state = files.read(path)
        if trunk is None:
            if header["architecture"] is None:
                raise errors.BadTrunk(
                    f"{path}: build its trunk, and call load(path, trunk)"
                )
            architecture = trunks.Architecture(**header["architecture"])
            with torch.device("meta"):  # shapes only; the file has values
                trunk = trunks.build(architecture)
        network, tasks = PackNet(trunk, header["features"]), header["tasks"]
        for name, code in files.part(state, "owners.").items():
            like = state[f"trunk.{name}"]
            flat = files.decode(code, len(tasks), like.numel())
            state[f"owners.{name}"] = flat.view(like.shape)
        state[EXTRA] = _as_bytes({**header, "proof": None})
        try:
            network.load_state_dict(state, strict=built, assign=built)
        except errors.BadState as error:
            if built:
                raise
            raise errors.BadTrunk(f"{path}: {error}") from error
        network.freeze_rest()
    return network


def _whole(features: Tensor) -> Tensor:
    """Features in one piece: of others, torch chooses how to multiply them
    by whether the head takes gradients, and rounds otherwise."""
    return features.contiguous() if isinstance(features, Tensor) else features


def _as_bytes(about: dict) -> Tensor:
    text = json.dumps(about, default=str).encode()
    return torch.frombuffer(bytearray(text), dtype=torch.uint8).clone()


def _from_bytes(state: Tensor) -> tuple[list[Task], dict | None, dict]:
    about = json.loads(bytes(state.cpu().tolist()))
    records = []
    for task in about["tasks"]:
        classes = tuple(map(str, task["classes"]))
        fractions = tuple(map(pruning.checked, task["fractions"]))
        records.append(Task(str(task["name"]), classes, fractions))
    if len({record.name for record in records}) < len(records):
        raise errors.BadState("this state has two tasks of one name")
    return records, about["proof"], dict(about["provenance"])


def _fix_loaded(network: PackNet, _) -> None:
    """After a state was loaded: the same is fixed as where it was saved."""
    if network._proof is not None:
        network.freeze_rest()
    network._remember()
