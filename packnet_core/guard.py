"""The guard: no step changes a fixed weight, and the proof that none did.

Zeroing gradients is not enough. Weight decay is added inside the
optimiser, and old momentum goes on moving a weight whose gradient is
zero. So the guard does two things. As soon as a gradient is complete,
the entries of fixed weights are cleared: clipping by norm then sees only
what may move. After every step, whatever the optimiser did to a fixed
weight is undone, bit for bit, from a copy in layers where any is fixed."""

import weakref
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle
from xxhash import xxh3_128

from packnet_core.masking import bits, keep_where, owned, pieces, visible

SMALL = 4  # pieces, up to which a layer's mask is kept as wide as its weights


def digest(
    data: Tensor, owner: Tensor | None = None, end: int = 0, *copy: Tensor
) -> str:
    """A short text that changes when a bit of `data` does; with `owner`
    (uint8, same shape), a weight of a task before `end`, or its owner; copy:
    contiguous, takes those weights. It tells accidents, not forgery."""
    made = xxh3_128()
    rows = [data] if owner is None else [data, owner, *copy]
    rows = [row.detach().contiguous().flatten() for row in rows]
    room = rows[0].new_empty(0)  # for all pieces: new pages are slow
    for counted in pieces(*rows):
        if owner is not None:
            fixed = visible(counted[1], end - 1)
            now = bits(counted[2] if copy else room.resize_(fixed.shape))
            now.copy_(fixed).mul_(bits(counted[0]))
            counted = now, fixed.view(torch.uint8).mul_(counted[1])
        for one in counted:
            made.update(one.view(torch.uint8).cpu().numpy().data)
    return f"{str(data.dtype).removeprefix('torch.')}:{made.hexdigest()}"


class Fixed:
    """What may not change in one shared parameter: all but what `task`
    owns (owner: uint8 tensor, shaped like `weight`)."""

    def __init__(self, weight: Tensor, owner: Tensor, task: int):
        self.owner, self.task, self.noted = owner, task, owner._version
        kept = weight.detach().clone()
        for values, owners in pieces(kept, owner):
            keep_where(values, ~owned(owners, task))
        self.kept = bits(kept)
        # As wide as the weights, a mask takes half the time, but room.
        small = len([*pieces(owner, whole=SMALL)]) == 1
        self.mask = owned(owner, task).to(self.kept.dtype) if small else None

    def _mine(self, *tensors: Tensor) -> Iterable[tuple[Tensor, ...]]:
        mask = self.mask if self.noted == self.owner._version else None
        for *parts, owners in pieces(*tensors, self.owner, whole=SMALL):
            yield *parts, owned(owners, self.task) if mask is None else mask

    def clear(self, weight: Tensor) -> None:
        """Clear the gradients of the fixed weights, in place."""
        if weight.grad is not None:
            for values, mine in self._mine(weight.grad):
                keep_where(values, mine)

    def restore(self, weight: Tensor) -> None:
        """Put the fixed weights back, in place, bit for bit."""
        for now, kept, mine in self._mine(bits(weight), self.kept):
            torch.addcmul(kept, now, mine, out=now)


class Guard:
    """Holds what guarded optimisers may not change; they keep it alive.
    before_step: called before each step; raises where one is wrong."""

    def __init__(self, before_step: Callable[[], None]):
        self.before_step = before_step
        self.optimizers: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self.partly: dict[nn.Parameter, Fixed] = {}
        self.wholly: dict[Tensor, Tensor] = {}
        self.hooks: list[RemovableHandle] = []

    def __del__(self):
        for hook in self.hooks:
            hook.remove()

    def attach(self, optimizer: Optimizer) -> None:
        """Guard an optimiser, and those that it steps with."""
        for one in (optimizer, *vars(optimizer).values()):
            if isinstance(one, Optimizer) and one not in self.optimizers:
                self.optimizers.add(one)
                one.register_step_pre_hook(lambda *_: self.before_step())
                one.register_step_post_hook(lambda *_: self.restore())

    def take(self, new: Iterable[nn.Parameter], beside: set[Tensor]) -> None:
        """Let optimisers train `new` too, where they train `beside`."""
        for optimizer in self.optimizers:
            known = {p for g in optimizer.param_groups for p in g["params"]}
            for group in optimizer.param_groups:
                if beside & set(group["params"]):
                    group["params"] += [p for p in new if p not in known]
                    break

    def remember(
        self,
        layers: Iterable[tuple[nn.Parameter, Tensor]],
        task: int,
        others: Iterable[Tensor],
    ) -> None:
        """Take note of what is fixed from now on: of layers (shared weights
        with their owners) all but what `task` owns; all of `others`."""
        while self.hooks:
            self.hooks.pop().remove()
        self.partly.clear()
        for weight, owner in layers:
            if not owned(owner, task).all():
                fixed = self.partly[weight] = Fixed(weight, owner, task)
                if weight.requires_grad:
                    hook = weight.register_post_accumulate_grad_hook
                    self.hooks.append(hook(fixed.clear))
        self.wholly = {p: p.detach().clone() for p in others}

    def is_current(self) -> bool:
        """Whether the owners are still those that were noted."""
        return all(f.noted == f.owner._version for f in self.partly.values())

    @torch.inference_mode(False)  # in which torch would not notice it
    @torch.no_grad()
    def restore(self) -> None:
        """Undo whatever was done to fixed parameters and buffers."""
        for weight, fixed in self.partly.items():
            fixed.restore(weight)
        if self.wholly:
            torch._foreach_copy_([*self.wholly], [*self.wholly.values()])
