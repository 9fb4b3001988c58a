"""Weights cleared and put back by their bits, in pieces that fit a cache.

`masked_fill_` and boolean indexing branch on every entry, and a mask of
trained weights is as good as random: on a CPU they take several times as
long as the arithmetic here. Floating-point arithmetic is no way out, for
0 * NaN is NaN; whole numbers times 0 or 1 are exact.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

WHOLE = {2: torch.int16, 4: torch.int32, 8: torch.int64}
PIECE = 2**20  # entries: 4 MB of floats fit the last cache, calls are few


def stored(tensor: Tensor) -> Tensor:
    """The same memory as one row (n,), in the order it is stored."""
    return tensor.detach().as_strided((tensor.numel(),), (1,))


def alike(*tensors: Tensor) -> bool:
    """Whether all are stored in the same order and without gaps."""
    first = tensors[0]
    dense = torch.empty_like(first, device="meta").stride()
    return all(tensor.stride() == dense for tensor in tensors)


def pieces(*tensors: Tensor) -> Iterable[tuple[Tensor, ...]]:
    """Views of the same entries of each, piece after piece.

    tensors: of one shape. If they are small, or not stored alike, there
    is one piece only: the tensors as they are.
    """
    if tensors[0].numel() <= PIECE or not alike(*tensors):
        return (tensors,)
    rows = (stored(tensor).split(PIECE) for tensor in tensors)
    return zip(*rows, strict=True)


def bits(values: Tensor) -> Tensor:
    """The same memory as whole numbers of the same size and shape."""
    return values.detach().view(WHOLE[values.element_size()])


def clear(values: Tensor, keep: Tensor) -> None:
    """Zero all values but those to keep, in place.

    values: float tensor, any shape; keep: same shape, bool or 0 and 1. A
    bool is widened to a copy first: give a large tensor in pieces.
    """
    bits(values).mul_(keep)
