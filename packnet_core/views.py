"""Views: a network as one of its tasks sees it, while a block runs."""

import contextlib
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from packnet_core.errors import InsideView
from packnet_core.masking import masked, visible

if TYPE_CHECKING:
    from packnet_core.network import PackNet

# Each thread, and each task of asyncio, has views of its own.
_open: ContextVar[tuple["View", ...]] = ContextVar("views", default=())
GENERATOR = 0x20 | 0x200  # CPython's flags: generators, asynchronous ones


class View:
    """A block in which a network is seen as one task; see `PackNet.view`.

    task: the task's number, from 1.
    """

    def __init__(self, network: "PackNet", task: int):
        self.network, self.task = network, task
        self.entered = self.closed = False
        self.generator: int | None = None  # the frame that may be suspended
        self._copies: dict[str, tuple[tuple, Tensor, Tensor]] = {}

    def __enter__(self) -> "PackNet":
        if self.entered:
            raise InsideView("a view is entered once: call net.view() again")
        innermost(self.network)
        self.network.see_unchanged()
        self.entered = True
        caller = sys._getframe(1)
        above = caller.f_back  # a context manager's generator may wait
        if caller.f_code.co_flags & GENERATOR and (
            above is None or above.f_code.co_filename != contextlib.__file__
        ):
            self.generator = id(caller)
        self.weights()
        _open.set((*_open.get(), self))
        return self.network

    def __exit__(self, *_) -> None:
        self.closed = True  # also where another context holds it
        _open.set(tuple(v for v in _open.get() if not v.closed))
        self._copies.clear()

    def weights(self) -> dict[str, Tensor]:
        """The shared weights in which something is left out, by name.

        Copies, made anew where weights or owners were written since;
        where gradients are wanted, what they flow back through.
        """
        shown = {}
        with self.network.lock:
            owner = self.network.owner
            for name, weight in self.network.layers.items():
                state = written(weight), written(owner[name])
                kept = self._copies.get(name)
                if kept is None or kept[0] != state:
                    with torch.inference_mode(False), torch.no_grad():
                        copy = masked(weight, owner[name], self.task)
                    # The weight is kept: no other takes its identity.
                    kept = self._copies[name] = state, copy, weight
                if kept[1] is not weight:
                    shown[name] = kept[1]
                    if torch.is_grad_enabled():
                        hidden = ~visible(owner[name], self.task)
                        shown[name] = weight.masked_fill(hidden, 0)
        return shown


def innermost(network: "PackNet") -> View | None:
    """The view in which this call looks at a network, if there is one.

    Raises InsideView where that is not certain: while a generator waits
    in a view of its own.
    """
    views = [v for v in _open.get() if v.network is network and not v.closed]
    if any(view.generator is not None for view in views):
        running, frame = set(), sys._getframe()
        while frame is not None:
            running.add(id(frame))
            frame = frame.f_back  # type: ignore[assignment]
        if any(view.generator not in {None, *running} for view in views):
            raise InsideView(
                "a generator waits inside a view of its own, and this call "
                "is not in it: leave that view first, or make a context "
                "manager of the generator, with contextlib.contextmanager"
            )
    return views[-1] if views else None


def refuse_export(task: str) -> None:
    """Raise InsideView while a program is made of what is called."""
    if (
        torch.jit.is_tracing()
        or torch.onnx.is_in_onnx_export()
        or torch.compiler.is_compiling()
    ):
        raise InsideView(
            "a view does not go into a program: export "
            f"net.extract({task!r}) instead"
        )


def written(tensor: Tensor) -> tuple:
    """Differs when a tensor is another one, or was written to, as far as
    torch notices: not through `.data`."""
    times = -1 if tensor.is_inference() else tensor._version
    try:
        place = tensor.data_ptr()
    except RuntimeError:  # torch's stand-ins, in its transformations
        place = 0
    return id(tensor), times, place, tensor.dtype, tensor.device
