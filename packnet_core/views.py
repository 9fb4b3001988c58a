"""Views: a network as one of its tasks sees it, while a block runs."""

import contextlib
import sys
from contextvars import ContextVar
from traceback import walk_stack
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.func import functional_call

from packnet_core.errors import InsideView
from packnet_core.masking import masked, visible

if TYPE_CHECKING:
    from packnet_core.network import PackNet

# Each thread, and each task of asyncio, has views of its own.
_open: ContextVar[tuple["View", ...]] = ContextVar("views", default=())
GENERATOR = 0x20 | 0x200  # CPython's flags: generators, asynchronous ones


class View:
    """A block that sees a network as one task, its number from 1 on."""

    def __init__(self, network: "PackNet", task: int):
        self.network, self.task = network, task
        self.entered = self.closed = False
        self.generator: int | None = None  # the frame that may be suspended
        self._copies: dict[str, tuple] = {}

    def __enter__(self) -> "PackNet":
        if self.entered:
            raise InsideView("a view is entered once: call net.view() again")
        innermost(self.network)
        caller = sys._getframe(1)
        above = caller.f_back  # a context manager's generator may wait
        if caller.f_code.co_flags & GENERATOR and (
            above is None or above.f_code.co_filename != contextlib.__file__
        ):
            self.generator = id(caller)
        self.entered = True  # also if this fails: copies may be unwritten
        with self.network.lock, torch.no_grad():
            self.network.see_unchanged(self)
            self.weights()
        _open.set((*_open.get(), self))
        return self.network

    def __exit__(self, *_) -> None:
        self.closed = True  # also where another context holds it
        _open.set(tuple(v for v in _open.get() if not v.closed))
        self._copies.clear()

    def weights(self, empty: bool = False) -> dict[Tensor, Tensor]:
        """What is shown for shared weights of which something is left out:
        copies, made anew where weights or owners were written since, or
        what gradients flow back through; empty: new ones, to be written."""
        shown: dict[Tensor, Tensor] = {}
        owners = self.network.owner
        for name, weight in self.network.layers.items():
            owner = owners[name]
            state = written(weight), written(owner)
            if self._copies.get(name, [None])[0] != state:
                with torch.inference_mode(False):
                    if empty and weight.is_contiguous():
                        copy = torch.empty_like(weight)
                    else:
                        copy = masked(weight, owner, self.task)
                # The weight is kept: no other takes its identity.
                self._copies[name] = state, copy, weight
            if (copy := self._copies[name][1]) is not weight:
                if torch.is_grad_enabled():
                    copy = weight.masked_fill(~visible(owner, self.task), 0)
                shown[weight] = copy
        return shown

    def call(self, inputs: tuple, options: dict) -> Tensor:
        """The trunk's output, with what is shown once in each place, whatever
        names it has. Without gradients no matrix takes any, fixed or not:
        torch multiplies those otherwise, and rounds otherwise."""
        trunk, new = self.network.trunk, self.weights()
        if not torch.is_grad_enabled():
            matrices = (p for p in trunk.parameters() if p.dim() > 1)
            new = {p: p.detach() for p in matrices} | new
        at = {
            f"{path}.{name}".lstrip("."): new[p]
            for path, module in trunk.named_modules()
            for name, p in module._parameters.items()
            if p in new
        }
        return functional_call(trunk, at, inputs, options, tie_weights=False)


def innermost(network: "PackNet") -> View | None:
    """The view in which this call looks at a network, if there is one.
    Raises InsideView while a generator waits in a view of its own."""
    views = [v for v in _open.get() if v.network is network and not v.closed]
    waiting = {view.generator for view in views} - {None}
    if waiting and waiting - {id(f) for f, _ in walk_stack(sys._getframe())}:
        raise InsideView(
            "a generator waits inside a view of its own: leave that view "
            "first, or make it a contextlib.contextmanager"
        )
    return views[-1] if views else None


def written(tensor: Tensor) -> tuple:
    """Differs when a tensor is another one, or was written to, as far as
    torch notices: not through `.data`."""
    times = -1 if tensor.is_inference() else tensor._version
    try:
        address = tensor.data_ptr()
    except RuntimeError:  # torch's stand-ins, in its transformations
        address = 0
    return id(tensor), times, address, tensor.dtype, tensor.device
