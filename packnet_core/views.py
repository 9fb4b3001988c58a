"""Views: a network as one of its tasks sees it, while a block runs."""

import contextlib
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from packnet_core.errors import InsideView
from packnet_core.masking import masked, with_gradient

if TYPE_CHECKING:
    from packnet_core.network import PackNet

# Each thread, and each task of asyncio, has views of its own.
_open: ContextVar[tuple["View", ...]] = ContextVar("views", default=())
# CPython's flags: generators, asynchronous ones; coroutines.
GENERATOR = 0x20 | 0x200
SUSPENDED = GENERATOR | 0x80


class View:
    """A block in which a network is seen as one task; see `PackNet.view`.

    task: the task's number, from 1.
    """

    def __init__(self, network: "PackNet", task: int):
        self.network, self.task = network, task
        self.entered = self.closed = False
        self.waits = False  # whether the frame is a generator's of its own
        self.frame: int | None = None  # of the block, if it may be suspended
        self.around: set[int] = set()  # frames that ran when it was entered
        self._copies: dict[str, tuple[tuple, Tensor, Tensor]] = {}

    def __enter__(self) -> "PackNet":
        if self.entered:
            task = self.network.tasks[self.task - 1]
            raise InsideView(
                "a view is entered once: make another one, with "
                f"net.view({task!r})"
            )
        self.network._check()
        self.network._prove()
        self.entered = True
        caller = sys._getframe(1)
        if caller.f_code.co_flags & SUSPENDED:
            self.frame = id(caller)
            above = caller.f_back
            self.waits = bool(caller.f_code.co_flags & GENERATOR) and (
                above is None
                or above.f_code.co_filename != contextlib.__file__
            )
        self.around = _running()
        self.weights()
        _open.set((*_open.get(), self))
        return self.network

    def __exit__(self, *_) -> None:
        self.closed = True  # also where another context holds it
        _open.set(tuple(v for v in _open.get() if not v.closed))
        self._copies.clear()

    def weights(self) -> dict[str, Tensor]:
        """The shared weights in which something is left out, by name.

        Made anew where weights or owners were written since.
        """
        with self.network._lock:
            return self._weights()

    def _weights(self) -> dict[str, Tensor]:
        shown = {}
        owner = self.network.owner
        for name, weight in self.network.layers.items():
            state = (*_state(weight), *_state(owner[name]))
            kept = self._copies.get(name)
            if kept is None or kept[0] != state:
                with torch.inference_mode(False):
                    copy = masked(weight, owner[name], self.task)
                # The weight is kept, so that no other takes its identity.
                kept = self._copies[name] = state, copy, weight
            if kept[1] is not weight:
                shown[name] = with_gradient(
                    weight, kept[1], owner[name], self.task
                )
        return shown


def innermost(network: "PackNet") -> View | None:
    """The view in which this call looks at a network, if there is one.

    Raises InsideView where that is not certain: in a generator that was
    resumed while a view is open that was entered outside of it.
    """
    views = [v for v in _open.get() if v.network is network and not v.closed]
    if not views:
        return None
    *outer, view = views
    if any(v.frame is not None for v in outer):
        running = _running()
        for other in outer:
            if other.frame in running - view.around:
                raise InsideView(
                    "this generator has a view of its own, and another one "
                    "was entered since, outside of it: leave that one first"
                )
    if view.waits and view.frame not in _running():
        raise InsideView(
            "a generator waits inside a view of its own, and this call is "
            "not in it: leave that view first, or make a context manager "
            "of the generator, with contextlib.contextmanager"
        )
    return view


def refuse_inside(network: "PackNet", what: str) -> None:
    """Raise InsideView, naming `what`, while seen as a task."""
    for view in _open.get():
        if view.network is network and not view.closed:
            raise InsideView(
                f"cannot {what} while the network is seen as "
                f"{network.tasks[view.task - 1]!r}: leave the view first"
            )


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


def _state(tensor: Tensor) -> tuple:
    """Differs when a tensor is another one, or was written to."""
    written = -1 if tensor.is_inference() else tensor._version
    return id(tensor), written, place(tensor), tensor.dtype, tensor.device


def place(tensor: Tensor) -> int:
    """Where a tensor's numbers lie; 0 where it has none of its own."""
    try:
        return tensor.data_ptr()
    except RuntimeError:  # torch's stand-ins, in its transformations
        return 0


def _running() -> set[int]:
    """The frames that this call stands in."""
    found, frame = set(), sys._getframe(1)
    while frame is not None:
        found.add(id(frame))
        frame = frame.f_back  # type: ignore[assignment]
    return found
