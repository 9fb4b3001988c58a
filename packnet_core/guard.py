"""The guard: no step of an optimiser changes a fixed weight.

Zeroing gradients is not enough. Weight decay is added inside the
optimiser, and old momentum goes on moving a weight whose gradient is
zero. So the guard does two things. As soon as a gradient is complete,
the entries of fixed weights are cleared: clipping by norm then sees only
what may move. After every step, whatever the optimiser did to a fixed
weight is undone from a copy, bit for bit.

Memory: one byte a weight for the mask and the weight's own size for the
copy, in layers where something is fixed.

A mask as a float would let a NaN or an infinity through (0 * NaN is
NaN), and `torch.where` takes four times as long on a CPU, so both steps
work on the bits: `and` clears, `or` puts back.
"""

import weakref
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
PIECE = 2**18  # fits a core's cache; a larger mask would be read twice


def bits(tensor: Tensor) -> Tensor:
    """The same memory as integers (n,), in the order it is stored."""
    flat = tensor.detach().as_strided((tensor.numel(),), (1,))
    return flat.view(BITS[tensor.element_size()])


class Fixed:
    """What may not change in one parameter of a layer.

    moves: bool tensor, shaped like `weight`; True where it may change.
    """

    def __init__(self, weight: Tensor, moves: Tensor):
        # -1 has all bits set; `and` with it keeps a value, with 0 clears.
        mask = torch.empty_like(weight, dtype=torch.int8).copy_(moves)
        self.mask = mask.neg_().as_strided((mask.numel(),), (1,))
        kept = weight.detach().clone().masked_fill_(moves, 0)
        self.kept = bits(kept)
        if mask.numel() <= PIECE:  # small: widening it each time costs more
            self.mask = self.mask.to(self.kept.dtype)

    def clear(self, gradient: Tensor, like: Tensor) -> None:
        """Clear the entries of fixed weights in a gradient, in place."""
        if gradient.stride() != like.stride():
            mask = self.mask.as_strided(like.shape, like.stride())
            gradient.masked_fill_(mask == 0, 0)
            return
        pieces = zip(
            bits(gradient).split(PIECE), self.mask.split(PIECE), strict=True
        )
        for values, mask in pieces:
            values.bitwise_and_(mask.to(values.dtype))

    def restore(self, weight: Tensor) -> None:
        """Put the fixed weights back, in place, bit for bit."""
        pieces = zip(
            bits(weight).split(PIECE),
            self.mask.split(PIECE),
            self.kept.split(PIECE),
            strict=True,
        )
        for values, mask, kept in pieces:
            values.bitwise_and_(mask.to(values.dtype)).bitwise_or_(kept)


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
        others: Iterable[nn.Parameter],
    ) -> None:
        """Take note of what is fixed from now on.

        layers: each layer's weight with a bool tensor, True where it may
        change; others: parameters that may not change at all.
        """
        self.partly.clear()
        for weight, moves in layers:
            if not moves.all():
                self.partly[weight] = Fixed(weight, moves)
                self._clear_gradients_of(weight)
        self.wholly = {p: p.detach().clone() for p in others}

    def _clear_gradients_of(self, weight: nn.Parameter) -> None:
        if weight in self.hooks:
            return
        guard = weakref.ref(self)  # the optimiser alone keeps a guard

        def clear(_: Tensor) -> None:
            alive = guard()
            fixed = alive and alive.partly.get(weight)
            if fixed and weight.grad is not None:
                with torch.no_grad():
                    fixed.clear(weight.grad, weight)

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
