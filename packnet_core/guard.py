"""The guard: no step changes a fixed weight, and the proof that none did.

Zeroing gradients is not enough. Weight decay is added inside the
optimiser, and old momentum goes on moving a weight whose gradient is
zero. So the guard does two things. As soon as a gradient is complete,
the entries of fixed weights are cleared: clipping by norm then sees only
what may move. After every step, whatever the optimiser did to a fixed
weight is undone from a copy, bit for bit.

Memory: the weight's own size for the copy, in layers where something is
fixed, once for all optimisers; the owner map serves as the mask.
"""

import hashlib
import weakref
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from packnet_core.masking import (
    PIECE,
    bits,
    count_owned,
    keep_where,
    pieces,
    visible,
)

ROW = 1024  # words of 8 bytes


@torch.no_grad()
def digest(
    values: Tensor, owner: Tensor | None = None, below: int = 0
) -> str:
    """A short text that changes when a bit of `values` does.

    With `owner` (uint8, same shape) only the weights of the tasks before
    `below` count, and whose each is. Large tensors are added up by rows
    and by columns first: a proof against accidents, not against malice.
    """
    made = hashlib.blake2b(digest_size=16)
    given = [values.detach().contiguous()]
    if owner is not None:
        given.append(owner.contiguous())
    for value, *owners in pieces(*given):
        seen = [visible(one, below - 1) for one in owners]
        counted = [value, *owners]
        if owners:
            counted = [bits(value).mul(*seen), owners[0].mul(*seen)]
        for words in counted:
            data = words.reshape(-1).view(torch.uint8)
            whole = data.numel() // (8 * ROW) * 8 * ROW
            if whole > 8 * ROW * ROW // 16:
                rows = data[:whole].view(torch.int64).view(-1, ROW)
                for sums in (rows.sum(0), rows.sum(1)):
                    made.update(sums.cpu().numpy().data)
                data = data[whole:]
            made.update(data.cpu().numpy().data)
    return f"{str(values.dtype).removeprefix('torch.')}:{made.hexdigest()}"


class Fixed:
    """What may not change in one shared parameter.

    owner: uint8 tensor, shaped like `weight`; the weights of `task` may
    change, no others. The owner map itself serves as the mask, but for
    small layers: there a mask of the weights' width is faster.
    """

    def __init__(self, weight: Tensor, owner: Tensor, task: int):
        self.owner, self.task = owner, task
        self.version = owner._version
        kept = weight.detach().clone()
        for values, owners in pieces(kept, owner):
            keep_where(values, owners != task)
        self.kept = bits(kept)
        self.moves = None
        if owner.numel() <= PIECE:
            self.moves = (owner == task).to(self.kept.dtype)

    def clear(self, gradient: Tensor) -> None:
        """Clear the entries of fixed weights in a gradient, in place."""
        if self.moves is not None:
            keep_where(gradient, self.moves)
            return
        for values, owners in pieces(gradient, self.owner):
            keep_where(values, owners == self.task)

    def restore(self, weight: Tensor) -> None:
        """Put the fixed weights back, in place, bit for bit."""
        whole = bits(weight)
        if self.moves is not None:
            torch.addcmul(self.kept, whole, self.moves, out=whole)
            return
        for values, owners, kept in pieces(whole, self.owner, self.kept):
            moves = owners == self.task
            torch.addcmul(kept, values, moves, out=values)


class Guard:
    """Holds what guarded optimisers may not change; they keep it alive.

    before_step: called before each step; raises where one would be wrong.
    """

    def __init__(self, before_step: Callable[[], None]):
        self.before_step = before_step
        self.optimizers: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self.partly: dict[nn.Parameter, Fixed] = {}
        self.wholly: dict[Tensor, Tensor] = {}
        self.hooks: dict[nn.Parameter, RemovableHandle] = {}

    def __del__(self):
        for hook in self.hooks.values():
            hook.remove()

    def watch(self, optimizer: Optimizer) -> None:
        """Guard an optimiser, and those that it steps with."""
        for one in (optimizer, *_inner(optimizer)):
            if one not in self.optimizers:
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

    @torch.no_grad()
    def remember(
        self,
        layers: Iterable[tuple[nn.Parameter, Tensor]],
        task: int,
        others: Iterable[Tensor],
    ) -> None:
        """Take note of what is fixed from now on.

        layers: each shared weight with its owners, of whom only `task`
        may change its weights; others: what may not change at all.
        """
        self.partly.clear()
        for weight, owner in layers:
            if count_owned(owner, task) < owner.numel():
                self.partly[weight] = Fixed(weight, owner, task)
                self._clear_gradients_of(weight)
        self.wholly = {p: p.detach().clone() for p in others}

    def is_current(self) -> bool:
        """Whether the owners are still those that were noted."""
        return all(
            fixed.version == fixed.owner._version
            for fixed in self.partly.values()
        )

    def _clear_gradients_of(self, weight: nn.Parameter) -> None:
        if weight in self.hooks or not weight.requires_grad:
            return
        guard = weakref.ref(self)  # the optimisers alone keep a guard

        def clear(_: Tensor) -> None:
            alive = guard()
            fixed = alive and alive.partly.get(weight)
            if fixed and weight.grad is not None:
                with torch.no_grad():
                    fixed.clear(weight.grad)

        self.hooks[weight] = weight.register_post_accumulate_grad_hook(clear)

    @torch.no_grad()
    def restore(self) -> None:
        """Undo whatever was done to fixed parameters and buffers."""
        for weight, fixed in self.partly.items():
            fixed.restore(weight)
        if self.wholly:
            torch._foreach_copy_(
                list(self.wholly), list(self.wholly.values())
            )


def _inner(optimizer: Optimizer) -> Iterator[Optimizer]:
    """Optimisers that an optimiser holds, to step with."""
    for held in vars(optimizer).values():
        if isinstance(held, Optimizer) and held is not optimizer:
            yield held
