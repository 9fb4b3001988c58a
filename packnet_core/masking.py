"""The owner map: which weights are shared out, and whose each one is.

One byte a weight: 0 is free, k belongs to the k-th task. Task k sees the
weights with 0 < owner <= k; every other weight is zero for it. The
functions here work on one layer, or on a trunk, and know no tasks' names.

Mallya & Lazebnik, "PackNet: Adding Multiple Tasks to a Single Network
by Iterative Pruning", arXiv:1711.05769, section 3.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils.parametrize import is_parametrized

from packnet_core.errors import BadTrunk

FREE = 0
MOST_TASKS = 255
WHOLE = {2: torch.int16, 4: torch.int32, 8: torch.int64}
PIECE = 2**20  # entries: 4 MB of floats fit the last cache, calls are few
ATTENTION = (
    "in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight",
)  # fmt: skip


def _matrices(module: nn.Module) -> tuple[str, ...]:
    """The names of a module's own weights that are shared out."""
    if isinstance(module, nn.MultiheadAttention):
        return ATTENTION
    # Hugging Face's linear layer with its matrix turned round; its package
    # need not be there.
    of = type(module).__module__, type(module).__name__
    turned = of == ("transformers.pytorch_utils", "Conv1D")
    layer = turned or isinstance(module, _ConvNd | nn.Linear)
    return ("weight",) if layer else ()


def shared_out(trunk: nn.Module) -> dict[str, nn.Parameter]:
    """The weights of a trunk that tasks share out, by parameter name.

    Those of convolutions and linear layers, and the matrices of
    attention. A weight that several modules use is there once, by its
    first name.
    """
    layers: dict[str, nn.Parameter] = {}
    seen: set[int] = set()
    for path, module in trunk.named_modules():
        for name in _matrices(module):
            weight = module._parameters.get(name)
            if weight is not None and id(weight) not in seen:
                layers[f"{path}.{name}" if path else name] = weight
                seen.add(id(weight))
    return layers


def refuse_inexact(trunk: nn.Module) -> None:
    """Refuse a trunk in which earlier tasks could not be kept exact.

    Raises BadTrunk that names the layer and the cure.
    """
    for path, module in trunk.named_modules():
        name = f"layer {path!r}" if path else "the trunk"
        lazy = isinstance(module, LazyModuleMixin)
        if lazy and module.has_uninitialized_params():
            raise BadTrunk(
                f"{name} has no weights yet (it is lazy): put one batch "
                "through the trunk first"
            )
        made = isinstance(module, _ConvNd | nn.Linear) and (
            "weight" not in module._parameters
        )
        if made or is_parametrized(module):
            raise BadTrunk(
                f"{name} makes its weight from others (weight norm, spectral "
                "norm, torch.nn.utils.prune): make it plain first, with "
                "torch.nn.utils.parametrize.remove_parametrizations, "
                "remove_weight_norm, remove_spectral_norm or prune.remove"
            )
        if isinstance(module, _BatchNorm) and (
            not module.track_running_stats or module.running_mean is None
        ):
            raise BadTrunk(
                f"{name} is batch norm without running statistics: a task's "
                "answer would depend on the other pictures of its batch. "
                "Make it with track_running_stats=True, or take group norm"
            )
        if isinstance(module, FullyShardedDataParallel):
            raise BadTrunk(
                f"{name} is sharded (FSDP), and an owner map cannot follow: "
                "wrap the PackNet in DistributedDataParallel instead"
            )
    layers = shared_out(trunk)
    if not layers:
        raise BadTrunk(
            "the trunk has no convolution, no linear layer and no "
            "attention: there is nothing to share out"
        )
    shared = {id(weight): name for name, weight in layers.items()}
    for module in trunk.modules():
        for key, value in vars(module).items():
            held = value if isinstance(value, list | tuple) else [value]
            for one in held if not key.startswith("_") else ():
                if id(one) in shared:
                    raise BadTrunk(
                        f"{shared[id(one)]} is used past its layer, through "
                        f"the attribute {key!r}, where no view can hide a "
                        "part of it: use the layer's own weight instead"
                    )
    for name, weight in layers.items():
        if not weight.is_floating_point() or (
            weight.element_size() not in WHOLE
        ):
            raise BadTrunk(
                f"{name} holds numbers of type {weight.dtype}: turn the "
                "trunk to float64, float32, bfloat16 or float16 first"
            )
        if hasattr(weight, "placements"):  # torch's distributed tensors
            raise BadTrunk(
                f"{name} is sharded over devices (FSDP), and an owner map "
                "cannot follow: wrap the PackNet in DistributedDataParallel"
            )


class OwnerMap(nn.Module):
    """The owners of all shared weights, as buffers named after them.

    They move, copy, pickle, save and load with the network.
    """

    def __init__(self, layers: dict[str, nn.Parameter]):
        super().__init__()
        for name, weight in layers.items():
            *path, last = name.split(".")
            place: nn.Module = self
            for part in path:
                if part not in place._modules:
                    place.add_module(part, nn.Module())
                place = place.get_submodule(part)
            owner = torch.zeros_like(
                weight, dtype=torch.uint8, requires_grad=False
            )
            place.register_buffer(last, owner)

    def __iter__(self) -> Iterator[tuple[str, Tensor]]:
        """Name and owners (uint8, shaped like the weight) of each layer."""
        return self.named_buffers()


@torch.no_grad()
def hand_over(weight: Tensor, owner: Tensor, task: int) -> None:
    """Give every free weight of one layer to a task, from zero, in place.

    The first task takes the weights as they are: they hold what was
    learnt in pretraining. weight: float tensor, any shape; owner: uint8
    tensor, same shape.
    """
    for values, owners in pieces(weight, owner):
        free = owners == FREE
        if task > 1:
            keep_where(values, ~free)
        owners.add_(free, alpha=task)  # FREE is 0


def visible(owner: Tensor, task: int) -> Tensor:
    """Which weights a task sees: bool tensor, shaped like `owner`."""
    return (owner > FREE) & (owner <= task)


@torch.no_grad()
def masked(weight: Tensor, owner: Tensor, task: int) -> Tensor:
    """One layer as a task sees it: zero where later tasks or none own it.

    weight: float tensor, any shape; owner: uint8 tensor, same shape.
    Returns the weight itself if there is nothing to leave out.
    """
    whole = all(visible(part, task).all() for (part,) in pieces(owner))
    if whole:
        return weight
    copy = weight.detach().clone()
    for values, owners in pieces(copy, owner):
        keep_where(values, visible(owners, task))
    return copy


class _Masked(torch.autograd.Function):
    """A layer as a task sees it, with the gradient that belongs to it."""

    generate_vmap_rule = True

    @staticmethod
    def forward(weight, copy, owner, task):
        return copy.view_as(copy)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, _, owner, task = inputs
        ctx.save_for_backward(owner)
        ctx.task = task

    @staticmethod
    def backward(ctx, gradient):
        (owner,) = ctx.saved_tensors
        hidden = ~visible(owner, ctx.task)
        return gradient.masked_fill(hidden, 0), None, None, None


def with_gradient(
    weight: Tensor, copy: Tensor, owner: Tensor, task: int
) -> Tensor:
    """`copy`, made by `masked`, whose gradient flows into `weight`."""
    if weight is copy or not (
        torch.is_grad_enabled() and weight.requires_grad
    ):
        return copy
    return _Masked.apply(weight, copy, owner, task)


def count_owned(owner: Tensor, task: int) -> int:
    """How many weights of one layer a task owns."""
    return sum(
        int((owners == task).count_nonzero()) for (owners,) in pieces(owner)
    )


def counts(owner: Tensor, tasks: int) -> list[int]:
    """Weights of one layer that are free, of task 1, of task 2, …"""
    found = torch.bincount(owner.flatten().cpu(), minlength=tasks + 1)
    return found.tolist()


# Weights are zeroed and put back by their bits, in pieces that fit a cache.
# `masked_fill_` and boolean indexing branch on every entry, and a mask of
# trained weights is as good as random: on a CPU they take several times as
# long as the arithmetic here. Floating-point arithmetic is no way out, for
# 0 * NaN is NaN; whole numbers times 0 or 1 are exact.


def stored(tensor: Tensor) -> Tensor:
    """The same memory as one row (n,), in the order it is stored."""
    return tensor.detach().as_strided((tensor.numel(),), (1,))


def same_layout(*tensors: Tensor) -> bool:
    """Whether all are stored in the same order and without gaps."""
    first = tensors[0]
    dense = torch.empty_like(first, device="meta").stride()
    return all(tensor.stride() == dense for tensor in tensors)


def pieces(*tensors: Tensor) -> Iterable[tuple[Tensor, ...]]:
    """Views of the same entries of each, piece after piece.

    tensors: of one shape. If they are small, or not stored alike, there
    is one piece only: the tensors as they are.
    """
    if tensors[0].numel() <= PIECE or not same_layout(*tensors):
        return (tensors,)
    rows = (stored(tensor).split(PIECE) for tensor in tensors)
    return zip(*rows, strict=True)


def bits(values: Tensor) -> Tensor:
    """The same memory as whole numbers of the same size and shape."""
    return values.detach().view(WHOLE[values.element_size()])


def keep_where(values: Tensor, keep: Tensor) -> None:
    """Zero all values but those to keep, in place.

    values: float tensor, any shape; keep: same shape, bool or 0 and 1. A
    bool is widened to a copy first: give a large tensor in pieces.
    """
    bits(values).mul_(keep)
