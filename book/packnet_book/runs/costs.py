"""What a step of training costs: operations and bytes, counted.

Networks are built on PyTorch's device "meta", which knows shapes and
holds no numbers: counting trains nothing, takes no memory, and needs no
device of the kind that is asked about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pandas
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from packnet_core.masking import shared_out
from packnet_core.trunks import Architecture, Trunk, build

FLOAT, HALF, OWNER = 4, 2, 1  # bytes
# Read and written in a step, at least. SGD with momentum reads gradient,
# momentum and weight, and writes the last two. The guard clears gradients
# (reads them and the owners, writes them), then puts weights back (reads
# them, the owners and its copy, writes them).
STEPPING = 5 * FLOAT
GUARDING = 2 * FLOAT + OWNER + 3 * FLOAT + OWNER
Precision = Literal["no", "bf16", "fp16"]


@dataclass(frozen=True)
class Work:
    """What a picture goes through in a step of training.

    heads: classes of each head that answers, and is trained, the new one
    last; trunk: whether the trunk is trained too; guarded: whether fixed
    weights are kept in a copy; teacher: whether a copy of the whole
    network, with all heads but the last, answers first (Learning without
    Forgetting).
    """

    heads: tuple[int, ...]
    trunk: bool = True
    guarded: bool = False
    teacher: bool = False


def answering(architecture: Architecture, heads: Sequence[int]) -> int:
    """Floating-point operations of one picture's answers.

    heads: classes of each head that answers. Counted are convolutions
    and matrix products, two operations for each multiply-add.
    """
    return _answering(architecture, tuple(heads))


@cache
def _answering(architecture: Architecture, heads: tuple[int, ...]) -> int:
    trunk, outputs = _network(architecture, heads)
    with torch.no_grad(), FlopCounterMode(display=False) as counted:
        _answers(trunk, outputs, _picture(architecture))
    return counted.get_total_flops()


@cache
def training(architecture: Architecture, work: Work) -> int:
    """Floating-point operations of one picture in a step of training.

    Forward and backward, counted as in `answering`. What the optimiser
    and the guard do is not in it: they read and write, once a step.
    """
    trunk, outputs = _network(architecture, work.heads)
    trunk.requires_grad_(work.trunk)
    picture = _picture(architecture)
    with FlopCounterMode(display=False) as counted:
        if work.teacher:
            with torch.no_grad():
                _answers(trunk, outputs[:-1], picture)
        _answers(trunk, outputs, picture).sum().backward()
    return counted.get_total_flops()


def kept_for_backward(
    architecture: Architecture, work: Work, precision: Precision = "no"
) -> int:
    """Bytes that the forward pass of one picture keeps for the backward.

    What autograd saves, each piece of memory once, and no weights. In
    half precision floats take half; the places of the maxima do not.
    """
    trunk, outputs = _network(architecture, work.heads)
    trunk.requires_grad_(work.trunk)
    weights = {
        id_of(tensor)
        for module in (trunk, *outputs)
        for tensor in (*module.parameters(), *module.buffers())
    }
    saved: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if id_of(tensor) not in weights:
            saved[id_of(tensor)] = tensor
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = _answers(trunk, outputs, _picture(architecture)).sum()
    assert loss.requires_grad
    share = 1 if precision == "no" else HALF / FLOAT
    return sum(
        round(
            tensor.untyped_storage().nbytes()
            * (share if tensor.is_floating_point() else 1)
        )
        for tensor in saved.values()
    )


def id_of(tensor: Tensor) -> int:
    """The same for tensors that share their memory."""
    return tensor.untyped_storage()._cdata


def step_memory(
    architecture: Architecture,
    work: Work,
    *,
    batch: int = 32,
    accumulate: int = 1,
    precision: Precision = "no",
) -> pandas.Series:
    """Bytes of a step of training, by part.

    batch: pictures; accumulate: chunks in which they go through the network.
    About the most that is needed at one time, at the beginning of the
    backward pass, but for what libraries and the driver take besides.
    """
    trunk, outputs = _network(architecture, work.heads)
    shared = sum(weight.numel() for weight in shared_out(trunk).values())
    whole = sum(p.numel() for p in trunk.parameters())
    heads = sum(p.numel() for head in outputs for p in head.parameters())
    moving = (whole if work.trunk else 0) + heads
    weights = FLOAT * (whole + heads)
    copied = HALF * (shared + heads) if precision != "no" else 0
    kept = kept_for_backward(architecture, work, precision)
    return pandas.Series(
        {
            "weights": weights,
            "half copies": copied * (2 if work.teacher else 1),
            "owner map": OWNER * shared * (2 if work.teacher else 1),
            "guard's copy": FLOAT * shared if work.guarded else 0,
            "teacher": weights if work.teacher else 0,
            "gradients": FLOAT * moving,
            "momentum": FLOAT * moving,
            "activations": -(-batch // accumulate) * kept,
        }
    )


def bookkeeping(architecture: Architecture, work: Work) -> int:
    """Bytes that optimiser and guard read and write in a step, at least.

    They do hardly any arithmetic: how long they take is a matter of how
    fast the memory is, and the same for any number of pictures.
    """
    trunk, outputs = _network(architecture, work.heads)
    shared = sum(weight.numel() for weight in shared_out(trunk).values())
    moving = sum(p.numel() for head in outputs for p in head.parameters())
    guarded = 0
    if work.trunk:
        moving += sum(p.numel() for p in trunk.parameters())
        guarded = shared if work.guarded else 0
    return STEPPING * moving + GUARDING * guarded


def widest(architecture: Architecture) -> int:
    """Bytes in and out of the layer where they are most, for a picture.

    Without a backward pass nothing is kept, and a test takes about this
    for each picture of a batch.
    """
    trunk = _trunk(architecture)
    found = [0]

    def look(_: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        memory = {id_of(t): t.untyped_storage().nbytes()
                  for t in (*given, made)}  # fmt: skip
        found.append(sum(memory.values()))

    for module in trunk.modules():
        if not list(module.children()):
            module.register_forward_hook(look)
    with torch.no_grad():
        trunk(_picture(architecture))
    return max(found)


def _trunk(architecture: Architecture) -> Trunk:
    with torch.device("meta"):
        return build(architecture)


def _network(
    architecture: Architecture, heads: Sequence[int]
) -> tuple[Trunk, list[nn.Linear]]:
    trunk = _trunk(architecture)
    with torch.device("meta"):
        return trunk, [nn.Linear(trunk.out_features, n) for n in heads]


def _picture(architecture: Architecture) -> Tensor:
    side = architecture.size
    return torch.empty(1, 3, side, side, device="meta")


def _answers(
    trunk: Trunk, heads: Sequence[nn.Linear], picture: Tensor
) -> Tensor:
    features = trunk(picture)  # (1, features)
    return torch.cat([head(features) for head in heads], dim=1)
