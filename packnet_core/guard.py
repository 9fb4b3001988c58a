"""The guard: no step of an optimiser changes a fixed weight.

Zeroing gradients is not enough. Weight decay is added inside the
optimiser, and old momentum goes on moving a weight whose gradient is
zero. So the guard does two things. As soon as a gradient is complete,
the entries of fixed weights are cleared: clipping by norm then sees only
what may move. After every step, whatever the optimiser did to a fixed
weight is undone from a copy, bit for bit.

Memory: the weight's own size for the copy, in layers where something is
fixed; the owner map serves as the mask.
"""

import weakref
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from packnet_core.bits import PIECE, bits, clear, pieces
from packnet_core.masking import held


class Fixed:
    """What may not change in one parameter of a layer.

    owner: uint8 tensor, shaped like `weight`; the weights of `task` may
    change, no others. The owner map itself serves as the mask, but for
    small layers: there a mask of the weights' width is faster.
    """

    def __init__(self, weight: Tensor, owner: Tensor, task: int):
        self.owner, self.task = owner, task
        kept = weight.detach().clone()
        for values, owners in pieces(kept, owner):
            clear(values, owners != task)
        self.kept = bits(kept)
        self.moves = None
        if owner.numel() <= PIECE:
            self.moves = (owner == task).to(self.kept.dtype)

    def clear(self, gradient: Tensor) -> None:
        """Clear the entries of fixed weights in a gradient, in place."""
        if self.moves is not None:
            clear(gradient, self.moves)
            return
        for values, owners in pieces(gradient, self.owner):
            clear(values, owners == self.task)

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
    """Holds what one optimiser may not change, and lives as long as it.

    optimizer: any `torch.optim.Optimizer`; check: called before each
    step, raises where a step would be wrong.
    """

    def __init__(self, optimizer: Optimizer, check: Callable[[], None]):
        self.partly: dict[nn.Parameter, Fixed] = {}
        self.wholly: dict[nn.Parameter, Tensor] = {}
        self.hooks: dict[nn.Parameter, RemovableHandle] = {}
        optimizer.register_step_pre_hook(lambda *_: check())
        optimizer.register_step_post_hook(lambda *_: self.restore())

    def __del__(self):
        for hook in self.hooks.values():
            hook.remove()

    @torch.no_grad()
    def remember(
        self,
        layers: Iterable[tuple[nn.Parameter, Tensor]],
        task: int,
        others: Iterable[nn.Parameter],
    ) -> None:
        """Take note of what is fixed from now on.

        layers: each layer's weight with its owners, of whom only `task`
        may change its weights; others: parameters that may not change
        at all.
        """
        self.partly.clear()
        for weight, owner in layers:
            if held(owner, task) < owner.numel():
                self.partly[weight] = Fixed(weight, owner, task)
                self._clear_gradients_of(weight)
        self.wholly = {p: p.detach().clone() for p in others}

    def _clear_gradients_of(self, weight: nn.Parameter) -> None:
        if weight in self.hooks or not weight.requires_grad:
            return
        guard = weakref.ref(self)  # the optimiser alone keeps a guard

        def clear(_: Tensor) -> None:
            alive = guard()
            fixed = alive and alive.partly.get(weight)
            if fixed and weight.grad is not None:
                with torch.no_grad():
                    fixed.clear(weight.grad)

        self.hooks[weight] = weight.register_post_accumulate_grad_hook(clear)

    @torch.no_grad()
    def restore(self) -> None:
        """Undo whatever a step did to fixed parameters."""
        for weight, fixed in self.partly.items():
            fixed.restore(weight)
        if self.wholly:
            torch._foreach_copy_(
                list(self.wholly), list(self.wholly.values())
            )
