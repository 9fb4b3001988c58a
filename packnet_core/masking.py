"""The owner map: which weights are shared out, and whose each one is.

One byte a weight: 0 is free, k belongs to the k-th task. Task k sees the
weights with 0 < owner <= k; every other weight is zero for it. The
functions here work on one layer, or on a trunk, and know no tasks' names.
Unless they say otherwise, a weight is a float tensor of any shape, its
owner a uint8 tensor of the same shape, and both are changed in place."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.parameter import is_lazy
from torch.nn.utils.parametrize import is_parametrized

from packnet_core.errors import BadTrunk

FREE = 0
MOST_TASKS = 255
INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
PIECE = 2**18  # entries: a megabyte of floats stays in the cache


def _matrices(module: nn.Module) -> tuple[str, ...]:
    """The names of a module's own weights that are shared out."""
    if isinstance(module, nn.MultiheadAttention):
        return tuple(f"{part}_proj_weight" for part in ("in", *"qkv"))
    # Hugging Face's linear layer, whose package need not be there.
    of = type(module).__module__, type(module).__name__
    turned = of == ("transformers.pytorch_utils", "Conv1D")
    layer = turned or isinstance(module, _ConvNd | nn.Linear)
    return ("weight",) if layer else ()


def shared_out(trunk: nn.Module) -> dict[str, nn.Parameter]:
    """The weights of a trunk that tasks share out, by parameter name:
    those of convolutions, linear layers and attention. A weight that
    several modules use is there once, by its first name."""
    layers: dict[nn.Parameter, str] = {}
    for path, module in trunk.named_modules():
        for name in _matrices(module):
            weight = module._parameters.get(name)
            if weight is not None:
                layers.setdefault(weight, f"{path}.{name}".lstrip("."))
    return {name: weight for weight, name in layers.items()}


def _objection(module: nn.Module, shared: set[int]) -> str | None:
    """Why earlier tasks could not be kept exact with a module, if so;
    shared: identities of the weights that are shared out."""
    weights = [w for w in module._parameters.values() if w is not None]
    if any(map(is_lazy, (*weights, *module.buffers(recurse=False)))):
        return "is lazy, without weights: put one batch through the trunk"
    sharded = isinstance(module, FullyShardedDataParallel)
    if sharded or any(hasattr(weight, "placements") for weight in weights):
        return "is sharded (FSDP): take DistributedDataParallel instead"
    layer = isinstance(module, _ConvNd | nn.Linear)
    made = layer and "weight" not in module._parameters
    if made or is_parametrized(module):
        return (
            "makes its weight from others: make it plain first, with "
            "torch.nn.utils.parametrize.remove_parametrizations, "
            "remove_weight_norm, remove_spectral_norm or prune.remove"
        )
    if isinstance(module, _BatchNorm) and (
        not module.track_running_stats or module.running_mean is None
    ):
        return (
            "is batch norm that depends on the batch: take "
            "track_running_stats=True, or group norm"
        )
    for key, value in vars(module).items():
        held = value if isinstance(value, list | tuple) else [value]
        if key[0] != "_" and any(id(one) in shared for one in held):
            return f"uses a weight as {key!r}: use it through its layer only"
    for weight in weights:
        plain = weight.is_floating_point() and weight.itemsize in INTEGERS
        if id(weight) in shared and not plain:
            return f"holds {weight.dtype}: turn the trunk to float32 first"
    return None


def refuse_inexact(trunk: nn.Module) -> None:
    """Raise BadTrunk, with the layer and the cure, for a trunk in which
    earlier tasks could not be kept exact."""
    shared = {id(weight) for weight in shared_out(trunk).values()}
    for path, module in trunk.named_modules():
        if objection := _objection(module, shared):
            raise BadTrunk(f"layer {path!r} of the trunk {objection}")
    if not shared:
        needed = "a convolution, a linear layer or attention"
        raise BadTrunk(f"nothing to share out: the trunk needs {needed}")


class OwnerMap(nn.Module):
    """The owners of all shared weights, as buffers named after them:
    they move, copy, pickle, save and load with the network."""

    def __init__(self, layers: dict[str, nn.Parameter]):
        super().__init__()
        for name, weight in layers.items():
            *path, last = name.split(".")
            module: Any = self
            for part in path:
                module = module._modules.setdefault(part, nn.Module())
            owner = torch.zeros_like(weight.detach(), dtype=torch.uint8)
            module.register_buffer(last, owner)


def hand_over(weight: Tensor, owner: Tensor, task: int) -> None:
    """Give every free weight of one layer to a task, from zero; to the
    first as it is, for it holds what was learnt in pretraining."""
    for values, owners in pieces(weight, owner):
        free = owned(owners, FREE)
        if task > 1:
            keep_where(values, ~free)
        owners.add_(free, alpha=task)  # FREE is 0


def visible(owner: Tensor, task: int) -> Tensor:
    """Which weights a task sees: bool tensor, shaped like `owner`."""
    # FREE - 1 is 255. Bytes are compared far faster if bytes come of it.
    return (owner - 1).lt_(task).view(torch.bool)


def owned(owner: Tensor, task: int) -> Tensor:
    """Which weights a task owns (0: are free): bool tensor, as above."""
    return (owner - task).lt_(1).view(torch.bool)


def masked(weight: Tensor, owner: Tensor, task: int) -> Tensor:
    """One layer as a task sees it, zero where later tasks or none own it:
    a copy, or the weight itself if there is nothing to leave out."""
    seen = (visible(part, task) for (part,) in pieces(owner))
    if all(part.view(torch.uint8).all() for part in seen):
        return weight
    copy = torch.empty_like(weight)
    for values, owners, copied in pieces(weight, owner, copy):
        bits(copied).copy_(visible(owners, task)).mul_(bits(values))
    return copy


# New pages are slow; glibc keeps as much as twice the largest piece freed.
torch.empty(2**25 - 2**14, dtype=torch.uint8, device="cpu")

# Weights are zeroed and put back by their bits, in pieces that fit a cache:
# `masked_fill_` branches on every entry, several times as slow where a mask
# is as good as random, and 0 * NaN is NaN; integers times 0 or 1 are exact.


def pieces(*tensors: Tensor, whole: int = 1) -> Iterable[tuple[Tensor, ...]]:
    """Views of the same entries of tensors of one shape, a piece each; all
    in one if that is `whole` pieces, or not stored alike and without gaps."""
    if tensors[0].numel() <= whole * PIECE:
        return (tensors,)
    dense = torch.empty_like(tensors[0], device="meta").stride()
    if any(tensor.stride() != dense for tensor in tensors):
        return (tensors,)
    rows = [t.detach().as_strided((t.numel(),), (1,)) for t in tensors]
    return zip(*(row.split(PIECE) for row in rows), strict=True)


def bits(values: Tensor) -> Tensor:
    """The same memory as whole numbers of the same size and shape."""
    return values.detach().view(INTEGERS[values.element_size()])


def keep_where(values: Tensor, keep: Tensor) -> None:
    """Zero all values but those to keep (same shape, bool or 0 and 1). A
    bool is widened to a copy first: give a large tensor in pieces."""
    bits(values).mul_(keep)
